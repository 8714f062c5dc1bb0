//! From a tree on disk to test cases: the wing that knows all others.
//!
//! | step | module |
//! |---|---|
//! | opening a tree: what is wrong is found here | `open` |
//! | which suites and tests were asked for | `choose`, `paths`, `wanted` |
//! | the tests of all suites, by number | `test_files`, `suite` |
//! | variants, strict halves, filters | `instances`, `shard`, `predictable` |
//! | what sources say | `prepare`; of test262 `test262_case` and `test262_classic`, of suites of one's own `custom_case` |
//! | the case | `make` |
//! | several builds in one run, each test several times | `products`, `repeats` |
//! | rules that match nothing | `unused` |
//! | programs that are not built | `missing` |
//! | what another machine needs for it | `inputs` |
//!
//! Threads: none of its own; a [`Tree`](tree::Tree) is shared by the lister and all that run tests.

pub mod choose;
mod custom_case;
pub mod inputs;
pub mod instances;
pub mod make;
pub mod missing;
pub mod open;
pub mod paths;
mod predictable;
pub mod prepare;
pub mod products;
pub mod repeats;
pub mod shard;
pub mod suite;
pub mod test262_case;
mod test262_classic;
pub mod test_files;
pub mod tree;
pub mod unused;
pub mod wanted;
