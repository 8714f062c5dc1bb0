//! Suites of one's own: a directory with a `suite.toml` says which tests there are, what runs them and how they are
//! judged. `docs/suites.md` is for those who write one.
//!
//! | step | module |
//! |---|---|
//! | what the file says | [`config`], `words` |
//! | commands and paths with `{placeholders}` | [`template`] |
//! | which directories are such suites | `loader` |
//! | opening one, and which tests there are | `open`, `find` |
//! | what its kind has to answer | `suite` |
//! | what a test's source says | [`directives`] |
//! | the case | `case` |

mod case;
pub mod config;
mod custom_test;
pub mod directives;
mod find;
mod loader;
mod open;
mod opening;
mod places;
mod suite;
mod suite_kind;
pub mod template;
mod words;

pub use config::{Config, CustomKind};
pub(crate) use loader::CustomLoader;
pub(crate) use opening::FILE;
