//! From Python text to tokens.

use super::diagnostic::Problem;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A name or a keyword.
    Name(&'a str),
    /// A string literal's value, escapes resolved.
    Str(String),
    /// A number as written.
    Number(&'a str),
    /// An operator or bracket, or any character that begins nothing else.
    Op(&'a str),
    /// The end of a logical line: none within brackets, none for blank lines.
    Newline,
    /// The end of the text; always the last token, and there only.
    End,
}

/// A token and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<'a> {
    /// The token.
    pub token: Token<'a>,
    /// Its byte offset.
    pub at: usize,
}

/// Operators of more than one character; longer ones first.
const LONG_OPS: [&str; 18] = [
    "**=", "//=", "==", "!=", "<=", ">=", "->", "**", "//", "+=", "-=", "*=", "/=", "%=", "|=", "&=", ":=",
    "<<",
];

/// All tokens of `text`.
///
/// # Errors
/// A string that is not closed.
pub fn tokenize(text: &str) -> Result<Vec<Spanned<'_>>, Problem> {
    tokens(text, true)
}

/// All tokens of a program for Python 2, in whose strings `\u` is no escape.
///
/// # Errors
/// As [`tokenize`].
pub fn tokenize_python2(text: &str) -> Result<Vec<Spanned<'_>>, Problem> {
    tokens(text, false)
}

fn tokens(text: &str, unicode: bool) -> Result<Vec<Spanned<'_>>, Problem> {
    let mut tokens: Vec<Spanned<'_>> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        match c {
            '\n' => {
                let open = matches!(tokens.last(), Some(Spanned { token, .. }) if *token != Token::Newline);
                if depth == 0 && open {
                    tokens.push(Spanned { token: Token::Newline, at });
                }
                at += 1;
            }
            '#' => at += rest.find('\n').unwrap_or(rest.len()),
            // A backslash joins lines; elsewhere it is no Python, and ignoring it harms no data.
            '\\' => {
                at +=
                    if rest.starts_with("\\\r\n") { 3 } else { 1 + usize::from(rest[1..].starts_with('\n')) }
            }
            c if c.is_whitespace() || c == '\u{feff}' => at += c.len_utf8(),
            c if c.is_alphabetic() || c == '_' || c == '"' || c == '\'' => {
                let word =
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(rest, |end| &rest[..end]);
                if let Some(raw) = string_prefix(word)
                    && rest[word.len()..].starts_with(['"', '\''])
                {
                    let (value, len) = string(&rest[word.len()..], raw, unicode)
                        .map_err(|message| Problem::new(at, message))?;
                    tokens.push(Spanned { token: Token::Str(value), at });
                    at += word.len() + len;
                } else {
                    tokens.push(Spanned { token: Token::Name(word), at });
                    at += word.len();
                }
            }
            c if c.is_ascii_digit() => {
                let len = rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))
                    .unwrap_or(rest.len());
                tokens.push(Spanned { token: Token::Number(&rest[..len]), at });
                at += len;
            }
            c => {
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                let op = LONG_OPS.iter().find(|op| rest.starts_with(**op));
                let len = op.map_or(c.len_utf8(), |op| op.len());
                tokens.push(Spanned { token: Token::Op(&rest[..len]), at });
                at += len;
            }
        }
    }
    tokens.push(Spanned { token: Token::End, at });
    Ok(tokens)
}

/// Whether `word` may stand before a quote, and if so, whether the string is raw. Formatted strings are code, not
/// data: their prefix is none.
fn string_prefix(word: &str) -> Option<bool> {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "" | "u" | "b" => Some(false),
        "r" | "br" | "rb" | "ur" => Some(true),
        _ => None,
    }
}

