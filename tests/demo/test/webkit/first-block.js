// V8 compares only what stands between the first two lines beginning with ==, as if the test ran several times.

print('== run 1');
print('compared');
print('== run 2');
print('not compared');
