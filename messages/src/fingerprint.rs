//! Public keys: their only binary form, the fingerprint that people compare, and fingerprint prefixes.
//!
//! The binary form is the 44 bytes of an Ed25519 SubjectPublicKeyInfo (RFC 8410). The fingerprint is the SHA-256 of
//! these bytes, so `openssl pkey -pubin -outform DER | sha256sum` prints it too.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The size of an Ed25519 SubjectPublicKeyInfo in DER, in bytes.
pub const SPKI_SIZE: usize = 44;

/// The bytes before the key: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 256 bits (RFC 8410, section 4).
const SPKI_HEAD: [u8; SPKI_SIZE - 32] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Hexadecimal digits of a complete fingerprint.
const DIGITS: usize = 64;

/// The fewest digits accepted as a prefix where no trust is granted. Two keys with the same prefix of this length are
/// a rare accident, but can be made on purpose within seconds.
pub const FEWEST_DIGITS: usize = 6;

/// The fewest digits accepted as a prefix where trust is granted: finding another key that matches 64 given bits is
/// infeasible.
pub const FEWEST_DIGITS_TO_APPROVE: usize = 16;

/// A public key's identity: the SHA-256 of its SubjectPublicKeyInfo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// Why a text does not identify a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Wrong length or characters.
    #[error("'{0}' is no fingerprint: that is 64 hexadecimal digits")]
    Malformed(String),
    /// Too short for a prefix.
    #[error("'{prefix}' is too short: give at least {fewest} digits of the fingerprint")]
    TooShort {
        /// The text given.
        prefix: String,
        /// The fewest digits accepted here.
        fewest: usize,
    },
    /// No known fingerprint begins with it.
    #[error("no known fingerprint begins with '{0}'")]
    Unknown(String),
    /// Several known fingerprints begin with it.
    #[error("'{prefix}' is ambiguous: {first} and {second} begin with it")]
    Ambiguous {
        /// The text given.
        prefix: String,
        /// The first match.
        first: Fingerprint,
        /// The second match.
        second: Fingerprint,
    },
}

/// Why bytes are not a usable public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an Ed25519 SubjectPublicKeyInfo.
    #[error("not an Ed25519 public key")]
    Malformed,
    /// A point of small order: anybody can sign for it.
    #[error("a weak public key, for which anybody can sign")]
    Weak,
}

impl Fingerprint {
    /// The fingerprint of `key`.
    pub fn of(key: &VerifyingKey) -> Self {
        Self(Sha256::digest(spki(key)).into())
    }

    /// Resolves `text`: a complete fingerprint, known or not, or a prefix of exactly one of `known`.
    ///
    /// # Errors
    /// [`FingerprintError`] for invalid characters, for fewer than `fewest` digits ([`FEWEST_DIGITS`] or
    /// [`FEWEST_DIGITS_TO_APPROVE`]), and for a prefix that matches none or several of `known`. `known` may contain a
    /// fingerprint more than once.
    pub fn resolve(
        text: &str,
        fewest: usize,
        known: impl IntoIterator<Item = Self>,
    ) -> Result<Self, FingerprintError> {
        if text.len() >= DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return text.parse();
        }
        if text.len() < fewest {
            return Err(FingerprintError::TooShort { prefix: text.to_owned(), fewest });
        }
        let prefix = text.to_ascii_lowercase();
        let mut found = None;
        for candidate in known {
            if !candidate.to_string().starts_with(&prefix) {
                continue;
            }
            match found {
                Some(first) if first != candidate => {
                    return Err(FingerprintError::Ambiguous { prefix, first, second: candidate });
                }
                _ => found = Some(candidate),
            }
        }
        found.ok_or(FingerprintError::Unknown(prefix))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads all 64 digits, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let malformed = || FingerprintError::Malformed(shortened(text));
        if text.len() != DIGITS {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
            let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(malformed()) };
            // Both digits are below 16.
            *byte = (high << 4 | low) as u8;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key's SubjectPublicKeyInfo in DER: what a TLS peer presents as its raw public key (RFC 7250).
pub fn spki(key: &VerifyingKey) -> [u8; SPKI_SIZE] {
    let mut der = [0; SPKI_SIZE];
    let (head, tail) = der.split_at_mut(SPKI_HEAD.len());
    head.copy_from_slice(&SPKI_HEAD);
    tail.copy_from_slice(key.as_bytes());
    der
}

/// Reads a key from its SubjectPublicKeyInfo in DER.
///
/// # Errors
/// [`KeyError`] for anything but the canonical encoding of an Ed25519 key, and for weak keys.
pub fn key_of_spki(der: &[u8]) -> Result<VerifyingKey, KeyError> {
    let bytes =
        der.strip_prefix(&SPKI_HEAD).and_then(|rest| rest.try_into().ok()).ok_or(KeyError::Malformed)?;
    key_of_bytes(bytes)
}

/// Reads a key from its 32 bytes.
///
/// # Errors
/// [`KeyError`] when they are not a point on the curve, or a weak key.
pub fn key_of_bytes(bytes: &[u8; 32]) -> Result<VerifyingKey, KeyError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Malformed)?;
    if key.is_weak() { Err(KeyError::Weak) } else { Ok(key) }
}

