//! What a kind of suite has to answer: the wing between the tree and the kinds.
//!
//! | file | holds |
//! |---|---|
//! | `suite_kind` | [`SuiteKind`]: a suite as its kind knows it, and [`PreparedTest`]: one of its tests, read |
//! | `opening` | [`Loader`]: how a kind knows its directories and opens them |
//! | `context` | [`CaseContext`]: what a run says of one test instance, for the kind to make its case |
//! | `variants` | which variants a suite's tests run in |
//! | `needs` | what another machine needs for a suite |
//! | `labels` | what a test is about |
//! | `missing` | programs that are not built |
//!
//! Each kind is a folder of its own (`v8`, `test262`, `custom`); `plan::kinds` lists them, and nothing else in `plan` names
//! one. A further kind is a folder with a [`Loader`] and a [`SuiteKind`], and a line there.

pub mod context;
pub mod labels;
pub mod missing;
pub mod needs;
pub mod opening;
pub mod suite_kind;
pub mod variants;

pub use context::{CaseContext, TERM_GRACE, TestFlags};
pub use labels::Labels;
pub use missing::Missing;
pub use needs::{Bound, EMPTY, Engine, Needs};
pub use opening::{Candidate, Loader, Opened, Opening};
pub use suite_kind::{PreparedTest, SkippedByHost, Source, Strictness, SuiteKind, TestKey, TestRef};
pub use variants::VariantChoice;
