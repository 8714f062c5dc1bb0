//! The blobs that a peer lacks, pack by pack.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::vec;

use flotilla_messages::inputs::{Digest, Hasher, Pack, PackPart, Packer};

use super::error::SendError;
use super::file;
use super::tree::Tree;

/// Packs with all the blobs that were asked for, each once. Every step reads files and compresses up to 1 MiB: it
/// blocks for some milliseconds.
///
/// Directories come first, then files in the order of their paths, not in the order asked for: neighbours are alike,
/// and compress better. What is too large for one pack shares none with others, so that packs of small blobs can be kept as
/// they are. After an error there is nothing more.
#[derive(Debug)]
pub struct Packs<'a> {
    tree: &'a Tree,
    ahead: vec::IntoIter<Digest>,
    /// A blob of which a part is still to be sent.
    begun: Option<Begun<'a>>,
    packer: Packer,
}

/// A blob that is read piece by piece.
#[derive(Debug)]
struct Begun<'a> {
    digest: Digest,
    total: u64,
    offset: u64,
    path: PathBuf,
    content: PackContent<'a>,
    /// Nothing where the content was kept when its digest was taken.
    hasher: Option<Hasher>,
}

#[derive(Debug)]
enum PackContent<'a> {
    File(File),
    Bytes(&'a [u8]),
}

impl<'a> Packs<'a> {
    /// Of these blobs of the tree.
    ///
    /// # Errors
    /// [`SendError::NotInTree`] when one of them is not in it: a peer gets nothing but what was offered.
    pub fn new(tree: &'a Tree, asked: impl IntoIterator<Item = Digest>) -> Result<Self, SendError> {
        let mut order = BTreeSet::new();
        for digest in asked {
            let place = tree.files.get(&digest).map(|source| source.order);
            if place.is_none() && !tree.directories.contains_key(&digest) {
                return Err(SendError::NotInTree(digest));
            }
            order.insert((place, digest));
        }
        let order: Vec<_> = order.into_iter().map(|(_, digest)| digest).collect();
        Ok(Self { tree, ahead: order.into_iter(), begun: None, packer: Packer::new()? })
    }

    /// How many blobs have not been begun.
    pub fn blobs_left(&self) -> usize {
        self.ahead.len()
    }

    fn next_pack(&mut self) -> Result<Option<Pack>, SendError> {
        loop {
            let mut begun = match self.begun.take() {
                Some(begun) => begun,
                None => match self.ahead.next() {
                    Some(digest) => self.open(digest)?,
                    None if self.packer.is_empty() => return Ok(None),
                    None => return Ok(Some(self.packer.finish()?)),
                },
            };
            let room = self.packer.room();
            if let Some(room) = room.filter(|room| self.packer.is_empty() || *room as u64 >= begun.left()) {
                let first = begun.offset == 0;
                begun.add_to(&mut self.packer, room)?;
                match begun.left() {
                    0 if first => continue,
                    0 => {}
                    _ => self.begun = Some(begun),
                }
            } else {
                self.begun = Some(begun);
            }
            return Ok(Some(self.packer.finish()?));
        }
    }

    fn open(&self, digest: Digest) -> Result<Begun<'a>, SendError> {
        let kept = |bytes: &'a [u8]| (PackContent::Bytes(bytes), PathBuf::new(), bytes.len() as u64, None);
        let (content, path, total, hasher) = if let Some(bytes) = self.tree.directories.get(&digest) {
            kept(bytes)
        } else {
            let source = self.tree.files.get(&digest).ok_or(SendError::NotInTree(digest))?;
            match &source.content {
                Some(bytes) => kept(bytes),
                None => {
                    let path = source.path.clone();
                    let file =
                        file::open(&path).map_err(|source| SendError::Io { path: path.clone(), source })?;
                    (PackContent::File(file), path, source.size, Some(Hasher::new()))
                }
            }
        };
        Ok(Begun { digest, total, offset: 0, path, content, hasher })
    }
}

impl Iterator for Packs<'_> {
    type Item = Result<Pack, SendError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_pack();
        if next.is_err() {
            self.begun = None;
            self.ahead = Vec::new().into_iter();
            if let Ok(packer) = Packer::new() {
                self.packer = packer;
            }
        }
        next.transpose()
    }
}

impl Begun<'_> {
    fn left(&self) -> u64 {
        self.total - self.offset
    }

    /// Adds as much as there is room for.
    fn add_to(&mut self, packer: &mut Packer, room: usize) -> Result<(), SendError> {
        let count = room.min(usize::try_from(self.left()).unwrap_or(room));
        let read;
        let bytes = match &mut self.content {
            PackContent::File(file) => {
                let mut bytes = vec![0; count];
                file.read_exact(&mut bytes).map_err(|source| match source.kind() {
                    io::ErrorKind::UnexpectedEof => SendError::Changed(self.path.clone()),
                    _ => SendError::Io { path: self.path.clone(), source },
                })?;
                read = bytes;
                &read[..]
            }
            PackContent::Bytes(blob) => {
                let (bytes, rest) = blob.split_at(count);
                *blob = rest;
                bytes
            }
        };
        let part = PackPart { digest: self.digest, total: self.total, offset: self.offset, bytes };
        self.offset += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
            // The peer would refuse it too, but could not say why.
            if self.offset == self.total && hasher.digest() != self.digest {
                return Err(SendError::Changed(self.path.clone()));
            }
        }
        packer.add(part)?;
        Ok(())
    }
}
