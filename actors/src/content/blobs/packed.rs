//! A pack of small blobs as it lies on disk: the bytes that came, behind a list of what is in them.
//!
//! ```text
//! magic 8 | bytes unpacked u32 | blobs u32 | (digest 32 | size u32) ... | BLAKE3 digest of all before 32 | zstd data
//! ```
//!
//! The file's name is the digest of the data. So one hash of the compressed bytes tells whether it is what was written, and
//! whether every blob in it is its digest: that was found before it was written. Numbers are big-endian.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

use flotilla_messages::inputs::{Digest, LARGEST_PACK, Pack, Unpacked};

use crate::content::sealed::{Magic, array, take};

const MAGIC: Magic = *b"FLPACK\0\x01";
/// Before the list.
const FRONT: usize = 8 + 4 + 4;
const ENTRY: usize = Digest::SIZE + 4;
/// The most blobs of a pack: each has a header there that is larger than this.
const MOST_BLOBS: usize = LARGEST_PACK / ENTRY;
/// What is read of a file to begin with: the lists of most packs fit.
const FIRST_READ: u64 = 16 << 10;
/// The most a pack file holds: zstd makes incompressible bytes hardly larger.
const LARGEST_FILE: u64 = 4 << 20;

/// The blobs of a pack, with their sizes in bytes.
pub(super) type List = Vec<(Digest, u64)>;

/// A pack's blobs, in memory: the bytes of each are those of its digest.
#[derive(Clone, Debug)]
pub struct Body {
    unpacked: Unpacked,
    places: BTreeMap<Digest, usize>,
}

impl Body {
    /// The blobs that are whole in a pack which was verified.
    fn new(unpacked: Unpacked) -> Self {
        let whole = unpacked.parts().enumerate().filter(|(_, part)| part.offset == 0 && part.is_last());
        let places = whole.map(|(place, part)| (part.digest, place)).collect();
        Self { unpacked, places }
    }

    /// The bytes of a blob.
    pub fn get(&self, digest: &Digest) -> Option<&[u8]> {
        let place = *self.places.get(digest)?;
        self.unpacked.part(place).map(|part| part.bytes)
    }
}

/// The name and the content of the file for a pack all of whose blobs are whole, and were verified.
pub(super) fn file(pack: &Pack, unpacked: &Unpacked) -> (Digest, Vec<u8>) {
    let count = unpacked.parts().len();
    let mut bytes = Vec::with_capacity(FRONT + count * ENTRY + Digest::SIZE + pack.data.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&pack.unpacked.to_be_bytes());
    // Both far below LARGEST_PACK.
    bytes.extend_from_slice(&(count as u32).to_be_bytes());
    for part in unpacked.parts() {
        bytes.extend_from_slice(&part.digest.0);
        bytes.extend_from_slice(&(part.bytes.len() as u32).to_be_bytes());
    }
    let seal = Digest::of(&bytes);
    bytes.extend_from_slice(&seal.0);
    bytes.extend_from_slice(&pack.data);
    (Digest::of(&pack.data), bytes)
}

/// What is in a pack file, by its list; nothing when that is damaged, or cut short.
pub(super) fn list(file: &mut File) -> io::Result<Option<List>> {
    let mut bytes = Vec::with_capacity(FIRST_READ as usize);
    file.by_ref().take(FIRST_READ).read_to_end(&mut bytes)?;
    let Some((_, count)) = front(&mut &bytes[..]) else { return Ok(None) };
    let length = FRONT + count * ENTRY + Digest::SIZE;
    if let Some(more) = length.checked_sub(bytes.len()) {
        file.take(more as u64).read_to_end(&mut bytes)?;
    }
    Ok(entries(&bytes).map(|(list, _)| list))
}

