//! Why something was not accepted.

use flotilla_messages::Fingerprint;
use flotilla_messages::statement::{MOST_APPROVALS, StatementError};

/// Why a command or what a peer said was not accepted. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One's own key is neither approved nor barred.
    #[error("{0} is this machine's own key")]
    OwnKey(Fingerprint),
    /// A key for which anybody can sign.
    #[error("{0} is a weak key, for which anybody can sign")]
    WeakKey(Fingerprint),
    /// The own statement holds no more.
    #[error("{MOST_APPROVALS} keys are approved here already: approve a machine that approves the others")]
    TooManyApprovals,
    /// The issuer is neither trusted nor says that it trusts us.
    #[error("{0} is not trusted, so what it says does not count")]
    Stranger(Fingerprint),
    /// The issuer was revoked here.
    #[error("{0} was revoked here, so what it says does not count")]
    Barred(Fingerprint),
    /// The statement is expired or not valid yet.
    #[error(transparent)]
    Time(StatementError),
    /// A newer statement of the same issuer is known.
    #[error("the statement of {issuer} has serial {serial}; {held} is known already")]
    Older {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// What came.
        serial: u64,
        /// What is known.
        held: u64,
    },
    /// The issuer signed two statements with one serial: its key is in use on two machines, or it lies.
    #[error("{issuer} has signed two statements with serial {serial}: is its key in use twice?")]
    TwoWithOneSerial {
        /// The key that issues the statement.
        issuer: Fingerprint,
        /// Their serial.
        serial: u64,
    },
    /// Somebody else signs with this machine's key, or this machine's data are from an old backup.
    #[error(
        "a statement {serial} of this machine's own key came back, which it did not make: is the key in use twice?"
    )]
    OwnKeyElsewhere {
        /// Its serial.
        serial: u64,
    },
    /// There is no higher serial for the next statement.
    #[error("the own key has no serials left: make a new identity")]
    NoSerialLeft,
}
