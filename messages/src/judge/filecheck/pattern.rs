//! From pieces and variables to a regular expression (filecheck 1.0.1 `compiler.py`).

use std::collections::HashMap;

use super::piece::{Piece, ValueKind};
use super::re::{Budget, Exhausted, Found, Regex, digit_value, is_digit, is_space};
use crate::judge::text::quoted;

/// The maximum size of a regular expression in bytes. A variable can hold any part of the output and occur many
/// times.
const MOST_BYTES: usize = 1 << 20;

/// The cost, in steps, of parsing one byte of a regular expression.
const STEPS_PER_BYTE: usize = 8;

/// The maximum number of digits that Python converts to text.
const MOST_DIGITS: usize = 4300;

/// The values of variables. A numeric capture without a name sets the key `None`, which is never read.
pub(super) type Variables = HashMap<Option<String>, Value>;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, or a number in decimal.
    Text(String),
    /// A number with more digits than Python converts.
    TooLong,
}

/// Why a directive cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Its pattern is unusable.
    Unusable(String),
    /// Matching takes too long.
    Exhausted,
}

impl From<Exhausted> for Problem {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

fn unusable<T>(why: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Unusable(why.into()))
}

/// A directive's regular expression, and the groups that set variables.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    captures: Vec<Capture>,
}

#[derive(Clone, Debug)]
struct Capture {
    name: Option<String>,
    group: usize,
    value: ValueKind,
}

/// Compiles pieces. `start`, a regular expression without groups, precedes them.
pub(super) fn compile(
    start: &str,
    pieces: &[Piece],
    variables: &Variables,
    budget: &mut Budget,
) -> Result<Pattern, Problem> {
    let mut source = String::from(start);
    let mut captures: Vec<Capture> = Vec::new();
    // As counted by filecheck, which is not always the true number.
    let mut groups = 0;
    for piece in pieces {
        match piece {
            Piece::Literal(text) => source.push_str(&with_any_space(text)),
            Piece::Regex(regex) => {
                groups += count_groups(regex);
                if regex.contains('|') {
                    source.extend(["(", regex, ")"]);
                    groups += 1;
                } else {
                    source.push_str(regex);
                }
            }
            Piece::Capture { name, regex, value } => {
                let capture = Capture { name: name.clone(), group: groups + 1, value: *value };
                match captures.iter_mut().find(|before| before.name == *name) {
                    Some(before) => *before = capture,
                    None => captures.push(capture),
                }
                source.extend(["(", regex, ")"]);
                groups += count_groups(regex) + 1;
            }
            Piece::Variable(name) => {
                let name = Some(name.clone());
                if let Some(here) = captures.iter().find(|capture| capture.name == name) {
                    source.push_str(&format!("\\{}", here.group));
                    continue;
                }
                match (variables.get(&name), name) {
                    (Some(Value::Text(text)), _) => source.push_str(&escape(text)),
                    (Some(Value::TooLong), name) => {
                        return unusable(format!(
                            "the number {} has too many digits",
                            name.unwrap_or_default()
                        ));
                    }
                    (None, name) => {
                        return unusable(format!("the variable {} is not set", name.unwrap_or_default()));
                    }
                }
            }
            Piece::Expression(block) => {
                return unusable(format!("filecheck 1.0.1 cannot compute {}", quoted(Some(block))));
            }
        }
        if source.len() > MOST_BYTES {
            return unusable("its regular expression has more than 1 MiB, which is not supported");
        }
    }
    budget.spend(source.len() * STEPS_PER_BYTE)?;
    match Regex::new(&source) {
        Ok(regex) => Ok(Pattern { regex, captures }),
        Err(why) => unusable(format!("the regular expression {}: {why}", quoted(Some(&source)))),
    }
}

impl Pattern {
    /// Sets the variables captured by a match.
    pub(super) fn set(&self, found: &Found, text: &str, variables: &mut Variables) -> Result<(), Problem> {
        for Capture { name, group, value } in &self.captures {
            let Some(held) = found.group(text, *group) else {
                return unusable("filecheck 1.0.1 miscounts the groups of its regular expression");
            };
            let value = match (value, held) {
                // Python's `None`, as text.
                (ValueKind::Text, held) => Some(Value::Text(held.unwrap_or("None").into())),
                (ValueKind::Decimal, held) => held.and_then(decimal),
                (ValueKind::Hex, held) => held.and_then(hex),
            };
            match value {
                Some(value) => variables.insert(name.clone(), value),
                None => return unusable(format!("it captures {}, which is no number", quoted(held))),
            };
        }
        Ok(())
    }
}

/// Python's `int(text)`, converted to decimal.
fn decimal(text: &str) -> Option<Value> {
    let (minus, digits) = digits(text, 10)?;
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let written: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    Some(Value::Text(signed(minus, written.trim_start_matches('0'))))
}

/// Python's `int(text, 16)`, converted to decimal.
fn hex(text: &str) -> Option<Value> {
    const BILLION: u64 = 1_000_000_000;
    let (minus, digits) = digits(text, 16)?;
    let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
    if digits.len() - zeros > MOST_DIGITS {
        return Some(Value::TooLong);
    }
    // Nine digits in each, least significant first.
    let mut parts: Vec<u64> = vec![0];
    for digit in &digits[zeros..] {
        let mut carry = u64::from(*digit);
        for part in &mut parts {
            let value = *part * 16 + carry;
            (*part, carry) = (value % BILLION, value / BILLION);
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let written: String = parts.iter().rev().map(|part| format!("{part:09}")).collect();
    let written = written.trim_start_matches('0');
    Some(if written.len() > MOST_DIGITS { Value::TooLong } else { Value::Text(signed(minus, written)) })
}

fn signed(minus: bool, digits: &str) -> String {
    match digits {
        "" => "0".into(),
        digits if minus => format!("-{digits}"),
        digits => digits.into(),
    }
}

/// The sign (true: negative) and the digits of a number in Python's syntax: surrounding whitespace, a sign, `0x`
/// before hexadecimal digits, and `_` between two digits.
fn digits(text: &str, radix: u32) -> Option<(bool, Vec<u8>)> {
    let text = text.trim_matches(is_space);
    let (minus, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).filter(|_| radix == 16) {
        Some(text) => text.strip_prefix('_').unwrap_or(text),
        None => text,
    };
    let digit = |c: char| match c.to_digit(radix) {
        Some(digit) => u8::try_from(digit).ok(),
        None => is_digit(c).then(|| digit_value(c)),
    };
    let mut found = Vec::new();
    for part in text.split('_') {
        let before = found.len();
        for c in part.chars() {
            found.push(digit(c)?);
        }
        if found.len() == before {
            return None;
        }
    }
    Some((minus, found))
}

/// The number of groups by filecheck's count: non-overlapping matches of `^\(|[^\\]\(`.
fn count_groups(regex: &str) -> usize {
    let mut count = 0;
    let mut taken = 0;
    for (at, _) in regex.match_indices('(') {
        if at == 0 || at > taken && !regex[..at].ends_with('\\') {
            count += 1;
            taken = at + 1;
        }
    }
    count
}

/// Escaped text in which a space matches any whitespace.
fn with_any_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split(' ').enumerate() {
        if i > 0 && !out.ends_with(ANY_SPACE) {
            out.push_str(ANY_SPACE);
        }
        out.push_str(&escape(part));
    }
    out
}

const ANY_SPACE: &str = r"\s+";

/// Python's `re.escape`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\t'..='\r' | ' ' | '#' | '$' | '&' | '('..='+' | '-' | '.' | '?' | '['..='^' | '{'..='~')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
