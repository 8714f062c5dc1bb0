//! Whose turn it is on the Work port: a state machine without clock, link or actor.
//!
//! One client is served at a time, in the order in which they came. A peer that only fetches blobs leaves the queue and
//! is given them beside the client that is served.

use std::collections::VecDeque;

use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::Digest;
use flotilla_messages::port::work::{MOST_FETCHED, WorkMessage};

use super::messages::{Guests, NOT_TRUSTED};
use crate::net::link::LinkId;

/// What happens to the queue.
#[derive(Debug)]
pub enum Input {
    /// A client's link is up.
    Arrived {
        /// Its link.
        link: LinkId,
        /// The key it showed.
        key: Fingerprint,
    },
    /// A client that waits sent this.
    Message {
        /// Its link.
        link: LinkId,
        /// What it sent.
        message: WorkMessage,
        /// Whether its key is still trusted.
        trusted: bool,
    },
    /// The link of a client that waits has ended.
    LinkEnded(LinkId),
    /// The session of the client that is served has ended.
    SessionEnded(LinkId),
    /// The number of the served client's running tests has changed.
    Running {
        /// The link of the client.
        link: LinkId,
        /// How many processes run.
        running: u16,
    },
    /// This key is not trusted any more.
    Distrusted(Fingerprint),
    /// Serve nobody any more. The reason is for the people at the other ends.
    Stop(String),
}

/// What the handler does.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Tell a client that waits how many are served before it.
    TellAhead {
        /// Its link.
        link: LinkId,
        /// Clients before it; at least 1.
        ahead: u16,
    },
    /// It is this client's turn: tell it, and start a session for it.
    Begin(LinkId),
    /// Give the client that fetches these blobs; it has left the queue.
    Give {
        /// Its link.
        link: LinkId,
        /// What it asked for.
        blobs: Vec<Digest>,
    },
    /// Refuse a client that waited, and close its link; it has left the queue.
    Refuse {
        /// Its link.
        link: LinkId,
        /// Why, for people.
        reason: &'static str,
    },
    /// Close the link of one that waited, or came too late; it has left the queue.
    Close {
        /// Its link.
        link: LinkId,
        /// Why, for people.
        reason: String,
    },
    /// Tell the session whether others wait.
    Others(bool),
    /// End the session: its client may not be served any more.
    RefuseSession,
    /// End the session: this daemon ends, for this reason.
    StopSession(String),
    /// How busy clients keep this machine has changed.
    Load(Guests),
}

/// The client that is served, and those that wait.
#[derive(Debug, Default)]
pub struct ClientQueue {
    serving: Option<Serving>,
    waiting: VecDeque<Waiting>,
    /// As it was reported last.
    guests: Guests,
    stopped: bool,
}

#[derive(Debug)]
struct Serving {
    link: LinkId,
    key: Fingerprint,
    running: u16,
}

#[derive(Debug)]
struct Waiting {
    link: LinkId,
    key: Fingerprint,
}

impl ClientQueue {
    /// How many clients are served or wait.
    pub fn clients(&self) -> u16 {
        let clients = self.waiting.len() + usize::from(self.serving.is_some());
        u16::try_from(clients).unwrap_or(u16::MAX)
    }

    /// Takes one input in; what follows from it is appended to `effects`, to be done in that order.
    pub fn handle(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Arrived { link, .. } if self.stopped => {
                effects.push(Effect::Close { link, reason: "this daemon is ending".into() });
            }
            Input::Arrived { link, key } => {
                self.waiting.push_back(Waiting { link, key });
                if self.serving.is_some() {
                    self.tell_places(self.waiting.len() - 1, effects);
                }
                self.next(effects);
            }
            Input::Message { link, message, trusted } => self.message(link, message, trusted, effects),
            Input::LinkEnded(link) => {
                self.leaves(link, effects);
            }
            Input::SessionEnded(link) => {
                if self.serving.as_ref().is_some_and(|serving| serving.link == link) {
                    self.serving = None;
                    self.next(effects);
                }
            }
            Input::Running { link, running } => {
                if let Some(serving) = self.serving.as_mut().filter(|serving| serving.link == link) {
                    serving.running = running;
                    self.changed(effects);
                }
            }
            Input::Distrusted(key) => self.distrusted(key, effects),
            Input::Stop(reason) => {
                self.stopped = true;
                let close = |Waiting { link, .. }| Effect::Close { link, reason: reason.clone() };
                effects.extend(self.waiting.drain(..).map(close));
                if self.serving.is_some() {
                    effects.push(Effect::StopSession(reason));
                }
            }
        }
    }

    /// A client that waits has something to say before its turn.
    fn message(&mut self, link: LinkId, message: WorkMessage, trusted: bool, effects: &mut Vec<Effect>) {
        let effect = match message {
            // No client, as it turns out.
            WorkMessage::Fetch(blobs) if trusted && blobs.len() <= MOST_FETCHED => {
                Effect::Give { link, blobs }
            }
            WorkMessage::Done => Effect::Refuse { link, reason: "done" },
            _ => Effect::Refuse { link, reason: "it is not this client's turn" },
        };
        if self.leaves(link, effects) {
            effects.push(effect);
        }
    }

    fn distrusted(&mut self, key: Fingerprint, effects: &mut Vec<Effect>) {
        let mut links = Vec::new();
        links.extend(self.waiting.iter().filter(|client| client.key == key).map(|client| client.link));
        for link in links {
            self.leaves(link, effects);
            effects.push(Effect::Close { link, reason: NOT_TRUSTED.to_owned() });
        }
        if self.serving.as_ref().is_some_and(|serving| serving.key == key) {
            effects.push(Effect::RefuseSession);
        }
    }

    /// Takes one out of those that wait; false if it is not among them.
    fn leaves(&mut self, link: LinkId, effects: &mut Vec<Effect>) -> bool {
        let Some(place) = self.waiting.iter().position(|client| client.link == link) else { return false };
        self.waiting.remove(place);
        self.tell_places(place, effects);
        self.changed(effects);
        true
    }

    /// Begins to serve the next client, if none is being served.
    fn next(&mut self, effects: &mut Vec<Effect>) {
        if self.serving.is_none()
            && !self.stopped
            && let Some(Waiting { link, key }) = self.waiting.pop_front()
        {
            self.serving = Some(Serving { link, key, running: 0 });
            effects.push(Effect::Begin(link));
            self.tell_places(0, effects);
        }
        self.changed(effects);
    }

    /// From this one of the waiting on.
    fn tell_places(&self, from: usize, effects: &mut Vec<Effect>) {
        let served = usize::from(self.serving.is_some());
        effects.extend(self.waiting.iter().enumerate().skip(from).map(|(place, client)| {
            let ahead = u16::try_from(place + served).unwrap_or(u16::MAX);
            Effect::TellAhead { link: client.link, ahead }
        }));
    }

    /// The client that is served gets less patience while others wait, and other daemons learn how busy this one is.
    fn changed(&mut self, effects: &mut Vec<Effect>) {
        if self.serving.is_some() {
            effects.push(Effect::Others(!self.waiting.is_empty()));
        }
        let running = self.serving.as_ref().map_or(0, |serving| serving.running);
        let guests = Guests { running, clients: self.clients() };
        if guests != self.guests {
            self.guests = guests;
            effects.push(Effect::Load(guests));
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
