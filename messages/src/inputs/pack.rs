//! Several small blobs, or a chunk of a large one, in one message.
//!
//! ```text
//! data of a pack = zstd, level 1 of: part ...
//! part: digest of the whole blob 32 | its size u64 | where the piece begins u64 | length u32 | bytes
//! ```
//!
//! One message per blob would make small files three times as large, since compression could not exploit what they
//! have in common. Only this file uses `zstd`. Numbers are big-endian.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::reader::{Ended, Reader};

/// The maximum size of an unpacked pack in bytes, including the headers of its parts.
pub const LARGEST_PACK: usize = 1 << 20;

const PART_HEADER_SIZE: usize = Digest::SIZE + 8 + 8 + 4;
const ZSTD_LEVEL: i32 = 1;

/// Several parts in one message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// The unpacked size of the data in bytes, at most [`LARGEST_PACK`]; as claimed by the sender.
    pub unpacked: u32,
    /// The compressed parts.
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

/// A blob, or a chunk of one. The chunks of a blob are sent in order, each except the last as large as fits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PackPart<'a> {
    /// The digest of the whole blob; a single chunk cannot be verified.
    pub digest: Digest,
    /// The size of the whole blob in bytes.
    pub total: u64,
    /// The offset of the chunk in the blob, in bytes.
    pub offset: u64,
    /// The bytes of the chunk.
    pub bytes: &'a [u8],
}

/// Why a pack cannot be made, or why bytes are not a pack.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A part does not fit into the rest of the pack.
    #[error("a part of {size} bytes does not fit in the pack, which has room for {room}")]
    Full {
        /// The size of the part in bytes.
        size: usize,
        /// The free space in bytes.
        room: usize,
    },
    /// A part extends past the end of its blob.
    #[error("a part of blob {0} goes beyond its end")]
    Beyond(Digest),
    /// The same blob occurs twice.
    #[error("blob {0} is in the pack twice")]
    Twice(Digest),
    /// Larger than [`LARGEST_PACK`].
    #[error("the pack claims {0} bytes, more than {LARGEST_PACK}")]
    TooLarge(u32),
    /// The data are not zstd, or unpack to more than claimed.
    #[error("the pack cannot be unpacked: {0}")]
    Zstd(io::Error),
    /// The data unpack to less than claimed.
    #[error("the pack claims {claimed} bytes and has {actual}")]
    Size {
        /// The claimed size in bytes.
        claimed: u32,
        /// The actual size in bytes.
        actual: usize,
    },
    /// The data end within a part.
    #[error("the pack is cut short")]
    Ended,
    /// There are no parts.
    #[error("the pack is empty")]
    Empty,
}

impl From<Ended> for PackError {
    fn from(_: Ended) -> Self {
        Self::Ended
    }
}

impl Pack {
    /// The parts of the pack. Their bytes are not verified, which requires a whole blob.
    ///
    /// # Errors
    /// [`PackError`] for anything that a [`Packer`] would not have made. Nothing larger than [`LARGEST_PACK`] is
    /// allocated, whatever the pack claims or contains.
    pub fn unpack(&self) -> Result<Unpacked, PackError> {
        let claimed = self.unpacked;
        if claimed as usize > LARGEST_PACK {
            return Err(PackError::TooLarge(claimed));
        }
        let body = zstd::bulk::decompress(&self.data, claimed as usize).map_err(PackError::Zstd)?;
        if body.len() != claimed as usize {
            return Err(PackError::Size { claimed, actual: body.len() });
        }
        if body.is_empty() {
            return Err(PackError::Empty);
        }
        let mut parts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut reader = Reader::new(&body);
        while reader.left() > 0 {
            let digest = Digest(reader.array()?);
            let total = reader.u64()?;
            let offset = reader.u64()?;
            let length = reader.u32()? as usize;
            let start = body.len() - reader.left();
            let part = PackPart { digest, total, offset, bytes: reader.take(length)? };
            part.check()?;
            if !seen.insert(digest) {
                return Err(PackError::Twice(digest));
            }
            parts.push(PartRange { digest, total, offset, range: start..start + length });
        }
        Ok(Unpacked { body, parts })
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").field("unpacked", &self.unpacked).field("data", &self.data.len()).finish()
    }
}

impl PackPart<'_> {
    /// Whether this part completes the blob.
    pub fn is_last(&self) -> bool {
        self.offset.checked_add(self.bytes.len() as u64) == Some(self.total)
    }

    fn check(&self) -> Result<(), PackError> {
        match self.offset.checked_add(self.bytes.len() as u64) {
            Some(end) if end <= self.total => Ok(()),
            _ => Err(PackError::Beyond(self.digest)),
        }
    }
}

