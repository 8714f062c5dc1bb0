// Anything can be thrown; what is no object has no stack.

print('before');
throw 'just a text';
