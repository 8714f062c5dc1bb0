// test262 on Hermes: what its shell offers. `print` is its own.
(function (global) {
  var $262 = {
    global: global,
    gc: global.gc,
    detachArrayBuffer: typeof HermesInternal === "object" ? HermesInternal.detachArrayBuffer : undefined,
  };
  // A test's own `var $262` is there before this runs, and cannot be defined anew.
  var done = Reflect.defineProperty(global, "$262", { value: $262, writable: true, enumerable: false, configurable: true });
  if (!done) global.$262 = $262;
})(globalThis);
