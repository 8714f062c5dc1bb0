//! Which tests there are and how each is judged: a V8 test tree on disk becomes test cases.
//!
//! [`Tree::open`] reads what chooses and shapes tests; [`Tree`] then is a lazy source of cases
//! ([`flotilla_messages::Cases`]). The steps, and the modules that take them:
//!
//! | wing | holds |
//! |---|---|
//! | [`syntax`] | reading text: the part of Python that is data, globs, shell words |
//! | `kit` | options, errors, and small types that all share |
//! | [`expectations`] | status files and other files of expectations |
//! | `files` | which tests are on disk |
//! | `kind` | what a kind of suite has to answer |
//! | `v8` | the rules of V8's own runner, by version, what a V8 tree and its build say, and V8's suites |
//! | `test262` | test262 without V8: frontmatter, hosts, selection |
//! | [`custom`] | suites that no version knows, by their `suite.toml` |
//! | `plan` | from a tree to test cases |
//!
//! A wing imports only wings above it in this table; `tests/architecture.rs` checks it.

pub mod custom;
pub mod expectations;
mod files;
mod kind;
mod kit;
mod plan;
pub mod syntax;
mod test262;
mod v8;

pub use files::select::Unmatched;
pub use kind::{Bound, Labels, Missing};
pub use kit::error::{EngineError, HostError, OpenError, ReadError};
pub use kit::options::{Filter, Framework, Options, Shell};
pub use kit::shard::Shard;
pub use plan::description::Description;
pub use plan::inputs::{Inputs, Outside, RESERVED};
pub use plan::instances::{Listed, Skip};
pub use plan::products::{Products, ProductsError};
pub use plan::repeats::Repeats;
pub use plan::tree::{Tree, find_root};
pub use plan::wanted::Wanted;
pub use syntax::frontmatter::FrontmatterError;
pub use test262::{Edition, Frontmatter, Hints, Host, area, proposed};
pub use v8::build::host_arch;
pub use v8::dialect::TEST262;