/// The string literal at the start of `text`: its value and its length in bytes, quotes included.
fn string(text: &str, raw: bool, unicode: bool) -> Result<(String, usize), &'static str> {
    const UNCLOSED: &str = "this string is not closed";
    let quote = &text[..1];
    let triple = ["\"\"\"", "'''"].into_iter().find(|triple| text.starts_with(triple));
    let end = triple.unwrap_or(quote);
    let mut value = String::new();
    let mut at = end.len();
    loop {
        let rest = &text[at..];
        if rest.starts_with(end) {
            return Ok((value, at + end.len()));
        }
        let c = rest.chars().next().ok_or(UNCLOSED)?;
        match c {
            '\n' if triple.is_none() => return Err(UNCLOSED),
            '\\' => {
                let (text, len) = escape(rest, raw, unicode).ok_or(UNCLOSED)?;
                value.push_str(&text);
                at += len;
            }
            c => {
                value.push(c);
                at += c.len_utf8();
            }
        }
    }
}

/// The escape sequence at the start of `text`: what it stands for and its length. As in Python, a backslash before
/// anything without a meaning stands for itself.
fn escape(text: &str, raw: bool, unicode: bool) -> Option<(String, usize)> {
    let c = text[1..].chars().next()?;
    let whole = 1 + c.len_utf8();
    if raw {
        return Some((text[..whole].into(), whole));
    }
    let simple = match c {
        '\n' => return Some((String::new(), whole)),
        '\\' | '\'' | '"' => c,
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'v' => '\x0b',
        'u' if !unicode => return Some((text[..whole].into(), whole)),
        'x' | 'u' => {
            let digits = if c == 'x' { 2 } else { 4 };
            return match code_point(text.get(2..2 + digits), 16) {
                Some(c) => Some((c.into(), 2 + digits)),
                None => Some((text[..whole].into(), whole)),
            };
        }
        '0'..='7' => {
            let len = text[1..].bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            return Some((code_point(text.get(1..1 + len), 8)?.into(), 1 + len));
        }
        _ => return Some((text[..whole].into(), whole)),
    };
    Some((simple.into(), whole))
}

/// The character with this number.
fn code_point(digits: Option<&str>, radix: u32) -> Option<char> {
    let digits = digits.filter(|digits| digits.chars().all(|c| c.is_digit(radix)))?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(text: &str) -> Vec<String> {
        let tokens = tokenize(text).unwrap();
        tokens
            .into_iter()
            .filter_map(|t| match t.token {
                Token::Str(value) => Some(value),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn strings_and_their_escapes_are_pythons() {
        assert_eq!(
            strings(r#"'a' "b" '\'' "\n" '\d' '\x41' '\101' r'\n' u'x' '\u00e9'"#),
            ["a", "b", "'", "\n", "\\d", "A", "A", "\\n", "x", "é"]
        );
        assert_eq!(strings("'''a\n'b''' \"\"\"c\"\"\" '' 'a\\\nb'"), ["a\n'b", "c", "", "ab"]);
    }

    #[test]
    fn an_unclosed_string_is_a_problem_at_its_start() {
        for text in ["x = 'a\n'", "x = 'a", "x = '''a'", "x = 'a\\"] {
            assert_eq!(tokenize(text).unwrap_err().at, 4, "{text:?}");
        }
    }

    #[test]
    fn newlines_count_outside_brackets_only() {
        let count = |text| tokenize(text).unwrap().iter().filter(|t| t.token == Token::Newline).count();
        assert_eq!(count("\n\na\n\nb # c\n"), 2);
        assert_eq!(count("[a,\n b]\n"), 1);
        assert_eq!(count("a = \\\n b\n"), 1);
    }

    proptest! {
        #[test]
        fn any_text_gives_tokens_or_a_problem(text in any::<String>()) {
            match tokenize(&text) {
                Ok(tokens) => prop_assert_eq!(&tokens.last().unwrap().token, &Token::End),
                Err(problem) => prop_assert!(problem.at < text.len()),
            }
        }

        #[test]
        fn quoting_a_string_and_reading_it_gives_the_string(value in any::<String>()) {
            let quoted = format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"));
            prop_assert_eq!(strings(&quoted), [value]);
        }
    }
}