/// The blobs of the pack file of that name; nothing when it is damaged.
pub(super) fn load(file: &mut File, name: &Digest) -> io::Result<Option<Body>> {
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    let Some((list, data)) = entries(&bytes) else { return Ok(None) };
    let Some((unpacked, _)) = front(&mut &bytes[..]) else { return Ok(None) };
    if Digest::of(data) != *name {
        return Ok(None);
    }
    // What was written unpacked well; the list was made from that.
    let Ok(unpacked) = (Pack { unpacked, data: data.to_vec() }).unpack() else { return Ok(None) };
    let body = Body::new(unpacked);
    let whole = list.iter().all(|(digest, size)| body.get(digest).is_some_and(|b| b.len() as u64 == *size));
    Ok(whole.then_some(body))
}

/// The bytes unpacked, and how many entries follow.
fn front(body: &mut &[u8]) -> Option<(u32, usize)> {
    if array(body)? != MAGIC {
        return None;
    }
    let unpacked = u32::from_be_bytes(array(body)?);
    let count = u32::from_be_bytes(array(body)?) as usize;
    (count <= MOST_BLOBS).then_some((unpacked, count))
}

/// The list, and what comes behind it.
fn entries(bytes: &[u8]) -> Option<(List, &[u8])> {
    let mut body = bytes;
    let (_, count) = front(&mut body)?;
    let mut listed = take(&mut body, count * ENTRY)?;
    let seal = array(&mut body)?;
    if Digest::of(bytes.get(..FRONT + count * ENTRY)?).0 != seal {
        return None;
    }
    let mut list = Vec::with_capacity(count);
    while !listed.is_empty() {
        let digest = Digest(array(&mut listed)?);
        list.push((digest, u32::from_be_bytes(array(&mut listed)?).into()));
    }
    Some((list, body))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flotilla_messages::inputs::{PackPart, Packer};

    use super::*;

    fn pack(blobs: &[&[u8]]) -> (Pack, Unpacked) {
        let mut packer = Packer::new().unwrap();
        for bytes in blobs {
            let (digest, total) = (Digest::of(bytes), bytes.len() as u64);
            packer.add(PackPart { digest, total, offset: 0, bytes }).unwrap();
        }
        let pack = packer.finish().unwrap();
        let unpacked = pack.unpack().unwrap();
        (pack, unpacked)
    }

    #[test]
    fn what_was_written_is_read_and_no_damage_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack");
        let (pack, unpacked) = pack(&[b"one", b"", b"three"]);
        let (name, bytes) = file(&pack, &unpacked);
        let open = || File::open(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        let expected: Vec<_> = unpacked.parts().map(|part| (part.digest, part.bytes.len() as u64)).collect();
        assert_eq!(list(&mut open()).unwrap(), Some(expected));
        let body = load(&mut open(), &name).unwrap().unwrap();
        assert_eq!(body.get(&Digest::of(b"three")), Some(&b"three"[..]));
        assert_eq!(body.get(&Digest::of(b"")), Some(&b""[..]));
        assert_eq!(body.get(&Digest::of(b"two")), None);
        assert!(load(&mut open(), &Digest::of(b"another name")).unwrap().is_none());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            for damaged in [&flipped[..], &bytes[..at]] {
                fs::write(&path, damaged).unwrap();
                assert!(load(&mut open(), &name).unwrap().is_none(), "at {at}");
            }
        }
    }

    #[test]
    fn a_list_longer_than_the_first_read_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack");
        let blobs: Vec<_> = (0..2000_u32).map(u32::to_be_bytes).collect();
        let (pack, unpacked) = pack(&blobs.iter().map(|blob| &blob[..]).collect::<Vec<_>>());
        let (_, bytes) = file(&pack, &unpacked);
        assert!(bytes.len() as u64 > FIRST_READ);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(list(&mut File::open(&path).unwrap()).unwrap().unwrap().len(), 2000);
        fs::write(&path, &bytes[..2000 * ENTRY]).unwrap();
        assert_eq!(list(&mut File::open(&path).unwrap()).unwrap(), None);
        fs::write(&path, [&MAGIC[..], &[0xff; 64]].concat()).unwrap();
        assert_eq!(list(&mut File::open(&path).unwrap()).unwrap(), None, "a claimed count reads nothing");
    }
}
