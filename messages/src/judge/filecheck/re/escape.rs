//! The meaning of a backslash, outside and inside `[...]` (Python 3.11 `re/_parser.py`, `_escape` and
//! `_class_escape`).

use super::chars::{Class, Fold, Item, Kind, One, Set};
use super::reader::{Flags, Parser, PatternError, malformed};
use super::tree::{At, Node};

/// The meaning of an escape in a set.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClassEscape {
    Char(u32),
    Class(Class),
}

impl ClassEscape {
    pub(super) fn item(self) -> Item {
        match self {
            Self::Char(code) => Item::Range(code, code),
            Self::Class(class) => Item::Class(class),
        }
    }
}

/// The node for `\` and this character, outside sets.
pub(super) fn escape(parser: &mut Parser, c: char, flags: Flags) -> Result<Node, PatternError> {
    Ok(match c {
        'A' => Node::At(At::Start),
        'Z' => Node::At(At::End),
        'b' | 'B' => Node::At(At::Boundary { ascii: flags.ascii, negated: c == 'B' }),
        '1'..='9' => return number(parser, c, flags),
        '0' => {
            let digits = parser.take_while(2, is_octal);
            flags.literal(code(&digits, 8).unwrap_or(0))
        }
        c => match class(c, flags) {
            Some(class) => {
                Node::One(One::Set(Box::new(Set::new(vec![Item::Class(class)], false, Fold::Exact))))
            }
            None => flags.literal(character(parser, c)?),
        },
    })
}

/// The meaning of `\` and this character, inside a set.
pub(super) fn class_escape(parser: &mut Parser, c: char, flags: Flags) -> Result<ClassEscape, PatternError> {
    if let Some(class) = class(c, flags) {
        return Ok(ClassEscape::Class(class));
    }
    Ok(ClassEscape::Char(match c {
        'b' => 8,
        '0'..='7' => octal(format!("{c}{}", parser.take_while(2, is_octal)))?,
        '8' | '9' => return malformed(format!("bad escape \\{c}")),
        c => character(parser, c)?,
    }))
}

fn class(c: char, flags: Flags) -> Option<Class> {
    let kind = match c {
        'd' | 'D' => Kind::Digit,
        's' | 'S' => Kind::Space,
        'w' | 'W' => Kind::Word,
        _ => return None,
    };
    Some(Class { kind, negated: c.is_ascii_uppercase(), ascii: flags.ascii })
}

/// Escapes of one character with the same meaning everywhere.
fn character(parser: &mut Parser, c: char) -> Result<u32, PatternError> {
    let mut hex = |length| {
        let digits = parser.take_while(length, |c| c.is_ascii_hexdigit());
        match code(&digits, 16) {
            Some(code) if digits.len() == length && code <= char::MAX.into() => Ok(code),
            _ => malformed(format!("bad or incomplete escape \\{c}{digits}")),
        }
    };
    match c {
        'a' => Ok(7),
        'f' => Ok(12),
        'n' => Ok(10),
        'r' => Ok(13),
        't' => Ok(9),
        'v' => Ok(11),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        'N' => Err(PatternError::Unsupported("\\N{...}, a character by its name,")),
        c if c.is_ascii_alphabetic() => malformed(format!("bad escape \\{c}")),
        c => Ok(c.into()),
    }
}

/// `\` and a digit other than 0: a group reference, or three octal digits.
fn number(parser: &mut Parser, first: char, flags: Flags) -> Result<Node, PatternError> {
    let mut digits = String::from(first);
    if let Some(second) = parser.next_if(|c| c.is_ascii_digit()) {
        digits.push(second);
        if is_octal(first)
            && is_octal(second)
            && let Some(third) = parser.next_if(is_octal)
        {
            digits.push(third);
            return Ok(flags.literal(octal(digits)?));
        }
    }
    let Ok(group) = digits.parse() else { return malformed("invalid group reference") };
    Ok(Node::Back { group, fold: flags.fold(), width: parser.closed(group)? })
}

fn octal(digits: String) -> Result<u32, PatternError> {
    match code(&digits, 8) {
        Some(code) if code <= 0o377 => Ok(code),
        _ => malformed(format!("octal escape value \\{digits} outside of range 0-0o377")),
    }
}

fn code(digits: &str, radix: u32) -> Option<u32> {
    u32::from_str_radix(digits, radix).ok()
}

fn is_octal(c: char) -> bool {
    ('0'..='7').contains(&c)
}
