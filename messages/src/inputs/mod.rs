//! What a test run needs of files, by content: a Merkle tree of directories, and the packs its blobs travel in.
//!
//! A client names the digest of the root [`Directory`]; a peer asks for what it lacks. So an unchanged tree costs one
//! round trip and no blob. Everything here comes from a peer that may lie: names are confined when they are read, sizes
//! are checked before anything is allocated, and [`survey`] bounds what a tree unfolds to, as one small directory that
//! is named a thousand times is a large tree.
//!
//! | file | holds |
//! |---|---|
//! | `digest` | [`Digest`]: BLAKE3, the name of a blob |
//! | `name` | [`Name`] and [`Target`]: names and link targets that cannot leave the tree |
//! | `directory` | [`Directory`]: one blob a directory, in a fixed binary layout |
//! | `survey` | what a tree holds, and which directories are not here yet |
//! | `pack` | [`Pack`]: several blobs, or a piece of a large one, in one message |
//! | `reader` | reads the layouts |

mod digest;
mod directory;
mod name;
mod pack;
mod reader;
mod survey;

pub use digest::{Digest, DigestError, Hasher};
pub use directory::{Directory, DirectoryError, Entry, LARGEST_DIRECTORY, MOST_ENTRIES, Node};
pub use name::{LONGEST_NAME, LONGEST_TARGET, Name, NameError, Target, TargetError};
pub use pack::{LARGEST_PACK, Pack, PackError, Packer, Part, Unpacked};
pub use survey::{Survey, SurveyError, SurveyedDirectory, TreeLimits, survey};
