//! The messages that open, maintain and end a link.
//!
//! [`Greeting`] is understood by peers of any versions: its bytes never change, which a test checks. Fields may be
//! added at the end of a map, since unknown ones are skipped; none may be renamed, removed or given another type.
//! Everything after Hello is a [`Packet`] and may change with the protocol version.

use std::fmt;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first field of Hello, which distinguishes an old peer from another program on the port.
const MAGIC: &str = "flotilla";

/// The protocol versions this build supports. A peer of version 1 does not know the judges and templates of V8 9.3
/// and later and would ignore them, so its verdicts could be wrong.
pub const SUPPORTED_VERSIONS: Versions = Versions { oldest: 2, newest: 2 };

/// A range of protocol versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The lowest.
    pub oldest: u16,
    /// The highest.
    pub newest: u16,
}

impl Versions {
    /// The version that two peers use: the highest that both support, which is the same seen from either side. `None`
    /// if they have no version in common.
    pub fn meet(self, other: Self) -> Option<u16> {
        let version = self.newest.min(other.newest);
        (version >= self.oldest.max(other.oldest)).then_some(version)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { oldest, newest } = self;
        if oldest == newest { write!(f, "{newest}") } else { write!(f, "{oldest} to {newest}") }
    }
}

/// The word that Hello begins with. Deserializing anything else is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Magic;

impl Serialize for Magic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MAGIC)
    }
}

impl<'de> Deserialize<'de> for Magic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        if word == MAGIC { Ok(Self) } else { Err(D::Error::invalid_value(Unexpected::Str(&word), &MAGIC)) }
    }
}

/// A peer's description of itself; its key is known from the handshake. The texts are not trusted: display them only
/// through [`untrusted_text`](crate::untrusted_text).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Marks the message as Flotilla's.
    pub magic: Magic,
    /// The protocol versions it supports.
    pub versions: Versions,
    /// The version of its software.
    pub software: String,
    /// Its operating system, as [`std::env::consts::OS`].
    pub os: String,
    /// Its processor architecture, as [`std::env::consts::ARCH`].
    pub arch: String,
    /// Number of tests it runs at a time; 0 for a peer that only sends tests to others.
    pub jobs: u32,
}

impl Hello {
    /// The Hello of this build on this machine.
    pub fn of_this_build(jobs: u32) -> Self {
        Self {
            magic: Magic,
            versions: SUPPORTED_VERSIONS,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            jobs,
        }
    }
}

/// The link is refused. Nothing follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The reason, for people.
    pub reason: String,
    /// The protocol versions of the refusing side.
    pub their_version: Versions,
}

/// A message sent before Hello is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Greeting {
    /// The first message from each side, sent without waiting for the other side's.
    Hello(Hello),
    /// Sent instead of Hello, or after an incompatible one.
    Refused(Refused),
}

/// A message sent after Hello, for a port with messages of type `M`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packet<M> {
    /// A message of the port.
    Message(M),
    /// Shows that the sender is still there; has no content.
    Heartbeat,
    /// Ends the link properly. A link that ends without it was lost.
    Bye {
        /// The reason, for people.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Codec, Limits};

    fn hello() -> Hello {
        Hello {
            magic: Magic,
            versions: Versions { oldest: 1, newest: 3 },
            software: "0.1.0".into(),
            os: "linux".into(),
            arch: "x86_64".into(),
            jobs: 8,
        }
    }

    fn frame<T: Serialize>(message: &T) -> BytesMut {
        let mut out = BytesMut::new();
        Codec::new(Limits::GREETING).encode(message, &mut out).unwrap();
        out
    }

    fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        Codec::new(Limits::GREETING).decode(&mut BytesMut::from(bytes)).ok().flatten()
    }

    /// Both frames as sent by the first version: length, snappy's length and literal tag, CBOR.
    const HELLO: &[u8] =
        b"\x00\x00\x00^[\xf0Z\xa1eHello\xa6emagichflotillahversions\xa2foldest\x01fnewest\x03\
        hsoftwaree0.1.0boselinuxdarchfx86_64djobs\x08";
    const REFUSED: &[u8] =
        b"\x00\x00\x0053\xc8\xa1gRefused\xa2freasonbnomtheir_version\xa2foldest\x01fnewest\x03";

    #[test]
    fn the_bytes_of_a_greeting_never_change() {
        let refused = Greeting::Refused(Refused {
            reason: "no".into(),
            their_version: Versions { oldest: 1, newest: 3 },
        });
        assert_eq!(
            frame(&Greeting::Hello(hello())).escape_ascii().to_string(),
            HELLO.escape_ascii().to_string()
        );
        assert_eq!(frame(&refused).escape_ascii().to_string(), REFUSED.escape_ascii().to_string());
        assert_eq!(read(HELLO), Some(Greeting::Hello(hello())));
        assert_eq!(read(REFUSED), Some(refused));
    }

    #[test]
    fn a_later_hello_with_more_in_it_is_understood() {
        #[derive(Serialize)]
        enum Later {
            Hello {
                magic: Magic,
                versions: Versions,
                software: String,
                os: String,
                arch: String,
                jobs: u32,
                mood: String,
            },
        }
        let Hello { magic, versions, software, os, arch, jobs } = hello();
        let later = Later::Hello { magic, versions, software, os, arch, jobs, mood: "good".into() };
        assert_eq!(read(&frame(&later)), Some(Greeting::Hello(hello())));
    }

    #[test]
    fn a_hello_with_a_deep_unknown_field_is_refused() {
        let with = |depth: usize| {
            // None of it is compressible: after the length, snappy's length and its tag, the rest is CBOR.
            let mut cbor = HELLO[7..].to_vec();
            let fields = cbor.iter().position(|byte| *byte == 0xa6).unwrap();
            cbor[fields] += 1;
            cbor.extend_from_slice(b"dmood");
            cbor.extend(std::iter::repeat_n(0x81, depth).chain([0]));
            assert!(cbor.len() <= Limits::GREETING.body);
            let mut packed = vec![cbor.len() as u8 | 0x80, (cbor.len() >> 7) as u8];
            for literal in cbor.chunks(60) {
                packed.push((literal.len() as u8 - 1) << 2);
                packed.extend_from_slice(literal);
            }
            read::<Greeting>(&[&(packed.len() as u32).to_be_bytes()[..], &packed].concat())
        };
        assert_eq!(with(60), Some(Greeting::Hello(hello())), "a little of it is passed over");
        assert_eq!(with(1000), None);
        assert_eq!(with(3900), None);
    }

    #[test]
    fn another_magic_word_is_no_hello() {
        let mut other = HELLO.to_vec();
        let at = other.windows(8).position(|word| word == b"flotilla").unwrap();
        other[at] = b'F';
        assert_eq!(read::<Greeting>(&other), None);
    }

    fn versions() -> impl Strategy<Value = Versions> {
        (0..6_u16, 0..6_u16).prop_map(|(oldest, newest)| Versions { oldest, newest })
    }

    proptest! {
        #[test]
        fn versions_meet_at_the_highest_that_both_speak(ours in versions(), theirs in versions()) {
            let speaks = |versions: Versions, version| (versions.oldest..=versions.newest).contains(&version);
            let both = (0..6).rev().find(|version| speaks(ours, *version) && speaks(theirs, *version));
            prop_assert_eq!(ours.meet(theirs), both);
            prop_assert_eq!(theirs.meet(ours), both);
        }

        #[test]
        fn a_bit_flipped_greeting_makes_nothing_panic(bit in 0..HELLO.len() * 8) {
            let mut bytes = HELLO.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let _ = read::<Greeting>(&bytes);
        }
    }
}
