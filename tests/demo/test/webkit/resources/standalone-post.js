// Runs after each test of this suite: its line shows that the test came to its end.

print('TEST COMPLETE');
