//! A peer as an executor: [`PeerProxy`] takes the scheduler's orders as [`LocalPool`](crate::execution::pool::LocalPool) does, and
//! has a peer carry them out.
//!
//! ```text
//!  Scheduler ──Order──▶ PeerProxy ──Say──▶ Link ◀──▶ the peer's Work port
//!      ▲                 │  ▲  │
//!      └─────News────────┘  │  └─▶ CaseMaker, packs: threads that read files
//! ```
//!
//! # What a peer's word is worth
//!
//! A peer is a machine that the user has approved, or that one of these has. It can answer what it likes for the tests
//! it is given, once each, and for no others: names, cases and expectations are kept here, and what it says of leases it
//! does not have is not counted. Of what it says,
//!
//! - an unexpected outcome is tried again here before it counts (`--confirm-failures`), and a peer that was wrong three
//!   times gets no more tests. So a peer on which everything fails costs time, and no verdict;
//! - an expected outcome is believed. A peer that answers every test with PASS is found out by the first tests that are
//!   expected to fail, since these come out unexpected; in a run without any it is not. A test that ought to fail
//!   unexpectedly and is called PASS by a lying peer passes;
//! - a peer that is silent, floods or breaks the protocol costs time alone: what it has is run elsewhere.
//!
//! Passes are not confirmed by sampling. What a liar can hide is few among many: of three failures among 5000 tests, a
//! sample of one in a hundred sees one or more in 3 % of all runs, for 1 % of the work. A broken machine, which is what
//! happens in practice, does not pass everything, or is caught by the expected failures. Who must not depend on the
//! word of others runs with `--no-network`; each report says where its test ran.
//!
//! | file | holds |
//! |---|---|
//! | `core` | what is said to a peer and what comes of it: a state machine without clock, socket or actor |
//! | `actor` | [`PeerProxy`], the core's shell |
//! | `exchange` | [`Exchange`]: which peer gets a large blob from where |
//! | `cases` | [`CaseMaker`]: makes the cases of leases, away from the arbiter |
//! | `transfer` | how far the inputs are that a peer asked for: a state machine, too |
//! | `wire_case` | a case as it is sent, and how many bytes that takes |

mod actor;
mod cases;
mod core;
#[cfg(test)]
mod core_tests;
mod exchange;
mod transfer;
mod wire_case;

pub use actor::{Distrust, EndProxy, JobTerms, PeerProxy, ProxyEvent, Target};
pub use cases::CaseMaker;
pub use core::{Core, Effect, Input, Made};
pub use exchange::Exchange;
