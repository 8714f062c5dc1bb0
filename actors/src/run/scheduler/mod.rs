//! Which test goes where.
//!
//! Executors pull: each says how many leases it takes at a time, and gets the next tests, the longest first, as it
//! returns them. Towards the end each gets its share only, and who is idle takes over from who is not.
//!
//! | file | holds |
//! |---|---|
//! | `core` | the decisions: a state machine without clock, thread or actor |
//! | `assign` | of these: who gets the tests that wait |
//! | `relieve` | and: what idle executors take from others near the end |
//! | `confirmation` | and: which results and which peers are believed |
//! | `rerun` | and: which tests are run again, since they were unexpected |
//! | `limit` | how many tests have failed, and whether that ends the run |
//! | `unrun` | verdicts that no executor gives |
//! | `lost` | and: what becomes of the tests of executors that go |
//! | `explain` | why each test went where it did, for who asks |
//! | `effect` | what goes in and out |
//! | `capacity` | an executor's load and measured speed |
//! | `speed` | what this run has shown of it, for the next one |
//! | `table`, `length` | the tests, thirteen bytes each, and how long they are expected to take |
//! | `policy` | what a run wants, and what is known from earlier ones |
//! | `actor` | [`Scheduler`], the core's shell |
//! | `lister` | the thread on which tests are found |
//! | `case_reader` | the thread that reads cases for verdicts that no executor gives |

mod actor;
mod assign;
mod capacity;
mod case_reader;
mod confirmation;
mod core;
mod effect;
#[cfg(test)]
mod efficiency;
mod explain;
mod length;
mod limit;
mod lister;
mod lost;
mod policy;
mod relieve;
mod rerun;
#[cfg(test)]
mod simulation;
mod speed;
mod table;
mod unrun;

pub use actor::{HowMany, Join, Rated, Rates, Scheduler, Stop};
pub use core::Core;
pub use effect::{CaseRead, Effect, Input, ReadCase};
pub use lister::Listing;
pub use policy::{AUTO_CONFIRMED, ConfirmFailures, FailureLimit, History, NoHistory, Reruns};
