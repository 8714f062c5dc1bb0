// What goes to stderr is not compared.

printErr('a warning');
console.error('another one');
console.log('an answer');
