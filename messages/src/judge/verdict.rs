//! The kinds of judges, and what all of them do.

use serde::{Deserialize, Serialize};

use super::allocations::Allocations;
use super::checks::{self, Checks};
use super::exit::exit_failure;
use super::judgement::Judgement;
use super::template::TemplateRules;
use super::test262::{self, Negative, Uncaught};
use super::text::is_blank;
use super::{exception, filecheck, grokdump, lines, phrases, template};
use crate::outcome::{Exit, Outcome, Output};

/// How a test's output is judged (V8 9.2 to 13.8 `outproc/*.py`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judge {
    /// Exit code 0 passes (V8 `outproc.base`).
    ExitCode,
    /// Exit code 0 and these codes pass (V8 13.5 `outproc/fuzzer.py`: -1, which is 255).
    ExitCodes(Vec<i32>),
    /// The message suite: stdout is compared line by line with a `.out` template, and the exit code must be non-zero
    /// iff `fails`.
    Template {
        /// Whether the test's directory or name marks it as one that must fail.
        fails: bool,
        /// The value of `%(basename)s`.
        basename: String,
        /// Whether the exit code counts (not before V8 6).
        exit_code_counts: bool,
        /// What templates can contain, and which output lines are ignored.
        rules: TemplateRules,
    },
    /// webkit and inspector: stdout must equal the expected lines; only the first block between `==` lines counts.
    Lines {
        /// Whether expected lines starting with `#` are comments (webkit).
        comments: bool,
        /// Whether a non-zero exit code fails the test (not before V8 9).
        exit_code_counts: bool,
        /// Whether output lines starting with `WARNING: linker:` are ignored (not before V8 9).
        skip_linker_warnings: bool,
        /// Whether output lines starting with `###` are ignored (not before V8 6).
        skip_hashes: bool,
        /// Whether blank output passes if the exit code is 0 (webkit, V8 10.4).
        blank_passes: bool,
    },
    /// stdout must satisfy the CHECK lines of the expected file, as read by LLVM's FileCheck (V8 13.7
    /// `outproc/filecheck.py`); the exit code does not count.
    FileCheck,
    /// test262: a non-zero exit code or `FAILED!` on stdout fails.
    Exception {
        /// The type of the error the test must end with, from the frontmatter's `negative.type`.
        expected: Option<String>,
        /// Inverts the result: for the `-fail-phase-reverse` half of a FAIL_PHASE_ONLY test, and for mozilla tests
        /// that must fail.
        negative: bool,
        /// Whether stdout must report that an asynchronous test is complete (V8 11.8).
        must_complete: bool,
    },
    /// The exit code must be 0, and stdout must contain some texts and not others (promises-aplus).
    Phrases {
        /// Texts that stdout must contain.
        required: Vec<String>,
        /// Texts that stdout must not contain.
        forbidden: Vec<String>,
        /// Inverts the result: the test must fail.
        negative: bool,
    },
    /// mkgrokdump: stdout must equal the lines of the expected file; builds that are not shipping builds may print
    /// anything.
    GrokDump,
    /// mkgrokdump: stdout must be long enough and contain some names (V8 11.7); the exit code does not count.
    PlausibleGrokDump,
    /// Custom suites: all of these checks must succeed.
    Checks(Checks),
    /// test262 on any engine, by the rules of its INTERPRETING.md.
    Test262 {
        /// The error that must end the test, if it is a negative one.
        negative: Option<Negative>,
        /// Whether the test must report its completion (`flags: [async]`).
        asynchronous: bool,
        /// How the engine's shell reports an uncaught error.
        uncaught: Uncaught,
    },
    /// Predictable builds: three runs must print the same hash of their allocations. The executor repeats the test as
    /// [`Allocations`] demands.
    Allocations {
        /// Whether each run must print a hash.
        required: bool,
    },
}

/// Judges one output. `expected` has the bytes of the expected file, for judges that compare.
pub fn judge(judge: &Judge, output: &Output, expected: Option<&[u8]>) -> Judgement {
    if let Judge::Allocations { required } = judge {
        // Only one run, so there is nothing to compare it with.
        let shown = Allocations::new(*required).next(output);
        return shown.unwrap_or(Judgement { outcome: Outcome::Pass, why: None });
    }
    if output.crashed() {
        return Judgement { outcome: Outcome::Crash, why: Some(format!("ended by {}", output.exit)) };
    }
    if output.timed_out {
        return Judgement { outcome: Outcome::Timeout, why: Some("the deadline passed".into()) };
    }
    let (failure, negative) = match judge {
        Judge::ExitCode => (exit_failure(output.exit), false),
        Judge::ExitCodes(codes) => {
            let passes = matches!(output.exit, Exit::Code(code) if codes.contains(&code));
            (exit_failure(output.exit).filter(|_| !passes), false)
        }
        Judge::Template { fails, basename, exit_code_counts, rules } => {
            let exit = if *exit_code_counts { template::wrong_exit(output, *fails) } else { None };
            (exit.or_else(|| template::failure(output, required(expected), basename, rules)), false)
        }
        Judge::Lines { blank_passes: true, .. }
            if output.exit.success() && is_blank(&output.stdout.text()) =>
        {
            (None, false)
        }
        Judge::Lines { comments, exit_code_counts, skip_linker_warnings, skip_hashes, .. } => {
            let failure = exit_failure(output.exit).filter(|_| *exit_code_counts);
            let rules = lines::Rules {
                comments: *comments,
                skip_linker_warnings: *skip_linker_warnings,
                skip_hashes: *skip_hashes,
            };
            (failure.or_else(|| lines::failure(output, required(expected), rules)), false)
        }
        Judge::FileCheck => (filecheck::failure(output, required(expected)), false),
        Judge::Exception { expected, negative, must_complete } => {
            (exception::failure(output, expected.as_deref(), *must_complete), *negative)
        }
        Judge::Phrases { required, forbidden, negative } => {
            (phrases::failure(output, required, forbidden), *negative)
        }
        Judge::Checks(checks) => (checks::failure(output, required(expected), checks), false),
        Judge::Allocations { .. } => (None, false),
        Judge::GrokDump => (grokdump::failure(output, expected.unwrap_or_default()), false),
        Judge::PlausibleGrokDump => (grokdump::implausible(output), false),
        Judge::Test262 { negative, asynchronous, uncaught } => {
            (test262::failure(output, negative.as_ref(), *asynchronous, uncaught), false)
        }
    };
    match (failure, negative) {
        (None, false) => Judgement { outcome: Outcome::Pass, why: None },
        (Some(_), true) => Judgement { outcome: Outcome::Pass, why: None },
        (Some(why), false) => Judgement { outcome: Outcome::Fail, why: Some(why) },
        (None, true) => Judgement {
            outcome: Outcome::Fail,
            why: Some("it ended well, although it must fail (FAIL_PHASE_ONLY, or marked as negative)".into()),
        },
    }
}

