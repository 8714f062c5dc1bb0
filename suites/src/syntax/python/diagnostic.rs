//! Where in a file something is wrong, shown the way compilers show it.

use std::fmt;
use std::path::{Path, PathBuf};

/// How much of a long line is shown on either side of the position, in characters.
const SHOWN: usize = 70;

/// What is wrong and where: a byte offset into text that the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong, for people.
    pub message: String,
}

impl Problem {
    /// A problem at this byte offset.
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// The problem with its file, line and column. An offset past the end counts as the end.
    pub fn located(self, file: &Path, text: &str) -> Diagnostic {
        let mut at = self.at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        Diagnostic {
            file: file.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[start..at].chars().count() + 1,
            text: text[start..end].trim_end_matches('\r').into(),
            message: self.message,
        }
    }
}

/// A problem in a file that a person wrote. Its text is the position and the message, the line, and a caret:
///
/// ```text
/// test/mjsunit/mjsunit.status:12:9: unknown outcome 'FIAL'; did you mean 'FAIL'?
///     'a': [FIAL],
///           ^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line's text, without its end.
    pub text: String,
    /// What is wrong.
    pub message: String,
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, text, message } = self;
        write!(f, "{}:{line}:{column}: {message}", file.display())?;
        let before = column - 1;
        let skipped = before.saturating_sub(SHOWN);
        let shown: String = text
            .chars()
            .skip(skipped)
            .take(before - skipped + SHOWN)
            .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
            .collect();
        // Tabs stay tabs below tabs, so that the caret stands right whatever their width.
        let indent: String =
            shown.chars().take(before - skipped).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        write!(f, "\n    {shown}\n    {indent}^")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_position() {
        let text = "a\n\tbé x\n";
        let shown = Problem::new(text.find('x').unwrap(), "wrong").located(Path::new("f"), text).to_string();
        assert_eq!(shown, "f:2:5: wrong\n    \tbé x\n    \t   ^");
    }

    #[test]
    fn long_lines_are_cut_around_the_position() {
        let text = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let shown = Problem::new(500, "wrong").located(Path::new("f"), &text).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1].find('!'), lines[2].find('^'));
        assert!(lines[1].len() < 160);
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let found = Problem::new(99, "wrong").located(Path::new("f"), "a\nb");
        assert_eq!((found.line, found.column), (2, 2));
    }
}
