// test262 on d8: $262, as INTERPRETING.md has it. `print` is d8's own.
(function (global) {
  var define = function (object, name, value) {
    Object.defineProperty(object, name, { value: value, writable: true, enumerable: false, configurable: true });
  };
  var collect = global.gc;
  var currentRealm = Realm.current;
  var realmEval = Realm.eval;
  var createRealm = Realm.createAllowCrossRealmAccess;
  var globalOf = Realm.global;
  var install = function (object, realm) {
    var $262 = {
      global: object,
      gc: function () { collect(); },
      createRealm: function () {
        var other = createRealm();
        return install(globalOf(other), other);
      },
      evalScript: function (code) { return realmEval(realm, code); },
      detachArrayBuffer: function (buffer) { %ArrayBufferDetach(buffer); },
      agent: typeof Worker === "function" ? agents() : undefined,
    };
    Object.defineProperty($262, "IsHTMLDDA", {
      get: function () { return %GetUndetectable(); }, enumerable: true, configurable: true,
    });
    if (typeof WebAssembly === "object") {
      var source = Object.getPrototypeOf(WebAssembly.Module);
      if (source !== Function.prototype) $262.AbstractModuleSource = source;
    }
    define(object, "$262", $262);
    return $262;
  };

  // An agent is a Worker. Messages to it wake it; reports come back with getMessage, which blocks: so agents count
  // their reports in shared memory.
  function agents() {
    var workers = [];
    var READY = 0, RECEIVED = 1, REPORTS = 2;
    var counts, reported = [], pause;
    var begin = function () {
      counts = counts || new Int32Array(new SharedArrayBuffer(4 * 1024));
      pause = pause || new Int32Array(new SharedArrayBuffer(4));
    };
    var until = function (index, wanted) {
      for (var now; (now = Atomics.load(counts, index)) < wanted; ) Atomics.wait(counts, index, now, 100);
    };
    var clock = function () { return performance.now(); };
    return {
      start: function (source) {
        begin();
        var worker = new Worker("(" + agentMain + ")()", { type: "string" });
        workers.push(worker);
        reported.push(0);
        worker.postMessage({ counts: counts, number: workers.length - 1, source: String(source) });
        until(READY, workers.length);
      },
      broadcast: function (buffer, id) {
        Atomics.store(counts, RECEIVED, 0);
        workers.forEach(function (worker) { worker.postMessage({ buffer: buffer, id: id }); });
        until(RECEIVED, workers.length);
      },
      getReport: function () {
        for (var i = 0; i < workers.length; i++) {
          if (Atomics.load(counts, REPORTS + i) > reported[i]) {
            reported[i]++;
            return workers[i].getMessage();
          }
        }
        return null;
      },
      sleep: function (milliseconds) { begin(); Atomics.wait(pause, 0, 0, milliseconds); },
      monotonicNow: clock,
      setTimeout: global.setTimeout,
    };
  }

  function agentMain() {
    var receivers = [], messages = [], counts, number;
    var pause = new Int32Array(new SharedArrayBuffer(4));
    var deliver = function () {
      while (receivers.length > 0 && messages.length > 0) {
        var message = messages.shift();
        var receive = receivers.shift();
        Atomics.add(counts, 1, 1);
        Atomics.notify(counts, 1);
        receive(message.buffer, message.id);
      }
    };
    globalThis.$262 = {
      agent: {
        receiveBroadcast: function (receive) { receivers.push(receive); deliver(); },
        report: function (value) {
          postMessage(String(value));
          Atomics.add(counts, 2 + number, 1);
        },
        sleep: function (milliseconds) { Atomics.wait(pause, 0, 0, milliseconds); },
        leaving: function () {},
        monotonicNow: function () { return performance.now(); },
        setTimeout: globalThis.setTimeout,
      },
    };
    globalThis.onmessage = function (event) {
      var message = event && event.data !== undefined ? event.data : event;
      if (message.source !== undefined) {
        counts = message.counts;
        number = message.number;
        Atomics.add(counts, 0, 1);
        Atomics.notify(counts, 0);
        (0, eval)(message.source);
      } else {
        messages.push(message);
        deliver();
      }
    };
  }
  install(global, currentRealm());
})(this);
