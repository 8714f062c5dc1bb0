// Joins test262's harness to the shell: $DONE ends asynchronous tests, $262 is the host object.
// It runs after data/harness/sta.js and data/harness/assert.js, before the includes of the test.

function $DONE(error) {
  if (error) {
    print('FAILED! Error: ' + error);
    quit(1);
  }
  quit(0);
}

var $262 = {
  global: globalThis,
  gc() {
    v8GC();
  },
};
