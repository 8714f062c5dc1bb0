//! Frames on every TCP port: a big-endian u32 length, then snappy(CBOR(message)); and the messages common to all
//! links.

pub(crate) mod body;
mod codec;
mod hello;

pub use codec::{Codec, DecodeError, EncodeError, Limits};
pub use hello::{Greeting, Hello, Magic, Packet, Refused, SUPPORTED_VERSIONS, Versions};
