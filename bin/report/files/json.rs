//! `--json-test-results`: V8 13.8's file, an object with the runs that failed, the slowest and the largest ones. Readers
//! of older versions' files find what they look for.

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind};
use serde::Serialize;

use super::file::ReportFile;
use super::ran::Ran;
use super::record::Record;
use super::top::Top;
use crate::report::shared::context::Context;

/// How many of the largest runs are kept (V8 13.8 indicators.py: TRACK_N_HEAVY_TESTS).
const LARGEST: usize = 20;

/// Collects and writes the results.
pub struct Json {
    file: ReportFile,
    context: Context,
    results: Vec<Record>,
    resident: Top,
    addresses: Top,
    slowest: Top,
    ran: Ran,
    durations: f64,
    /// As in V8, of all runs.
    tests: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    results: &'a [Record],
    max_rss_tests: Vec<&'a Record>,
    max_vms_tests: Vec<&'a Record>,
    slowest_tests: Vec<&'a Record>,
    duration_mean: Option<f64>,
    test_total: u64,
    /// Our own addition: the tests that have a verdict. V8's readers take no notice of it.
    ran: &'a Ran,
}

impl Json {
    /// Writes to `file` at the run's end, this many of the slowest tests among it.
    pub fn new(file: ReportFile, context: Context, cutoff: usize) -> Self {
        Self {
            file,
            context,
            results: Vec::new(),
            resident: Top::resident(LARGEST),
            addresses: Top::addresses(LARGEST),
            slowest: Top::slowest(cutoff),
            ran: Ran::default(),
            durations: 0.0,
            tests: 0,
        }
    }

    fn write(&self) {
        let document = Document {
            results: &self.results,
            max_rss_tests: self.resident.records(),
            max_vms_tests: self.addresses.records(),
            slowest_tests: self.slowest.records(),
            duration_mean: (self.tests > 0).then(|| self.durations / self.tests as f64),
            test_total: self.tests,
            ran: &self.ran,
        };
        match serde_json::to_vec(&document) {
            Ok(bytes) => {
                if let Err(error) = self.file.write(&bytes) {
                    notice!("runner: {error}");
                }
            }
            Err(error) => notice!("runner: cannot make the JSON results: {error}"),
        }
    }
}

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => {
                self.ran.add(&report.name);
                for top in [&mut self.resident, &mut self.addresses, &mut self.slowest] {
                    top.note(report, &self.context);
                }
                for attempt in report.attempts() {
                    self.durations += attempt.duration().as_secs_f64();
                    self.tests += 1;
                    // As in V8: what failed, and whatever came after.
                    if !report.as_expected || report.flaky() {
                        self.results.push(Record::failure(attempt, &self.context, report.flaky()));
                    }
                }
            }
            EventKind::RunFinished(_) => self.write(),
            _ => {}
        }
    }
}
