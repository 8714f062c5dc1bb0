//! One executor as the scheduler sees it: what it has, and how fast it is.

use std::time::{Duration, Instant};

use flotilla_messages::Place;

/// This many tests in this many seconds tell how fast an executor is.
const MEASURED_WORK: f64 = 20.0;
const MEASURED_TIME: f64 = 0.2;
/// After this many busy seconds, what was measured counts for half.
const HALF_LIFE: f64 = 8.0;

/// An executor that has joined the run.
pub(super) struct Executor {
    pub(super) place: Place,
    pub(super) credit: usize,
    pub(super) max_heavy: usize,
    /// Nothing has been heard of it for a while.
    pub(super) suspected: bool,
    /// Several of its unexpected results wait to be confirmed.
    pub(super) in_doubt: bool,
    /// Leases it has not answered.
    pub(super) leased: usize,
    /// Of these: heavy ones.
    pub(super) heavy: usize,
    /// Of these: withdrawn ones.
    pub(super) withdrawn: usize,
    /// Of these: started ones.
    running: usize,
    /// The most that ran at a time, lately and before.
    most_running: usize,
    most_before: usize,
    /// Answers since, while more waited there.
    lately: usize,
    /// All answers.
    answered: usize,
    /// Leases that ended unable, in a row.
    pub(super) unable: u32,
    /// Typical tests it has done, and seconds it was busy with them.
    work: f64,
    busy: f64,
    busy_since: Option<Instant>,
    /// How fast it was in earlier runs: tests in the time in which a job slot of this machine finishes one.
    pub(super) rated: Option<f64>,
    /// What its first credit lets guess of its jobs.
    guess: usize,
}

impl Executor {
    pub(super) fn new(place: Place, credit: usize, max_heavy: usize) -> Self {
        Self {
            place,
            credit,
            max_heavy: max_heavy.max(1),
            suspected: false,
            in_doubt: false,
            leased: 0,
            heavy: 0,
            withdrawn: 0,
            running: 0,
            most_running: 0,
            most_before: 0,
            lately: 0,
            answered: 0,
            unable: 0,
            work: 0.0,
            busy: 0.0,
            busy_since: None,
            rated: None,
            guess: (credit / 3).max(1),
        }
    }

    pub(super) fn is_local(&self) -> bool {
        self.place == Place::Local
    }

    /// Whether the run counts on it at the moment: it has credit, and is neither suspected nor in doubt.
    pub(super) fn is_usable(&self) -> bool {
        !self.suspected && !self.in_doubt && self.credit > 0
    }

    /// Whether it may get leases now.
    pub(super) fn has_credit(&self) -> bool {
        self.is_usable() && self.leased < self.credit
    }

    /// Leases whose results count.
    pub(super) fn live(&self) -> usize {
        self.leased.saturating_sub(self.withdrawn)
    }

    /// How many tests it runs at a time: as many as were seen to lately, once enough were seen. It is not told: credit
    /// covers a queue ahead, of twice the jobs and more, and its owner may take slots and give them back.
    pub(super) fn slots(&self) -> usize {
        // Credit grows where tests are short; the jobs do not.
        let guess = self.guess.min((self.credit / 3).max(1));
        let seen = self.most_running.max(self.most_before);
        let slots = if self.answered < 2 * guess { guess.max(seen) } else { seen };
        slots.clamp(1, self.credit.max(1))
    }

    pub(super) fn leases(&mut self, now: Instant, heavy: bool) {
        self.leased += 1;
        self.heavy += usize::from(heavy);
        self.busy_since.get_or_insert(now);
    }

    pub(super) fn starts(&mut self) {
        self.running += 1;
        self.most_running = self.most_running.max(self.running);
    }

    /// A lease was answered; `work`: how many typical tests that was, if it ran to its end.
    pub(super) fn answers(&mut self, now: Instant, answered: Answered) {
        let Answered { heavy, started, withdrawn, work } = answered;
        let more_waited = self.live() > self.running;
        self.leased = self.leased.saturating_sub(1);
        self.heavy = self.heavy.saturating_sub(usize::from(heavy));
        self.running = self.running.saturating_sub(usize::from(started));
        self.withdrawn = self.withdrawn.saturating_sub(usize::from(withdrawn));
        self.answered += 1;
        // Only then has it run as many as it could.
        self.lately += usize::from(more_waited);
        if self.lately >= 2 * self.most_running.max(4) {
            self.most_before = self.most_running;
            self.most_running = self.running;
            self.lately = 0;
        }
        self.work += work.unwrap_or_default();
        self.busy = self.busy_until(now);
        self.busy_since = (self.leased > 0).then_some(now);
        if self.busy > HALF_LIFE {
            self.busy /= 2.0;
            self.work /= 2.0;
        }
    }

