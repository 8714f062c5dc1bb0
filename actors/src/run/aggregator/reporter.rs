//! What shows or records a run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use flotilla_messages::{Event, EventKind, RunStatus};

use crate::execution::pool::panic_text;

/// Shows or records a run: progress, JSON, JUnit and whatever comes later. Called on the main thread: a
/// slow reporter delays the run.
pub trait Reporter {
    /// Something happened. [`EventKind::RunStarted`] comes first, [`EventKind::RunFinished`] last.
    fn event(&mut self, event: &Event);

    /// Whether [`Reporter::tick`] is to be called. Asked once, at the start.
    fn wants_ticks(&self) -> bool {
        false
    }

    /// Called about ten times a second with the run at that moment.
    fn tick(&mut self, _status: &RunStatus) {}
}

/// The reporters of a run. One that panics is left out from then on: reporting never fails the run.
pub(super) struct Reporters(Vec<Box<dyn Reporter>>);

impl Reporters {
    pub(super) fn new(reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self(reporters)
    }

    pub(super) fn want_ticks(&self) -> bool {
        self.0.iter().any(|reporter| reporter.wants_ticks())
    }

    pub(super) fn event(&mut self, event: &Event) {
        for failure in self.each(|reporter| reporter.event(event)) {
            // The others are told; should one of them break over that, the log has to do.
            let kind = EventKind::Notice(format!("a report is incomplete: {failure}"));
            let notice = Event { at: event.at, elapsed: event.elapsed, stats: event.stats, kind };
            self.each(|reporter| reporter.event(&notice));
        }
    }

    pub(super) fn tick(&mut self, status: &RunStatus) {
        self.each(|reporter| {
            if reporter.wants_ticks() {
                reporter.tick(status);
            }
        });
    }

    /// What went wrong, for each that broke.
    fn each(&mut self, mut call: impl FnMut(&mut dyn Reporter)) -> Vec<String> {
        let mut failures = Vec::new();
        self.0.retain_mut(|reporter| {
            let called = catch_unwind(AssertUnwindSafe(|| call(&mut **reporter)));
            if let Err(panic) = &called {
                let failure = panic_text(&**panic).to_owned();
                log::error!("a reporter is left out from now on: {failure}");
                failures.push(failure);
            }
            called.is_ok()
        });
        failures
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::{Duration, SystemTime};

    use flotilla_messages::RunStats;

    use super::*;

    struct Kept(Rc<RefCell<Vec<Event>>>);

    impl Reporter for Kept {
        fn event(&mut self, event: &Event) {
            self.0.borrow_mut().push(event.clone());
        }
    }

    struct Broken;

    impl Reporter for Broken {
        fn event(&mut self, _: &Event) {
            panic!("no space left");
        }
    }

    #[test]
    fn a_broken_reporter_is_left_out_and_the_others_are_told() {
        let kept = Rc::default();
        let mut reporters = Reporters::new(vec![Box::new(Broken), Box::new(Kept(Rc::clone(&kept)))]);
        let of = |kind| {
            let (at, elapsed) = (SystemTime::UNIX_EPOCH, Duration::ZERO);
            Event { at, elapsed, stats: RunStats::default(), kind }
        };
        let event = of(EventKind::Listed { tests: 1, complete: false });
        reporters.event(&event);
        reporters.event(&event);
        let notice = of(EventKind::Notice("a report is incomplete: no space left".into()));
        assert_eq!(*kept.borrow(), [event.clone(), notice, event]);
    }
}
