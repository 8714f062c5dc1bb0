//! Several checks at once, as configured for custom suites: exit code, expected text, patterns, an error.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::text::{quoted, rstrip, split_lines};
use crate::outcome::{Captured, Exit, Output};

/// The checks on an output; a test passes if all of them succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// How the process must end.
    pub exit: ExitRule,
    /// The comparison with the expected file, if there is one.
    pub compare: Option<Compare>,
    /// Patterns for standard output.
    pub stdout: Patterns,
    /// Patterns for standard error.
    pub stderr: Patterns,
    /// The type of the uncaught error that must occur as a word on either stream (test262's `negative.type`).
    pub error: Option<String>,
}

/// How a process must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitRule {
    /// With this exit code.
    Code(i32),
    /// With any code except 0, or by a signal.
    Failure,
    /// In any way.
    Any,
}

/// One of a process's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A comparison with the expected file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// The stream to compare.
    pub stream: Stream,
    /// Whether to ignore whitespace at the ends of lines, the kind of line ending, and empty lines at the end.
    pub by_line: bool,
}

/// Regular expressions that a stream must or must not match, in the syntax of the crate `regex`. They match anywhere
/// in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patterns {
    /// Every one of these must match.
    pub required: Vec<String>,
    /// None of these may.
    pub forbidden: Vec<String>,
}

/// What is wrong with a pattern; `None` if it is usable.
pub fn pattern_problem(pattern: &str) -> Option<String> {
    compile(pattern).err()
}

