//! Running only what failed, and running until something fails.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flotilla_messages::{CaseId, Cases, Entry, TestCase, Unrunnable, history_key};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::report::Console;
use crate::runner::test_id::Name;

/// Some of the tests.
pub struct Only {
    /// All of them.
    pub cases: Arc<dyn Cases>,
    /// The history keys of those that are to run.
    pub keys: BTreeSet<u64>,
}

impl Cases for Only {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        Box::new(self.cases.entries().filter(|entry| self.keys.contains(&entry.history_key)))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.cases.case(id)
    }
}

/// The names of those of these tests (by their stable identities) that are not there.
pub fn gone(cases: &dyn Cases, ids: &[String]) -> BTreeSet<String> {
    let there: BTreeSet<u64> = cases.entries().map(|entry| entry.history_key).collect();
    let gone = ids.iter().filter(|id| !there.contains(&history_key(id)));
    gone.map(|id| Name::of(id).path.to_owned()).collect()
}

/// The time that all rounds have together.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// This many seconds from now, if any are given; 0 is no limit, as in V8.
    pub fn after(seconds: Option<u32>) -> Self {
        Self(
            seconds
                .filter(|&seconds| seconds > 0)
                .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds.into()))),
        )
    }

    /// What is left, if it is limited.
    pub fn left(self) -> Option<Duration> {
        self.0.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

/// Signals that come between two rounds, when no run listens.
struct SignalsBetweenRounds([(Arc<AtomicBool>, u8); 2]);

impl SignalsBetweenRounds {
    fn catch() -> io::Result<Self> {
        let caught = |signal, code| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag)).map(|_| (flag, code))
        };
        // As a run's exit codes are.
        Ok(Self([caught(SIGINT, 3)?, caught(SIGTERM, 4)?]))
    }

    fn exit_code(&self) -> Option<u8> {
        self.0.iter().find(|(flag, _)| flag.load(Ordering::Relaxed)).map(|(_, code)| *code)
    }
}

/// Plays rounds until one has an exit code other than 0, somebody interrupts, or the time is over. Each is given its number.
///
/// # Errors
/// Signals cannot be caught, or what a round gives.
pub fn until_fail<E: From<io::Error>>(
    deadline: Deadline,
    mut round: impl FnMut(u64) -> Result<u8, E>,
) -> Result<u8, E> {
    let signals = SignalsBetweenRounds::catch()?;
    let mut console = Console::new();
    for number in 1_u64.. {
        console.line(&format!("Round {number}:"));
        let code = round(number)?;
        // The last round may have been too short for a test.
        let too_late = deadline.is_over() && code == 2 && number > 1;
        let code = if code == 0 || too_late { signals.exit_code().unwrap_or(0) } else { code };
        if code != 0 || deadline.is_over() {
            let rounds = if number == 1 { "1 round".to_owned() } else { format!("{number} rounds") };
            let end = match code {
                0 => "nothing was unexpected until --total-timeout-sec was over",
                1 => "the last one was not as expected",
                2 => "there was nothing to run",
                _ => "interrupted",
            };
            console.line(&format!("{rounds}: {end}."));
            return Ok(code);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_go_on_until_one_fails() {
        let mut played = Vec::new();
        let code = until_fail::<io::Error>(Deadline::after(None), |number| {
            played.push(number);
            Ok(u8::from(number == 3))
        });
        assert_eq!((code.unwrap(), played), (1, vec![1, 2, 3]));
    }

    #[test]
    fn they_end_with_the_time_and_a_last_round_without_a_test_is_no_failure() {
        assert_eq!(Deadline::after(Some(0)).left(), None);
        for (code, all) in [(0, 0), (2, 2), (1, 1)] {
            let ended = until_fail::<io::Error>(Deadline(Some(Instant::now())), |_| Ok(code)).unwrap();
            assert_eq!(ended, all);
        }
        let until = |last: u8| {
            let deadline = Deadline(Some(Instant::now() + Duration::from_millis(20)));
            until_fail::<io::Error>(deadline, |number| {
                // The second one goes on until the time is over.
                while number == 2 && !deadline.is_over() {
                    std::thread::yield_now();
                }
                Ok(if number == 2 { last } else { 0 })
            })
        };
        assert_eq!((until(2).unwrap(), until(0).unwrap()), (0, 0));
    }
}
