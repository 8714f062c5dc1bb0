//! What a reader of texts tells.

use std::borrow::Cow;

/// A part of a document, in the order in which they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text, which may be a key.
    Text {
        /// The text, without quotation marks.
        text: Cow<'a, str>,
        /// Whether it stands for nothing at all.
        null: bool,
    },
    /// A collection begins.
    Begin(Collection),
    /// The innermost one ends.
    End,
}

/// A kind of collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Keys and values by turns.
    Mapping,
    /// Values.
    Sequence,
}
