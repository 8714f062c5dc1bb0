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
//! | one run of a test | `record.rs` |
//! | the slowest and the largest runs | `top.rs` |
//! | `--junitout` | `junit.rs` |
//! | `--write-expectations` | `expectations.rs` |
//! | `--time` | `slowest.rs` |
//! | `--keep-compiled` | `keep.rs` |
//! | `--ci-test-completion` | `completion.rs` |
//! | `--flakiness-results` | `flakiness.rs` |
//! | `--log-test-schedule` | `schedule.rs` |
//! | `--log-system-memory` | `system_memory.rs` |
//! | `-v` | `commands.rs` |
//! | `--stress`, `--random-seed-stress-count` | `repeats.rs` |
//! | `--regenerate-expected-files` | `regenerate.rs` |
//! | `--explain` | `explain.rs` |
//! | test262, `--conformance` | `conformance.rs` |

mod bar;
mod choose;
mod commands;
mod compact;
mod completion;
mod conformance;
mod console;
mod context;
mod dots;
mod expectations;
mod explain;
mod failure;
mod file;
mod flakiness;
mod json;
mod junit;
mod keep;
mod plain;
mod quote;
mod ran;
mod record;
mod regenerate;
mod repeats;
mod running;
mod schedule;
mod sending;
mod slowest;
mod stream;
mod system_memory;
mod tally;
mod told;
mod top;
mod verbose;

pub use choose::{of_logs, of_special_runs, of_test262, reporters};
pub use console::Console;
pub use context::Context;
pub use file::ReportError;
pub use ran::Ran;
pub use told::Told;
