//! The rules of V8's own runner, by version, and what a V8 tree and its build say.
//!
//! | module | holds |
//! |---|---|
//! | `dialect` | all that differs between versions, as data |
//! | `tables` | variants, groups, incompatible flags of the tree |
//! | `runner_source` | what its runner says in code |
//! | `build`, `mode` | the build, and the variables of conditions |
//! | `conflict` | flags that contradict one another |
//! | `sanitizers` | what sanitizers are told |
//! | `facts`, `flags` | what all tests of a run share |
//! | `suites` | V8's own suites: the kind |
//! | `frontmatter` | test262's frontmatter with the quirks of V8's reader |
//!
//! Invariant: no version number is compared outside of `dialect`.

pub mod build;
pub mod conflict;
pub mod dialect;
pub mod facts;
mod flags;
pub mod frontmatter;
pub mod mode;
pub mod runner_source;
mod sanitizers;
pub mod suites;
mod table_file;
pub mod tables;
