// quit ends the test at once, with the exit code it is given.

Promise.resolve().then(() => quit(0));
setTimeout(() => fail('the script is over'));
