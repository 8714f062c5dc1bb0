//! What may end a run early.

use flotilla_messages::StopReason;

/// Somebody wants the run to stop: the first request ends tests by SIGTERM and, a second later, SIGKILL; the second one
/// kills at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopRequest {
    /// As SIGINT.
    Interrupt,
    /// As SIGTERM.
    Terminate,
    /// The time for the whole run is over: as SIGTERM, but that it is no failure.
    TotalTimeout,
}

impl StopRequest {
    /// What the summary says.
    pub fn reason(self) -> StopReason {
        match self {
            Self::Interrupt => StopReason::Interrupted,
            Self::Terminate => StopReason::Terminated,
            Self::TotalTimeout => StopReason::TotalTimeout,
        }
    }
}