/// A missing expected file is detected before the test starts; without one, the comparison is with empty text.
fn required(expected: Option<&[u8]>) -> &[u8] {
    expected.unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::{Captured, Exit, Memory};

    pub(in crate::judge) fn printed(stdout: &str, exit: Exit) -> Output {
        Output {
            exit,
            timed_out: false,
            stdout: Captured::whole(stdout),
            stderr: Captured::default(),
            duration: Duration::ZERO,
            memory: Memory::default(),
            started: None,
        }
    }

    #[test]
    fn filecheck_does_not_look_at_the_exit_code() {
        let outcome = |exit| judge(&Judge::FileCheck, &printed("a\n", exit), Some(b"// CHECK: a\n")).outcome;
        assert_eq!(outcome(Exit::Code(1)), Outcome::Pass);
        assert_eq!(outcome(Exit::Signal(11)), Outcome::Crash);
        let other = judge(&Judge::FileCheck, &printed("b\n", Exit::Code(0)), Some(b"// CHECK: a\n"));
        assert_eq!(other.outcome, Outcome::Fail);
        assert!(other.why.is_some_and(|why| why.starts_with("CHECK in line 1 of the test found no")));
    }

    fn outcome(judge_: &Judge, output: &Output) -> Outcome {
        judge(judge_, output, None).outcome
    }

    #[test]
    fn exit_codes_signals_and_deadlines() {
        let by_code = Judge::ExitCode;
        assert_eq!(outcome(&by_code, &printed("", Exit::Code(0))), Outcome::Pass);
        assert_eq!(outcome(&by_code, &printed("", Exit::Code(1))), Outcome::Fail);
        assert_eq!(outcome(&by_code, &printed("", Exit::Signal(11))), Outcome::Crash);
        assert_eq!(outcome(&by_code, &printed("", Exit::Signal(6))), Outcome::Fail);
        let mut late = printed("", Exit::Signal(9));
        late.timed_out = true;
        assert_eq!(outcome(&by_code, &late), Outcome::Timeout);
    }

    #[test]
    fn a_reverse_subtest_passes_when_the_plain_one_fails() {
        let reverse =
            Judge::Exception { expected: Some("SyntaxError".into()), negative: true, must_complete: false };
        assert_eq!(outcome(&reverse, &printed("", Exit::Code(0))), Outcome::Pass);
        let right_phase = printed("a.js:1: SyntaxError: x\n", Exit::Code(0));
        assert_eq!(outcome(&reverse, &right_phase), Outcome::Fail);
    }

    #[test]
    fn old_line_judges_do_not_look_at_the_exit_code() {
        let output = printed("a\n", Exit::Code(1));
        let lines = |exit_code_counts| Judge::Lines {
            comments: false,
            exit_code_counts,
            skip_linker_warnings: true,
            skip_hashes: true,
            blank_passes: false,
        };
        assert_eq!(judge(&lines(true), &output, Some(b"a\n")).outcome, Outcome::Fail);
        assert_eq!(judge(&lines(false), &output, Some(b"a\n")).outcome, Outcome::Pass);
    }

    #[test]
    fn blank_output_passes_where_it_says_that_flags_contradict_each_other() {
        let lines = |blank_passes| Judge::Lines {
            comments: true,
            exit_code_counts: true,
            skip_linker_warnings: true,
            skip_hashes: true,
            blank_passes,
        };
        let of = |blank_passes, stdout, code| {
            judge(&lines(blank_passes), &printed(stdout, Exit::Code(code)), Some(b"a\n")).outcome
        };
        assert_eq!(of(true, " \n\n", 0), Outcome::Pass);
        assert_eq!(of(true, "", 1), Outcome::Fail);
        assert_eq!(of(true, "b\n", 0), Outcome::Fail);
        assert_eq!(of(false, "", 0), Outcome::Fail);
    }

    #[test]
    fn some_other_exit_codes_may_pass_too() {
        let fuzzer = Judge::ExitCodes(vec![255]);
        for (exit, expected) in [
            (Exit::Code(0), Outcome::Pass),
            (Exit::Code(255), Outcome::Pass),
            (Exit::Code(1), Outcome::Fail),
            (Exit::Signal(11), Outcome::Crash),
        ] {
            assert_eq!(outcome(&fuzzer, &printed("", exit)), expected, "{exit}");
        }
    }
}
