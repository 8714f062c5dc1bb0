// test262 on jsc: older ones call $262 `$` alone.
if (typeof $262 === "undefined") {
  Object.defineProperty(globalThis, "$262", { value: globalThis.$, writable: true, enumerable: false, configurable: true });
}
