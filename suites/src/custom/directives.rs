//! What a test's source says of how it runs: comments of a kind that the suite names.

use std::collections::BTreeMap;

use crate::syntax::text::shlex;

/// What the directives of a source say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomDirectives {
    /// `Flags:`, all of them in order.
    pub flags: Vec<String>,
    /// `Files:`, relative to the directory of the tests.
    pub files: Vec<String>,
    /// `Environment Variables:` or `Env:`.
    pub env: BTreeMap<String, String>,
    /// `Exit-Code:`
    pub exit_code: Option<i32>,
}

/// Reads the directives of a source: lines that begin with the comment's sign. Each takes the rest of its line, split as by
/// a shell.
///
/// # Errors
/// A directive that makes no sense, with its line.
pub fn read(source: &[u8], comment: &str) -> Result<CustomDirectives, String> {
    let mut found = CustomDirectives::default();
    for (number, line) in (1..).zip(source.split(|byte| *byte == b'\n')) {
        let line = String::from_utf8_lossy(line);
        let Some(text) = line.trim_start().strip_prefix(comment) else { continue };
        let Some((key, value)) = text.trim().split_once(':') else { continue };
        let words = || shlex::split(value.trim()).map_err(|why| format!("line {number}: {key}: {why}"));
        match key {
            "Flags" => found.flags.extend(words()?),
            "Files" => found.files.extend(words()?),
            "Env" | "Environment Variables" => {
                for word in words()? {
                    let pair = word.split_once('=').filter(|(name, _)| !name.is_empty());
                    let (name, value) =
                        pair.ok_or_else(|| format!("line {number}: '{word}' is not of the form NAME=value"))?;
                    found.env.insert(name.into(), value.into());
                }
            }
            "Exit-Code" => {
                let code = value.trim().parse::<u8>();
                let none = |_| format!("line {number}: '{}' is no exit code", value.trim());
                found.exit_code = Some(code.map(i32::from).map_err(none)?);
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_of_the_suites_kind_are_read() {
        let source = b"# Flags: --a 'b c'\n  #Flags: --d\r\n// Flags: --no\n# Files: lib/x.js\n# Env: A=1 B=\n# Exit-Code: 3\n# \xff";
        let found = read(source, "#").unwrap();
        assert_eq!(found.flags, ["--a", "b c", "--d"]);
        assert_eq!(found.files, ["lib/x.js"]);
        assert_eq!(
            found.env.into_iter().collect::<Vec<_>>(),
            [("A".into(), "1".into()), ("B".into(), String::new())]
        );
        assert_eq!(found.exit_code, Some(3));
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        let refused = |source: &str| read(source.as_bytes(), "//").unwrap_err();
        assert_eq!(refused("\n// Flags: 'a"), "line 2: Flags: a quotation mark is not closed");
        assert_eq!(refused("// Env: A"), "line 1: 'A' is not of the form NAME=value");
        assert_eq!(refused("// Exit-Code: many"), "line 1: 'many' is no exit code");
    }

    proptest! {
        #[test]
        fn any_source_is_read_or_refused(source in any::<Vec<u8>>(), comment in "[#/;-]{1,2}") {
            let _ = read(&source, &comment);
        }
    }
}
