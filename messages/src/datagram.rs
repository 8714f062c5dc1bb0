//! The UDP datagrams by which peers find each other: signed, and all of one size.
//!
//! ```text
//! magic "FLTD" | version 1 | kind 1 | issuer's public key 32 | boot 8 | sequence 8 | interval 2
//!   | oldest protocol 2 | newest protocol 2 | Work port 2 | Status port 2 | own unicast port 2 | jobs 2
//!   | statement serial 8 | Ed25519 signature 64
//! ```
//!
//! All numbers are big-endian. The signature covers a prefix used for datagrams only, followed by all bytes before
//! the signature. Announce, Reply and Goodbye have the same size, so a Reply is never larger than the datagram that
//! triggered it. A datagram may cause a dial, but never grants anything.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::fingerprint::{Fingerprint, KeyError, key_of_bytes};

/// The size of every datagram of this version, in bytes; with headers still far below any MTU.
pub const DATAGRAM_SIZE: usize = BODY_SIZE + SIGNATURE_SIZE;
/// The upper limit in bytes for every version of a datagram: it must pass every network unfragmented.
pub const LARGEST_DATAGRAM: usize = 1200;

/// The lowest and the highest interval between announcements, in seconds, that a datagram may state.
pub const INTERVAL_LIMITS: (u16, u16) = (5, 300);

const MAGIC: [u8; 4] = *b"FLTD";
const VERSION: u8 = 1;
const KEY_AT: usize = 6;
const KEY_SIZE: usize = 32;
const BODY_SIZE: usize = KEY_AT + KEY_SIZE + 8 + 8 + 2 + 2 * 6 + 8;
const SIGNATURE_SIZE: usize = 64;
/// Domain separation: prevents a datagram's signature from being valid for anything else signed by the same key.
const DOMAIN: &[u8] = b"flotilla datagram v1\0";

/// The purpose of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatagramKind {
    /// "I am here": broadcast, or sent to a configured peer.
    Announce,
    /// "So am I": sent to a peer that announced itself.
    Reply,
    /// "I am leaving".
    Goodbye,
}

/// What a datagram states about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Increases at every start of the sender: the time of the start in milliseconds since the epoch, or the previous
    /// value plus one if the clock went back.
    pub boot: u64,
    /// Increases with every datagram of one boot.
    pub sequence: u64,
    /// The next Announce comes within this many seconds; see [`INTERVAL_LIMITS`].
    pub interval: u16,
    /// The oldest and the newest protocol version that the sender supports.
    pub protocol: (u16, u16),
    /// The TCP port of the sender's Work port.
    pub work_port: u16,
    /// The TCP port of the sender's Status port.
    pub status_port: u16,
    /// A UDP port that the sender shares with no other process: unicast to the port shared by the peers of one host
    /// reaches only one of them.
    pub unicast_port: u16,
    /// Number of tests the sender runs at a time.
    pub jobs: u16,
    /// The serial of the sender's newest trust statement; 0 if it has never issued one.
    pub serial: u64,
}

/// A datagram whose signature has been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The public key that signed it.
    pub issuer: [u8; KEY_SIZE],
    /// That key's fingerprint.
    pub fingerprint: Fingerprint,
    /// The datagram's purpose.
    pub kind: DatagramKind,
    /// What it states about its sender.
    pub presence: Presence,
}

