//! The values that Flotilla's crates exchange.
//!
//! This crate holds values only: no socket, no clock, no file. `suites` makes [`TestCase`]s and `actors` runs them;
//! the two meet only in [`TestCase`] and in the trait [`Cases`].
//!
//! | module | holds |
//! |---|---|
//! | [`case`] | [`TestCase`]: everything a machine needs to run one test; [`Cases`]: the tests of a run |
//! | [`outcome`] | what a process did ([`Output`]) and how it is classified ([`Outcome`]) |
//! | [`fingerprint`] | public keys: their encoding, their fingerprints, and how a prefix is resolved |
//! | [`statement`] | which keys a key approves, signed |
//! | [`mod@judge`] | from output to outcome, one file per kind of judge |
//! | [`event`] | the one event type that feeds every reporter |
//! | [`header`] | what a run is about to do |
//! | [`summary`] | how far a run is, and how it went |
//! | [`datagram`] | the signed UDP datagrams by which peers find each other |
//! | [`recipe`] | files that are put together for a test where it runs |
//! | [`placement`] | why a test was given to an executor |
//! | [`amount`] | how amounts read, for people |
//! | [`hash`] | the hash that identifies a test across runs |
//! | [`nearest`] | the known name that a person may have meant |
//! | [`untrusted`] | text from other machines, made fit for a log, a terminal and a report |
//! | [`inputs`] | the files a run needs, by content: digests, directories, packs |
//! | [`wire`] | frames: length, snappy, CBOR, and their limits |
//! | [`packet`] | a client's signed request that a peer run its tests |
//! | [`port`] | the messages of the Local, Work and Status ports |

pub mod amount;
pub mod case;
pub mod datagram;
pub mod event;
pub mod fingerprint;
#[cfg(feature = "for-tests")]
pub mod for_tests;
pub mod hash;
pub mod header;
pub mod inputs;
pub mod judge;
pub mod nearest;
pub mod outcome;
pub mod packet;
pub mod placement;
pub mod port;
pub mod recipe;
pub mod statement;
pub mod summary;
pub mod untrusted;
pub mod wire;

pub use case::{Arg, CaseId, Cases, Entry, Expectation, Program, TestCase, TestName, Unrunnable};
pub use datagram::{Datagram, DatagramError, DatagramKind, Presence};
pub use event::{Event, EventKind, PeerNews, PeerPart, TestReport, Times};
pub use fingerprint::Fingerprint;
pub use hash::history_key;
pub use header::{BuildHeader, Forecast, Rounds, RunHeader};
pub use judge::{
    Checks, Compare, ExitRule, Judge, Judgement, Negative, Patterns, Phase, Stream, TemplateRules, Uncaught,
    judge,
};
pub use outcome::{Captured, Exit, Memory, Outcome, Output};
pub use placement::{Place, Placement, Why};
pub use recipe::{Part, Recipe, RecipeError};
pub use summary::{
    Counts, FlakyTest, PeerShare, RunEnd, RunStats, RunStatus, RunningTest, StopReason, Summary,
};
pub use untrusted::{untrusted_lines, untrusted_text};
