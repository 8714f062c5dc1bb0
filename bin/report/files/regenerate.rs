//! `--regenerate-expected-files`: what tests printed goes to the files they are compared with.
//!
//! As in V8, unexpected output replaces the file's. Unlike V8, a file is written only if the test passes with it, comments
//! at its head stay, `%` is doubled in templates, and the test's own path is written as templates have it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flotilla_actors::Reporter;
use flotilla_messages::{Arg, Event, EventKind, Judge, Outcome, Output, TestCase, TestReport, judge};

use super::file::ReportFile;
use crate::report::shared::console::Console;
use crate::report::shared::context::Context;

/// Writes the files as tests end, and says at the end which.
pub struct Regenerate {
    console: Console,
    context: Context,
    /// What was written, by file.
    written: BTreeMap<PathBuf, Vec<u8>>,
    /// What was not, and why; a line each.
    left: Vec<String>,
}

/// What becomes of an expected file.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It has nothing to do with the verdict.
    None,
    /// It becomes this.
    New(Vec<u8>),
    /// It stays as it is, for this reason.
    Left(String),
}

impl Regenerate {
    /// Says what was written on `console`.
    pub fn new(console: Console, context: Context) -> Self {
        Self { console, context, written: BTreeMap::new(), left: Vec::new() }
    }

    fn note(&mut self, report: &TestReport) {
        let Some(case) = report.case.as_ref() else { return };
        let Some(file) = &case.expected_file else { return };
        let path = PathBuf::from(file.resolve(&self.context.root));
        let fate = match &report.output {
            // It is read before the test starts.
            None if !path.is_file() => {
                Fate::Left(format!("there is no {}; an empty one will do to begin with", file.relative()))
            }
            None => Fate::None,
            Some(output) => {
                let old = std::fs::read(&path).unwrap_or_default();
                fate(case, output, &old, &self.context.root)
            }
        };
        let reason = match fate {
            Fate::None => return,
            Fate::Left(reason) => reason,
            Fate::New(new) => match self.written.get(&path) {
                // Another variant has printed the same.
                Some(known) if *known == new => return,
                Some(_) => "another run of the test has printed something else".into(),
                None => match ReportFile::check(&path).and_then(|file| file.write(&new)) {
                    Ok(()) => {
                        self.written.insert(path, new);
                        return;
                    }
                    Err(error) => error.to_string(),
                },
            },
        };
        self.left.push(format!("Not regenerated for {}: {reason}.", report.name));
    }
}

impl Reporter for Regenerate {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) if !report.as_expected => self.note(report),
            EventKind::RunFinished(_) => {
                for line in std::mem::take(&mut self.left) {
                    self.console.line(&line);
                }
                for path in self.written.keys() {
                    let shown = path.strip_prefix(&self.context.root).unwrap_or(path);
                    self.console.line(&format!("Regenerated {}", shown.display()));
                }
                if self.written.is_empty() {
                    self.console.line("No expected file was changed.");
                }
            }
            _ => {}
        }
    }
}

/// What becomes of a test's expected file, which is `old` now.
fn fate(case: &TestCase, output: &Output, old: &[u8], root: &Path) -> Fate {
    let text = match &case.judge {
        Judge::Template { .. } | Judge::Lines { .. } if output.timed_out => "its time was over",
        Judge::Template { .. } | Judge::Lines { .. } if output.crashed() => "it crashed",
        Judge::Template { .. } | Judge::Lines { .. } if output.stdout.cut() > 0 => {
            "its output is longer than --max-output keeps"
        }
        Judge::Template { .. } => return checked(case, output, template(case, output, old, root)),
        Judge::Lines { comments, .. } => {
            let head = if *comments { head(old) } else { String::new() };
            return checked(case, output, head + &lines(output));
        }
        _ => return Fate::None,
    };
    Fate::Left(text.into())
}

/// What is to be written, if the test passes with it and is to pass.
fn checked(case: &TestCase, output: &Output, text: String) -> Fate {
    if !case.expectation.allows(Outcome::Pass) {
        return Fate::None;
    }
    let new = text.into_bytes();
    let judged = judge(&case.judge, output, Some(&new));
    match judged.outcome {
        Outcome::Pass => Fate::New(new),
        _ => Fate::Left(judged.why.unwrap_or_else(|| "it would fail with any".into())),
    }
}

/// The comments that a file begins with.
fn head(old: &[u8]) -> String {
    let old = String::from_utf8_lossy(old);
    let comments =
        old.split_inclusive('\n').take_while(|line| line.starts_with('#') || line.trim().is_empty());
    comments.collect()
}

