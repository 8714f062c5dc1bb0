// A script that does not compile does not run at all.

print('never printed');
let x = = 1;