    fn busy_until(&self, now: Instant) -> f64 {
        let going_on = self.busy_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.busy + going_on.as_secs_f64()
    }

    /// Typical tests a second, where such a test takes `typical` seconds on the average: at first that average, then
    /// what it really does, its network and its owner's other work included.
    /// What earlier runs have shown counts as much as that average would.
    pub(super) fn rate(&self, now: Instant, typical: f64) -> f64 {
        let slots = self.slots() as f64;
        // Other machines may have been as busy as they like; that much slower or faster is none.
        let first = self.rated.map_or(slots, |rated| rated.clamp(slots / 32.0, slots * 32.0));
        (self.work + first) / (self.busy_until(now) + typical.max(1e-3))
    }

    /// Typical tests a second that it did, if it did enough to tell.
    pub(super) fn measured(&self, now: Instant) -> Option<f64> {
        let busy = self.busy_until(now);
        (self.work >= MEASURED_WORK && busy >= MEASURED_TIME).then(|| self.work / busy)
    }

    /// The seconds until it could start one more test, at this rate.
    pub(super) fn wait(&self, rate: f64) -> f64 {
        let ahead = self.live().saturating_sub(self.slots());
        ahead as f64 / rate
    }
}

/// What an answer changes.
pub(super) struct Answered {
    pub(super) heavy: bool,
    pub(super) started: bool,
    pub(super) withdrawn: bool,
    pub(super) work: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAN: Answered = Answered { heavy: false, started: true, withdrawn: false, work: Some(1.0) };

    #[test]
    fn slots_are_guessed_and_then_seen() {
        let now = Instant::now();
        let mut executor = Executor::new(Place::Local, 9, 1);
        assert_eq!(executor.slots(), 3);
        for _ in 0..6 {
            executor.leases(now, false);
            executor.starts();
            executor.answers(now, RAN);
        }
        assert_eq!(executor.slots(), 1);
    }

    #[test]
    fn slots_that_the_owner_takes_and_gives_back_are_seen() {
        let now = Instant::now();
        let mut executor = Executor::new(Place::Local, 12, 1);
        for _ in 0..12 {
            executor.leases(now, false);
        }
        for slots in [4, 1, 6] {
            for _ in 0..30 {
                while executor.running < slots {
                    executor.starts();
                }
                executor.answers(now, RAN);
                executor.leases(now, false);
            }
            assert_eq!(executor.slots(), slots);
        }
    }

    #[test]
    fn a_longer_queue_is_no_sign_of_more_jobs() {
        let now = Instant::now();
        let mut executor = Executor::new(Place::Local, 10, 1);
        executor.credit = 400;
        assert_eq!(executor.slots(), 3);
        executor.credit = 3;
        assert_eq!(executor.slots(), 1);
        assert!(executor.measured(now).is_none());
    }

    #[test]
    fn what_earlier_runs_have_shown_is_where_the_rate_begins() {
        let begun = Instant::now();
        let mut executor = Executor::new(Place::Local, 9, 1);
        executor.rated = Some(0.75);
        assert!((executor.rate(begun, 0.1) - 7.5).abs() < 1e-9, "a quarter of its three slots");
        executor.rated = Some(0.0001);
        assert!(executor.rate(begun, 0.1) > 0.9, "no rate is hopeless");
        for i in 1..=100_u64 {
            executor.leases(begun + Duration::from_millis(100 * (i - 1)), false);
            executor.starts();
            executor.answers(begun + Duration::from_millis(100 * i), RAN);
        }
        let now = begun + Duration::from_secs(10);
        assert!((executor.rate(now, 0.1) - 10.0).abs() < 0.3, "{}", executor.rate(now, 0.1));
        assert!((executor.measured(now).unwrap() - 10.0).abs() < 1e-6);
    }

    #[test]
    fn the_rate_approaches_what_is_done() {
        let begun = Instant::now();
        let mut executor = Executor::new(Place::Local, 9, 1);
        assert!((executor.rate(begun, 0.1) - 30.0).abs() < 1e-9);
        for i in 1..=1000_u64 {
            executor.leases(begun + Duration::from_millis(50 * (i - 1)), false);
            executor.starts();
            executor.answers(begun + Duration::from_millis(50 * i), RAN);
        }
        let now = begun + Duration::from_secs(50);
        assert!((executor.rate(now, 0.1) - 20.0).abs() < 0.5, "{}", executor.rate(now, 0.1));
    }
}
