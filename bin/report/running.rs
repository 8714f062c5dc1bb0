//! The tests that run at the moment, and since when.

use std::collections::BTreeMap;
use std::time::Instant;

use flotilla_messages::{CaseId, Event};

/// Kept along the events.
#[derive(Debug, Default)]
pub struct Running(BTreeMap<CaseId, (String, Instant)>);

impl Running {
    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Started { test, name } => {
                self.0.insert(*test, (name.to_string(), Instant::now()));
            }
            Event::Finished(report) | Event::Again(report) => {
                self.0.remove(&report.test);
            }
            _ => {}
        }
    }

    /// Names and starts, in the order of the tests.
    pub fn tests(&self) -> impl Iterator<Item = &(String, Instant)> {
        self.0.values()
    }
}
