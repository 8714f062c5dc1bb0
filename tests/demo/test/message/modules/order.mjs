// Imported by ../module-order.mjs; as a test of its own it prints one line.

print('imported first');
export const name = 'order';
