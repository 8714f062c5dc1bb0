//! Frames on every TCP port: u32 big-endian length, then snappy(CBOR(message)).

mod codec;

pub use codec::{Codec, DecodeError, EncodeError, Limits};