impl fmt::Debug for PackPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, total, offset, bytes } = self;
        write!(f, "{digest}: {} bytes from {offset} of {total}", bytes.len())
    }
}

/// The parts of a pack.
#[derive(Clone)]
pub struct Unpacked {
    body: Vec<u8>,
    parts: Vec<PartRange>,
}

/// A part, with the range of its bytes in the body.
#[derive(Clone)]
struct PartRange {
    digest: Digest,
    total: u64,
    offset: u64,
    range: Range<usize>,
}

impl Unpacked {
    /// The part with this index.
    pub fn part(&self, place: usize) -> Option<PackPart<'_>> {
        let PartRange { digest, total, offset, range } = self.parts.get(place)?;
        Some(PackPart { digest: *digest, total: *total, offset: *offset, bytes: &self.body[range.clone()] })
    }

    /// The parts in the order in which they were added; each blob occurs once.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = PackPart<'_>> {
        self.parts.iter().map(|PartRange { digest, total, offset, range }| PackPart {
            digest: *digest,
            total: *total,
            offset: *offset,
            // The ranges were taken from this body.
            bytes: &self.body[range.clone()],
        })
    }
}

impl fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts()).finish()
    }
}

/// Makes packs one after another, reusing its buffers.
pub struct Packer {
    body: Vec<u8>,
    seen: BTreeSet<Digest>,
    compressor: zstd::bulk::Compressor<'static>,
}

impl Packer {
    /// A packer with an empty pack.
    ///
    /// # Errors
    /// [`PackError::Zstd`] when there is not enough memory for the compressor.
    pub fn new() -> Result<Self, PackError> {
        let compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(PackError::Zstd)?;
        Ok(Self { body: Vec::new(), seen: BTreeSet::new(), compressor })
    }

    /// Whether nothing has been added since the last pack.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// The largest part that still fits, in bytes; `None` when not even an empty part does.
    pub fn room(&self) -> Option<usize> {
        LARGEST_PACK.checked_sub(self.body.len() + PART_HEADER_SIZE)
    }

    /// Adds a part.
    ///
    /// # Errors
    /// [`PackError::Full`] when it is larger than the [room](Self::room), [`PackError::Twice`] and
    /// [`PackError::Beyond`]. The pack is then unchanged.
    pub fn add(&mut self, part: PackPart<'_>) -> Result<(), PackError> {
        let size = part.bytes.len();
        if self.room().is_none_or(|room| size > room) {
            return Err(PackError::Full { size, room: self.room().unwrap_or(0) });
        }
        part.check()?;
        if !self.seen.insert(part.digest) {
            return Err(PackError::Twice(part.digest));
        }
        self.body.extend_from_slice(&part.digest.0);
        self.body.extend_from_slice(&part.total.to_be_bytes());
        self.body.extend_from_slice(&part.offset.to_be_bytes());
        // Below LARGEST_PACK.
        self.body.extend_from_slice(&(size as u32).to_be_bytes());
        self.body.extend_from_slice(part.bytes);
        Ok(())
    }

