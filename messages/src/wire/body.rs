//! Messages as bytes that are signed or kept: CBOR without frame or compression.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::untrusted::{SHORT, untrusted_text};

/// The bytes of a message; the error is for people.
///
/// # Errors
/// The message has no CBOR form.
pub fn write<T: Serialize>(message: &T) -> Result<Vec<u8>, String> {
    serde_cbor::to_vec(message).map_err(|error| error.to_string())
}

/// The message of these bytes, all of them; the error is for people. The caller has bounded them.
///
/// # Errors
/// They are something else.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_cbor::from_slice(bytes).map_err(|error| untrusted(&error))
}

/// What is wrong with bytes of another machine. The words of serde may quote them ("unknown variant ...").
pub(super) fn untrusted(error: &serde_cbor::Error) -> String {
    untrusted_text(error.to_string(), SHORT)
}
