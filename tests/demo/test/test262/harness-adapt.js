// Joins test262's harness to the shell: $262 is the host object.
// It runs after data/harness/sta.js and data/harness/assert.js, before the includes of the test.

var $262 = {
  global: globalThis,
  gc() {
    v8GC();
  },
};
