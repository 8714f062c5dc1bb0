//! The built-in shell: `runner shell [flags] files...`, a small JavaScript shell on QuickJS that takes d8's
//! command line and offers d8's functions (print, load, read, quit, ...), so that a test tree runs on a
//! machine without an engine.
//!
//! What it knows of d8 is what tests ask of it, after V8 9.2's `d8.cc`: files run in order in one realm, an
//! uncaught error is reported on stdout as `file:line: Error: text` and ends the run with exit code 1, flags
//! of V8 that mean nothing here are accepted and ignored. Not offered: `Realm`, `Worker`,
//! `%NativeFunctions()`, WebAssembly and Intl.
//!
//! It starts in a millisecond and shares nothing with the rest of its program, which is `runner`, or `peerd` where tests
//! of other machines run: `peerd shell` is the same, and not meant for people.
//!
//! - `args`: the command line
//! - `engine`: one realm and its event loop: scripts, modules, promise jobs, timers
//! - `globals`: the functions scripts call
//! - `host`: what these functions share
//! - `modules`: what `import` finds
//! - `output`: buffered stdout
//! - `trace`: stack traces, and where a value that is no Error was thrown
//! - `test262`: what test262 asks of a host
//! - `report`: how an uncaught exception is shown

mod args;
mod engine;
mod globals;
mod host;
mod modules;
mod output;
mod report;
mod test262;
mod trace;

pub use engine::run;
