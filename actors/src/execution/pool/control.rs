//! The state that the pool's threads share with whatever stops them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::sandbox::Sandbox;
use crate::execution::executor::LeaseId;
use crate::execution::marker::RunId;
use crate::execution::orphans::Orphans;
use crate::execution::process::{Launcher, StopSignal, StopStage};

/// The settings that all tests of a run share on this machine.
pub struct Setup {
    /// The run's identity, for the marker of its processes.
    pub run: RunId,
    /// The directory and environment that commands run in.
    pub launcher: Launcher,
    /// The built-in shell's command.
    pub builtin: Vec<OsString>,
    /// The number of bytes to keep of each stream.
    pub output_cap: usize,
    /// Whether to record the memory use of tests.
    pub memory: bool,
    /// Ends orphaned grandchildren, on systems that allow it.
    pub orphans: Option<Orphans>,
    /// The directory of files that are put together for tests; created for the first such file.
    pub scratch: PathBuf,
    /// The restrictions on tests from another machine; `None` for this machine's own tests.
    pub guest: Option<Sandbox>,
}

/// Shared state of a pool's threads, and the means to stop them from any thread, even after the pool's actor has ended.
pub struct Control {
    pub(super) setup: Setup,
    /// One stop signal per thread.
    switches: Vec<StopSignal>,
    state: Mutex<ControlState>,
    idle: Condvar,
}

#[derive(Default)]
struct ControlState {
    /// Leases that no thread has begun.
    queued: BTreeSet<LeaseId>,
    /// Leases that a thread has begun and not ended.
    running: BTreeSet<LeaseId>,
    /// The number of threads that have taken a place.
    seated: usize,
    /// The stage of a stop of the whole pool; from then on no lease is begun.
    stopped: StopStage,
}

impl Control {
    /// The control of a pool with this number of threads.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new(threads: NonZeroUsize, setup: Setup) -> io::Result<Self> {
        let switches = (0..threads.get()).map(|_| StopSignal::new()).collect::<io::Result<_>>()?;
        Ok(Self { setup, switches, state: Mutex::default(), idle: Condvar::new() })
    }

    /// Gives the calling thread a place; `None` if there are more threads than places.
    pub(super) fn seat(&self) -> Option<usize> {
        let mut state = self.state();
        let seat = state.seated;
        state.seated += 1;
        (seat < self.switches.len()).then_some(seat)
    }

    /// The switch of the thread in this place.
    pub(super) fn switch(&self, seat: usize) -> Option<&StopSignal> {
        self.switches.get(seat)
    }

    /// Queues leases for the threads.
    pub(super) fn enqueue(&self, leases: impl IntoIterator<Item = LeaseId>) {
        self.state().queued.extend(leases);
    }

    /// Begins this lease on the calling thread; false if it has been withdrawn or the pool is being stopped.
    pub(super) fn begin(&self, lease: LeaseId, switch: &StopSignal) -> bool {
        // The switch first: a withdrawal that no longer finds the lease queued then finds it there.
        let stage = switch.begin(lease);
        let mut state = self.state();
        let wanted = state.queued.remove(&lease) && stage == StopStage::Go && state.stopped == StopStage::Go;
        if wanted {
            state.running.insert(lease);
        } else {
            switch.end();
        }
        wanted
    }

    /// Ends this lease on the calling thread.
    pub(super) fn end(&self, lease: LeaseId, switch: &StopSignal) {
        switch.end();
        let mut state = self.state();
        state.running.remove(&lease);
        // A notification costs a system call even if nothing waits for it.
        if state.running.is_empty() {
            self.idle.notify_all();
        }
        drop(state);
        if let Some(orphans) = &self.setup.orphans {
            orphans.test_ended(lease, &|lease| !self.state().running.contains(&lease));
        }
    }

    /// Withdraws leases: queued ones will not be begun, running ones are ended.
    pub fn withdraw(&self, leases: &[LeaseId]) {
        for &lease in leases {
            let queued = self.state().queued.remove(&lease);
            if !queued {
                self.switches.iter().any(|switch| switch.withdraw(lease));
            }
        }
    }

    /// Ends all running tests; no more are begun.
    pub fn stop(&self, kill: bool) {
        let stage = if kill { StopStage::Kill } else { StopStage::Terminate };
        let mut state = self.state();
        state.stopped = state.stopped.max(stage);
        drop(state);
        for switch in &self.switches {
            switch.stop(stage);
        }
    }

    /// How many tests are running.
    pub fn running(&self) -> usize {
        self.state().running.len()
    }

    /// Blocks until no test is running, for at most `patience`; returns whether none is.
    pub fn await_idle(&self, patience: Duration) -> bool {
        let waited = self.idle.wait_timeout_while(self.state(), patience, |state| !state.running.is_empty());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.running.is_empty()
    }

    /// Ends processes that outlived their tests; to be called when no test is running. Returns whether nothing is left.
    pub fn end_orphans(&self) -> bool {
        self.setup.orphans.as_ref().is_none_or(Orphans::end_all)
    }

    fn state(&self) -> MutexGuard<'_, ControlState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> Control {
        let setup = Setup {
            run: RunId::random(),
            launcher: Launcher::new("/".into(), Vec::new()),
            builtin: Vec::new(),
            output_cap: 0,
            memory: false,
            orphans: None,
            scratch: PathBuf::new(),
            guest: None,
        };
        Control::new(NonZeroUsize::MIN, setup).unwrap()
    }

    #[test]
    fn a_queued_lease_that_is_withdrawn_is_not_begun() {
        let control = control();
        let switch = control.switch(0).unwrap();
        control.enqueue([LeaseId(1), LeaseId(2)]);
        control.withdraw(&[LeaseId(1)]);
        assert!(!control.begin(LeaseId(1), switch));
        assert!(control.begin(LeaseId(2), switch));
        assert_eq!(control.running(), 1);
        assert!(!control.await_idle(Duration::ZERO));
        control.end(LeaseId(2), switch);
        assert!(control.await_idle(Duration::ZERO));
    }

    #[test]
    fn nothing_begins_after_a_stop() {
        let control = control();
        control.enqueue([LeaseId(1)]);
        control.stop(false);
        assert!(!control.begin(LeaseId(1), control.switch(0).unwrap()));
    }

    #[test]
    fn there_is_one_seat_a_thread() {
        let control = control();
        assert_eq!((control.seat(), control.seat()), (Some(0), None));
    }
}
