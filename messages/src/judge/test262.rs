//! test262 on any engine: the rules of INTERPRETING.md, and how an engine's shell reports an uncaught error.

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::exit::exit_failure;
use super::text::{quoted, split_lines};
use crate::outcome::{Exit, Output};

/// What an asynchronous test prints when it completes.
const COMPLETE: &str = "Test262:AsyncTestComplete";
/// The prefix of an asynchronous test's message that it has failed.
const FAILURE: &str = "Test262:AsyncTestFailure:";
/// The maximum compiled size of a host's pattern in bytes: it may come from another machine.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// `negative` of a test's frontmatter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negative {
    /// The phase in which the error must occur.
    pub phase: Phase,
    /// The name of the error's constructor.
    pub kind: String,
}

/// The phase in which an error occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Parsing the source and checking for early errors.
    Parse,
    /// Resolving modules.
    Resolution,
    /// Running the test.
    Runtime,
}

impl Phase {
    /// The phase with this name; `early` was the name of parse until 2018.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "parse" | "early" => Some(Self::Parse),
            "resolution" => Some(Self::Resolution),
            "runtime" => Some(Self::Runtime),
            _ => None,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "parse",
            Self::Resolution => "resolution",
            Self::Runtime => "runtime",
        })
    }
}

/// How an engine's shell reports an uncaught error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncaught {
    /// A regular expression whose group `type` is the name of the error's constructor; its group `phase`, if it has
    /// one, is the phase's name. Some shells do not name some errors: if a group named after an error matches instead
    /// (`SyntaxError`, then of the phase parse, or `Test262Error`), it is that error. If the group `rejection`
    /// matches instead, the shell ended because of an unhandled promise rejection, which is not an error of the
    /// language. The first match on stderr counts, otherwise the first on stdout.
    pub pattern: String,
}

/// What a shell reports when it ends.
enum ShellReport {
    Error(UncaughtError),
    /// A promise was rejected and not handled.
    Rejection,
}

/// An uncaught error as reported in the output.
struct UncaughtError {
    kind: String,
    phase: Option<Phase>,
    line: String,
}

impl Uncaught {
    /// Checks that the pattern is usable.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let has_type = self.compiled()?.capture_names().flatten().any(|name| name == "type");
        if has_type {
            Ok(())
        } else {
            Err("the pattern for errors has no group 'type': (?P<type>...)".into())
        }
    }

    fn compiled(&self) -> Result<Regex, String> {
        let pattern = RegexBuilder::new(&self.pattern).size_limit(MAX_COMPILED_BYTES).build();
        pattern.map_err(|error| format!("the host's pattern for errors: {error}"))
    }

    fn find(&self, output: &Output) -> Result<Option<ShellReport>, String> {
        let pattern = self.compiled()?;
        let report = [&output.stderr, &output.stdout].into_iter().find_map(|stream| {
            let text = stream.text();
            let captures = pattern.captures(&text)?;
            parse_report(&pattern, &captures, &text)
        });
        Ok(report)
    }
}

fn parse_report(pattern: &Regex, captures: &Captures<'_>, text: &str) -> Option<ShellReport> {
    let line_at = |start: usize| text[start..].lines().next().unwrap_or_default().to_owned();
    if let Some(kind) = captures.name("type") {
        let phase = captures.name("phase").and_then(|phase| Phase::named(phase.as_str()));
        let line = line_at(kind.start());
        return Some(ShellReport::Error(UncaughtError { kind: kind.as_str().to_owned(), phase, line }));
    }
    if captures.name("rejection").is_some() {
        return Some(ShellReport::Rejection);
    }
    let unnamed = |name: &&str| name.ends_with("Error") && captures.name(name).is_some();
    let kind = pattern.capture_names().flatten().find(unnamed)?;
    let line = line_at(captures.name(kind)?.start());
    let phase = (kind == "SyntaxError").then_some(Phase::Parse);
    Some(ShellReport::Error(UncaughtError { kind: kind.to_owned(), phase, line }))
}

