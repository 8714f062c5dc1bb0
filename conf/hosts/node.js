// test262 on node: see INTERPRETING.md, "Host-Defined Functions". Runs as a CommonJS module; what it defines is seen by
// the test through the global object alone.
"use strict";
const vm = require("vm");
const fs = require("fs");
const path = require("path");

const exit = process.exit.bind(process);
const define = (object, name, value) =>
  Reflect.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
const say = (descriptor, text) => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(descriptor, bytes, at);
};

// The host's pattern reads the first line.
function fail(phase, error) {
  let type = typeof error;
  let message = "";
  let stack = "";
  try {
    if (error !== null && (type === "object" || type === "function")) type = String(error.constructor.name);
  } catch {}
  try {
    message = String(error !== null && typeof error === "object" ? error.message : error);
    stack = String((error && error.stack) || "");
  } catch {}
  say(2, `Test262:Uncaught:${phase}:${type}: ${message}\n${stack}\n`);
  exit(1);
}
process.on("uncaughtException", (error) => fail("runtime", error));
// A promise that nobody looks at is no error of the language.
process.on("unhandledRejection", () => {});

const modules = new Map();
let linking = Promise.resolve();

function moduleAt(file, type) {
  const key = `${type ?? ""}:${file}`;
  const known = modules.get(key);
  if (known) return known;
  const text = fs.readFileSync(file, "utf8");
  let module;
  if (type === "json") {
    const value = JSON.parse(text);
    module = new vm.SyntheticModule(["default"], function () { this.setExport("default", value); }, { identifier: file });
  } else if (type !== undefined) {
    throw new TypeError(`there are no modules of the type ${type}`);
  } else {
    module = new vm.SourceTextModule(text, {
      identifier: file,
      importModuleDynamically: importer(file),
      initializeImportMeta(meta) { meta.url = require("url").pathToFileURL(file).href; },
    });
  }
  modules.set(key, module);
  return module;
}

const typeOf = (attributes) => (attributes ? attributes.type : undefined);
const at = (specifier, file) => path.resolve(path.dirname(file), specifier);

// One after the other: node links no module twice at a time.
function link(module) {
  const linked = linking.then(async () => {
    if (module.status === "unlinked") {
      await module.link((specifier, from, extra) =>
        moduleAt(at(specifier, from.identifier), typeOf(extra.attributes ?? extra.assert)));
    }
  });
  linking = linked.catch(() => {});
  return linked;
}

const importer = (file) => async (specifier, _, attributes) => {
  const module = moduleAt(at(specifier, file), typeOf(attributes));
  await link(module);
  await module.evaluate();
  return module;
};

const dontContextify = vm.constants && vm.constants.DONT_CONTEXTIFY;
let collect;

function gc() {
  if (!collect) {
    require("v8").setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc");
  }
  collect();
}

// `context` is undefined for the main realm.
function install(global, context, file) {
  const options = { filename: "evalScript", displayErrors: false, importModuleDynamically: importer(file) };
  const $262 = {
    global,
    gc,
    createRealm() {
      const other = vm.createContext(dontContextify ?? {});
      return install(vm.runInContext("globalThis", other), other, file);
    },
    evalScript(code) {
      return context ? vm.runInContext(code, context, options) : vm.runInThisContext(code, options);
    },
    detachArrayBuffer(buffer) {
      structuredClone(buffer, { transfer: [buffer] });
    },
    get agent() {
      define($262, "agent", agents());
      return $262.agent;
    },
    get IsHTMLDDA() {
      require("v8").setFlagsFromString("--allow-natives-syntax");
      define($262, "IsHTMLDDA", vm.runInThisContext("%GetUndetectable()"));
      return $262.IsHTMLDDA;
    },
  };
  const source = Reflect.getPrototypeOf(WebAssembly.Module);
  if (source !== Function.prototype) $262.AbstractModuleSource = source;
  define(global, "print", (text) => say(1, `${text}\n`));
  define(global, "$262", $262);
  return $262;
}

// Agents are worker threads. They count themselves in shared memory, so that the main thread can wait for them without
// going back to its event loop.
function agents() {
  const { Worker, MessageChannel, receiveMessageOnPort } = require("worker_threads");
  const READY = 0, RECEIVED = 1;
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const started = [];
  const until = (index, wanted) => {
    for (let now; (now = Atomics.load(counts, index)) < wanted; ) Atomics.wait(counts, index, now, 100);
  };
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return {
    start(source) {
      const { port1, port2 } = new MessageChannel();
      const workerData = { source, port: port2, counts };
      const worker = new Worker(`(${agentMain})()`, { eval: true, workerData, transferList: [port2] });
      worker.on("error", (error) => fail("runtime", error));
      worker.unref();
      started.push(port1);
      until(READY, started.length);
    },
    broadcast(buffer, id) {
      Atomics.store(counts, RECEIVED, 0);
      for (const port of started) port.postMessage({ buffer, id });
      until(RECEIVED, started.length);
    },
    getReport() {
      for (const port of started) {
        const report = receiveMessageOnPort(port);
        if (report) return report.message;
      }
      return null;
    },
    sleep(milliseconds) { Atomics.wait(pause, 0, 0, milliseconds); },
    monotonicNow() { return performance.now(); },
    setTimeout,
  };
}

// In a worker thread: none of the above is there.
function agentMain() {
  const { workerData: { source, port, counts } } = require("worker_threads");
  const receivers = [];
  const messages = [];
  const deliver = () => {
    while (receivers.length > 0 && messages.length > 0) {
      const { buffer, id } = messages.shift();
      const receive = receivers.shift();
      Atomics.add(counts, 1, 1);
      Atomics.notify(counts, 1);
      receive(buffer, id);
    }
  };
  port.on("message", (message) => { messages.push(message); deliver(); });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  globalThis.$262 = {
    agent: {
      receiveBroadcast(receive) { receivers.push(receive); deliver(); },
      report(value) { port.postMessage(String(value)); },
      sleep(milliseconds) { Atomics.wait(pause, 0, 0, milliseconds); },
      leaving() { port.unref(); },
      monotonicNow() { return performance.now(); },
      setTimeout,
    },
  };
  Atomics.add(counts, 0, 1);
  Atomics.notify(counts, 0);
  require("vm").runInThisContext(source, { filename: "agent", displayErrors: false });
}

// Each source is a script of its own.
function run(file, ...sources) {
  install(globalThis, undefined, file);
  for (const source of sources) {
    let script;
    try {
      script = new vm.Script(source, { filename: file, importModuleDynamically: importer(file) });
    } catch (error) {
      fail("parse", error);
    }
    try {
      script.runInThisContext({ displayErrors: false });
    } catch (error) {
      fail("runtime", error);
    }
  }
}

function runModule(file, harness) {
  run(file, harness);
  let module;
  try {
    module = moduleAt(file);
  } catch (error) {
    fail("parse", error);
  }
  link(module).then(
    () => module.evaluate().catch((error) => fail("runtime", error)),
    (error) => fail("resolution", error),
  );
}