/// `text` shortened for an error message.
fn shortened(text: &str) -> String {
    if text.chars().count() <= DIGITS + 8 {
        return text.to_owned();
    }
    text.chars().take(DIGITS).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePublicKey;
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    #[test]
    fn the_binary_form_is_the_librarys_and_comes_back() {
        let key = key(1);
        assert_eq!(spki(&key).as_slice(), key.to_public_key_der().unwrap().as_bytes());
        assert_eq!(key_of_spki(&spki(&key)), Ok(key));
    }

    #[test]
    fn the_fingerprint_is_what_openssl_and_sha256sum_say() {
        // printf '302a300506032b6570032100d75a98...511a' | xxd -r -p | sha256sum, the key of RFC 8032, test 1.
        let secret: Vec<u8> = (0..32)
            .map(|i| {
                u8::from_str_radix(
                    &"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"[2 * i..2 * i + 2],
                    16,
                )
                .unwrap()
            })
            .collect();
        let key = SigningKey::from_bytes(&secret.try_into().unwrap()).verifying_key();
        assert_eq!(
            Fingerprint::of(&key).to_string(),
            "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"
        );
    }

    #[test]
    fn other_bytes_are_no_key() {
        let good = spki(&key(1));
        assert_eq!(key_of_spki(&good[..43]), Err(KeyError::Malformed));
        assert_eq!(key_of_spki(&[&good[..], &[0]].concat()), Err(KeyError::Malformed));
        let mut other_kind = good;
        other_kind[8] = 0x6f; // The OID of X448.
        assert_eq!(key_of_spki(&other_kind), Err(KeyError::Malformed));
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(key_of_bytes(&identity), Err(KeyError::Weak));
    }

    #[test]
    fn a_prefix_stands_for_just_one_key() {
        let with = |first: [u8; 4]| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&first);
            Fingerprint(bytes)
        };
        let known = [with([0xab, 0xcd, 0xef, 1]), with([0xab, 0xcd, 0xef, 2]), with([0x12, 0x34, 0x56, 0])];
        let resolve = |text: &str| Fingerprint::resolve(text, FEWEST_DIGITS, known);
        assert_eq!(resolve("123456"), Ok(known[2]));
        assert_eq!(resolve("ABCDEF01"), Ok(known[0]));
        assert!(matches!(resolve("abcdef"), Err(FingerprintError::Ambiguous { .. })));
        assert!(matches!(resolve("12345"), Err(FingerprintError::TooShort { .. })));
        assert!(matches!(resolve("ffffff"), Err(FingerprintError::Unknown(_))));
        assert!(matches!(resolve("../../etc"), Err(FingerprintError::Malformed(_))));
        assert!(matches!(resolve(&"f".repeat(65)), Err(FingerprintError::Malformed(_))));
        assert_eq!(
            Fingerprint::resolve("123456", FEWEST_DIGITS, [known[2], known[2]]),
            Ok(known[2]),
            "twice the same"
        );
        let short = Fingerprint::resolve("123456", FEWEST_DIGITS_TO_APPROVE, known);
        assert!(matches!(short, Err(FingerprintError::TooShort { fewest: 16, .. })));
        let stranger = with([9, 9, 9, 9]);
        assert_eq!(resolve(&stranger.to_string()), Ok(stranger), "a whole one need not be known");
    }

    proptest! {
        #[test]
        fn texts_come_back(bytes: [u8; 32]) {
            let fingerprint = Fingerprint(bytes);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            prop_assert_eq!(fingerprint.to_string().to_uppercase().parse(), Ok(fingerprint));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = text.parse::<Fingerprint>();
            let _ = Fingerprint::resolve(&text, FEWEST_DIGITS, [Fingerprint([7; 32])]);
        }
    }
}
