//! How others stop what a worker runs.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::execution::executor::LeaseId;

/// How urgently a process is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopStage {
    /// Not at all.
    #[default]
    Go,
    /// SIGTERM, and SIGKILL after a grace.
    Terminate,
    /// SIGKILL at once.
    Kill,
}

/// One worker's stop signal. The worker polls its descriptor; any thread may raise it.
pub struct StopSignal {
    state: Mutex<SignalState>,
    waiting: PipeReader,
    waking: PipeWriter,
}

#[derive(Default)]
struct SignalState {
    /// The lease that runs now.
    lease: Option<LeaseId>,
    /// The stage for the lease that runs now.
    stage: StopStage,
    /// The stage for all later leases.
    lasting: StopStage,
    /// The number of bytes in the pipe.
    woken: usize,
}

impl StopSignal {
    /// A switch that stands at [`StopStage::Go`].
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new() -> io::Result<Self> {
        let (waiting, waking) = io::pipe()?;
        Ok(Self { state: Mutex::default(), waiting, waking })
    }

    /// Begins this lease; discards what an earlier lease left in the pipe.
    pub(crate) fn begin(&self, lease: LeaseId) -> StopStage {
        let mut state = self.state();
        self.drain(&mut state);
        state.lease = Some(lease);
        state.stage = state.lasting;
        state.stage
    }

    /// The worker is done with its lease.
    pub(crate) fn end(&self) {
        self.state().lease = None;
    }

    /// Ends this lease if it runs here; returns whether it does.
    pub fn withdraw(&self, lease: LeaseId) -> bool {
        let mut state = self.state();
        let runs = state.lease == Some(lease);
        if runs {
            self.raise(&mut state, StopStage::Terminate);
        }
        runs
    }

    /// Ends the running lease and all that begin later.
    pub fn stop(&self, stage: StopStage) {
        let mut state = self.state();
        state.lasting = state.lasting.max(stage);
        self.raise(&mut state, stage);
    }

    /// What the worker polls: readable after the stage rose.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.waiting.as_fd()
    }

    /// What the worker does when it is readable; also makes it unreadable again.
    pub(super) fn stage(&self) -> StopStage {
        let mut state = self.state();
        self.drain(&mut state);
        state.stage
    }

    fn raise(&self, state: &mut SignalState, stage: StopStage) {
        // A byte for each rise, of which there are two a lease: the pipe cannot fill up.
        if stage > state.stage {
            state.stage = stage;
            if (&self.waking).write_all(&[0]).is_ok() {
                state.woken += 1;
            }
        }
    }

    fn drain(&self, state: &mut SignalState) {
        while state.woken > 0 {
            // The bytes were written under the lock: this cannot block.
            if (&self.waiting).read_exact(&mut [0]).is_err() {
                break;
            }
            state.woken -= 1;
        }
    }

    fn state(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    #[test]
    fn withdrawing_ends_that_lease_only() {
        let switch = StopSignal::new().unwrap();
        assert_eq!(switch.begin(LeaseId(1)), StopStage::Go);
        assert!(!switch.withdraw(LeaseId(2)));
        assert_eq!(switch.stage(), StopStage::Go);
        assert!(switch.withdraw(LeaseId(1)));
        assert_eq!(switch.stage(), StopStage::Terminate);
        switch.end();
        assert!(!switch.withdraw(LeaseId(1)));
        assert_eq!(switch.begin(LeaseId(2)), StopStage::Go);
    }

    #[test]
    fn a_withdrawal_does_not_wake_the_next_lease() {
        let switch = StopSignal::new().unwrap();
        switch.begin(LeaseId(1));
        switch.withdraw(LeaseId(1));
        switch.begin(LeaseId(2));
        let mut list = [PollFd::from_borrowed_fd(switch.descriptor(), PollFlags::IN)];
        assert_eq!(poll(&mut list, Some(&Timespec::default())), Ok(0));
    }

    #[test]
    fn a_stop_lasts_and_only_rises() {
        let switch = StopSignal::new().unwrap();
        switch.stop(StopStage::Kill);
        switch.stop(StopStage::Terminate);
        assert_eq!(switch.begin(LeaseId(1)), StopStage::Kill);
    }
}
