//! Directives in a test's source: comments that say how to run it.
//!
//! They count wherever they stand, in the middle of a line too (`+// Flags: --x`): V8's expressions are searched for
//! in the whole text. Sources are bytes; some are not UTF-8.

use std::collections::BTreeMap;

use crate::syntax::text::shlex;
use crate::v8::dialect::Directives;

/// What a source's directives say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundDirectives {
    /// `// Flags:`: the words of all of them, in order. They may be bare words, and a `--` among them.
    pub flags: Vec<String>,
    /// `// Files:`: the words of all of them.
    pub files: Vec<String>,
    /// `// Environment Variables:`: of the first one only.
    pub env: BTreeMap<String, String>,
    /// `// Env: TEST_FILE_NAME`
    pub file_name: bool,
    /// `// NO HARNESS`, alone on its line.
    pub no_harness: bool,
    /// `// MODULE`, alone on its line.
    pub module: bool,
}

/// Python's `\s` in bytes.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// What the directives of `source` say, of those that the suite knows (V8 9.2 `objects/testcase.py` and the
/// suites' `testcfg.py`: `//\s+Flags:(.*)` and its like; blanks may be line ends, `.` excludes `\n` alone).
///
/// Flags may be quoted as for a shell if `quoted` (not before V8 6).
///
/// # Errors
/// A directive that makes no sense: an open quote in flags, a variable without its `=`.
pub fn directives(source: &[u8], known: Directives, quoted: bool) -> Result<FoundDirectives, String> {
    let mut found = FoundDirectives::default();
    // Each directive takes the rest of its line; another of its own kind does not begin within.
    let (mut flags_end, mut files_end, mut env_seen) = (0, 0, false);
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&source[from..], b"//").map(|offset| from + offset) {
        // `///` holds two places where a comment may begin.
        from = at + 1;
        let blanks = source[at + 2..].iter().take_while(|byte| is_space(**byte)).count();
        if blanks == 0 {
            continue;
        }
        let start = at + 2 + blanks;
        let rest = &source[start..];
        match rest.first() {
            Some(b'F') if known.flags && at >= flags_end && rest.starts_with(b"Flags:") => {
                let text = line(rest, b"Flags:".len());
                flags_end = start + b"Flags:".len() + text.len();
                let text = lossy(text);
                if quoted {
                    let words =
                        shlex::split(&text).map_err(|e| format!("cannot split its flags '{text}': {e}"))?;
                    found.flags.extend(words);
                } else {
                    found.flags.extend(text.split_whitespace().map(String::from));
                }
            }
            Some(b'F') if known.files && at >= files_end && rest.starts_with(b"Files:") => {
                let text = line(rest, b"Files:".len());
                files_end = start + b"Files:".len() + text.len();
                found.files.extend(words(text));
            }
            Some(b'E') if known.env && !env_seen && rest.starts_with(b"Environment Variables:") => {
                env_seen = true;
                for pair in words(line(rest, b"Environment Variables:".len())) {
                    match pair.split_once('=') {
                        Some((name, value)) if !value.contains('=') => {
                            found.env.insert(name.into(), value.into());
                        }
                        _ => {
                            return Err(format!(
                                "its environment variable '{pair}' is not of the form NAME=value"
                            ));
                        }
                    }
                }
            }
            Some(b'E') if known.file_name && rest.starts_with(b"Env: TEST_FILE_NAME") => {
                found.file_name = true;
            }
            Some(b'N') => found.no_harness |= is_line(source, at, b"// NO HARNESS"),
            Some(b'M') if known.module => found.module |= is_line(source, at, b"// MODULE"),
            _ => {}
        }
    }
    Ok(found)
}

