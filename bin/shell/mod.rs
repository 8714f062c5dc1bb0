//! The built-in shell: `runner shell [flags] files...`. It is a small JavaScript shell on QuickJS with d8's command
//! line and functions (print, load, read, quit, ...), so that a test tree can run on a machine without an engine.
//!
//! It supports what tests need of d8, as in V8 9.2's `d8.cc`: files run in order in one realm. An uncaught error is
//! reported on stdout as `file:line: Error: text`, and ends the run with exit code 1. Other flags of V8 are accepted
//! and ignored. Not supported: `Realm`, `Worker`, `%NativeFunctions()`, WebAssembly and Intl.
//!
//! It starts in a millisecond and shares no state with the rest of its program. That is `runner`, or `peerd` for tests
//! of other machines: `peerd shell` is the same shell, for internal use.
//!
//! - `args`: the command line
//! - `engine`: a realm and its event loop: scripts, modules, promise jobs, timers
//! - `globals`: the functions that scripts can call
//! - `host`: the state that these functions share
//! - `modules`: finds the modules of `import`
//! - `output`: buffered stdout
//! - `trace`: stack traces, and where a value that is not an Error was thrown
//! - `test262`: the host functions that test262 requires
//! - `report`: the report of an uncaught exception

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
