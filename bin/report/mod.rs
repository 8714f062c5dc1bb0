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

pub use bar::Bar;
pub use commands::Commands;
pub use compact::Compact;
pub use completion::Completion;
pub use conformance::Conformance;
pub use console::Console;
pub use context::Context;
pub use dots::Dots;
pub use expectations::Expectations;
pub use explain::Explain;
pub use file::{ReportError, ReportFile};
pub use flakiness::Flakiness;
pub use json::Json;
pub use junit::Junit;
pub use keep::Keep;
pub use plain::Plain;
pub use ran::Ran;
pub use regenerate::Regenerate;
pub use repeats::Repeats;
pub use schedule::Schedule;
pub use slowest::{CUTOFF, Times};
pub use stream::Stream;
pub use system_memory::SystemMemory;
pub use told::Told;
pub use verbose::Verbose;
