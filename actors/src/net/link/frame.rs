//! What a link's reader sends to the link's actor, and what the actor answers.

use actix::Message;
use flotilla_messages::wire::{Greeting, Limits, Packet};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::end::End;

/// A type that can be sent on a link: anything that can be serialized and deserialized.
pub trait WireMessage: Serialize + DeserializeOwned + Send + Unpin + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Unpin + 'static> WireMessage for T {}

/// What the reader received. It waits for the answer before it reads on.
#[derive(Message)]
#[rtype(result = "NextRead")]
pub enum InboundFrame<M: WireMessage> {
    /// A frame of the greeting.
    Greeting(Greeting),
    /// A frame after the greeting.
    Packet(Packet<M>),
    /// Part of a frame.
    Progress,
    /// Nothing more will come: the stream has ended or failed, or its bytes are not valid frames.
    Broke(End),
}

/// What the reader must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, actix::MessageResponse)]
pub enum NextRead {
    /// Read a greeting.
    Greeting,
    /// Read packets within these limits.
    Packets(Limits),
    /// Read no more.
    Stop,
}
