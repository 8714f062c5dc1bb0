//! Valid inputs with changes, so that a fuzzer without a corpus gets past magic numbers, lengths and signatures.

use ed25519_dalek::{Signer, SigningKey};

/// The maximum size in bytes to which changes may grow an input: more than any reader accepts.
const MAX_SIZE: usize = 64 << 10;

/// `valid` with the changes listed in `script`, four bytes each: the operation, the position (two bytes, modulo the
/// length) and the byte to use. An empty script changes nothing.
pub fn altered(valid: &[u8], script: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for [action, high, low, value] in script.as_chunks::<4>().0 {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % (bytes.len() + 1);
        match action % 5 {
            0 => bytes.truncate(at),
            1 if bytes.len() < MAX_SIZE => bytes.insert(at, *value),
            2 if bytes.len() < MAX_SIZE => bytes.extend(std::iter::repeat_n(*value, at)),
            3 => {
                bytes.drain(at..(at + usize::from(*value)).min(bytes.len()));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= value;
                }
            }
        }
    }
    bytes
}

/// The bytes with the last 64 replaced by a signature with `key` over `domain` and all bytes before them.
pub fn signed_again(mut bytes: Vec<u8>, domain: &[u8], key: &SigningKey) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(64));
    let signature = key.sign(&[domain, &bytes].concat());
    bytes.extend_from_slice(&signature.to_bytes());
    bytes
}
