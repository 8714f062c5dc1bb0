//! Suites of one's own: a directory with a `suite.toml` says which tests there are, what runs them and how they are
//! judged. `docs/suites.md` is for those who write one.
//!
//! | step | module |
//! |---|---|
//! | what the file says | [`config`], `words` |
//! | commands and paths with `{placeholders}` | [`template`] |
//! | which tests there are | `find` |
//! | what a test's source says | [`directives`] |
//! | the case | `case` |

pub mod config;
pub mod directives;
pub(crate) mod find;
pub(crate) mod suite;
pub mod template;
mod words;

pub use config::{Config, Kind};
pub use find::stem;
pub use suite::CustomSuite;
pub(crate) use suite::{FILE, Opening, config};
