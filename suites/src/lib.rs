//! Which tests there are and how each is judged: a V8 test tree on disk becomes test cases.
//!
//! [`Tree::open`] reads what chooses and shapes tests; [`Tree`] then is a lazy source of cases
//! ([`flotilla_messages::Cases`]). The steps, and the modules that take them:
//!
//! | step | module |
//! |---|---|
//! | which version's rules hold | `dialect` (all that differs between versions, as data) |
//! | variants, groups, incompatible flags of the tree | `tables` |
//! | what its runner says in code | `runner_source` |
//! | the build, and the variables of conditions | `build`, `mode` |
//! | which suites and tests were asked for | `open`, `choose`, `select` |
//! | what is expected | [`status`], `conflict` |
//! | which tests are on disk | `walk`, `listed`, `binary`, `bases` |
//! | suites that no version knows, by their `suite.toml` | [`own`] |
//! | variants, strict halves, filters | `subtests`, `shard`, `predictable` |
//! | what sources say | `read`, `source`, `frontmatter`, `wasm`, `prepare` |
//! | test262 without V8: frontmatter, hosts, selection | `test262` |
//! | the case | `make` |
//! | several builds in one run, each test several times | `products`, `repeats` |
//! | what sanitizers are told | `sanitizers` |
//! | what another machine needs for it | `inputs` |
//!
//! Status files and tables are Python; [`python`] reads the part of it that is data. [`text`] holds small rules
//! about text.

mod bases;
mod binary;
mod build;
mod choose;
mod conflict;
mod dialect;
mod error;
mod frontmatter;
mod inputs;
mod listed;
mod make;
mod missing;
mod mode;
mod open;
mod options;
pub mod own;
mod paths;
mod predictable;
mod prepare;
mod products;
pub mod python;
mod read;
mod repeats;
mod runner_source;
mod sanitizers;
mod select;
mod shard;
mod source;
pub mod status;
mod subtests;
mod suite;
mod tables;
mod test262;
mod test262_classic;
pub mod text;
mod tree;
mod unused;
mod walk;
mod wanted;
mod wasm;

pub use build::host_arch;

pub use error::{EngineError, OpenError, ReadError};
pub use inputs::{Bound, Inputs, Outside, RESERVED};
pub use missing::Missing;
pub use options::{Filter, Framework, Options, Shell};
pub use products::{Products, ProductsError};
pub use repeats::Repeats;
pub use select::Unmatched;
pub use shard::Shard;
pub use subtests::{Listed, Skip};
pub use test262::{
    Edition, Hints, Host, HostError, Labels, Matter, MatterError, SUITE as TEST262, area, proposed,
};
pub use tree::{Description, Tree, find_root};
pub use wanted::Wanted;
