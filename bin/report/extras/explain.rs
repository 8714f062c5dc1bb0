//! `--explain`: a line for each placement: the test, where it runs, and why there.

use std::sync::Arc;

use flotilla_actors::Reporter;
use flotilla_messages::{Cases, Event, EventKind, Placement};

use crate::report::shared::console::Console;

/// Prints placements.
pub struct Explain {
    console: Console,
    cases: Arc<dyn Cases>,
}

impl Explain {
    /// Writes to `console`; asks `cases` for names.
    pub fn new(console: Console, cases: Arc<dyn Cases>) -> Self {
        Self { console, cases }
    }

    fn line(&self, placement: &Placement) -> String {
        let name = match self.cases.case(placement.test) {
            Ok(case) => case.name,
            Err(unrunnable) => unrunnable.name,
        };
        let Placement { place, attempt, why, .. } = placement;
        let attempt = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
        // A reason may hold a peer's words, line ends included: one line each.
        let why: String =
            why.to_string().chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        format!("placed: {name} on {place}{attempt}: {why}")
    }
}

impl Reporter for Explain {
    fn event(&mut self, event: &Event) {
        if let EventKind::Placed(placement) = &event.kind {
            let line = self.line(placement);
            self.console.line(&line);
        }
    }
}
