//! Requests to stop a run.

use std::io;

use actix_rt::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::event::RunEvent;
use super::request::StopRequest;

/// Where requests to stop come from.
pub enum StopSource {
    /// SIGINT and SIGTERM of this process. They stay caught after the run.
    Signals,
    /// Somebody else.
    Channel(UnboundedReceiver<StopRequest>),
}

impl StopSource {
    /// Passes every request on. To be called in a System.
    pub(super) fn listen(self, run: UnboundedSender<RunEvent>) -> io::Result<()> {
        match self {
            Self::Signals => {
                let caught = [
                    (SignalKind::interrupt(), StopRequest::Interrupt),
                    (SignalKind::terminate(), StopRequest::Terminate),
                ];
                for (kind, request) in caught {
                    let mut signals = signal(kind)?;
                    let run = run.clone();
                    actix_rt::spawn(async move {
                        while signals.recv().await.is_some() && run.send(RunEvent::Stop(request)).is_ok() {}
                    });
                }
            }
            Self::Channel(mut requests) => {
                actix_rt::spawn(async move {
                    while let Some(request) = requests.recv().await {
                        if run.send(RunEvent::Stop(request)).is_err() {
                            return;
                        }
                    }
                });
            }
        }
        Ok(())
    }
}
