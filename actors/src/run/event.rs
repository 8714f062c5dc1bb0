//! What the future that drives a run waits for.

use flotilla_messages::Summary;

use super::request::StopRequest;
use crate::kit::ActorDied;

/// One thing that ends a run or asks for its end.
#[derive(Debug)]
pub enum RunEvent {
    /// The run is over.
    Done(Summary),
    /// Somebody wants it to stop.
    Stop(StopRequest),
    /// Time is up for those who were to answer the second request to stop.
    OutOfPatience,
    /// An actor that lives as long as the run has died.
    Died(&'static str),
    /// Something cannot go on.
    Broken(String),
}

impl From<ActorDied> for RunEvent {
    fn from(ActorDied(name): ActorDied) -> Self {
        Self::Died(name)
    }
}
