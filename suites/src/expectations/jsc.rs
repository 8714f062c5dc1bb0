//! The expectations of JavaScriptCore's `test262-runner` (WebKit `JSTests/test262/expectations.yaml`): tests that fail, each
//! with the modes in which they do. Of YAML that is two levels of keys.

use std::path::Path;

use super::entries::{Entry, EntryFile, Half, Naming};
use super::outcomes::Outcomes;
use crate::syntax::python::{Diagnostic, Problem};

/// The exit code by which the runner says that a signal ended the shell, less its number.
const SIGNALS: u32 = 128;
/// SIGABRT, which is an ordinary failure here, as in V8's runners.
const ABORTED: u32 = SIGNALS + 6;
/// The exit code by which it says that the shell could not run the test, or took too long.
const NOT_RUN: u32 = 1;

/// Reads a file of such expectations.
///
/// # Errors
/// A line that is none of them, with its position.
pub fn read(path: &Path, text: &str, naming: Naming) -> Result<EntryFile, Diagnostic> {
    let mut file = EntryFile::new(path, naming);
    let mut test: Option<&str> = None;
    let mut start = 0;
    for (number, line) in (1..).zip(text.split('\n')) {
        let refuse = |message: &str| Problem::new(start, message).located(path, text);
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') || content == "---" {
            // Nothing is said.
        } else if !line.starts_with([' ', '\t']) {
            let name = content.strip_suffix(':').map(|name| name.trim_matches(['\'', '"']));
            test = Some(name.filter(|name| !name.is_empty()).ok_or_else(|| refuse("expected `TEST:`"))?);
        } else {
            let (mode, result) = content.split_once(':').ok_or_else(|| refuse("expected `MODE: RESULT`"))?;
            let half = match mode {
                "default" => Some(Half::Sloppy),
                "strict mode" => Some(Half::Strict),
                // Such tests have no other.
                "module" | "raw" => None,
                _ => {
                    return Err(refuse(
                        "expected one of the modes `default`, `strict mode`, `module`, `raw`",
                    ));
                }
            };
            let name = test.ok_or_else(|| refuse("a mode of no test"))?;
            file.entries.push(Entry { half, ..Entry::new(name, number, outcomes(result.trim())) });
        }
        start += line.len() + 1;
    }
    Ok(file)
}

/// What a result means: an exit code, or, in older files, what the shell printed.
fn outcomes(result: &str) -> Outcomes {
    match result.parse() {
        Ok(NOT_RUN) => Outcomes::FAIL | Outcomes::TIMEOUT,
        Ok(code) if code > SIGNALS && code != ABORTED => Outcomes::CRASH,
        _ => Outcomes::FAIL,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> Result<EntryFile, String> {
        read(Path::new("e.yaml"), text, Naming::Across).map_err(|e| e.to_string())
    }

    #[test]
    fn tests_fail_in_the_modes_that_are_named() {
        let text = "# about\n---\ntest/a.js:\n  default: 3\n  strict mode: 139\n'test/b.js':\r\n  module: 134\n\
                    test/c.js:\n  default: 'Test262Error: x: y'\ntest/d.js:\n  raw: 1\n";
        let shown =
            |entry: &Entry| format!("{} {} {} {:?}", entry.line, entry.text, entry.outcomes, entry.half);
        let shown: Vec<String> = file(text).unwrap().entries.iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "4 test/a.js FAIL Some(Sloppy)",
                "5 test/a.js CRASH Some(Strict)",
                "7 test/b.js FAIL None",
                "9 test/c.js FAIL Some(Sloppy)",
                "11 test/d.js FAIL, TIMEOUT None",
            ]
        );
    }

    #[test]
    fn what_is_something_else_is_refused_with_its_place() {
        for (text, error) in [
            ("test/a.js\n", "e.yaml:1:1: expected `TEST:`"),
            ("---\n  default: 3\n", "e.yaml:2:1: a mode of no test"),
            ("a:\n  sloppy: 3\n", "e.yaml:2:1: expected one of the modes `default`"),
            ("a:\n  default\n", "e.yaml:2:1: expected `MODE: RESULT`"),
        ] {
            let said = file(text).unwrap_err();
            assert!(said.starts_with(error), "{said}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([a-z: #'\n-]|default|\n  ){0,40}") {
            let _ = file(&text);
        }
    }
}
