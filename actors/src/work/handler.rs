//! The actor of the Work port. In this version it says how long its queue is, and that it cannot work yet.

use actix::{Actor, ActorContext, Addr, Context, Handler, Message, MessageResult};
use flotilla_messages::Fingerprint;
use flotilla_messages::port::work::WorkMessage;

use crate::daemon::Vital;
use crate::link::{Close, Link, LinkEvent, LinkId, LinkNews, Listening, Say};
use crate::status::{Gate, Gates};
use crate::trust::Decision;

/// What every request for work is answered in this version.
const NOT_YET: &str = "running tests for others is not in this version of peerd";

/// Serves runners of trusted peers, in the order in which they came.
pub struct WorkHandler {
    /// The first is the one that would be worked for.
    queue: Vec<Client>,
    /// None once it has parted.
    listening: Option<Listening>,
    _vital: Vital,
}

struct Client {
    id: LinkId,
    key: Fingerprint,
    link: Addr<Link<WorkMessage>>,
}

/// Asks how many clients wait.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "u16")]
pub struct Queued;

/// Say Bye to all, take no more, and end.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Part {
    /// Why, for the people at the other ends.
    pub reason: String,
}

impl WorkHandler {
    /// Behind this port.
    pub fn new(listening: Listening, vital: Vital) -> Self {
        Self { queue: Vec::new(), listening: Some(listening), _vital: vital }
    }

    fn tell_places(&self, from: usize) {
        for (place, client) in self.queue.iter().enumerate().skip(from) {
            let ahead = u16::try_from(place).unwrap_or(u16::MAX);
            client.link.do_send(Say(WorkMessage::Queue { ahead }));
        }
    }
}

impl Actor for WorkHandler {
    type Context = Context<Self>;
}

impl Handler<LinkNews<WorkMessage>> for WorkHandler {
    type Result = ();

    fn handle(&mut self, news: LinkNews<WorkMessage>, _: &mut Self::Context) {
        let id = news.link;
        let place = self.queue.iter().position(|client| client.id == id);
        match (news.what, place) {
            (LinkEvent::Up(up), _) => {
                self.queue.push(Client { id, key: up.peer, link: up.link });
                self.tell_places(self.queue.len() - 1);
            }
            (LinkEvent::Message(WorkMessage::Packet(_)), Some(place)) => {
                let client = &self.queue[place];
                log::info!(target: "work", "refused work of {}: {NOT_YET}", client.key);
                client.link.do_send(Say(WorkMessage::Refused { reason: NOT_YET.to_owned() }));
            }
            (LinkEvent::Message(_), Some(place)) => {
                let reason = "this is not for a client to say".to_owned();
                self.queue[place].link.do_send(Close { reason });
            }
            (LinkEvent::Ended(_), Some(place)) => {
                self.queue.remove(place);
                self.tell_places(place);
            }
            _ => {}
        }
    }
}

impl Handler<Decision> for WorkHandler {
    type Result = ();

    fn handle(&mut self, decision: Decision, _: &mut Self::Context) {
        let Decision::Distrusted(key) = decision else { return };
        for client in self.queue.iter().filter(|client| client.key == key) {
            client.link.do_send(Close { reason: "this key is not trusted here any more".to_owned() });
        }
    }
}

impl Handler<Queued> for WorkHandler {
    type Result = MessageResult<Queued>;

    fn handle(&mut self, _: Queued, _: &mut Self::Context) -> Self::Result {
        MessageResult(u16::try_from(self.queue.len()).unwrap_or(u16::MAX))
    }
}

impl Handler<Gates> for WorkHandler {
    type Result = MessageResult<Gates>;

    fn handle(&mut self, _: Gates, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.listening.as_ref().map(Gate::from))
    }
}

impl Handler<Part> for WorkHandler {
    type Result = ();

    fn handle(&mut self, Part { reason }: Part, context: &mut Self::Context) {
        self.listening = None;
        for client in &self.queue {
            client.link.do_send(Close { reason: reason.clone() });
        }
        context.stop();
    }
}
