// Put in for tests marked FAIL_PHASE_ONLY: running code that should not compile is no failure of its own then,
// so that the error that comes later can be seen.

$DONOTEVALUATE = () => {};
