//! The signed work packet: a client's request that a peer run its tests, for one connection.
//!
//! It is signed although the link is authenticated, so that a peer's log can prove which key made a request. A packet
//! is valid only on one connection (identified by that connection's exporter value), for one recipient and one tree.
//! Its time is informational and never checked.
//!
//! The bytes: the signer's Ed25519 public key (32), the signature (64), then the body, the CBOR form of
//! [`WorkPacket`]. The signature covers the domain and the exact body.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey};
use serde::{Deserialize, Serialize};

use crate::fingerprint::{Fingerprint, KeyError, key_of_bytes};
use crate::inputs::Digest;
use crate::untrusted::{NAME, untrusted_text};
use crate::wire::body;

/// Domain separation: prevents a packet's signature from being valid for anything else signed by the same key.
const DOMAIN: &[u8] = b"flotilla work packet v1\0";
const KEY_SIZE: usize = 32;
const SIGNATURE_SIZE: usize = 64;
/// The maximum size of a packet in bytes: enough for an environment of about a thousand variables.
pub const MOST_BYTES: usize = 256 << 10;
/// The maximum number of environment variables.
pub const MOST_VARIABLES: usize = 1024;
/// The maximum number of entries in each list about the engine.
pub const MOST_NEEDS: usize = 256;

/// A client's request to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPacket {
    /// The peer that is to run the tests; other peers reject the packet.
    pub recipient: Fingerprint,
    /// The exporter value of the connection on which the packet is sent.
    #[serde(with = "serde_bytes")]
    pub exporter: [u8; 32],
    /// The inputs: the digest of the tree's root directory.
    pub root: Digest,
    /// The path of the client's root, which replaces the workspace's path in the output of tests.
    pub client_root: String,
    /// The engine that runs the tests.
    pub engine: Engine,
    /// Variables of the client's environment that tests see: LANG, LC_*, TZ, *SAN_OPTIONS, *_SYMBOLIZER_PATH, and
    /// those requested by name. At most [`MOST_VARIABLES`].
    pub env: Vec<(String, String)>,
    /// Maximum number of bytes kept of each output stream of a test.
    pub output_cap: u64,
    /// Whether to measure the memory use of tests. Absent in packets of older clients.
    #[serde(default)]
    pub memory: bool,
    /// Maximum number of HEAVY tests that run at a time.
    pub max_heavy: u16,
    /// Number of tests in the run, as far as it is known; informational.
    pub tests: u64,
    /// When the packet was made, in seconds since 1970; informational.
    pub issued: u64,
}

/// The engine that runs the tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Engine {
    /// The peer's own built-in shell.
    Builtin,
    /// Programs sent by the client.
    Native(Native),
}

/// What the client's programs require of a machine, and how they are started there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Native {
    /// The operating system they are built for, as in [`std::env::consts::OS`].
    pub os: String,
    /// The architecture they are built for, as in [`std::env::consts::ARCH`].
    pub arch: String,
    /// Versions they require of libraries that are not sent along.
    pub versions: Vec<Version>,
    /// The x86-64 level that they declare they need (x86-64-v2 is 2); 0: no requirement.
    pub level: u8,
    /// Commands that must succeed before the first lease; the first word of each is a path below the root.
    pub probes: Vec<Vec<String>>,
    /// Directories below the root with libraries that were sent along; searched before all others.
    pub libraries: Vec<String>,
    /// Directories below the root whose content is outside the root on the client.
    pub elsewhere: Vec<Elsewhere>,
}

/// A library version that a program requires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The library, such as `libc.so.6`.
    pub library: String,
    /// The version, such as `GLIBC_2.38`.
    pub name: String,
}

/// A directory that is outside the root on the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Its path in the tree, below the root.
    pub place: String,
    /// Its path on the client, which replaces the peer's path in the output of tests.
    pub path: String,
}

