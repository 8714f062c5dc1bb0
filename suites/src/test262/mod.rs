//! test262 from a bare checkout of tc39/test262, for any engine. The rules are those of its INTERPRETING.md.
//!
//! | file | holds |
//! |---|---|
//! | `frontmatter` | a test's frontmatter |
//! | `host` | what an engine's shell is told and can do: `conf/hosts` |
//! | `template` | the texts of host files with places to fill |
//! | `choice` | which tests were asked for, by path and by feature |
//! | `edition` | which edition of the language a test is about |
//! | `case` | cases, and what a test is about |
//!
//! V8's own test262 suite, with V8's rules, is [`frontmatter`](crate::v8::frontmatter) and [`prepare`](crate::plan::prepare).

pub mod choice;
mod edition;
pub mod frontmatter;
pub mod host;
mod template;

pub use choice::{FeatureFilter, selector};
pub use edition::{Edition, Hints, proposed};
pub use frontmatter::{Frontmatter, FrontmatterError};
pub use host::Host;
