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
//! | `frontmatter` | test262's frontmatter as V8's small YAML reader reads it |
//! | `wasm` | flags of WebAssembly's suites |
//!
//! Invariant: no version number is compared outside of `dialect`.

pub mod build;
pub mod conflict;
pub mod dialect;
pub mod frontmatter;
pub mod mode;
pub mod runner_source;
pub mod sanitizers;
mod table_file;
pub mod tables;
pub mod wasm;