impl Native {
    /// Programs for this machine's platform, without further requirements.
    pub fn here() -> Self {
        Self {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            versions: Vec::new(),
            level: 0,
            probes: Vec::new(),
            libraries: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// The length of the longest list.
    fn longest(&self) -> usize {
        let words = self.probes.iter().map(Vec::len).max().unwrap_or(0);
        [self.versions.len(), self.probes.len(), self.libraries.len(), self.elsewhere.len(), words]
            .into_iter()
            .max()
            .unwrap_or(0)
    }
}

impl fmt::Display for Engine {
    /// For example `the built-in shell` or `linux x86_64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("the built-in shell"),
            // From the client: it must not break a line of the log.
            Self::Native(Native { os, arch, .. }) => {
                write!(f, "{} {}", untrusted_text(os, NAME), untrusted_text(arch, NAME))
            }
        }
    }
}

/// A packet whose signature has been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedPacket {
    /// The key that signed it.
    pub issuer: Fingerprint,
    /// The request.
    pub content: WorkPacket,
}

/// Why bytes are not a packet.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// Truncated, or larger than [`MOST_BYTES`].
    #[error("a work packet of {0} bytes")]
    Size(usize),
    /// The signer's key is invalid, or a weak one that anybody can sign for.
    #[error("a work packet of {0}")]
    Key(#[from] KeyError),
    /// Altered in transit, or not signed by the key it names.
    #[error("a work packet with a wrong signature")]
    Signature,
    /// The signed bytes are not a [`WorkPacket`].
    #[error("a work packet that cannot be read: {0}")]
    Body(String),
    /// Too many environment variables.
    #[error("a work packet with {0} variables, more than {MOST_VARIABLES}")]
    TooMany(usize),
    /// A list about the engine is too long.
    #[error("a work packet with {0} entries about the engine, more than {MOST_NEEDS}")]
    Needs(usize),
}

impl WorkPacket {
    /// The bytes of the packet, signed with `key`.
    ///
    /// # Errors
    /// [`PacketError`] when the packet exceeds [`MOST_BYTES`].
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, PacketError> {
        let body = body::write(self).map_err(PacketError::Body)?;
        let signature = key.sign(&[DOMAIN, &body].concat());
        let bytes = [key.verifying_key().as_bytes().as_slice(), &signature.to_bytes(), &body].concat();
        if bytes.len() > MOST_BYTES { Err(PacketError::Size(bytes.len())) } else { Ok(bytes) }
    }
}

impl SignedPacket {
    /// Reads a packet; the signature is verified before the body is parsed. The caller must check the recipient, the
    /// exporter value, and that the issuer is the peer at the other end of the link.
    ///
    /// # Errors
    /// [`PacketError`] for anything but the exact bytes signed by the key it names.
    pub fn open(bytes: &[u8]) -> Result<Self, PacketError> {
        let size = || PacketError::Size(bytes.len());
        if bytes.len() > MOST_BYTES {
            return Err(size());
        }
        let (key, rest) = bytes.split_first_chunk::<KEY_SIZE>().ok_or_else(size)?;
        let (signature, body) = rest.split_first_chunk::<SIGNATURE_SIZE>().ok_or_else(size)?;
        let key = key_of_bytes(key)?;
        key.verify_strict(&[DOMAIN, body].concat(), &Signature::from_bytes(signature))
            .map_err(|_| PacketError::Signature)?;
        let content: WorkPacket = body::read(body).map_err(PacketError::Body)?;
        if content.env.len() > MOST_VARIABLES {
            return Err(PacketError::TooMany(content.env.len()));
        }
        if let Engine::Native(native) = &content.engine
            && native.longest() > MOST_NEEDS
        {
            return Err(PacketError::Needs(native.longest()));
        }
        Ok(Self { issuer: Fingerprint::of(&key), content })
    }
}

