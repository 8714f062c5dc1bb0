//! How the death of an actor is noticed: actix does not restart an actor that panicked, and nobody is told.

use tokio::sync::mpsc::UnboundedSender;

/// Why a daemon has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody asked for it over the Local port.
    Asked,
    /// The actor of this name is no more: what is left of the daemon is of no use.
    Died(&'static str),
}

/// Held by an actor that lives as long as the daemon. When the actor is dropped, whatever for, the daemon hears of it.
pub struct Vital {
    name: &'static str,
    daemon: UnboundedSender<Ended>,
}

impl Vital {
    /// For the actor of this name.
    pub fn new(name: &'static str, daemon: UnboundedSender<Ended>) -> Self {
        Self { name, daemon }
    }

    /// Somebody asks for the end.
    pub fn asked(&self) {
        self.tell(Ended::Asked);
    }

    /// The actor lives, but cannot go on.
    pub fn broken(&self) {
        self.tell(Ended::Died(self.name));
    }

    fn tell(&self, ended: Ended) {
        // A daemon that ends does not listen any more.
        let _ = self.daemon.send(ended);
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        self.broken();
    }
}
