//! Why a test was given to an executor.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::case::CaseId;

/// The event of giving a test to an executor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The test.
    pub test: CaseId,
    /// The executor.
    pub place: Place,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The reason.
    pub why: Why,
}

/// The reason for giving a test to an executor. Reads well after "TEST on EXECUTOR: ".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It was the longest of the waiting tests, and the executor had capacity.
    Next {
        /// Its estimated duration, if there is one; coarse, as in the scheduler's table.
        expected: Option<Duration>,
    },
    /// As [`Next`](Self::Next), but near the end of the run, where each executor gets a share of the remaining tests.
    Share {
        /// Its estimated duration, if there is one.
        expected: Option<Duration>,
    },
    /// It is HEAVY, and such tests start first since only a few may run at once.
    Heavy,
    /// It was taken from another executor that had not started it and would have started it much later.
    TakenOver {
        /// The other executor.
        from: Place,
    },
    /// It is late on another executor: it now runs on both, and the first result counts.
    Late {
        /// The other executor.
        at: Place,
        /// How long the other executor has had it.
        since: Duration,
    },
    /// It was leased to another executor when that one was lost.
    Lost {
        /// The lost executor.
        at: Place,
        /// Why that executor was lost.
        reason: String,
    },
    /// It was withdrawn from another executor.
    TakenBack {
        /// The other executor.
        from: Place,
        /// The reason, such as "nothing has been heard of it".
        reason: String,
    },
    /// Peers were unable to run it.
    Unable {
        /// For each of them, its name and the obstacle.
        reasons: Vec<String>,
    },
    /// A rerun after an unexpected outcome.
    Rerun,
    /// A confirmation on this machine of a peer's unexpected outcome.
    Confirmation {
        /// The peer's name.
        peer: String,
    },
}

/// Where a test ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// On the runner's machine.
    Local,
    /// On the peer with this name.
    Peer(String),
}

impl Place {
    /// The peer's name, if it is a peer.
    pub fn peer(&self) -> Option<&str> {
        match self {
            Self::Local => None,
            Self::Peer(name) => Some(name),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.peer().unwrap_or("this machine"))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next { expected } => write!(f, "the longest of those that wait ({})", Expected(*expected)),
            Self::Share { expected } => {
                write!(f, "part of its share of what is left ({})", Expected(*expected))
            }
            Self::Heavy => f.write_str("heavy, and few of these run at once"),
            Self::TakenOver { from } => write!(f, "taken over from {from}, which would begin it much later"),
            Self::Late { at, since } => {
                write!(
                    f,
                    "run twice, since it is late on {at}, which has had it for {:.1} s",
                    since.as_secs_f64()
                )
            }
            Self::Lost { at, reason } => write!(f, "run again, since {at} is lost: {reason}"),
            Self::TakenBack { from, reason } => write!(f, "taken back from {from}: {reason}"),
            Self::Unable { reasons } => write!(f, "others cannot run it: {}", reasons.join("; ")),
            Self::Rerun => f.write_str("run again, since it was unexpected the last time"),
            Self::Confirmation { peer } => write!(f, "to confirm what it came to on {peer}"),
        }
    }
}

struct Expected(Option<Duration>);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(|expected| expected.as_secs_f64()) {
            None => f.write_str("its length is not known"),
            Some(seconds) if seconds < 0.1 => write!(f, "about {:.0} ms", seconds * 1000.0),
            Some(seconds) => write!(f, "about {seconds:.1} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_well() {
        let why = Why::Next { expected: Some(Duration::from_millis(1250)) };
        assert_eq!(why.to_string(), "the longest of those that wait (about 1.2 s)");
        let why = Why::Share { expected: None };
        assert_eq!(why.to_string(), "part of its share of what is left (its length is not known)");
        let why = Why::TakenOver { from: Place::Peer("bob".into()) };
        assert_eq!(why.to_string(), "taken over from bob, which would begin it much later");
        let why = Why::Late { at: Place::Local, since: Duration::from_secs(3) };
        assert_eq!(
            why.to_string(),
            "run twice, since it is late on this machine, which has had it for 3.0 s"
        );
    }
}
