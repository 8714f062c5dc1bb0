//! What a run looks like to people and programs: one reporter a file, all fed by the same events
//! ([`Event`](flotilla_messages::Event)), which carry the time and the counts.
//!
//! | folder | holds |
//! |---|---|
//! | `styles` | the styles of `-p`; each run has one |
//! | `extras` | what is printed besides |
//! | `files` | reports that are written to files |
//! | `shared` | what several of them use: where they print, failures, the run's end |
//!
//! | style or option | file |
//! |---|---|
//! | bar (terminals) | `styles/bar.rs` |
//! | plain (elsewhere) | `styles/plain.rs` |
//! | mono, color | `styles/compact.rs` |
//! | dots | `styles/dots.rs` |
//! | verbose, ci | `styles/verbose.rs` |
//! | stream | `styles/stream.rs` |
//! | the first lines of a run | `extras/header.rs` |
//! | `-v` | `extras/commands.rs` |
//! | `--explain` | `extras/explain.rs` |
//! | `--time` | `extras/slowest.rs` |
//! | `--stress`, `--random-seed-stress-count` | `extras/repeats.rs` |
//! | test262, `--conformance` | `extras/conformance.rs` |
//! | `--json-test-results` | `files/json.rs` |
//! | of these: the tests that ran | `files/ran.rs` |
//! | one run of a test | `files/record.rs` |
//! | the slowest and the largest runs | `files/top.rs` |
//! | `--junitout` | `files/junit.rs` |
//! | `--write-expectations` | `files/expectations.rs` |
//! | `--keep-compiled` | `files/keep.rs` |
//! | `--regenerate-expected-files` | `files/regenerate.rs` |
//! | `--ci-test-completion` | `files/completion.rs` |
//! | `--flakiness-results` | `files/flakiness.rs` |
//! | `--log-test-schedule` | `files/schedule.rs` |
//! | `--log-system-memory` | `files/system_memory.rs` |

mod extras;
mod files;
#[cfg(test)]
mod recorded;
mod shared;
#[cfg(test)]
mod snapshots;
mod styles;

pub use extras::commands::Commands;
pub use extras::conformance::Conformance;
pub use extras::explain::Explain;
pub use extras::header::Header;
pub use extras::repeats::Repeats;
pub use extras::slowest::{CUTOFF, Times};
pub use files::completion::Completion;
pub use files::expectations::Expectations;
pub use files::file::{ReportError, ReportFile};
pub use files::flakiness::Flakiness;
pub use files::json::Json;
pub use files::junit::Junit;
pub use files::keep::Keep;
pub use files::ran::Ran;
pub use files::regenerate::Regenerate;
pub use files::schedule::Schedule;
pub use files::system_memory::SystemMemory;
pub use shared::console::Console;
pub use shared::context::Context;
pub use shared::told::Told;
pub use styles::bar::Bar;
pub use styles::compact::Compact;
pub use styles::dots::Dots;
pub use styles::plain::Plain;
pub use styles::stream::Stream;
pub use styles::verbose::Verbose;