/// Why the test fails, if it does.
pub(super) fn failure(
    output: &Output,
    negative: Option<&Negative>,
    asynchronous: bool,
    uncaught: &Uncaught,
) -> Option<String> {
    let Some(ended) = exit_failure(output.exit) else {
        return failure_after_normal_end(output, negative, asynchronous);
    };
    let found = match uncaught.find(output) {
        Ok(Some(ShellReport::Rejection)) if matches!(output.exit, Exit::Code(_)) => {
            return failure_after_normal_end(output, negative, asynchronous);
        }
        Ok(Some(ShellReport::Error(found))) => Some(found),
        Ok(_) => None,
        Err(error) => return Some(error),
    };
    match (negative, found) {
        (Some(negative), Some(found)) => mismatch(&found, negative),
        (Some(Negative { kind, .. }), None) => {
            Some(format!("no error can be read in its output ({ended}), although a {kind} must come"))
        }
        (None, Some(found)) => Some(format!("uncaught {} ({ended})", shortened(&found.line))),
        (None, None) => Some(ended),
    }
}

/// What is wrong with a test that ended without an error.
fn failure_after_normal_end(
    output: &Output,
    negative: Option<&Negative>,
    asynchronous: bool,
) -> Option<String> {
    match negative {
        Some(Negative { phase, kind }) => {
            Some(format!("it ended well, although a {kind} must come (phase {phase})"))
        }
        None if asynchronous => missing_completion(output),
        None => None,
    }
}

/// How the error that ended a test differs from the expected one.
fn mismatch(found: &UncaughtError, negative: &Negative) -> Option<String> {
    let Negative { phase, kind } = negative;
    if found.kind != *kind {
        return Some(format!(
            "uncaught {}, although a {kind} must come (phase {phase})",
            shortened(&found.line)
        ));
    }
    match found.phase {
        Some(other) if other != *phase => {
            Some(format!("the {kind} came in the phase {other}, not in the phase {phase}"))
        }
        _ => None,
    }
}

/// What is wrong with the messages of an asynchronous test that ended normally.
fn missing_completion(output: &Output) -> Option<String> {
    let stdout = output.stdout.text();
    let is_complete = |line: &str| line.trim_end() == COMPLETE;
    match split_lines(&stdout).find(|line| line.starts_with(FAILURE)) {
        Some(failure) => Some(shortened(failure)),
        None if split_lines(&stdout).any(is_complete) => None,
        None => Some(format!("it never printed {}", quoted(Some(COMPLETE)))),
    }
}