impl fmt::Debug for SignedPacket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedPacket({} of {:?})", self.issuer, self.content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet() -> WorkPacket {
        WorkPacket {
            recipient: Fingerprint([7; 32]),
            exporter: [9; 32],
            root: Digest::of(b"root"),
            client_root: "/home/ada/v8".into(),
            engine: Engine::Native(Native {
                versions: vec![Version { library: "libc.so.6".into(), name: "GLIBC_2.38".into() }],
                level: 2,
                probes: vec![vec!["out/d8".into(), "--version".into()]],
                libraries: vec![".flotilla/lib".into()],
                elsewhere: vec![Elsewhere { place: ".flotilla/engine/0".into(), path: "/opt/v8".into() }],
                ..Native::here()
            }),
            env: vec![("LANG".into(), "en_US.UTF-8".into())],
            output_cap: 1 << 20,
            memory: true,
            max_heavy: 1,
            tests: 5374,
            issued: 1_795_383_000,
        }
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn a_packet_is_read_as_it_was_signed() {
        let opened = SignedPacket::open(&packet().sign(&key(1)).unwrap()).unwrap();
        assert_eq!(opened.issuer, Fingerprint::of(&key(1).verifying_key()));
        assert_eq!(opened.content, packet());
    }

    #[test]
    fn a_packet_of_a_client_of_before_asks_for_no_memory() {
        let mut value = serde_cbor::value::to_value(packet()).unwrap();
        let serde_cbor::Value::Map(map) = &mut value else { unreachable!() };
        assert!(map.remove(&serde_cbor::Value::Text("memory".into())).is_some());
        let body = body::write(&value).unwrap();
        let signature = key(1).sign(&[DOMAIN, &body].concat());
        let bytes = [key(1).verifying_key().as_bytes().as_slice(), &signature.to_bytes(), &body].concat();
        let opened = SignedPacket::open(&bytes).unwrap();
        assert_eq!(opened.content, WorkPacket { memory: false, ..packet() });
    }

    #[test]
    fn another_key_and_another_domain_cannot_sign() {
        let mut bytes = packet().sign(&key(1)).unwrap();
        bytes[..KEY_SIZE].copy_from_slice(key(2).verifying_key().as_bytes());
        assert!(matches!(SignedPacket::open(&bytes), Err(PacketError::Signature)));
        let body = body::write(&packet()).unwrap();
        let signature = key(1).sign(&[b"flotilla statement v1\0".as_slice(), &body].concat());
        let bytes = [key(1).verifying_key().as_bytes().as_slice(), &signature.to_bytes(), &body].concat();
        assert!(matches!(SignedPacket::open(&bytes), Err(PacketError::Signature)));
    }

    #[test]
    fn too_many_variables_are_refused_however_well_they_are_signed() {
        let env = vec![("A".to_owned(), String::new()); MOST_VARIABLES + 1];
        let bytes = WorkPacket { env, ..packet() }.sign(&key(1)).unwrap();
        assert!(matches!(SignedPacket::open(&bytes), Err(PacketError::TooMany(_))));
    }

    #[test]
    fn endless_lists_about_the_engine_are_refused() {
        let version = Version { library: "libc.so.6".into(), name: "GLIBC_2.38".into() };
        let words = vec![String::new(); MOST_NEEDS + 1];
        for native in [
            Native { versions: vec![version; MOST_NEEDS + 1], ..Native::here() },
            Native { probes: vec![words.clone()], ..Native::here() },
            Native { libraries: words, ..Native::here() },
        ] {
            let engine = Engine::Native(native);
            let bytes = WorkPacket { engine, ..packet() }.sign(&key(1)).unwrap();
            assert!(matches!(SignedPacket::open(&bytes), Err(PacketError::Needs(_))));
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_anywhere_is_noticed(bit in 0..8 * 600_usize) {
            let mut bytes = packet().sign(&key(1)).unwrap();
            let at = bit / 8 % bytes.len();
            bytes[at] ^= 1 << (bit % 8);
            prop_assert!(SignedPacket::open(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(SignedPacket::open(&bytes).is_err());
        }
    }
}