/// The text behind the first `skip` bytes, up to the line's end.
fn line(rest: &[u8], skip: usize) -> &[u8] {
    let rest = &rest[skip..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Whether the text at `at` is a whole line. A `\r` before the line's end counts as part of it.
fn is_line(source: &[u8], at: usize, text: &[u8]) -> bool {
    let begins = at == 0 || source[at - 1] == b'\n';
    begins && source[at..].strip_prefix(text).is_some_and(|rest| matches!(rest.first(), None | Some(b'\n')))
}

/// The text without blanks around it.
fn lossy(text: &[u8]) -> String {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    String::from_utf8_lossy(&text[start..end]).into_owned()
}

/// The words between blanks.
fn words(text: &[u8]) -> impl Iterator<Item = String> + '_ {
    text.split(|byte| is_space(*byte))
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Directives = Directives {
        flags: true,
        files: true,
        env: true,
        file_name: true,
        module: true,
        meta: true,
        quoted: false,
    };

    fn read(source: &str) -> FoundDirectives {
        directives(source.as_bytes(), ALL, true).unwrap()
    }

    #[test]
    fn flags_of_all_lines_count_in_order() {
        let found =
            read("// Flags: --a --b='x y'\r\ncode(); // Flags: --c\n///\tFlags:-- 1 2 \n//\n\n Flags: --d");
        assert_eq!(found.flags, ["--a", "--b=x y", "--c", "--", "1", "2", "--d"]);
    }

    #[test]
    fn a_directive_takes_the_rest_of_its_line() {
        let found = read("// Flags: --a // Flags: --b // Files: c d\n");
        assert_eq!(found.flags, ["--a", "//", "Flags:", "--b", "//", "Files:", "c", "d"]);
        assert_eq!(found.files, ["c", "d"]);
    }

    #[test]
    fn what_is_nearly_a_directive_is_none() {
        let found = read(
            "//Flags: --a\n// flags: --b\n/ / Flags: --c\n// Flags --d\n // NO HARNESS\n// NO HARNESS x\n// MODULE\r\n",
        );
        assert_eq!(found, FoundDirectives::default());
    }

    #[test]
    fn whole_line_directives_count_on_lines_of_their_own() {
        assert!(read("// NO HARNESS").no_harness);
        assert!(read("x\n// MODULE\ny").module);
        assert!(!directives(b"// MODULE", Directives { module: false, ..ALL }, true).unwrap().module);
    }

    #[test]
    fn the_first_environment_counts() {
        let found =
            read("// Environment Variables: TZ=Europe/Rome LC_ALL=de\n// Environment Variables: A=b\n");
        let expected = [("TZ", "Europe/Rome"), ("LC_ALL", "de")].map(|(a, b)| (a.to_string(), b.to_string()));
        assert_eq!(found.env, BTreeMap::from(expected));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |source: &str| directives(source.as_bytes(), ALL, true).unwrap_err();
        assert_eq!(
            refused("// Flags: --a 'b"),
            "cannot split its flags '--a 'b': a quotation mark is not closed"
        );
        assert_eq!(
            refused("// Environment Variables: A"),
            "its environment variable 'A' is not of the form NAME=value"
        );
    }

    #[test]
    fn sources_need_not_be_utf8() {
        let found = directives(b"\xff// Flags: --a\n// Env: TEST_FILE_NAME \xff", ALL, true).unwrap();
        assert_eq!(found.flags, ["--a"]);
        assert!(found.file_name);
    }

    #[test]
    fn flags_are_not_quoted_in_classic_trees() {
        let found = directives(b"// Flags: --a 'b c'", ALL, false).unwrap();
        assert_eq!(found.flags, ["--a", "'b", "c'"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(source in any::<Vec<u8>>()) {
            let _ = directives(&source, ALL, true);
        }

        #[test]
        fn flags_are_found_wherever_they_stand(before in "[ -.0-~\n]{0,40}", flag in "--[a-z]{1,8}", after in "[ -.0-~]{0,20}") {
            // The text around holds no slash, so it cannot hold directives of its own.
            let found = read(&format!("{before}// Flags: {flag}\n{after}"));
            prop_assert_eq!(found.flags, [flag]);
        }
    }
}
