//! How many leases a client may have out: enough that no job slot waits for it, and not much more.
//!
//! Tests of a tenth of a second need a short queue ahead. Tests of a millisecond need one that lasts as long as news
//! wait for more and leases are on their way, else the slots are idle most of the time. How long that way is nobody
//! knows: a session whose queue ran empty before the next leases came asks for twice as many.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::execution::pool::LocalPool;

/// The queue ahead lasts this long at least: some batches of news, each of which is a message and its answer.
const AHEAD: f64 = 0.05;
/// And this long at most: what waits here cannot be run elsewhere without asking.
const MOST_AHEAD: f64 = 1.0;
/// The most leases there may be, whatever tests take: their cases are a few megabytes.
const MOST_CREDIT: usize = 4096;
/// A new test counts for so much of the mean length.
const WEIGHT: f64 = 1.0 / 16.0;
/// This many tests tell enough of their length.
const ENOUGH: u32 = 4;

/// What a session has seen of its tests and its client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Seconds a test takes.
    length: f64,
    samples: u32,
    /// How often the queue has run empty.
    starved: u32,
}

impl Pace {
    /// A test took this long.
    pub(super) fn took(&mut self, duration: Duration) {
        self.samples = self.samples.saturating_add(1);
        let weight = (1.0 / f64::from(self.samples)).max(WEIGHT);
        self.length += (duration.as_secs_f64() - self.length) * weight;
    }

    /// Leases have come, and job slots had been idle for the want of them.
    pub(super) fn starved(&mut self) {
        // Twenty times as long as anything can take.
        self.starved = (self.starved + 1).min(10);
    }

    /// How many leases are to be out with this many job slots, where `before` is what the client was told last. A little
    /// more or less is not worth a message.
    pub(super) fn credit(&self, slots: u16, before: u32) -> u32 {
        let least = least(slots);
        if self.samples < ENOUGH {
            return least;
        }
        let rate = f64::from(slots) / self.length.max(1e-4);
        let ahead = (AHEAD * f64::from(1 << self.starved)).min(MOST_AHEAD);
        let wanted = f64::from(slots) + rate * ahead;
        // Some thousands at most.
        let wanted = (wanted.min(MOST_CREDIT as f64) as u32).max(least);
        let near = before >= least && wanted <= before + before / 2 && wanted >= before / 4;
        if near { before } else { wanted }
    }
}

/// How many leases may be out with this many job slots before anything is known of the tests.
pub(super) fn least(slots: u16) -> u32 {
    let slots = NonZeroUsize::new(slots.into()).unwrap_or(NonZeroUsize::MIN);
    // Of 65,535 slots at most.
    LocalPool::credit(slots) as u32
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
