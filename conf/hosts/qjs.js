// test262 on qjs --std: $262 as far as its modules `std` and `os` allow. `print` is qjs's own.
(function (global) {
  var transfer = ArrayBuffer.prototype.transfer;
  var library = global.std;
  var define = function (name, value) {
    Object.defineProperty(global, name, { value: value, writable: true, enumerable: false, configurable: true });
  };
  define("$262", {
    global: global,
    gc: function () { library.gc(); },
    evalScript: function (code) { return library.evalScript(code); },
    // One that is detached already stays so.
    detachArrayBuffer: function (buffer) { if (!buffer.detached) transfer.call(buffer); },
  });
})(globalThis);