    /// Compresses the added parts into a pack, and starts an empty one.
    ///
    /// # Errors
    /// [`PackError::Empty`], or [`PackError::Zstd`] when there is not enough memory.
    pub fn finish(&mut self) -> Result<Pack, PackError> {
        if self.body.is_empty() {
            return Err(PackError::Empty);
        }
        let data = self.compressor.compress(&self.body).map_err(PackError::Zstd)?;
        // At most LARGEST_PACK.
        let unpacked = self.body.len() as u32;
        self.body.clear();
        self.seen.clear();
        Ok(Pack { unpacked, data })
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("bytes", &self.body.len()).field("parts", &self.seen.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> PackPart<'_> {
        PackPart { digest: Digest::of(bytes), total: bytes.len() as u64, offset: 0, bytes }
    }

    fn pack(parts: &[PackPart<'_>]) -> Pack {
        let mut packer = Packer::new().unwrap();
        parts.iter().for_each(|part| packer.add(*part).unwrap());
        packer.finish().unwrap()
    }

    /// A correctly compressed pack with any body.
    fn raw(body: &[u8]) -> Pack {
        let data = zstd::bulk::compress(body, ZSTD_LEVEL).unwrap();
        Pack { unpacked: body.len() as u32, data }
    }

    fn header(digest: Digest, total: u64, offset: u64, length: u32) -> Vec<u8> {
        [&digest.0[..], &total.to_be_bytes(), &offset.to_be_bytes(), &length.to_be_bytes()].concat()
    }

    #[test]
    fn a_claimed_size_allocates_nothing() {
        let pack = Pack { unpacked: u32::MAX, data: vec![0; 6] };
        assert!(matches!(pack.unpack(), Err(PackError::TooLarge(u32::MAX))));
    }

    #[test]
    fn a_bomb_is_refused_before_it_unpacks() {
        let mut bomb = raw(&vec![0; 64 << 20]);
        assert!(bomb.data.len() < 16 << 10);
        bomb.unpacked = LARGEST_PACK as u32;
        assert!(matches!(bomb.unpack(), Err(PackError::Zstd(_))));
    }

    #[test]
    fn a_size_that_is_not_the_claimed_one_is_refused() {
        let good = pack(&[whole(b"abc")]);
        let claims = |unpacked| Pack { unpacked, ..good.clone() }.unpack().map(|_| ());
        assert!(claims(good.unpacked).is_ok());
        assert!(matches!(claims(good.unpacked + 1), Err(PackError::Size { .. })));
        assert!(matches!(claims(good.unpacked - 1), Err(PackError::Zstd(_))));
        assert!(claims(0).is_err());
    }

    #[test]
    fn hostile_parts_are_refused() {
        let digest = Digest([1; 32]);
        let unpack = |body: Vec<u8>| raw(&body).unpack().unwrap_err();
        assert!(matches!(unpack(vec![]), PackError::Empty));
        assert!(matches!(unpack(vec![0; PART_HEADER_SIZE - 1]), PackError::Ended));
        assert!(matches!(unpack(header(digest, u64::MAX, 0, u32::MAX)), PackError::Ended));
        let beyond = [header(digest, 2, 1, 2), vec![0; 2]].concat();
        assert!(matches!(unpack(beyond), PackError::Beyond(_)));
        let around = [header(digest, u64::MAX, u64::MAX, 1), vec![0]].concat();
        assert!(matches!(unpack(around), PackError::Beyond(_)));
        let twice = header(digest, 0, 0, 0).repeat(2);
        assert!(matches!(unpack(twice), PackError::Twice(_)));
        assert!(matches!(Packer::new().unwrap().finish(), Err(PackError::Empty)));
    }

    #[test]
    fn a_large_blob_goes_in_pieces() {
        let blob: Vec<u8> = (0..3_000_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let digest = Digest::of(&blob);
        let mut packer = Packer::new().unwrap();
        let mut back = Vec::new();
        let mut packs = 0;
        while back.len() < blob.len() {
            let offset = back.len();
            let end = blob.len().min(offset + packer.room().unwrap());
            let part = PackPart {
                digest,
                total: blob.len() as u64,
                offset: offset as u64,
                bytes: &blob[offset..end],
            };
            packer.add(part).unwrap();
            let unpacked = packer.finish().unwrap().unpack().unwrap();
            let [part] = unpacked.parts().collect::<Vec<_>>()[..] else { panic!("one part") };
            assert_eq!(part.offset as usize, back.len());
            back.extend_from_slice(part.bytes);
            assert_eq!(part.is_last(), back.len() == blob.len());
            packs += 1;
        }
        assert_eq!(packs, 3);
        assert_eq!(back, blob);
    }

    #[test]
    fn a_full_pack_says_so_and_stays_as_it_is() {
        let mut packer = Packer::new().unwrap();
        let bytes = vec![7; packer.room().unwrap() + 1];
        assert!(matches!(packer.add(whole(&bytes)), Err(PackError::Full { .. })));
        assert!(packer.is_empty());
        packer.add(whole(&bytes[1..])).unwrap();
        assert_eq!(packer.room(), None);
        assert!(matches!(packer.add(whole(b"")), Err(PackError::Full { .. })));
        assert_eq!(packer.finish().unwrap().unpack().unwrap().parts().len(), 1);
    }

    proptest! {
        #[test]
        fn parts_come_back_as_they_went_in(blobs in proptest::collection::btree_set(vec(any::<u8>(), 0..99), 1..20)) {
            let parts: Vec<_> = blobs.iter().map(|bytes| whole(bytes)).collect();
            let unpacked = pack(&parts).unpack().unwrap();
            prop_assert_eq!(unpacked.parts().collect::<Vec<_>>(), parts);
        }

        #[test]
        fn flipped_bits_and_any_bytes_make_nothing_panic(
            bytes in vec(any::<u8>(), 0..300), flips in vec(any::<proptest::sample::Index>(), 0..3), compressed in any::<bool>(),
        ) {
            let mut pack = if compressed { raw(&bytes) } else { Pack { unpacked: 300, data: bytes } };
            let flips = if pack.data.is_empty() { &[] } else { &flips[..] };
            for flip in flips {
                let bit = flip.index(pack.data.len() * 8);
                pack.data[bit / 8] ^= 1 << (bit % 8);
            }
            if let Ok(unpacked) = pack.unpack() {
                let held: usize = unpacked.parts().map(|part| PART_HEADER_SIZE + part.bytes.len()).sum();
                prop_assert_eq!(held, pack.unpacked as usize);
            }
        }
    }
}