/// Why bytes are not a datagram. Such bytes are counted and dropped, never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatagramError {
    /// From another program, or noise.
    #[error("not a datagram of this program")]
    Foreign,
    /// Of another version.
    #[error("a datagram of version {0}; this program speaks version {VERSION}")]
    Version(u8),
    /// Truncated, or with trailing bytes.
    #[error("a datagram of {0} bytes instead of {DATAGRAM_SIZE}")]
    Size(usize),
    /// A field has an impossible value.
    #[error("a datagram with an impossible {0}")]
    Field(&'static str),
    /// The issuer's key is invalid, or a weak one that anybody can sign for.
    #[error("a datagram of {0}")]
    Key(#[from] KeyError),
    /// Altered in transit, or not signed by the key it names.
    #[error("a datagram with a wrong signature")]
    Signature,
}

impl Presence {
    /// The signed datagram with this content.
    pub fn sign(&self, kind: DatagramKind, key: &SigningKey) -> [u8; DATAGRAM_SIZE] {
        let mut bytes = [0; DATAGRAM_SIZE];
        let mut writer = Writer { bytes: &mut bytes, at: 0 };
        writer.put(MAGIC);
        writer.put([VERSION, code_of(kind)]);
        writer.put(key.verifying_key().to_bytes());
        writer.put(self.boot.to_be_bytes());
        writer.put(self.sequence.to_be_bytes());
        let (oldest, newest) = self.protocol;
        for number in
            [self.interval, oldest, newest, self.work_port, self.status_port, self.unicast_port, self.jobs]
        {
            writer.put(number.to_be_bytes());
        }
        writer.put(self.serial.to_be_bytes());
        let (body, signature) = bytes.split_at_mut(BODY_SIZE);
        signature.copy_from_slice(&key.sign(&in_domain(body)).to_bytes());
        bytes
    }
}

impl Datagram {
    /// Reads a datagram and checks all of it, the signature last. Does not allocate.
    ///
    /// # Errors
    /// [`DatagramError`] for anything but the exact bytes signed by the key it names.
    pub fn open(bytes: &[u8]) -> Result<Self, DatagramError> {
        let version = match bytes.strip_prefix(&MAGIC) {
            Some([version, ..]) if bytes.len() <= LARGEST_DATAGRAM => *version,
            _ => return Err(DatagramError::Foreign),
        };
        if version != VERSION {
            return Err(DatagramError::Version(version));
        }
        let bytes: &[u8; DATAGRAM_SIZE] = bytes.try_into().map_err(|_| DatagramError::Size(bytes.len()))?;
        let mut reader = FieldReader { bytes, at: MAGIC.len() + 1 };
        let [code] = reader.take();
        let kind = kind_of(code).ok_or(DatagramError::Field("kind"))?;
        let issuer = reader.take();
        let presence = Presence {
            boot: u64::from_be_bytes(reader.take()),
            sequence: u64::from_be_bytes(reader.take()),
            interval: reader.number(),
            protocol: (reader.number(), reader.number()),
            work_port: reader.number(),
            status_port: reader.number(),
            unicast_port: reader.number(),
            jobs: reader.number(),
            serial: u64::from_be_bytes(reader.take()),
        };
        check(&presence)?;
        let signature = Signature::from_bytes(&reader.take());
        let key = key_of_bytes(&issuer)?;
        let (body, _) = bytes.split_at(BODY_SIZE);
        key.verify_strict(&in_domain(body), &signature).map_err(|_| DatagramError::Signature)?;
        Ok(Self { issuer, fingerprint: Fingerprint::of(&key), kind, presence })
    }

    /// Whether these bytes name `key` as their issuer. Cheap, since no signature is verified: used to drop this
    /// machine's own datagrams, which every multicast group delivers back.
    pub fn names(bytes: &[u8], key: &VerifyingKey) -> bool {
        bytes.get(KEY_AT..KEY_AT + KEY_SIZE) == Some(key.as_bytes().as_slice())
    }
}

fn check(presence: &Presence) -> Result<(), DatagramError> {
    let (oldest, newest) = presence.protocol;
    let (shortest, longest) = INTERVAL_LIMITS;
    let checks = [
        ("interval", (shortest..=longest).contains(&presence.interval)),
        ("protocol version", oldest <= newest),
        ("Work port", presence.work_port != 0),
        ("Status port", presence.status_port != 0),
        ("unicast port", presence.unicast_port != 0),
    ];
    match checks.into_iter().find(|(_, holds)| !holds) {
        Some((field, _)) => Err(DatagramError::Field(field)),
        None => Ok(()),
    }
}

fn code_of(kind: DatagramKind) -> u8 {
    match kind {
        DatagramKind::Announce => 1,
        DatagramKind::Reply => 2,
        DatagramKind::Goodbye => 3,
    }
}

fn kind_of(code: u8) -> Option<DatagramKind> {
    match code {
        1 => Some(DatagramKind::Announce),
        2 => Some(DatagramKind::Reply),
        3 => Some(DatagramKind::Goodbye),
        _ => None,
    }
}

fn in_domain(body: &[u8]) -> [u8; DOMAIN.len() + BODY_SIZE] {
    let mut message = [0; DOMAIN.len() + BODY_SIZE];
    let (domain, rest) = message.split_at_mut(DOMAIN.len());
    domain.copy_from_slice(DOMAIN);
    rest.copy_from_slice(body);
    message
}

struct Writer<'a> {
    bytes: &'a mut [u8; DATAGRAM_SIZE],
    at: usize,
}

