// test262 on SpiderMonkey's shell: $262 of its own functions. `print` is there.
(function (global) {
  var makeGlobal = global.newGlobal;
  var runScript = global.evaluate;
  var detach = global.detachArrayBuffer;
  var collect = global.gc;
  var makeHTMLDDA = global.createIsHTMLDDA;
  var runInWorker = global.evalInWorker;
  var setShared = global.setSharedObject;
  var getShared = global.getSharedObject;
  var install = function (object) {
    var $262 = {
      global: object,
      gc: function () { collect(); },
      createRealm: function () {
        var other = makeGlobal();
        return install(other);
      },
      evalScript: function (code) { return runScript(code, { global: object }); },
      detachArrayBuffer: function (buffer) { detach(buffer); },
      agent: runInWorker && setShared ? agents() : undefined,
    };
    if (makeHTMLDDA) $262.IsHTMLDDA = makeHTMLDDA();
    Object.defineProperty(object, "$262", { value: $262, writable: true, enumerable: false, configurable: true });
    return $262;
  };

  // Threads share one object at a time: a buffer through which all talk. A report is written into it by whoever holds its
  // lock; a broadcast puts the broadcast buffer in its place until all have taken it.
  function agents() {
    var READY = 0, MESSAGE = 1, RECEIVED = 2, ID = 3, LOCK = 4, WRITTEN = 5, FIRST = 8;
    var board, started = 0, read = FIRST;
    var begin = function () { board = board || new Int32Array(new SharedArrayBuffer(4 << 16)); };
    var agentMain = function () {
      return "var $262 = (function () {\n" +
        "  var board = new Int32Array(getSharedObject());\n" +
        "  var pause = new Int32Array(new SharedArrayBuffer(4));\n" +
        "  var wait = Atomics.wait, load = Atomics.load, add = Atomics.add, store = Atomics.store;\n" +
        "  var exchange = Atomics.compareExchange, shared = getSharedObject, seen = load(board, 1);\n" +
        "  add(board, 0, 1);\n" +
        "  return { agent: {\n" +
        "    receiveBroadcast: function (receive) {\n" +
        "      while (load(board, 1) === seen) wait(pause, 0, 0, 1);\n" +
        "      seen = load(board, 1);\n" +
        "      var buffer = shared(), id = load(board, 3);\n" +
        "      add(board, 2, 1);\n" +
        "      receive(buffer, id);\n" +
        "    },\n" +
        "    report: function (value) {\n" +
        "      var text = String(value);\n" +
        "      while (exchange(board, 4, 0, 1) !== 0) ;\n" +
        "      var at = 8 + load(board, 5);\n" +
        "      board[at] = text.length;\n" +
        "      for (var i = 0; i < text.length; i++) board[at + 1 + i] = text.charCodeAt(i);\n" +
        "      add(board, 5, text.length + 1);\n" +
        "      store(board, 4, 0);\n" +
        "    },\n" +
        "    sleep: function (milliseconds) { wait(pause, 0, 0, milliseconds); },\n" +
        "    leaving: function () {},\n" +
        "    monotonicNow: monotonicNow,\n" +
        "  } };\n" +
        "})();\n";
    };
    return {
      start: function (source) {
        begin();
        setShared(board.buffer);
        runInWorker(agentMain() + source);
        started++;
        while (Atomics.load(board, READY) < started) Atomics.wait(board, 7, 0, 1);
      },
      broadcast: function (buffer, id) {
        setShared(buffer);
        Atomics.store(board, ID, Number(id));
        Atomics.store(board, RECEIVED, 0);
        Atomics.add(board, MESSAGE, 1);
        while (Atomics.load(board, RECEIVED) < started) Atomics.wait(board, 7, 0, 1);
      },
      getReport: function () {
        begin();
        if (read - FIRST >= Atomics.load(board, WRITTEN)) return null;
        var text = "", length = board[read++];
        for (var i = 0; i < length; i++) text += String.fromCharCode(board[read++]);
        return text;
      },
      sleep: function (milliseconds) { begin(); Atomics.wait(board, 7, 0, milliseconds); },
      monotonicNow: global.monotonicNow,
    };
  }
  install(global);
})(this);
