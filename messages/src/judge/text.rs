//! Text split and stripped as in V8's runners (Python 2 byte strings).

/// Whitespace in Python's byte strings: ASCII whitespace plus the vertical tab.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// `str.strip()`.
pub(super) fn strip(line: &str) -> &str {
    line.trim_matches(is_space)
}

/// `str.rstrip()`.
pub(super) fn rstrip(line: &str) -> &str {
    line.trim_end_matches(is_space)
}

/// Whether a text has only whitespace.
pub(super) fn is_blank(text: &str) -> bool {
    strip(text).is_empty()
}

/// `str.splitlines()`: lines end at `\n`, `\r` or `\r\n`; a final line ending does not begin another line.
pub(super) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = match &rest[end..] {
            after if after.starts_with("\r\n") => &after[2..],
            after if !after.is_empty() => &after[1..],
            after => after,
        };
        Some(line)
    })
}

/// A line as shown in a failure's explanation: quoted, and shortened to fit a terminal.
pub(super) fn quoted(line: Option<&str>) -> String {
    const SHOWN_CHARS: usize = 120;
    match line {
        None => "nothing".into(),
        Some(line) if line.chars().count() > SHOWN_CHARS => {
            format!("{:?}...", line.chars().take(SHOWN_CHARS).collect::<String>())
        }
        Some(line) => format!("{line:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_as_in_python() {
        let split = |text| split_lines(text).collect::<Vec<_>>();
        assert_eq!(split("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(split("a\n\n"), ["a", ""]);
        assert_eq!(split(""), Vec::<&str>::new());
    }

    #[test]
    fn strip_knows_the_vertical_tab() {
        assert_eq!(strip("\x0b a \x0c"), "a");
        assert_eq!(rstrip(" a\t"), " a");
    }
}
