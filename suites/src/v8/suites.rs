//! V8's own suites: the kind of which a version's rules say all, by the suite's name.
//!
//! | file | holds |
//! |---|---|
//! | `loader` | which directories are such suites, and how they are opened |
//! | `pattern` | tests by the paths of their files |
//! | `suite` | a suite: its tests, programs, and what another machine needs |
//! | `walk_rules`, `listed` | which tests there are: files, and what is not simply a file |
//! | `prepare`, `directives`, `wasm` | what a test's source says |
//! | `test262`, `test262_classic` | the same of V8's suite test262 |
//! | `case`, `judging` | the case of a test |
//! | `predictable` | which tests predictable builds run |

mod case;
mod directives;
mod judging;
mod listed;
mod loader;
mod pattern;
mod predictable;
mod prepare;
mod prepared;
mod suite;
mod suite_kind;
mod test262;
mod test262_classic;
mod walk_rules;
mod wasm;

pub use loader::V8Loader;
pub use walk_rules::walk_rules;
