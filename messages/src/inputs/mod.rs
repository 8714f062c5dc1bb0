//! The input files of a test run, by content: a Merkle tree of directories, and the packs that transfer its blobs.
//!
//! A client names the digest of the root [`Directory`], and a peer requests the blobs it lacks, so an unchanged tree
//! costs one round trip and no blob. All of this comes from a peer that may be hostile: names are confined when they
//! are read, sizes are checked before anything is allocated, and [`survey`] limits the size of the unfolded tree,
//! because one small directory named a thousand times is a large tree.
//!
//! | file | holds |
//! |---|---|
//! | `digest` | [`Digest`]: the BLAKE3 name of a blob |
//! | `name` | [`Name`] and [`Target`]: names and link targets that cannot leave the tree |
//! | `directory` | [`Directory`]: one blob per directory, in a fixed binary layout |
//! | `survey` | the contents of a tree, and the directories that are missing |
//! | `pack` | [`Pack`]: several blobs, or a piece of a large one, in one message |
//! | `reader` | reads fixed binary layouts |

mod digest;
mod directory;
mod name;
mod pack;
mod reader;
mod survey;

pub use digest::{Digest, DigestError, Hasher};
pub use directory::{Directory, DirectoryEntry, DirectoryError, EntryKind, LARGEST_DIRECTORY, MOST_ENTRIES};
pub use name::{LONGEST_NAME, LONGEST_TARGET, Name, NameError, Target, TargetError};
pub use pack::{LARGEST_PACK, Pack, PackError, PackPart, Packer, Unpacked};
pub use survey::{Survey, SurveyError, SurveyedDirectory, TreeLimits, survey};
