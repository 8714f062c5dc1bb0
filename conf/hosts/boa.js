// test262 on Boa's shell: what it offers.
(function (global) {
  var log = console.log.bind(console);
  var transfer = ArrayBuffer.prototype.transfer;
  var define = function (name, value) {
    Object.defineProperty(global, name, { value: value, writable: true, enumerable: false, configurable: true });
  };
  define("print", function (text) { log(String(text)); });
  define("$262", {
    global: global,
    // One that is detached already stays so.
    detachArrayBuffer: transfer && function (buffer) { if (!buffer.detached) transfer.call(buffer); },
  });
})(globalThis);
