//! The inputs of a run, by content: from the files of a tree to a directory on another machine.
//!
//! | module | holds |
//! |---|---|
//! | [`inputs`] | the files of a run as a Merkle tree, and packs of what a peer lacks |
//! | [`blobs`] | what a peer keeps of them |
//! | [`workspace`] | the directory it makes of both for a run |
//! | [`engine`] | what an engine needs of a machine, and what a machine has |
//! | `sealed` | files that can be done without: whole and undamaged, or thrown away |
//!
//! Threads: none of its own; hashing and laying out use rayon's, and their callers wait on threads where they may.
//!
//! Invariants: a blob is what its digest says when it is taken in and when it is laid out; a file on disk is whole or
//! not there.

pub mod blobs;
pub mod engine;
pub mod inputs;
mod sealed;
pub mod workspace;
