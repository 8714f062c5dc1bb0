//! The runs of which something is largest: their time, or the memory that they took.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::{Memory, TestReport};

use super::record::Record;
use crate::report::shared::context::Context;

/// What a run is measured by.
type Key = fn(&TestReport) -> u64;

/// Keeps the runs with the largest numbers.
#[derive(Debug)]
pub struct Top {
    size: usize,
    key: Key,
    /// Ordered by what they are measured by; the number keeps equal ones apart, earlier ones first.
    kept: BTreeSet<(u64, Reverse<u64>)>,
    records: BTreeMap<u64, Record>,
    next: u64,
}

impl Top {
    /// Keeps this many of the slowest.
    pub fn slowest(size: usize) -> Self {
        let nanos = |report: &TestReport| u64::try_from(report.duration().as_nanos()).unwrap_or(u64::MAX);
        Self::new(size, nanos)
    }

    /// Those that took the most memory.
    pub fn resident(size: usize) -> Self {
        Self::new(size, |report| memory(report).max_rss)
    }

    /// Those that took the most addresses.
    pub fn addresses(size: usize) -> Self {
        Self::new(size, |report| memory(report).max_vms)
    }

    fn new(size: usize, key: Key) -> Self {
        Self { size, key, kept: BTreeSet::new(), records: BTreeMap::new(), next: 0 }
    }

    /// Takes note of all runs of a test.
    pub fn note(&mut self, report: &TestReport, context: &Context) {
        report.attempts().for_each(|attempt| self.note_run(attempt, context));
    }

    fn note_run(&mut self, report: &TestReport, context: &Context) {
        let measured = (self.key)(report);
        let full = self.kept.len() >= self.size;
        if full && self.kept.first().is_none_or(|(least, _)| *least >= measured) {
            return;
        }
        self.kept.insert((measured, Reverse(self.next)));
        self.records.insert(self.next, Record::top(report, context));
        self.next += 1;
        if self.kept.len() > self.size
            && let Some((_, Reverse(number))) = self.kept.pop_first()
        {
            self.records.remove(&number);
        }
    }

    /// The runs kept, the largest first.
    pub fn records(&self) -> Vec<&Record> {
        self.kept.iter().rev().filter_map(|(_, Reverse(number))| self.records.get(number)).collect()
    }
}

fn memory(report: &TestReport) -> Memory {
    report.output.as_ref().map(|output| output.memory).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::{Captured, CaseId, Exit, Outcome, Output, Place, TestName, Times};

    use super::*;

    fn report(millis: u64) -> TestReport {
        TestReport {
            test: CaseId(millis),
            name: TestName {
                suite: "s".into(),
                name: millis.to_string(),
                variant: "default".into(),
                detail: None,
            },
            id: String::new(),
            outcome: Outcome::Pass,
            as_expected: true,
            why: None,
            difference: None,
            case: None,
            output: Some(Output {
                exit: Exit::Code(0),
                timed_out: false,
                stdout: Captured::default(),
                stderr: Captured::default(),
                duration: Duration::from_millis(millis),
                // The quicker, the larger.
                memory: Memory { max_rss: 1000 - millis, max_vms: millis % 10 },
                started: None,
            }),
            place: Place::Local,
            attempt: 1,
            times: Times::default(),
            differs_on: None,
            earlier: Vec::new(),
        }
    }

    fn names(top: &Top) -> Vec<&str> {
        top.records().iter().map(|record| record.name.as_str()).collect()
    }

    #[test]
    fn the_slowest_are_kept_slowest_first() {
        let context = Context::for_tests();
        let mut slowest = Top::slowest(100);
        for i in 0..300 {
            slowest.note(&report(i * 7 % 300), &context);
        }
        let names = names(&slowest);
        assert_eq!((names.len(), names[0], names[99]), (100, "s/299", "s/200"));
        let mut none = Top::slowest(0);
        none.note(&report(1), &context);
        assert_eq!(none.records().len(), 0);
    }

    #[test]
    fn the_largest_are_kept_by_either_measure_and_earlier_ones_first() {
        let context = Context::for_tests();
        let (mut resident, mut addresses) = (Top::resident(2), Top::addresses(3));
        for millis in [5, 25, 9, 1, 15] {
            resident.note(&report(millis), &context);
            addresses.note(&report(millis), &context);
        }
        assert_eq!(names(&resident), ["s/1", "s/5"]);
        assert_eq!(names(&addresses), ["s/9", "s/5", "s/25"]);
        assert_eq!(addresses.records()[0].max_vms, 9);
    }

    #[test]
    fn each_attempt_is_a_run() {
        let mut flaky = report(5);
        flaky.earlier = vec![TestReport { as_expected: false, ..report(70) }];
        let mut slowest = Top::slowest(10);
        slowest.note(&flaky, &Context::for_tests());
        let durations: Vec<f64> = slowest.records().iter().map(|record| record.duration).collect();
        assert_eq!(durations, [0.07, 0.005]);
    }
}