fn shortened(line: &str) -> String {
    const SHOWN_CHARS: usize = 300;
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Captured;

    fn uncaught() -> Uncaught {
        Uncaught { pattern: r"(?m)^Uncaught (?:in (?P<phase>\w+): )?(?P<type>\w+)".into() }
    }

    fn why(stderr: &str, stdout: &str, code: i32, negative: Option<(Phase, &str)>) -> Option<String> {
        let mut output = printed(stdout, Exit::Code(code));
        output.stderr = Captured::whole(stderr);
        let negative = negative.map(|(phase, kind)| Negative { phase, kind: kind.into() });
        failure(&output, negative.as_ref(), false, &uncaught())
    }

    #[test]
    fn a_test_passes_that_ends_well() {
        assert_eq!(why("", "Uncaught TypeError\n", 0, None), None);
        assert_eq!(
            why("Uncaught TypeError: no\n", "", 1, None).unwrap(),
            "uncaught TypeError: no (ended with exit code 1)"
        );
        assert_eq!(why("", "", 3, None).unwrap(), "ended with exit code 3");
    }

    #[test]
    fn a_negative_test_needs_its_error_in_its_phase() {
        let syntax = Some((Phase::Parse, "SyntaxError"));
        assert_eq!(why("Uncaught SyntaxError: x", "", 1, syntax), None, "the phase is not told");
        assert_eq!(why("", "noise\nUncaught in parse: SyntaxError", 1, syntax), None);
        assert_eq!(
            why("Uncaught in runtime: SyntaxError", "", 1, syntax).unwrap(),
            "the SyntaxError came in the phase runtime, not in the phase parse"
        );
        let other = why("Uncaught TypeError: x\n", "", 1, syntax).unwrap();
        assert_eq!(other, "uncaught TypeError: x, although a SyntaxError must come (phase parse)");
        assert!(why("", "", 0, syntax).unwrap().starts_with("it ended well"));
        assert!(why("", "", 1, syntax).unwrap().starts_with("no error can be read"));
    }

    /// `$DONOTEVALUATE` throws a string: it means that a source was run that must not even parse.
    #[test]
    fn what_should_not_have_run_is_no_syntax_error() {
        let text = "Uncaught Test262: This statement should not be evaluated.";
        assert!(why(text, "", 1, Some((Phase::Parse, "SyntaxError"))).is_some());
    }

    #[test]
    fn asynchronous_tests_say_that_they_are_over() {
        let why = |stdout: &str| failure(&printed(stdout, Exit::Code(0)), None, true, &uncaught());
        assert_eq!(why("Test262:AsyncTestComplete\r\n"), None);
        assert_eq!(why("").unwrap(), "it never printed \"Test262:AsyncTestComplete\"");
        assert_eq!(
            why("Test262:AsyncTestComplete\nTest262:AsyncTestFailure:TypeError: x\n").unwrap(),
            "Test262:AsyncTestFailure:TypeError: x"
        );
    }

    #[test]
    fn shells_that_do_not_name_a_syntax_error_say_so_in_their_way() {
        let hermes = Uncaught {
            pattern: r"(?m)^Uncaught (?P<type>\w+)|^.*?:\d+:\d+: (?P<SyntaxError>error: )".into(),
        };
        let mut output = printed("", Exit::Code(2));
        output.stderr = Captured::whole("a.js:1:3: error: ';' expected\nx\n");
        let negative = Negative { phase: Phase::Parse, kind: "SyntaxError".into() };
        assert_eq!(failure(&output, Some(&negative), false, &hermes), None);
        let why = failure(&output, None, false, &hermes).unwrap();
        assert_eq!(why, "uncaught error: ';' expected (ended with exit code 2)");
    }

    #[test]
    fn an_error_without_its_name_is_the_one_of_its_group() {
        let qjs = Uncaught { pattern: r"(?m)^(?P<type>\w+): |^(?P<Test262Error>\{ message: )".into() };
        let mut output = printed("", Exit::Code(1));
        output.stderr = Captured::whole("{ message: \"no\" }\n");
        let negative = |kind: &str| Negative { phase: Phase::Runtime, kind: kind.into() };
        assert_eq!(failure(&output, Some(&negative("Test262Error")), false, &qjs), None);
        assert!(failure(&output, Some(&negative("TypeError")), false, &qjs).is_some());
        assert!(failure(&output, None, false, &qjs).is_some());
    }

    /// QuickJS exits with code 1 after an unhandled promise rejection, which is not an error of the language.
    #[test]
    fn a_rejection_that_nobody_looked_at_is_no_error() {
        let qjs = Uncaught { pattern: r"(?m)^(?P<rejection>Possibly unhandled)|^(?P<type>\w+): ".into() };
        let ended = |stdout: &str, exit: Exit| {
            let mut output = printed(stdout, exit);
            output.stderr = Captured::whole("Possibly unhandled promise rejection: TypeError: no\n");
            output
        };
        let output = ended("", Exit::Code(1));
        assert_eq!(failure(&output, None, false, &qjs), None);
        assert!(failure(&output, None, true, &qjs).unwrap().starts_with("it never printed"));
        let negative = Negative { phase: Phase::Runtime, kind: "TypeError".into() };
        assert!(failure(&output, Some(&negative), false, &qjs).unwrap().starts_with("it ended well"));
        let over = ended("Test262:AsyncTestComplete\n", Exit::Code(1));
        assert_eq!(failure(&over, None, true, &qjs), None);
        let crashed = ended("", Exit::Signal(11));
        assert!(failure(&crashed, None, false, &qjs).unwrap().contains("ended with"));
    }

    #[test]
    fn a_pattern_that_is_none_fails_the_test_with_words() {
        let broken = Uncaught { pattern: "(".into() };
        let why = failure(&printed("", Exit::Code(1)), None, false, &broken).unwrap();
        assert!(why.starts_with("the host's pattern for errors: "), "{why}");
    }
}
