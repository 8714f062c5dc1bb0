//! test262 from a bare checkout of tc39/test262, for any engine. The rules are those of its INTERPRETING.md.
//!
//! | file | holds |
//! |---|---|
//! | `frontmatter` | what a test says of itself |
//! | `host` | what an engine's shell is told and can do: `conf/hosts` |
//! | `template` | the texts of host files with places to fill |
//! | `choice` | which tests were asked for, by path and by feature |
//! | `edition` | which edition of the language a test is about |
//! | `loader`, `suite` | the checkout as a suite, and what its kind has to answer |
//! | `case`, `labels` | cases, and what a test is about |
//!
//! V8's own test262 suite, with V8's rules, is one of [`v8::suites`](crate::v8::suites).

mod case;
mod choice;
mod edition;
mod frontmatter;
mod host;
mod labels;
mod loader;
mod suite;
mod suite_kind;
mod template;

pub use edition::{Edition, Hints, proposed};
pub use frontmatter::Frontmatter;
pub use host::Host;
pub use labels::area;
pub(crate) use loader::Test262Loader;
