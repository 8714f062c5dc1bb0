//! The signed work packet: who asks whom to run what, on which connection.
//!
//! It is signed although its link is authenticated, so that a peer's log shows, provably, who asked for what. It holds
//! on one connection only (by that connection's exporter value), for one recipient, for one tree; its time is
//! information, never a condition.
//!
//! The bytes: the signer's Ed25519 public key (32), the signature (64), then the body, the CBOR form of [`WorkPacket`].
//! What is signed is the domain and the exact body.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey};
use serde::{Deserialize, Serialize};

use crate::fingerprint::{Fingerprint, KeyError, key_of_bytes};
use crate::inputs::Digest;
use crate::untrusted::{NAME, untrusted_text};
use crate::wire::body;

/// Keeps a packet's signature from being valid for anything else that the same key signs.
const DOMAIN: &[u8] = b"flotilla work packet v1\0";
const KEY: usize = 32;
const SIGNATURE: usize = 64;
/// The most bytes of a packet: an environment of some thousand variables.
pub const MOST_BYTES: usize = 256 << 10;
/// The most variables it may carry.
pub const MOST_VARIABLES: usize = 1024;
/// The most entries of each list about the engine.
pub const MOST_NEEDS: usize = 256;

/// What a client asks a peer to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkPacket {
    /// The peer that is asked; nobody else heeds it.
    pub recipient: Fingerprint,
    /// The exporter value of the connection on which it is said.
    #[serde(with = "serde_bytes")]
    pub exporter: [u8; 32],
    /// The inputs: the digest of the tree's root directory.
    pub root: Digest,
    /// The client's root, which stands for the workspace's in what tests print.
    pub client_root: String,
    /// What runs the tests.
    pub engine: Engine,
    /// Variables of the client that tests are to see: LANG, LC_*, TZ, *SAN_OPTIONS, *_SYMBOLIZER_PATH, and what was
    /// asked for by name. At most [`MOST_VARIABLES`].
    pub env: Vec<(String, String)>,
    /// Bytes kept of each stream of a test.
    pub output_cap: u64,
    /// Whether to note what tests take of memory. Not said by clients of before.
    #[serde(default)]
    pub memory: bool,
    /// HEAVY tests at a time.
    pub max_heavy: u16,
    /// How many tests there are, as far as is known: for people.
    pub tests: u64,
    /// When it was made, in seconds since 1970: for people.
    pub issued: u64,
}

/// What runs the tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Engine {
    /// The peer's own built-in shell.
    Builtin,
    /// Programs that the client sends.
    Native(Native),
}

/// What programs that are sent need of a machine, and how they are started there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Native {
    /// The operating system they are made for, as [`std::env::consts`] has it.
    pub os: String,
    /// The architecture, likewise.
    pub arch: String,
    /// What they need of libraries that are not sent along.
    pub versions: Vec<Version>,
    /// The x86-64 level that they say they need (x86-64-v2 is 2); 0: none.
    pub level: u8,
    /// Commands that have to run before the first lease, their first words paths below the root.
    pub probes: Vec<Vec<String>>,
    /// Directories below the root where programs find libraries that were sent along, before any others.
    pub libraries: Vec<String>,
    /// Directories below the root that hold what lies elsewhere at the client.
    pub elsewhere: Vec<Elsewhere>,
}

/// A version that a program needs a library to define.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// The library, such as `libc.so.6`.
    pub library: String,
    /// The version, such as `GLIBC_2.38`.
    pub name: String,
}

/// A directory that lies elsewhere at the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Where it lies in the tree, below the root.
    pub place: String,
    /// Its path at the client, which stands for the peer's in what tests print.
    pub path: String,
}

impl Native {
    /// Programs of this machine's kind that need nothing else, as far as is known.
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

    /// How many entries its longest list has.
    fn longest(&self) -> usize {
        let words = self.probes.iter().map(Vec::len).max().unwrap_or(0);
        [self.versions.len(), self.probes.len(), self.libraries.len(), self.elsewhere.len(), words]
            .into_iter()
            .max()
            .unwrap_or(0)
    }
}

impl fmt::Display for Engine {
    /// `the built-in shell`, `linux x86_64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str("the built-in shell"),
            // A client's words: not to break a line of the log.
            Self::Native(Native { os, arch, .. }) => {
                write!(f, "{} {}", untrusted_text(os, NAME), untrusted_text(arch, NAME))
            }
        }
    }
}

/// A packet whose signature was found good.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedPacket {
    /// Who signed it.
    pub issuer: Fingerprint,
    /// What it says.
    pub content: WorkPacket,
}

/// Why bytes are no packet.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// Cut short, or larger than any.
    #[error("a work packet of {0} bytes")]
    Size(usize),
    /// The signer's key is none, or one that anybody can sign for.
    #[error("a work packet of {0}")]
    Key(#[from] KeyError),
    /// Altered on the way, or not signed by whom it names.
    #[error("a work packet with a wrong signature")]
    Signature,
    /// The signed bytes are none.
    #[error("a work packet that cannot be read: {0}")]
    Body(String),
    /// It carries too much.
    #[error("a work packet with {0} variables, more than {MOST_VARIABLES}")]
    TooMany(usize),
    /// It says too much of the engine.
    #[error("a work packet with {0} entries about the engine, more than {MOST_NEEDS}")]
    Needs(usize),
}

impl WorkPacket {
    /// The bytes that say this, signed.
    ///
    /// # Errors
    /// [`PacketError`] when it is larger than a packet may be.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, PacketError> {
        let body = body::write(self).map_err(PacketError::Body)?;
        let signature = key.sign(&[DOMAIN, &body].concat());
        let bytes = [key.verifying_key().as_bytes().as_slice(), &signature.to_bytes(), &body].concat();
        if bytes.len() > MOST_BYTES { Err(PacketError::Size(bytes.len())) } else { Ok(bytes) }
    }
}

impl SignedPacket {
    /// Reads a packet, its signature before anything of its body. Whether it is for us, on this connection, and from
    /// whom the link is, is for the caller to ask.
    ///
    /// # Errors
    /// [`PacketError`] for anything but the exact bytes that the key it names has signed.
    pub fn open(bytes: &[u8]) -> Result<Self, PacketError> {
        let size = || PacketError::Size(bytes.len());
        if bytes.len() > MOST_BYTES {
            return Err(size());
        }
        let (key, rest) = bytes.split_first_chunk::<KEY>().ok_or_else(size)?;
        let (signature, body) = rest.split_first_chunk::<SIGNATURE>().ok_or_else(size)?;
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
        bytes[..KEY].copy_from_slice(key(2).verifying_key().as_bytes());
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
