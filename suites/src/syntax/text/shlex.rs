//! Words as a POSIX shell would split them: Python's `shlex.split`.

/// Why a text cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A quotation mark without its partner.
    #[error("a quotation mark is not closed")]
    OpenQuote,
    /// Nothing follows the last backslash.
    #[error("nothing follows the backslash at the end")]
    OpenEscape,
}

/// Splits as Python's `shlex.split(text)` does: at blanks, tabs and line ends; quotes and backslashes as in a POSIX
/// shell, except that nothing is expanded and `#` begins no comment.
///
/// The crate `shlex` (2.0) splits as a shell does, which is not what V8's runner does with the same text: it fails
/// the rows of the table below that are marked. To alter its input so that it does not fail them, the text would have
/// to be split first.
///
/// # Errors
/// An open quote, or a backslash at the end.
pub fn split(text: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    // `None` between words: an empty pair of quotes is a word, nothing is none.
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let next = chars.next().ok_or(SplitError::OpenEscape)?;
                word.get_or_insert_default().push(next);
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(SplitError::OpenQuote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(SplitError::OpenQuote)? {
                        '"' => break,
                        // Within double quotes a backslash is special before `"` and itself only.
                        '\\' => match chars.next().ok_or(SplitError::OpenEscape)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_as_in_python() {
        for (text, words) in [
            ("--a --b=1  -- 1\t2", vec!["--a", "--b=1", "--", "1", "2"]),
            ("--embed 'function f() {}' \"a b\"c", vec!["--embed", "function f() {}", "a bc"]),
            (r#"a\ b "\"\\\n" '\n'"#, vec!["a b", r#""\\n"#, r"\n"]),
            ("'' x\"\"", vec!["", "x"]),
            // Not so in the crate `shlex`: a comment, "a\r", "$x `", "ab", "ab".
            ("a#b #c", vec!["a#b", "#c"]),
            ("a\r\nb", vec!["a", "b"]),
            (r#""\$x \`""#, vec![r"\$x \`"]),
            ("a\\\nb", vec!["a\nb"]),
            ("\"a\\\nb\"", vec!["a\\\nb"]),
            // The same in both.
            ("a\x0bb", vec!["a\x0bb"]),
            (" ", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
    }

    #[test]
    fn what_is_open_is_refused() {
        assert_eq!(split("a 'b"), Err(SplitError::OpenQuote));
        assert_eq!(split("a \"b\\\""), Err(SplitError::OpenQuote));
        assert_eq!(split("a\\"), Err(SplitError::OpenEscape));
        assert_eq!(split("\"a\\"), Err(SplitError::OpenEscape));
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(words in prop::collection::vec(any::<String>(), 0..5)) {
            let quoted: Vec<String> =
                words.iter().map(|word| format!("'{}'", word.replace('\'', "'\"'\"'"))).collect();
            prop_assert_eq!(split(&quoted.join(" ")).unwrap(), words);
        }

        #[test]
        fn any_text_is_split_or_refused(text in any::<String>()) {
            let _ = split(&text);
        }
    }
}
