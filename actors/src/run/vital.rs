//! How the death of an actor is noticed: actix does not restart an actor that panicked, and nobody is told.

use flotilla_messages::Summary;
use tokio::sync::mpsc::UnboundedSender;

use super::request::StopRequest;

/// What the run's one future waits for.
#[derive(Debug)]
pub enum Happening {
    /// The run is over.
    Done(Summary),
    /// Somebody wants it to stop.
    Stop(StopRequest),
    /// After the second request to stop: those who were to answer have not.
    OutOfPatience,
    /// An actor that lives as long as the run has died.
    Died(&'static str),
    /// Something cannot go on.
    Broken(String),
}

/// Held by an actor that lives as long as the run. When the actor is dropped, whatever for, the run hears of it.
pub struct Vital {
    name: &'static str,
    run: UnboundedSender<Happening>,
}

impl Vital {
    /// For the actor of this name.
    pub fn new(name: &'static str, run: UnboundedSender<Happening>) -> Self {
        Self { name, run }
    }

    /// The actor lives, but cannot go on.
    pub fn report(&self, broken: String) {
        self.tell(Happening::Broken(broken));
    }

    /// The run is over.
    pub fn done(&self, summary: Summary) {
        self.tell(Happening::Done(summary));
    }

    fn tell(&self, happening: Happening) {
        // A run that is over does not listen any more.
        let _ = self.run.send(happening);
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        self.tell(Happening::Died(self.name));
    }
}
