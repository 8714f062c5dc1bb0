//! Predictable builds: a test must allocate the same in every run (V8 9.2 `tools/predictable_wrapper.py`, V8 5.4
//! `execution.py`).

use super::judgement::Judgement;
use super::text::quoted;
use crate::outcome::{Outcome, Output};

/// The number of runs after which a test counts as predictable.
pub const RUNS: u32 = 3;

const LINE_PREFIX: &str = "### Allocations = ";

/// The results of one test's runs so far.
#[derive(Debug)]
pub struct Allocations {
    required: bool,
    runs: u32,
    last: Option<String>,
}

impl Allocations {
    /// The state before the first run. If `required`, a run that prints no hash of its allocations fails; before V8
    /// 6.6, two runs without one counted as equal.
    pub fn new(required: bool) -> Self {
        Self { required, runs: 0, last: None }
    }

    /// Adds the output of a run. Returns the judgement, or `None` if the test must run again. The exit code does not
    /// count: a test that fails in the same way each time is predictable.
    pub fn next(&mut self, output: &Output) -> Option<Judgement> {
        self.runs += 1;
        let judgement = |outcome, why| Some(Judgement { outcome, why });
        if output.timed_out {
            return judgement(Outcome::Timeout, Some(format!("the deadline passed in run {}", self.runs)));
        }
        if output.crashed() {
            let why = format!("ended by {} in run {}", output.exit, self.runs);
            return judgement(Outcome::Crash, Some(why));
        }
        let found = last_line(&output.stdout.text());
        if found.is_none() && self.required {
            let why = format!(
                "run {} printed no line '{LINE_PREFIX}...', as builds for verification do",
                self.runs
            );
            return judgement(Outcome::Fail, Some(why));
        }
        if self.runs > 1 && found != self.last {
            let why = format!(
                "run {} printed {}, the one before {}",
                self.runs,
                quoted(found.as_deref()),
                quoted(self.last.as_deref())
            );
            return judgement(Outcome::Fail, Some(why));
        }
        self.last = found;
        if self.runs < RUNS { None } else { judgement(Outcome::Pass, None) }
    }
}

fn last_line(stdout: &str) -> Option<String> {
    stdout.lines().rfind(|line| line.starts_with(LINE_PREFIX)).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    /// The outcome and the number of runs until then; `None` if more runs are needed.
    fn judged(required: bool, stdouts: &[&str]) -> Option<(Outcome, usize)> {
        let mut allocations = Allocations::new(required);
        let mut runs = stdouts.iter().enumerate();
        runs.find_map(|(i, stdout)| Some((allocations.next(&printed(stdout, Exit::Code(1)))?.outcome, i + 1)))
    }

    #[test]
    fn three_runs_alike_pass() {
        let (a, b) = ("x\n### Allocations = 1\ny\n", "### Allocations = 2\n");
        assert_eq!(judged(true, &[a, a]), None);
        assert_eq!(judged(true, &[a, a, a]), Some((Outcome::Pass, 3)));
        assert_eq!(judged(true, &[a, b, a]), Some((Outcome::Fail, 2)));
        assert_eq!(judged(true, &[a, a, b]), Some((Outcome::Fail, 3)));
        assert_eq!(judged(true, &["x\n"]), Some((Outcome::Fail, 1)));
        assert_eq!(judged(false, &["x\n", "y\n", "z\n"]), Some((Outcome::Pass, 3)));
        assert_eq!(judged(false, &["x\n", a]), Some((Outcome::Fail, 2)));
        let last = "### Allocations = 9\n### Allocations = 1\n";
        assert_eq!(judged(true, &[a, last, a]), Some((Outcome::Pass, 3)), "the last line counts");
    }

    #[test]
    fn what_ends_badly_is_not_run_again() {
        let mut late = printed("### Allocations = 1\n", Exit::Signal(9));
        late.timed_out = true;
        assert_eq!(Allocations::new(true).next(&late).unwrap().outcome, Outcome::Timeout);
        let crashed = printed("### Allocations = 1\n", Exit::Signal(11));
        assert_eq!(Allocations::new(true).next(&crashed).unwrap().outcome, Outcome::Crash);
    }
}
