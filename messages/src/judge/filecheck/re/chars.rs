//! The characters that one place of a pattern matches, classified as in Python.

use std::sync::LazyLock;

/// How upper-case and lower-case letters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// They differ.
    Exact,
    /// They are equal (`(?i)`).
    Unicode,
    /// Those of ASCII are equal (`(?ai)`).
    Ascii,
}

/// One place of a pattern. Characters are numbers, since Python's patterns may contain surrogates, which no text
/// does.
#[derive(Clone, Debug)]
pub(super) enum One {
    Char(u32),
    Any,
    AnyButNewline,
    Set(Box<Set>),
}

/// `\d`, `\s`, `\w` and their opposites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) kind: Kind,
    pub(super) negated: bool,
    /// ASCII only (`(?a)`).
    pub(super) ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Digit,
    Space,
    Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Range(u32, u32),
    Class(Class),
}

/// `[...]`.
#[derive(Clone, Debug)]
pub(super) struct Set {
    /// Sorted, with gaps between them.
    ranges: Vec<(u32, u32)>,
    classes: Vec<Class>,
    negated: bool,
    fold: Fold,
    /// A bit for each ASCII character that it matches, for speed.
    ascii: u128,
}

impl Set {
    pub(super) fn new(items: Vec<Item>, negated: bool, fold: Fold) -> Self {
        let mut set = Self { ranges: Vec::new(), classes: Vec::new(), negated, fold, ascii: 0 };
        for item in items {
            match item {
                Item::Range(low, high) => set.ranges.push((low, high)),
                Item::Class(class) if set.classes.contains(&class) => {}
                Item::Class(class) => set.classes.push(class),
            }
        }
        set.ranges.sort_unstable();
        set.ranges.dedup_by(|next, last| {
            let touches = next.0 <= last.1.saturating_add(1);
            if touches {
                last.1 = last.1.max(next.1);
            }
            touches
        });
        for byte in 0..128_u8 {
            if set.takes(byte.into()) {
                set.ascii |= 1 << byte;
            }
        }
        set
    }

    fn contains(&self, c: char) -> bool {
        if c.is_ascii() { self.ascii >> (c as u32) & 1 == 1 } else { self.takes(c) }
    }

    fn takes(&self, c: char) -> bool {
        let found = match self.fold {
            Fold::Exact => self.lists(c),
            Fold::Unicode => self.lists(c) || self.lists(folded(c)) || self.lists(upper(c)),
            Fold::Ascii => self.lists(c.to_ascii_lowercase()) || self.lists(c.to_ascii_uppercase()),
        };
        found != self.negated
    }

    fn lists(&self, c: char) -> bool {
        let code = c as u32;
        let after = self.ranges.partition_point(|range| range.0 <= code);
        after.checked_sub(1).is_some_and(|at| code <= self.ranges[at].1)
            || self.classes.iter().any(|class| class.contains(c))
    }
}

impl Class {
    fn contains(self, c: char) -> bool {
        let found = match self.kind {
            _ if self.ascii && !c.is_ascii() => false,
            Kind::Digit => is_digit(c),
            Kind::Space if self.ascii => matches!(c, ' ' | '\t'..='\r'),
            Kind::Space => is_space(c),
            Kind::Word => is_word(c),
        };
        found != self.negated
    }
}

impl One {
    pub(super) fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(wanted) => *wanted == c as u32,
            Self::Any => true,
            Self::AnyButNewline => c != '\n',
            Self::Set(set) => set.contains(c),
        }
    }
}

/// Whether two characters are equal under `fold`.
pub(super) fn alike(a: char, b: char, fold: Fold) -> bool {
    a == b
        || match fold {
            Fold::Exact => false,
            Fold::Unicode => folded(a) == folded(b),
            Fold::Ascii => a.eq_ignore_ascii_case(&b),
        }
}

/// Python compares lower-case forms, and treats characters with the same upper-case form (s and long s) as equal.
fn folded(c: char) -> char {
    upper(c).to_lowercase().next().unwrap_or(c)
}

/// The upper-case form, if it is one character.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

/// Python's `str.isspace()`: Unicode whitespace and the four separators of ASCII.
pub(in crate::judge::filecheck) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// A letter, digit or `_`. As in Python, this excludes characters that Unicode calls alphabetic but that are not
/// letters (vowel signs, circled letters).
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Python's `str.isdecimal()`.
pub(in crate::judge::filecheck) fn is_digit(c: char) -> bool {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test of this file")]
    static DIGIT: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r"\d").expect("a constant pattern"));
    if c.is_ascii() { c.is_ascii_digit() } else { DIGIT.is_match(c.encode_utf8(&mut [0; 4])) }
}

/// The value of a decimal digit. In Unicode the ten digits of a script are consecutive.
pub(in crate::judge::filecheck) fn digit_value(c: char) -> u8 {
    let before = (0..c as u32).rev().take_while(|&before| char::from_u32(before).is_some_and(is_digit));
    (before.count() % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts_have_values() {
        assert_eq!(['0', '9', '\u{660}', '\u{669}', '\u{1d7ff}'].map(digit_value), [0, 9, 0, 9, 9]);
        assert!(is_digit('\u{663}') && !is_digit('\u{b2}') && !is_digit('a'));
    }

    #[test]
    fn the_separators_of_ascii_are_space() {
        assert!(['\x1c', '\x1f', '\x0b', '\u{85}', '\u{2028}'].into_iter().all(is_space));
        assert!(!is_space('\u{200b}') && !is_space('_'));
    }

    #[test]
    fn cases_fold_where_one_character_becomes_one() {
        assert!(alike('s', '\u{17f}', Fold::Unicode) && alike('K', '\u{212a}', Fold::Unicode));
        assert!(!alike('s', '\u{17f}', Fold::Ascii) && !alike('a', 'A', Fold::Exact));
        let set = Set::new(vec![Item::Range('a' as u32, 'c' as u32)], true, Fold::Unicode);
        assert!(!set.contains('B') && set.contains('d'));
    }
}
