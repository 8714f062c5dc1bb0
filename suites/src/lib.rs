//! Which tests there are and how each is judged: a V8 test tree on disk becomes test cases.
//!
//! [`Tree::open`] reads what chooses and shapes tests; [`Tree`] then is a lazy source of cases
//! ([`flotilla_messages::Cases`]). The steps, and the modules that take them:
//!
//! | step | module |
//! |---|---|
//! | which version's rules hold | `dialect` (all that differs between versions, as data) |
//! | variants, groups, incompatible flags of the tree; what its runner says in code | `tables`, `own` |
//! | the build, and the variables of conditions | `build` |
//! | which suites and tests were asked for | `open`, `select` |
//! | what is expected | [`status`], `conflict` |
//! | which tests are on disk | `walk`, `listed`, `binary`, `bases` |
//! | variants, strict halves, filters | `subtests`, `shard`, `predictable` |
//! | what sources say | `read`, `source`, `frontmatter`, `wasm`, `prepare` |
//! | the case | `make` |
//! | what another machine needs for it | `inputs` |
//!
//! Status files and tables are Python; [`python`] reads the part of it that is data. [`text`] holds small rules
//! about text.

mod bases;
mod binary;
mod build;
mod conflict;
mod dialect;
mod error;
mod frontmatter;
mod inputs;
mod listed;
mod make;
mod open;
mod options;
mod own;
mod predictable;
mod prepare;
pub mod python;
mod read;
mod select;
mod shard;
mod source;
pub mod status;
mod subtests;
mod suite;
mod tables;
mod test262_classic;
pub mod text;
mod tree;
mod walk;
mod wasm;

pub use error::{EngineError, OpenError, ReadError};
pub use inputs::{Bound, Inputs, Outside, RESERVED};
pub use options::{Filter, Options, Shell};
pub use select::Unmatched;
pub use shard::Shard;
pub use subtests::{Listed, Skip};
pub use tree::{Description, Tree, find_root};
