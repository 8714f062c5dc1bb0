//! Reads a pattern token by token, with the state of its groups and flags.

use std::collections::HashMap;

use thiserror::Error;

use super::chars::{Fold, Item, One, Set};
use super::tree::{Node, Width};

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::judge::filecheck) enum PatternError {
    /// Python refuses it too.
    #[error("{0}")]
    Malformed(String),
    /// Python might accept it.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

pub(super) fn malformed<T>(why: impl Into<String>) -> Result<T, PatternError> {
    Err(PatternError::Malformed(why.into()))
}

/// The flags that `(?...)` sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) single_line: bool,
    pub(super) dot_all: bool,
    pub(super) verbose: bool,
    pub(super) ascii: bool,
}

impl Flags {
    pub(super) fn fold(self) -> Fold {
        match self {
            Self { ignore_case: false, .. } => Fold::Exact,
            Self { ascii: true, .. } => Fold::Ascii,
            _ => Fold::Unicode,
        }
    }

    pub(super) fn switched(self, on: &str, off: &str) -> Self {
        let now = |flag, was: bool| (was || on.contains(flag)) && !off.contains(flag);
        Self {
            ignore_case: now('i', self.ignore_case),
            // Set by default.
            single_line: !on.contains('m') && (self.single_line || off.contains('m')),
            dot_all: now('s', self.dot_all),
            verbose: now('x', self.verbose),
            ascii: now('a', self.ascii) && !on.contains('u'),
        }
    }

    /// The node of a single character.
    pub(super) fn literal(self, code: u32) -> Node {
        Node::One(match self.fold() {
            Fold::Exact => One::Char(code),
            fold => One::Set(Box::new(Set::new(vec![Item::Range(code, code)], false, fold))),
        })
    }
}

/// A character, or a backslash and the one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    Escape(char),
}

pub(super) struct Parser {
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    /// Flags of the whole pattern, given at its start.
    pub(super) global: Flags,
    /// Whether the whole pattern has the flag `u`.
    pub(super) unicode: bool,
    /// The width of each group, with the whole pattern as number 0; `None` while the group is open.
    pub(super) widths: Vec<Option<Width>>,
    pub(super) names: HashMap<String, usize>,
    /// The number of groups where the outermost look-behind began.
    pub(super) behind: Option<usize>,
    /// The numbers of groups used in conditions; such a group may come later.
    pub(super) tested: Vec<usize>,
}

impl Parser {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self {
            tokens,
            at: 0,
            global: Flags::default(),
            unicode: false,
            widths: vec![None],
            names: HashMap::new(),
            behind: None,
            tested: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(Token::Char(c));
        self.at += usize::from(found);
        found
    }

    /// The next character, if `wanted` accepts it.
    pub(super) fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        match self.peek() {
            Some(Token::Char(c)) if wanted(c) => {
                self.at += 1;
                Some(c)
            }
            _ => None,
        }
    }

    pub(super) fn take_while(&mut self, most: usize, wanted: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.next_if(&wanted)).take(most).collect()
    }

    /// The width of the group, if it can be referred to from here.
    pub(super) fn closed(&self, group: usize) -> Result<Width, PatternError> {
        match self.widths.get(group) {
            None => malformed(format!("invalid group reference {group}")),
            Some(None) => malformed("cannot refer to an open group"),
            Some(Some(_)) if self.behind.is_some_and(|groups| group >= groups) => {
                malformed("cannot refer to group defined in the same lookbehind subpattern")
            }
            Some(Some(width)) => Ok(*width),
        }
    }
}
