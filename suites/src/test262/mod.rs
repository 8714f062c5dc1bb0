//! test262 from a bare checkout of tc39/test262, for any engine. The rules are those of its INTERPRETING.md.
//!
//! | file | holds |
//! |---|---|
//! | `matter` | a test's frontmatter |
//! | `host` | what an engine's shell is told and can do: `conf/hosts` |
//! | `template` | the texts of host files with places to fill |
//! | `choice` | which tests were asked for, by path and by feature |
//! | `edition` | which edition of the language a test is about |
//! | `case` | cases, and what a test is about |
//!
//! V8's own test262 suite, with V8's rules, is [`frontmatter`](crate::frontmatter) and [`prepare`](crate::prepare).

mod case;
mod choice;
mod edition;
mod host;
mod matter;
mod template;

pub use case::{Labels, Source, Withheld, area};
pub use choice::{FeatureFilter, has_harness, looks_like, selector};
pub use edition::{Edition, Hints, proposed};
pub use host::{Host, HostError};
pub use matter::{Matter, MatterError};

/// The suite's name.
pub const SUITE: &str = "test262";
