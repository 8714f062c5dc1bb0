//! From a tree on disk to test cases: the wing that knows all others.
//!
//! | step | module |
//! |---|---|
//! | opening a tree: what is wrong is found here | `open` |
//! | the kinds of suites | `kinds` |
//! | which suites and tests were asked for | `choose`, `paths`, `wanted` |
//! | the tests of all suites, by number | `test_files`, `suite` |
//! | variants, strict halves, filters | `instance`, `instances`, `shard` |
//! | sources that were read lately | `cache` |
//! | the case | `make` |
//! | several builds in one run, each test several times | `products`, `repeats` |
//! | rules that match nothing | `unused` |
//! | programs that are not there | `engines` |
//! | what a person may want to know | `description` |
//! | what another machine needs for it | `inputs` |
//!
//! Threads: none of its own; an opened tree is shared by the lister and all that run tests.

mod cache;
mod choose;
pub mod description;
mod engines;
pub mod inputs;
mod instance;
pub mod instances;
mod kinds;
mod make;
mod open;
mod paths;
pub mod products;
pub mod repeats;
mod shard;
mod suite;
mod test_files;
pub mod tree;
mod unused;
pub mod wanted;
