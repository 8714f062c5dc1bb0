//! Reading text: the part of Python that is data, globs, shell words, frontmatter, near misses of names.
//!
//! | module | holds |
//! |---|---|
//! | [`python`] | Python's tokens, expressions, and the literals that a module assigns |
//! | [`text`] | small rules about text |
//! | `frontmatter` | test262's frontmatter: YAML, or what V8 takes for it |
//! | `read` | files of a bounded size |
//!
//! Invariant: any text is read or refused with its place; nothing recurses deeper than a limit.

pub mod frontmatter;
pub mod python;
pub mod read;
pub mod text;