/// `^` and `$` match at line ends, since output has many lines.
fn compile(pattern: &str) -> Result<Regex, String> {
    // A pattern may come from another machine, so its compiled size is limited.
    const MAX_COMPILED_BYTES: usize = 1 << 20;
    let built = regex::RegexBuilder::new(pattern).multi_line(true).size_limit(MAX_COMPILED_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".into(),
        // The last line has the error, the ones before show its position.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

/// Why a check fails; `None` if all succeed.
pub(super) fn failure(output: &Output, expected: &[u8], checks: &Checks) -> Option<String> {
    exit_failure(output.exit, checks.exit)
        .or_else(|| error_failure(output, checks.error.as_deref()?))
        .or_else(|| compare_failure(output, expected, checks.compare?))
        .or_else(|| pattern_failure(output, Stream::Stdout, &checks.stdout))
        .or_else(|| pattern_failure(output, Stream::Stderr, &checks.stderr))
}

impl Stream {
    pub(super) fn of(self, output: &Output) -> &Captured {
        match self {
            Self::Stdout => &output.stdout,
            Self::Stderr => &output.stderr,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

fn exit_failure(exit: Exit, rule: ExitRule) -> Option<String> {
    match rule {
        ExitRule::Any => None,
        ExitRule::Failure if !exit.success() => None,
        ExitRule::Failure => Some(format!("ended with {exit}, expected another")),
        ExitRule::Code(code) if exit == Exit::Code(code) => None,
        ExitRule::Code(0) => Some(format!("ended with {exit}")),
        ExitRule::Code(code) => Some(format!("ended with {exit}, expected exit code {code}")),
    }
}

/// The name must be a whole word: `SyntaxError`, not `MySyntaxErrors`.
fn error_failure(output: &Output, wanted: &str) -> Option<String> {
    let names = |captured: &Captured| {
        captured
            .text()
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
            .any(|word| word == wanted)
    };
    let named = names(&output.stdout) || names(&output.stderr);
    (!named).then(|| format!("the output names no {wanted}"))
}

fn compare_failure(output: &Output, expected: &[u8], Compare { stream, by_line }: Compare) -> Option<String> {
    let captured = stream.of(output);
    if !by_line && captured.bytes == expected && captured.cut() == 0 {
        return None;
    }
    let (have, want) = (captured.text(), String::from_utf8_lossy(expected));
    let what = stream.name();
    let (want_lines, have_lines) = sides(&have, &want, by_line);
    let longer = have_lines.len().max(want_lines.len());
    let differs = (0..longer).find(|i| have_lines.get(*i) != want_lines.get(*i));
    match differs {
        Some(at) => {
            let (got, want) = (quoted(have_lines.get(at).copied()), quoted(want_lines.get(at).copied()));
            Some(format!("line {} of {what} is {got}, expected {want}", at + 1))
        }
        None if captured.cut() > 0 => Some(format!("{what} is longer than what was kept of it")),
        None if by_line => None,
        None => Some(format!("{what} differs from what is expected in bytes that are not UTF-8")),
    }
}

/// The compared lines, expected ones first.
pub(super) fn sides<'a>(have: &'a str, want: &'a str, by_line: bool) -> (Vec<&'a str>, Vec<&'a str>) {
    if !by_line {
        return (want.split('\n').collect(), have.split('\n').collect());
    }
    let lines = |text: &'a str| {
        let mut lines: Vec<&str> = split_lines(text).map(rstrip).collect();
        let full = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        lines.truncate(full);
        lines
    };
    (lines(want), lines(have))
}

fn pattern_failure(output: &Output, stream: Stream, patterns: &Patterns) -> Option<String> {
    let text = stream.of(output).text();
    let found = |pattern: &String| match compile(pattern) {
        Ok(regex) => Ok(regex.find(&text).map(|found| found.as_str().to_owned())),
        Err(why) => Err(format!("cannot use the pattern {pattern:?}: {why}")),
    };
    let what = stream.name();
    let required = patterns.required.iter().find_map(|pattern| match found(pattern) {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!("{what} does not match {pattern:?}")),
        Err(why) => Some(why),
    });
    required.or_else(|| {
        patterns.forbidden.iter().find_map(|pattern| match found(pattern) {
            Ok(None) => None,
            Ok(Some(text)) => Some(format!("{what} says {}, which {pattern:?} forbids", quoted(Some(&text)))),
            Err(why) => Some(why),
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::verdict::tests::printed;
    use super::*;

    fn plain() -> Checks {
        Checks {
            exit: ExitRule::Code(0),
            compare: None,
            stdout: Patterns::default(),
            stderr: Patterns::default(),
            error: None,
        }
    }

    fn why(stdout: &str, code: i32, checks: &Checks) -> Option<String> {
        failure(&printed(stdout, Exit::Code(code)), b"", checks)
    }

    #[test]
    fn exit_codes_are_as_asked_for() {
        let with = |exit| Checks { exit, ..plain() };
        assert_eq!(why("", 0, &with(ExitRule::Code(0))), None);
        assert_eq!(why("", 1, &with(ExitRule::Code(0))).unwrap(), "ended with exit code 1");
        assert_eq!(why("", 3, &with(ExitRule::Code(3))), None);
        assert!(why("", 0, &with(ExitRule::Code(3))).is_some());
        assert!(why("", 0, &with(ExitRule::Failure)).is_some());
        assert_eq!(why("", 7, &with(ExitRule::Failure)), None);
        assert_eq!(why("", 7, &with(ExitRule::Any)), None);
    }

    #[test]
    fn texts_are_compared_exactly_or_by_line() {
        let compared = |by_line, stdout: &str, expected: &str| {
            let compare = Some(Compare { stream: Stream::Stdout, by_line });
            failure(&printed(stdout, Exit::Code(0)), expected.as_bytes(), &Checks { compare, ..plain() })
        };
        assert_eq!(compared(false, "a\nb\n", "a\nb\n"), None);
        assert_eq!(compared(false, "a\nb", "a\nb\n").unwrap(), "line 3 of stdout is nothing, expected \"\"");
        assert_eq!(compared(true, "a \r\nb\n\n", "a\nb"), None);
        assert_eq!(compared(true, "a\nx\n", "a\nb\n").unwrap(), "line 2 of stdout is \"x\", expected \"b\"");
        assert!(compared(true, "a\n\nb\n", "a\nb\n").is_some(), "empty lines between others count");
    }

    #[test]
    fn what_was_cut_is_never_equal() {
        let mut output = printed("a\n", Exit::Code(0));
        output.stdout.total = 10;
        for by_line in [false, true] {
            let compare = Some(Compare { stream: Stream::Stdout, by_line });
            assert!(failure(&output, b"a\n", &Checks { compare, ..plain() }).is_some());
        }
    }

    #[test]
    fn patterns_must_and_must_not_match() {
        let patterns = Patterns { required: vec!["^ok \\d+$".into()], forbidden: vec!["not ok".into()] };
        let checks = Checks { stdout: patterns, ..plain() };
        assert_eq!(why("1..1\nok 1\n", 0, &checks), None, "lines have ends of their own");
        assert_eq!(why("ok\n", 0, &checks).unwrap(), "stdout does not match \"^ok \\\\d+$\"");
        assert_eq!(
            why("ok 1\nnot ok 2\n", 0, &checks).unwrap(),
            "stdout says \"not ok\", which \"not ok\" forbids"
        );
        assert_eq!(pattern_problem("a|b"), None);
        assert_eq!(pattern_problem("(a").unwrap(), "unclosed group");
        assert!(pattern_problem("((a{500}){500}){500}").is_some());
    }

    #[test]
    fn the_error_is_named_on_either_stream() {
        let checks = Checks { exit: ExitRule::Failure, error: Some("SyntaxError".into()), ..plain() };
        assert_eq!(why("a.js:1: SyntaxError: x", 1, &checks), None);
        assert!(why("a.js:1: MySyntaxErrors: x", 1, &checks).is_some());
        assert!(why("SyntaxError", 0, &checks).is_some(), "it must not end well");
        let mut output = printed("", Exit::Code(1));
        output.stderr = Captured::whole("SyntaxError: x");
        assert_eq!(failure(&output, b"", &checks), None);
    }

    proptest! {
        #[test]
        fn any_output_equals_itself(bytes in any::<Vec<u8>>(), by_line: bool) {
            let mut output = printed("", Exit::Code(0));
            output.stdout = Captured::whole(bytes.clone());
            let compare = Some(Compare { stream: Stream::Stdout, by_line });
            prop_assert_eq!(failure(&output, &bytes, &Checks { compare, ..plain() }), None);
        }

        #[test]
        fn outputs_that_differ_fail(one in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let mut output = printed("", Exit::Code(0));
            output.stdout = Captured::whole(one.clone());
            let compare = Some(Compare { stream: Stream::Stdout, by_line: false });
            let failed = failure(&output, &other, &Checks { compare, ..plain() }).is_some();
            prop_assert_eq!(failed, one != other);
        }
    }
}
