//! Valid inputs with changes, so that a fuzzer without a corpus gets past magic numbers, lengths and signatures.

use ed25519_dalek::{Signer, SigningKey};

/// The most bytes a change makes an input grow to: more than any reader takes.
const MOST: usize = 64 << 10;

/// `valid` with the changes that `script` lists, four bytes each: what to do, where (two bytes, modulo the length),
/// and with which byte. An empty script leaves it valid.
pub fn altered(valid: &[u8], script: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for [action, high, low, value] in script.as_chunks::<4>().0 {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % (bytes.len() + 1);
        match action % 5 {
            0 => bytes.truncate(at),
            1 if bytes.len() < MOST => bytes.insert(at, *value),
            2 if bytes.len() < MOST => bytes.extend(std::iter::repeat_n(*value, at)),
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

/// The bytes with their last 64 replaced by this key's signature over `domain` and all before them.
pub fn signed_again(mut bytes: Vec<u8>, domain: &[u8], key: &SigningKey) -> Vec<u8> {
    bytes.truncate(bytes.len().saturating_sub(64));
    let signature = key.sign(&[domain, &bytes].concat());
    bytes.extend_from_slice(&signature.to_bytes());
    bytes
}
