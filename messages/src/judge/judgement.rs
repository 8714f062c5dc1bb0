//! What a judge says of an output.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// An outcome, and for all but a plain pass what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// Why the judge was not content, for people.
    pub why: Option<String>,
}
