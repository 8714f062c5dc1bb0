//! The syntax tree of a pattern.

use super::chars::{Fold, One};

#[derive(Clone, Debug)]
pub(super) enum Node {
    One(One),
    At(At),
    /// A sequence.
    All(Vec<Node>),
    /// Alternatives: the first that lets the rest match.
    Any(Vec<Node>),
    /// A group with its number.
    Capture(usize, Box<Node>),
    Repeat {
        min: u32,
        /// `None`: unlimited.
        max: Option<u32>,
        manner: Manner,
        node: Box<Node>,
    },
    /// `(?>...)`: once matched, no alternative is tried.
    Atomic(Box<Node>),
    Look {
        /// For look-behind: how many characters back it begins.
        behind: Option<usize>,
        negative: bool,
        node: Box<Node>,
    },
    /// A reference to what a group matched.
    Back {
        group: usize,
        fold: Fold,
        width: Width,
    },
    /// `(?(1)yes|no)`.
    If {
        group: usize,
        yes: Box<Node>,
        no: Option<Box<Node>>,
    },
}

/// A position between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// `\A`, and `^` under `(?-m:...)`.
    Start,
    LineStart,
    /// `\Z`.
    End,
    /// `$` under `(?-m:...)`: also before a final newline.
    LastEnd,
    LineEnd,
    /// `\b` and `\B`; whether only ASCII characters make words.
    Boundary {
        ascii: bool,
        negated: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Greedy,
    Lazy,
    Possessive,
}

/// The minimum and maximum number of characters that a node matches (saturating).
pub(super) type Width = (u64, u64);

impl Node {
    pub(super) fn width(&self) -> Width {
        match self {
            Self::One(_) => (1, 1),
            Self::At(_) | Self::Look { .. } => (0, 0),
            Self::All(nodes) => nodes
                .iter()
                .map(Self::width)
                .fold((0, 0), |all, one| (all.0.saturating_add(one.0), all.1.saturating_add(one.1))),
            Self::Any(nodes) => nodes
                .iter()
                .map(Self::width)
                .reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
                .unwrap_or_default(),
            Self::Capture(_, node) | Self::Atomic(node) => node.width(),
            Self::Repeat { min, max, node, .. } => {
                let (low, high) = node.width();
                let most = max.map_or(u64::MAX, u64::from);
                (low.saturating_mul((*min).into()), high.saturating_mul(most))
            }
            Self::Back { width, .. } => *width,
            Self::If { yes, no, .. } => {
                let (yes, no) = (yes.width(), no.as_ref().map_or((0, 0), |no| no.width()));
                (yes.0.min(no.0), yes.1.max(no.1))
            }
        }
    }

    /// The place of the pattern that this node is, if it is just one.
    pub(super) fn as_one(&self) -> Option<&One> {
        match self {
            Self::One(one) => Some(one),
            Self::All(nodes) => match &nodes[..] {
                [node] => node.as_one(),
                _ => None,
            },
            _ => None,
        }
    }
}
