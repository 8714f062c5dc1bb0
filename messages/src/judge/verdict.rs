//! The kinds of judges and what they have in common.

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
    /// Exit code 0 passes (`outproc.base`).
    ExitCode,
    /// Exit code 0 passes, and so do these (V8 13.5 `outproc/fuzzer.py`: -1, which is 255).
    ExitCodes(Vec<i32>),
    /// The message suite: stdout line by line against a `.out` template, exit code non-zero iff `fails`.
    Template {
        /// Whether the test lies in a directory `fail`, or is called so.
        fails: bool,
        /// What `%(basename)s` stands for.
        basename: String,
        /// Whether the exit code counts (it did not before V8 6).
        exit_code_counts: bool,
        /// What templates can say, and what is left out of the output.
        rules: TemplateRules,
    },
    /// webkit and inspector: stdout equals the expected lines; only the first block between `==` lines counts.
    Lines {
        /// Whether expected lines starting with `#` are comments (webkit).
        comments: bool,
        /// Whether a non-zero exit code fails the test (it did not before V8 9).
        exit_code_counts: bool,
        /// Whether output lines starting with `WARNING: linker:` are left out (not before V8 9).
        skip_linker_warnings: bool,
        /// Whether output lines starting with `###` are left out (not before V8 6).
        skip_hashes: bool,
        /// Whether blank output passes, if the exit code is 0 (webkit, V8 10.4).
        blank_passes: bool,
    },
    /// The CHECK lines of the expected file, as LLVM's FileCheck reads them, hold for stdout (V8 13.7
    /// `outproc/filecheck.py`); the exit code does not count.
    FileCheck,
    /// test262: a non-zero exit code or `FAILED!` on stdout fails.
    Exception {
        /// The type of the error the test must end with, from the frontmatter's `negative.type`.
        expected: Option<String>,
        /// Inverted: the `-fail-phase-reverse` half of a FAIL_PHASE_ONLY test, a test of mozilla that must fail.
        negative: bool,
        /// Whether stdout must say that an asynchronous test is complete (V8 11.8).
        must_complete: bool,
    },
    /// Exit code 0, and stdout says this and not that (promises-aplus).
    Phrases {
        /// What stdout must contain.
        required: Vec<String>,
        /// What it must not.
        forbidden: Vec<String>,
        /// Inverted: the test must fail.
        negative: bool,
    },
    /// mkgrokdump: stdout's lines are those of the expected file; builds that are not shipped may print anything.
    GrokDump,
    /// mkgrokdump: stdout is long enough and names what it should (V8 11.7); the exit code does not count.
    PlausibleGrokDump,
    /// Suites of one's own: all of these checks.
    Checks(Checks),
    /// test262 as its own INTERPRETING.md has it, on any engine.
    Test262 {
        /// The error it must end with, if it must.
        negative: Option<Negative>,
        /// Whether it is over only when it says so (`flags: [async]`).
        asynchronous: bool,
        /// How the engine tells of an uncaught error.
        uncaught: Uncaught,
    },
    /// Predictable builds: three runs print the same hash of their allocations. The executor runs the test as often as
    /// [`Allocations`] asks for.
    Allocations {
        /// Whether there must be a hash.
        required: bool,
    },
}

/// Judges one output. `expected` holds the expected file's bytes, for the judges that compare.
pub fn judge(judge: &Judge, output: &Output, expected: Option<&[u8]>) -> Judgement {
    if let Judge::Allocations { required } = judge {
        // Of one run: it shows no difference.
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
            let exit = if *exit_code_counts { template::exit(output, *fails) } else { None };
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

/// A missing expected file is caught before the test starts; judging without one compares with nothing.
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
