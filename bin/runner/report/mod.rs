//! What a run looks like to people and programs: one reporter a file, all fed by the same events.
//!
//! | style or option | file |
//! |---|---|
//! | bar (terminals) | `bar.rs` |
//! | plain (elsewhere) | `plain.rs` |
//! | mono, color | `compact.rs` |
//! | dots | `dots.rs` |
//! | verbose, ci | `verbose.rs` |
//! | stream | `stream.rs` |
//! | `--json-test-results` | `json.rs` |
//! | of these: the tests that ran | `ran.rs` |
//! | `--junitout` | `junit.rs` |
//! | `--time` | `slowest.rs` |
//! | `--ci-test-completion` | `completion.rs` |
//! | `--flakiness-results` | `flakiness.rs` |
//! | `-v` | `commands.rs` |
//! | `--explain` | `explain.rs` |

mod bar;
mod choose;
mod commands;
mod compact;
mod completion;
mod console;
mod context;
mod dots;
mod explain;
mod failure;
mod file;
mod flakiness;
mod json;
mod junit;
mod plain;
mod quote;
mod ran;
mod running;
mod sending;
mod slowest;
mod stream;
mod tally;
mod verbose;

pub use choose::reporters;
pub use console::Console;
pub use context::Context;
pub use file::ReportError;
pub use ran::Ran;
