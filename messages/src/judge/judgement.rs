//! The result of judging an output.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// An outcome with its explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// Why the judge rejected the output, for people; `None` for a plain pass.
    pub why: Option<String>,
}
