//! Files that this program alone writes and reads, and can do without: whole and undamaged, or thrown away.
//!
//! ```text
//! magic 8 | body | BLAKE3 digest of all before 32
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use flotilla_messages::inputs::{Digest, Hasher};

/// What such a file begins with; another version of it is another magic.
pub(crate) type Magic = [u8; 8];

/// The most bytes such a file has: a million files with paths of 200 bytes fit.
const LARGEST: u64 = 512 << 20;

/// The body of the file; nothing when there is none, and when there is one that cannot be used, which a warning says.
pub(crate) fn read(path: &Path, magic: &Magic) -> Option<Vec<u8>> {
    let damaged = |why: &str| {
        log::warn!("{} is not used and will be written anew: {why}", path.display());
        None
    };
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return damaged(&error.to_string()),
    }
    if bytes.len() as u64 > LARGEST {
        return damaged("it is too large");
    }
    if !bytes.starts_with(magic) {
        return damaged("another version wrote it, or another program");
    }
    let Some((sealed, seal)) = bytes.split_last_chunk::<{ Digest::SIZE }>() else {
        return damaged("it is cut short");
    };
    if sealed.len() < magic.len() || Digest::of(sealed).0 != *seal {
        return damaged("it is damaged");
    }
    bytes.truncate(sealed.len());
    bytes.drain(..magic.len());
    Some(bytes)
}

/// Puts the file there whole, in place of the one that may be there. Its metadata afterwards.
///
/// Not synced: after a power failure it may be damaged, which [`read`] notices.
pub(crate) fn write(path: &Path, magic: &Magic, body: &[u8]) -> io::Result<fs::Metadata> {
    let mut hasher = Hasher::new();
    hasher.update(magic);
    hasher.update(body);
    // Two runners may write the same file at once; each has a name of its own.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(magic)?;
        file.write_all(body)?;
        file.write_all(&hasher.digest().0)?;
        fs::rename(&temporary, path)?;
        file.metadata()
    });
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Takes the next bytes off the front of a body.
pub(crate) fn take<'a>(body: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = body.split_at_checked(count)?;
    *body = left;
    Some(taken)
}

/// Takes the next bytes, as many as the type says.
pub(crate) fn array<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = body.split_first_chunk::<N>()?;
    *body = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: Magic = *b"FLTEST\0\x01";

    #[test]
    fn a_body_comes_back_and_no_damage_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(read(&path, &MAGIC), None);
        write(&path, &MAGIC, b"body").unwrap();
        assert_eq!(read(&path, &MAGIC).as_deref(), Some(&b"body"[..]));
        assert_eq!(read(&path, b"FLTEST\0\x02"), None);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            fs::write(&path, flipped).unwrap();
            assert_eq!(read(&path, &MAGIC), None, "flipped at {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(read(&path, &MAGIC), None, "cut at {at}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }
}
