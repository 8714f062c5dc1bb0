//! Why a test was given to whom.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::case::CaseId;

/// A test was given to an executor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which test.
    pub test: CaseId,
    /// To whom.
    pub place: Place,
    /// Which attempt at the test it is, from 1.
    pub attempt: u32,
    /// Why.
    pub why: Why,
}

/// Why a test was given to an executor. Reads well after "TEST on EXECUTOR: ".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It was the next one, the longest of those that waited, and the executor had room.
    Next {
        /// How long it is expected to take, if that is known: roughly, as the scheduler's table has it.
        expected: Option<Duration>,
    },
    /// The same, near the end, where each executor gets its share of what is left.
    Share {
        /// As above.
        expected: Option<Duration>,
    },
    /// It is among the first: few such tests may run at once.
    Heavy,
    /// Another executor had not begun it, and would have begun it much later.
    TakenOver {
        /// Which.
        from: Place,
    },
    /// Another executor should have ended it by now: it runs on both, and the first result counts.
    Late {
        /// Which.
        at: Place,
        /// How long it has had it.
        since: Duration,
    },
    /// Another executor had it when it was lost.
    Lost {
        /// Which.
        at: Place,
        /// What happened to it.
        reason: String,
    },
    /// It was taken back from another executor.
    TakenBack {
        /// Which.
        from: Place,
        /// Why, such as "nothing has been heard of it".
        reason: String,
    },
    /// Peers were unable to run it.
    Unable {
        /// Who, and why.
        reasons: Vec<String>,
    },
    /// It ended unexpectedly, and is to show whether it does again.
    Rerun,
    /// It ended unexpectedly on a peer, and this machine is to say whether it does here.
    Confirmation {
        /// Which peer.
        peer: String,
    },
}

/// Where a test ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// On the machine of the runner.
    Local,
    /// On a peer, by the name people know it by.
    Peer(String),
}

impl Place {
    /// The peer, if it is one.
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
