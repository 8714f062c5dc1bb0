//! Messages as bytes to be signed or stored: CBOR without frame or compression.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::untrusted::{SHORT, untrusted_text};

/// Encodes a message; the error is for people.
///
/// # Errors
/// The message has no CBOR form.
pub fn write<T: Serialize>(message: &T) -> Result<Vec<u8>, String> {
    serde_cbor::to_vec(message).map_err(|error| error.to_string())
}

/// Decodes a message from all of these bytes; the error is for people. The caller must have limited their size.
///
/// # Errors
/// The bytes are not such a message.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_cbor::from_slice(bytes).map_err(|error| untrusted(&error))
}

/// What is wrong with bytes of another machine. The words of serde may quote them ("unknown variant ...").
pub(super) fn untrusted(error: &serde_cbor::Error) -> String {
    untrusted_text(error.to_string(), SHORT)
}
