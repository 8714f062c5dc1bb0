//! What a status file is read for, and how it is written.

use super::condition::Variables;
use super::outcomes::{Outcomes, Vocabulary};
use flotilla_messages::nearest::{hint, nearest};

/// The condition that always holds; alone among conditions it is written without quotes.
pub(super) const ALWAYS: &str = "ALWAYS";

/// What a status file is read for.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The names that conditions can use.
    pub variables: &'a Variables,
    /// The variants the tree knows.
    pub all_variants: &'a [&'a str],
    /// Those of this run.
    pub selected: &'a [&'a str],
    /// The words that the tree's version has.
    pub vocabulary: Vocabulary,
    /// How the version writes its status files.
    pub syntax: Syntax,
    /// The words that the tree's own runner has, if it says so.
    pub keywords: Option<&'a [String]>,
}

impl Reading<'_> {
    /// Whether status files can say a word.
    pub(super) fn knows(&self, word: &str) -> bool {
        match self.keywords {
            Some(keywords) => keywords.iter().any(|known| known == word),
            None => word == ALWAYS || self.vocabulary.word(word).is_some(),
        }
    }

    /// Why a word cannot be said.
    pub(super) fn unknown_word(&self, word: &str) -> String {
        if let Some(versions) = Outcomes::known_to(word) {
            return format!("unknown outcome '{word}': it is a word of {versions}");
        }
        let words: Vec<&str> = match self.keywords {
            Some(keywords) => keywords.iter().map(String::as_str).collect(),
            None => self.vocabulary.words().chain([ALWAYS]).collect(),
        };
        format!("unknown outcome '{word}'{}", hint(nearest(word, words)))
    }
}

/// How status files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A Python literal.
    Python,
    /// Lines `[ CONDITION ]` and `TEST: OUTCOMES`, as until 2012: [`lines`](super::lines).
    Lines,
}