/// Output as a template of the message suite.
fn template(case: &TestCase, output: &Output, old: &[u8], root: &Path) -> String {
    let stdout = output.stdout.text();
    let mut text = stdout.replace('%', "%%");
    let own = case.args.iter().rev().find_map(|arg| match arg {
        Arg::Path(path) if path.ends_with(".js") || path.ends_with(".mjs") => Some(root.join(path)),
        _ => None,
    });
    if let Some(own) = own {
        text = text.replace(&own.to_string_lossy().replace('%', "%%"), "*%(basename)s");
    }
    head(old) + &ended(text)
}

/// The lines that are compared.
fn lines(output: &Output) -> String {
    let stdout = output.stdout.text();
    let separators: Vec<usize> =
        stdout.lines().enumerate().filter(|(_, line)| line.starts_with("==")).map(|(at, _)| at).collect();
    let of_block = match separators[..] {
        [first, second, ..] => first + 1..second,
        _ => 0..usize::MAX,
    };
    let kept = stdout.lines().enumerate().filter(|(at, _)| of_block.contains(at));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

/// The text with an end to its last line.
fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flotilla_messages::{Captured, Exit, Memory, TemplateRules, TestName};
    use proptest::prelude::*;

    use super::*;

    fn case(judge: Judge) -> TestCase {
        let name = TestName { suite: "message".into(), ..TestCase::for_tests("a").name };
        TestCase {
            name,
            args: vec![Arg::Text("--x".into()), Arg::Path("test/message/a.js".into())],
            judge,
            expected_file: Some(Arg::Path("test/message/a.out".into())),
            ..TestCase::for_tests("a")
        }
    }

    fn message(fails: bool) -> TestCase {
        case(Judge::Template {
            fails,
            basename: "a.js".into(),
            exit_code_counts: true,
            rules: TemplateRules { skip_linker_warnings: true, ..TemplateRules::default() },
        })
    }

    fn inspector() -> TestCase {
        case(Judge::Lines {
            comments: false,
            exit_code_counts: true,
            skip_linker_warnings: true,
            skip_hashes: true,
            blank_passes: false,
        })
    }

    fn printed(text: &str, code: i32) -> Output {
        Output {
            exit: Exit::Code(code),
            timed_out: false,
            stdout: Captured::whole(text),
            stderr: Captured::default(),
            duration: Duration::ZERO,
            memory: Memory::default(),
            started: None,
        }
    }

    fn after(case: &TestCase, output: &Output, old: &str) -> Fate {
        fate(case, output, old.as_bytes(), Path::new("/v8"))
    }

    fn new(text: &str) -> Fate {
        Fate::New(text.into())
    }

    #[test]
    fn a_template_keeps_its_head_and_names_the_test_as_templates_do() {
        let output = printed("/v8/test/message/a.js:7: Error: 100%\n  throw 1;", 1);
        assert_eq!(
            after(&message(true), &output, "# Copyright\n# 2020\n\nold\n# not at the head\n"),
            new("# Copyright\n# 2020\n\n*%(basename)s:7: Error: 100%%\n  throw 1;\n")
        );
    }

    #[test]
    fn lines_are_those_that_are_compared() {
        assert_eq!(after(&inspector(), &printed("one\ntwo\n", 0), "# one\n"), new("one\ntwo\n"));
        let blocks = printed("before\n=== 1\none\n=== 2\nother\n", 0);
        assert_eq!(after(&inspector(), &blocks, ""), new("one\n"));
    }

    #[test]
    fn what_no_file_would_help_is_left() {
        let left = |fate: Fate| match fate {
            Fate::Left(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert!(left(after(&message(false), &printed("x\n", 1), "")).contains("exit code 1"));
        assert!(
            left(after(&message(false), &printed("# no template says this\n", 0), "")).contains("1 line")
        );
        let mut output = printed("x\n", 0);
        output.stdout.total = 1000;
        assert!(left(after(&message(false), &output, "")).contains("--max-output"));
        let crashed = Output { exit: Exit::Signal(11), ..printed("x\n", 0) };
        assert_eq!(left(after(&message(false), &crashed, "")), "it crashed");
        let late = Output { timed_out: true, ..printed("x\n", 0) };
        assert_eq!(left(after(&inspector(), &late, "")), "its time was over");
        assert_eq!(after(&case(Judge::ExitCode), &printed("x\n", 1), ""), Fate::None);
        let mut failing = message(false);
        failing.expectation.outcomes = vec![Outcome::Fail];
        assert_eq!(after(&failing, &printed("x\n", 0), "x\n"), Fate::None);
    }

    proptest! {
        #[test]
        fn a_test_passes_with_what_was_written_for_it(text in "[ -~\n\t]{0,60}", fails: bool) {
            let output = printed(&text, i32::from(fails));
            if let Fate::New(new) = after(&message(fails), &output, "# head\n") {
                prop_assert_eq!(judge(&message(fails).judge, &output, Some(&new)).outcome, Outcome::Pass);
            }
        }
    }
}
