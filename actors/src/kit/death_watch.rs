//! How the death of an actor is noticed: actix does not restart an actor that panicked, and tells nobody.

use tokio::sync::mpsc::UnboundedSender;

/// The actor of this name is gone: its state cannot be made again, so its owner ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorDied(pub &'static str);

/// Held by an actor that lives as long as its owner (a run, a daemon) and sends it events of type `E`. When the actor
/// is dropped, for whatever reason, the owner gets [`ActorDied`].
pub struct DeathWatch<E: From<ActorDied>> {
    name: &'static str,
    owner: UnboundedSender<E>,
}

impl<E: From<ActorDied>> DeathWatch<E> {
    /// For the actor of this name.
    pub fn new(name: &'static str, owner: UnboundedSender<E>) -> Self {
        Self { name, owner }
    }

    /// Sends the owner an event. An owner that has ended does not listen any more: that is no error.
    pub fn send(&self, event: impl Into<E>) {
        let _ = self.owner.send(event.into());
    }

    /// The actor lives, but cannot go on.
    pub fn give_up(&self) {
        self.send(ActorDied(self.name));
    }
}

impl<E: From<ActorDied>> Drop for DeathWatch<E> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// A [`DeathWatch`] of an actor that only holds it, whatever its owner's events are.
pub type Watched = Box<dyn Send>;
