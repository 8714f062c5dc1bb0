//! `--rerun-failed` and `--until-fail`: running only what failed, and running until something fails.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flotilla_messages::{CaseId, Cases, Entry, TestCase, Unrunnable, history_key};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::report::Console;
use crate::runner::test_id::Name;

/// A selection of tests by their history keys.
pub struct SelectedCases {
    /// All tests.
    pub cases: Arc<dyn Cases>,
    /// The history keys of the tests to run.
    pub keys: BTreeSet<u64>,
}

impl Cases for SelectedCases {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        Box::new(self.cases.entries().filter(|entry| self.keys.contains(&entry.history_key)))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.cases.case(id)
    }
}

/// The names of those tests in `ids` (stable identities) that are not among `cases`.
pub fn missing_tests(cases: &dyn Cases, ids: &[String]) -> BTreeSet<String> {
    let present: BTreeSet<u64> = cases.entries().map(|entry| entry.history_key).collect();
    let missing = ids.iter().filter(|id| !present.contains(&history_key(id)));
    missing.map(|id| Name::of(id).path.to_owned()).collect()
}

/// The end of the time that all rounds share, if it is limited.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// That many seconds from now; 0, as in V8, and `None` mean no limit.
    pub fn after(seconds: Option<u32>) -> Self {
        Self(
            seconds
                .filter(|&seconds| seconds > 0)
                .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds.into()))),
        )
    }

    /// The time left, if it is limited.
    pub fn left(self) -> Option<Duration> {
        self.0.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

/// Notes signals between two rounds, when no run handles them.
struct SignalsBetweenRounds([(Arc<AtomicBool>, u8); 2]);

impl SignalsBetweenRounds {
    fn catch() -> io::Result<Self> {
        let catch_signal = |signal, code| {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&flag)).map(|_| (flag, code))
        };
        // The exit codes that a run has for these signals.
        Ok(Self([catch_signal(SIGINT, 3)?, catch_signal(SIGTERM, 4)?]))
    }

    fn exit_code(&self) -> Option<u8> {
        self.0.iter().find(|(flag, _)| flag.load(Ordering::Relaxed)).map(|(_, code)| *code)
    }
}

/// Runs rounds until one has an exit code other than 0, a signal interrupts, or the time is over. `round` gets the
/// round's number, from 1.
///
/// # Errors
/// Signals cannot be caught, or a round fails with an error.
pub fn until_fail<E: From<io::Error>>(
    deadline: Deadline,
    mut round: impl FnMut(u64) -> Result<u8, E>,
) -> Result<u8, E> {
    let signals = SignalsBetweenRounds::catch()?;
    let mut console = Console::new();
    for number in 1_u64.. {
        console.line(&format!("Round {number}:"));
        let code = round(number)?;
        // Code 2 means that no test ran: the last round may have been too short for one.
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
