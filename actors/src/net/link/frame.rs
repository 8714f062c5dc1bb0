//! What a link's reader tells its actor, and what the actor answers.

use actix::Message;
use flotilla_messages::wire::{Greeting, Limits, Packet};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::end::End;

/// What may be sent on links: anything that has a form on the wire.
pub trait WireMessage: Serialize + DeserializeOwned + Send + Unpin + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Unpin + 'static> WireMessage for T {}

/// What came in. The reader waits for the answer before it reads on.
#[derive(Message)]
#[rtype(result = "NextRead")]
pub enum InboundFrame<M: WireMessage> {
    /// A frame of the greeting.
    Greeting(Greeting),
    /// A frame after it.
    Packet(Packet<M>),
    /// A part of a frame.
    Progress,
    /// Nothing more comes: the stream has ended or failed, or is not a sequence of frames.
    Broke(End),
}

/// What the reader is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, actix::MessageResponse)]
pub enum NextRead {
    /// Read a greeting.
    Greeting,
    /// Read packets within these limits.
    Packets(Limits),
    /// Read no more.
    Stop,
}
