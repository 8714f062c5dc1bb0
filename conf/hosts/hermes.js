// test262 on Hermes: what its shell offers. `print` is its own.
Object.defineProperty(globalThis, "$262", {
  value: {
    global: globalThis,
    gc: globalThis.gc,
    detachArrayBuffer: typeof HermesInternal === "object" ? HermesInternal.detachArrayBuffer : undefined,
  },
  writable: true,
  enumerable: false,
  configurable: true,
});