impl Writer<'_> {
    fn put<const N: usize>(&mut self, field: [u8; N]) {
        self.bytes[self.at..self.at + N].copy_from_slice(&field);
        self.at += N;
    }
}

/// Reads fixed-size fields from fixed-size bytes, so the layout never reaches past the end.
struct FieldReader<'a> {
    bytes: &'a [u8; DATAGRAM_SIZE],
    at: usize,
}

impl FieldReader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        field
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn presence() -> Presence {
        Presence {
            boot: 1_700_000_000_000,
            sequence: 7,
            interval: 5,
            protocol: (1, 2),
            work_port: 9992,
            status_port: 9994,
            unicast_port: 40_000,
            jobs: 8,
            serial: 3,
        }
    }

    fn resigned(mut bytes: [u8; DATAGRAM_SIZE], key: &SigningKey) -> [u8; DATAGRAM_SIZE] {
        let signature = key.sign(&in_domain(&bytes[..BODY_SIZE])).to_bytes();
        bytes[BODY_SIZE..].copy_from_slice(&signature);
        bytes
    }

    #[test]
    fn the_size_is_fixed_and_small() {
        assert_eq!(DATAGRAM_SIZE, 140);
        assert_eq!(DATAGRAM_SIZE, presence().sign(DatagramKind::Goodbye, &key(1)).len());
    }

    #[test]
    fn what_was_signed_is_what_is_read() {
        for kind in [DatagramKind::Announce, DatagramKind::Reply, DatagramKind::Goodbye] {
            let bytes = presence().sign(kind, &key(1));
            let datagram = Datagram::open(&bytes).unwrap();
            assert_eq!((datagram.kind, datagram.presence), (kind, presence()));
            assert_eq!(datagram.issuer, key(1).verifying_key().to_bytes());
            assert_eq!(datagram.fingerprint, Fingerprint::of(&key(1).verifying_key()));
            assert!(Datagram::names(&bytes, &key(1).verifying_key()));
            assert!(!Datagram::names(&bytes, &key(2).verifying_key()));
        }
    }

    #[test]
    fn a_flipped_bit_in_any_byte_is_noticed() {
        let whole = presence().sign(DatagramKind::Announce, &key(1));
        for at in 0..DATAGRAM_SIZE {
            let mut bytes = whole;
            bytes[at] ^= 1 << (at % 8);
            assert!(Datagram::open(&bytes).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_cut_and_a_lengthened_datagram_are_refused() {
        let whole = presence().sign(DatagramKind::Announce, &key(1));
        for length in 0..DATAGRAM_SIZE {
            assert!(Datagram::open(&whole[..length]).is_err(), "{length} bytes");
        }
        let mut long = whole.to_vec();
        long.push(0);
        assert_eq!(Datagram::open(&long), Err(DatagramError::Size(DATAGRAM_SIZE + 1)));
        long.resize(LARGEST_DATAGRAM + 1, 0);
        assert_eq!(Datagram::open(&long), Err(DatagramError::Foreign));
    }

    #[test]
    fn another_key_and_another_domain_cannot_sign() {
        let mut forged = presence().sign(DatagramKind::Announce, &key(1));
        forged = resigned(forged, &key(2));
        assert_eq!(Datagram::open(&forged), Err(DatagramError::Signature));
        let mut bare = presence().sign(DatagramKind::Announce, &key(1));
        let signature = key(1).sign(&bare[..BODY_SIZE]).to_bytes();
        bare[BODY_SIZE..].copy_from_slice(&signature);
        assert_eq!(Datagram::open(&bare), Err(DatagramError::Signature));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        let mut weak = presence().sign(DatagramKind::Announce, &key(1));
        // The neutral element: the signature R = itself, s = 0 verifies for any message.
        weak[KEY_AT..KEY_AT + KEY_SIZE].copy_from_slice(&[0; KEY_SIZE]);
        weak[KEY_AT] = 1;
        weak[BODY_SIZE..].copy_from_slice(&[0; SIGNATURE_SIZE]);
        weak[BODY_SIZE] = 1;
        assert_eq!(Datagram::open(&weak), Err(DatagramError::Key(KeyError::Weak)));
    }

    #[test]
    fn a_good_signature_does_not_excuse_impossible_fields() {
        let refused = |change: fn(&mut Presence)| {
            let mut presence = presence();
            change(&mut presence);
            Datagram::open(&presence.sign(DatagramKind::Announce, &key(1))).unwrap_err()
        };
        assert_eq!(refused(|p| p.interval = 4), DatagramError::Field("interval"));
        assert_eq!(refused(|p| p.interval = 301), DatagramError::Field("interval"));
        assert_eq!(refused(|p| p.protocol = (3, 2)), DatagramError::Field("protocol version"));
        assert_eq!(refused(|p| p.work_port = 0), DatagramError::Field("Work port"));
        assert_eq!(refused(|p| p.status_port = 0), DatagramError::Field("Status port"));
        assert_eq!(refused(|p| p.unicast_port = 0), DatagramError::Field("unicast port"));
        let mut kind = presence().sign(DatagramKind::Announce, &key(1));
        kind[5] = 4;
        assert_eq!(Datagram::open(&resigned(kind, &key(1))), Err(DatagramError::Field("kind")));
        let mut version = presence().sign(DatagramKind::Announce, &key(1));
        version[4] = 2;
        assert_eq!(Datagram::open(&resigned(version, &key(1))), Err(DatagramError::Version(2)));
    }

    proptest! {
        // Signing is slow without optimization.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), ours in any::<bool>()) {
            let mut bytes = bytes;
            if ours {
                let head = [b'F', b'L', b'T', b'D', VERSION];
                bytes.resize(DATAGRAM_SIZE, 0);
                bytes[..head.len()].copy_from_slice(&head);
            }
            prop_assert!(Datagram::open(&bytes).is_err());
        }

        #[test]
        fn any_presence_survives(
            (boot, sequence, serial) in any::<(u64, u64, u64)>(),
            interval in 5_u16..=300,
            oldest in any::<u16>(),
            more in 0_u16..10,
            ports in proptest::array::uniform3(1_u16..),
            jobs in any::<u16>(),
        ) {
            let [work_port, status_port, unicast_port] = ports;
            let protocol = (oldest, oldest.saturating_add(more));
            let said =
                Presence { boot, sequence, interval, protocol, work_port, status_port, unicast_port, jobs, serial };
            let heard = Datagram::open(&said.sign(DatagramKind::Reply, &key(3))).unwrap();
            prop_assert_eq!(heard.presence, said);
        }
    }
}
