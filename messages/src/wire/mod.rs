//! Frames on every TCP port: u32 big-endian length, then snappy(CBOR(message)); and what every link says in them.

pub(crate) mod body;
mod codec;
mod hello;

pub use codec::{Codec, DecodeError, EncodeError, Limits};
pub use hello::{Greeting, Hello, Magic, Packet, Refused, SUPPORTED_VERSIONS, Versions};
