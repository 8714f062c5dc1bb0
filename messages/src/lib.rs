//! What Flotilla's parts say to one another.
//!
//! This crate holds values only: no socket, no clock, no file. `suites` makes [`TestCase`]s, `actors` runs them,
//! and both know nothing of each other but the two items of the seam: [`TestCase`] and the trait [`Cases`].
//!
//! | module | holds |
//! |---|---|
//! | [`case`] | [`TestCase`]: all a machine needs to run one test; [`Cases`]: which tests there are |
//! | [`outcome`] | what a process did ([`Output`]) and what that means ([`Outcome`]) |
//! | [`fingerprint`] | how a public key is named, written down and found by a prefix |
//! | [`statement`] | whom a key approves, signed |
//! | [`mod@judge`] | from output to outcome, one file per kind of judge |
//! | [`event`] | the one event type that feeds every reporter |
//! | [`datagram`] | what peers say over UDP to find one another, signed |
//! | [`recipe`] | files that are put together for a test where it runs |
//! | [`placement`] | why a test was given to whom |
//! | [`hash`] | a hash by which tests are recognised from run to run |
//! | [`nearest`] | which of the known names a person may have meant |
//! | [`untrusted`] | text from other machines, made fit for a log, a terminal and a report |
//! | [`inputs`] | the files a run needs, by content: digests, directories, packs |
//! | [`wire`] | frames: length, snappy, CBOR, and their limits |
//! | [`packet`] | who asks whom to run what, signed |
//! | [`port`] | what is said on the Local, Work and Status ports |

pub mod case;
pub mod datagram;
pub mod event;
pub mod fingerprint;
#[cfg(feature = "for-tests")]
pub mod for_tests;
pub mod hash;
pub mod inputs;
pub mod judge;
pub mod nearest;
pub mod outcome;
pub mod packet;
pub mod placement;
pub mod port;
pub mod recipe;
pub mod statement;
pub mod untrusted;
pub mod wire;

pub use case::{Arg, CaseId, Cases, Entry, Expectation, Program, TestCase, TestName, Unrunnable};
pub use datagram::{Datagram, DatagramError, DatagramKind, Presence};
pub use event::{Counts, Event, PeerNews, PeerPart, StopReason, Summary, TestReport, Times};
pub use fingerprint::Fingerprint;
pub use hash::history_key;
pub use judge::{
    Checks, Compare, ExitRule, Judge, Judgement, Negative, Patterns, Phase, Stream, TemplateRules, Uncaught,
    judge,
};
pub use outcome::{Captured, Exit, Memory, Outcome, Output};
pub use placement::{Place, Placement, Why};
pub use recipe::{Part, Recipe, RecipeError};
pub use untrusted::{untrusted_lines, untrusted_text};
