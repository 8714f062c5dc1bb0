//! test262: the exception that d8 reports on stdout (V8 9.2 and 13.8 `outproc/test262.py`).

use std::sync::LazyLock;

use regex::Regex;

use super::exit::exit_failure;
use super::text::{quoted, strip};
use crate::outcome::Output;

/// `somefile:somelinenumber: someerror[: sometext]`; the file may begin with a drive letter.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test of this file")]
static REPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^(?:[0-9A-Za-z_]:)?[^:]*:[0-9]+: ([^: ]+?)($|: )").expect("a constant pattern")
});

/// What an asynchronous test prints when it completes.
const COMPLETE: &str = "Test262:AsyncTestComplete";

/// Why the output is wrong. `None` if it shows exactly the expected exception (or, if none is expected, a normal end)
/// and, with `must_complete`, reports that the test is complete.
pub(super) fn failure(output: &Output, expected: Option<&str>, must_complete: bool) -> Option<String> {
    let stdout = output.stdout.text();
    if let Some(expected) = expected {
        let reported =
            REPORT.captures(&stdout).and_then(|found| found.get(1)).map(|kind| strip(kind.as_str()));
        if reported != Some(expected) {
            return Some(format!("the output reports {}, expected {expected}", quoted(reported)));
        }
    }
    exit_failure(output.exit)
        .or_else(|| stdout.contains("FAILED!").then(|| "the output says FAILED!".to_owned()))
        .or_else(|| {
            let incomplete = must_complete && !stdout.contains(COMPLETE);
            incomplete.then(|| format!("the output lacks {COMPLETE}"))
        })
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    fn fails(stdout: &str, code: i32, expected: Option<&str>) -> bool {
        failure(&printed(stdout, Exit::Code(code)), expected, false).is_some()
    }

    #[test]
    fn an_asynchronous_test_must_say_that_it_is_complete() {
        let why = |stdout: &str, expected| failure(&printed(stdout, Exit::Code(0)), expected, true);
        assert_eq!(why("", None).unwrap(), "the output lacks Test262:AsyncTestComplete");
        assert_eq!(why("Test262:AsyncTestComplete\n", None), None);
        let thrown = "a.js:1: SyntaxError: x\n";
        assert!(why(thrown, Some("SyntaxError")).is_some(), "whatever exception is expected");
        assert_eq!(why(&format!("{thrown}Test262:AsyncTestComplete"), Some("SyntaxError")), None);
        assert!(!fails("", 0, None), "before V8 11.8 nobody asked");
    }

    #[test]
    fn the_first_report_names_the_type() {
        assert!(!fails("/x/a.js:3: SyntaxError: bad\nsource\n", 0, Some("SyntaxError")));
        assert!(!fails("noise\n/x/a.js:3: Test262Error\n", 0, Some("Test262Error")));
        assert!(fails("/x/a.js:3: TypeError: bad\n", 0, Some("SyntaxError")));
        assert!(fails("", 0, Some("SyntaxError")));
    }

    #[test]
    fn failed_and_exit_codes_fail() {
        assert!(fails("FAILED! Error: x\n", 0, None));
        assert!(fails("", 1, None));
        assert!(!fails("a.js:1: SyntaxError: x\n", 0, None));
        assert!(fails("a.js:1: SyntaxError: x\n", 1, Some("SyntaxError")));
    }
}
