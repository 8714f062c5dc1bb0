//! The pieces of a CHECK line (filecheck 1.0.1 `parser.py` and `regex.py`).

use std::sync::LazyLock;

use regex::Regex;

use crate::judge::text::quoted;

/// A piece of a directive's pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text; a space matches any whitespace.
    Literal(String),
    /// `{{regex}}`
    Regex(String),
    /// `[[NAME:regex]]`, `[[#NAME:]]`: sets a variable. `[[#]]` has no name.
    Capture {
        /// The name of the variable.
        name: Option<String>,
        /// The values that it can capture.
        regex: String,
        /// How the captured text is converted.
        value: ValueKind,
    },
    /// `[[NAME]]`, `[[#NAME]]`: the value of the variable.
    Variable(String),
    /// `[[#NAME+1]]`, which filecheck 1.0.1 does not support.
    Expression(String),
}

/// How captured text is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// Not converted.
    Text,
    /// As a decimal number.
    Decimal,
    /// As a hexadecimal number.
    Hex,
}

static SEPARATOR: LazyLock<Regex> = LazyLock::new(|| constant_regex(r"\{\{|\[\[\$?[#a-zA-Z_]|\]|\}"));

static CAPTURE: LazyLock<Regex> =
    LazyLock::new(|| constant_regex(r"^\[\[(\$?[a-zA-Z_][a-zA-Z0-9_]*):([^\n]*)\]\]$"));

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| constant_regex(r"^\[\[(\$?[a-zA-Z_][a-zA-Z0-9_]*)\]\]$"));

static EXPRESSION: LazyLock<Regex> =
    LazyLock::new(|| constant_regex(r"^\[\[#(\$?[a-zA-Z_][a-zA-Z0-9_]*)([a-z0-9 +\-()]*)\]\]$"));

/// A name has two characters at least: so it is in filecheck.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    constant_regex(r"^\[\[#(?:%(?:\.([0-9]+))?([udxX])?,)?(?:(\$?[a-zA-Z_][a-zA-Z0-9_]+):\d*)?\]\]$")
});

static POSIX: LazyLock<Regex> = LazyLock::new(|| {
    constant_regex(
        r"\[:(alpha|upper|lower|digit|alnum|xdigit|space|blank|print|punct|graph|word|ascii|cntrl):\]",
    )
});

#[expect(clippy::expect_used, reason = "constant patterns, compiled by the tests of this file")]
fn constant_regex(source: &str) -> Regex {
    Regex::new(source).expect("a constant pattern")
}

/// The pieces of the text after the colon.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut parts = split_at_separators(text).into_iter();
    let mut pieces = Vec::new();
    while let Some(part) = parts.next() {
        let mut whole = part.to_owned();
        if part.starts_with("[[") {
            // As filecheck counts brackets: up to the one that closes both, or beyond it.
            let mut open = 2_i64;
            while open > 0 {
                let part = parts.next().ok_or_else(|| format!("{} has no ]]", quoted(Some(&whole))))?;
                let count = |what: &str| part.matches(what).count() as i64;
                open += count("[") - count("\\[") - count("]");
                whole.push_str(part);
            }
            pieces.push(substitution(&whole)?);
        } else if part == "{{" {
            while !whole.ends_with("}}") {
                let part = parts.next().ok_or_else(|| format!("{} has no }}}}", quoted(Some(&whole))))?;
                whole.push_str(part);
            }
            pieces.push(Piece::Regex(to_python_regex(&whole[2..whole.len() - 2])?));
        } else if !part.is_empty() {
            pieces.push(Piece::Literal(whole));
        }
    }
    Ok(pieces)
}

/// Python's `re.split` keeping the separators: text and separators alternate.
fn split_at_separators(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = 0;
    for separator in SEPARATOR.find_iter(text) {
        parts.extend([&text[rest..separator.start()], separator.as_str()]);
        rest = separator.end();
    }
    parts.push(&text[rest..]);
    parts
}

fn substitution(block: &str) -> Result<Piece, String> {
    if let Some((_, [name, regex])) = CAPTURE.captures(block).map(|found| found.extract()) {
        return Ok(Piece::Capture {
            name: Some(name.into()),
            regex: to_python_regex(regex)?,
            value: ValueKind::Text,
        });
    }
    if let Some((_, [name])) = VARIABLE.captures(block).map(|found| found.extract()) {
        return Ok(Piece::Variable(name.into()));
    }
    if let Some((_, [name, rest])) = EXPRESSION.captures(block).map(|found| found.extract()) {
        return Ok(match rest.trim() {
            "" => Piece::Variable(name.into()),
            _ => Piece::Expression(block.into()),
        });
    }
    let Some(found) = NUMBER.captures(block) else {
        return Err(format!("{} is no substitution that filecheck 1.0.1 knows", quoted(Some(block))));
    };
    let part = |group| found.get(group).map(|part| part.as_str());
    let (digit, value) = match part(2) {
        None | Some("u") => (r"\d", ValueKind::Decimal),
        Some("d") => (r"[+-]?\d", ValueKind::Decimal),
        Some("x") => ("[a-f0-9]", ValueKind::Hex),
        Some(_) => ("[A-F0-9]", ValueKind::Hex),
    };
    let regex = match part(1) {
        Some(digits) => format!("{digit}{{{digits}}}"),
        None => format!("{digit}+"),
    };
    Ok(Piece::Capture { name: part(3).map(Into::into), regex, value })
}

/// Translates POSIX classes, `[^...]` (which excludes newlines) and `\V` (a value of MLIR) into Python's regular
/// expressions.
fn to_python_regex(regex: &str) -> Result<String, String> {
    let mut out = regex.to_owned();
    while let Some((whole, [class])) = POSIX.captures(&out).map(|found| found.extract()) {
        let set = match class {
            "alpha" => "A-Za-z",
            "upper" => "A-Z",
            "lower" => "a-z",
            "digit" => "0-9",
            "alnum" => "A-Za-z0-9",
            "xdigit" => "A-Fa-f0-9",
            "space" => r"\s",
            "blank" => r" \t",
            _ => return Err(format!("filecheck 1.0.1 does not know {whole}")),
        };
        out = out.replace(whole, set);
    }
    // filecheck 1.0.1 intends to make this optional, but always does it.
    Ok(exclude_newlines(&out).replace(r"\V", r"%([0-9]+|[A-Za-z_.$-][A-Za-z_.$0-9-]*)(#\d+)?"))
}

/// Adds `\n` to negated sets where filecheck 1.0.1's own pattern `([^\\]|^)\[\^((?!\\n))` finds them: after a
/// character that is neither a backslash nor part of the previous match.
fn exclude_newlines(regex: &str) -> String {
    let mut out = String::with_capacity(regex.len());
    let mut taken = 0;
    for (at, set) in regex.match_indices("[^") {
        let free = at == 0 || at > taken && !regex[..at].ends_with('\\');
        if free && !regex[at..].starts_with("[^\\n") {
            out.push_str(&regex[taken..at]);
            out.push_str("[^\\n");
            taken = at + set.len();
        }
    }
    out.push_str(&regex[taken..]);
    out
}
