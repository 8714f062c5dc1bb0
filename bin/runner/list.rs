//! `--list` and `--cat`: print the tests without running them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};

use flotilla_messages::{Arg, Judge, TestCase, history_key};
use flotilla_suites::{Listed, Products, Skip};
use serde::Serialize;

use crate::runner::settings::ListFormat;

/// One line of `--list-format json`.
#[derive(Serialize)]
struct ListedTest<'a> {
    suite: &'a str,
    name: &'a str,
    variant: Option<&'a str>,
    argv: Vec<String>,
    env: &'a BTreeMap<String, String>,
    timeout: f64,
    expected: Vec<&'static str>,
    slow: bool,
    heavy: bool,
    skipped: Skipped<'a>,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    judge: Option<Judged<'a>>,
    expected_file: Option<String>,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// The judge of a test, with the parameters that differ between tests of a suite.
#[derive(Default, Serialize)]
struct Judged<'a> {
    kind: &'static str,
    /// Templates: whether the test must fail.
    fails: Option<bool>,
    /// test262: the error it must end with.
    exception: Option<&'a str>,
    /// Whether the outcome is inverted: the test passes if it fails.
    negative: Option<bool>,
    /// test262: whether it must print that it is complete.
    r#async: Option<bool>,
}

impl<'a> Judged<'a> {
    fn of(judge: &'a Judge) -> Self {
        let plain = |kind| Self { kind, ..Self::default() };
        match judge {
            Judge::ExitCode | Judge::ExitCodes(_) => plain("exit code"),
            Judge::Template { fails, .. } => Self { fails: Some(*fails), ..plain("template") },
            Judge::Lines { .. } => plain("lines"),
            Judge::FileCheck => plain("filecheck"),
            Judge::Exception { expected, negative, must_complete } => Self {
                exception: expected.as_deref(),
                negative: Some(*negative),
                r#async: Some(*must_complete),
                ..plain("exception")
            },
            Judge::Phrases { negative, .. } => Self { negative: Some(*negative), ..plain("phrases") },
            Judge::GrokDump | Judge::PlausibleGrokDump => plain("mkgrokdump"),
            Judge::Checks(_) => plain("checks"),
            Judge::Test262 { negative, asynchronous, .. } => Self {
                exception: negative.as_ref().map(|negative| negative.kind.as_str()),
                r#async: Some(*asynchronous),
                ..plain("test262")
            },
            Judge::Allocations { .. } => plain("allocations"),
        }
    }
}

/// The rule that skips the test, else `false`.
#[derive(Serialize)]
#[serde(untagged)]
enum Skipped<'a> {
    No(bool),
    By { rule: &'a str, condition: &'a str },
}

/// Prints the tests; with `only`, those that have one of these history keys and are not skipped.
///
/// # Errors
/// Writing to standard output failed.
pub fn tests(tree: &Products, format: ListFormat, only: Option<&BTreeSet<u64>>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let wanted = |listed: &Listed| {
        let Some(keys) = only else { return true };
        let id = match tree.listed_case(listed.id) {
            Ok(case) => case.id,
            Err(unrunnable) => unrunnable.id,
        };
        listed.skipped.is_none() && keys.contains(&history_key(&id))
    };
    for listed in tree.listing().filter(wanted) {
        match format {
            ListFormat::Text => text(tree, &listed, &mut out)?,
            ListFormat::Json => json(tree, &listed, &mut out)?,
        }
    }
    out.flush()
}

fn text(tree: &Products, listed: &Listed, out: &mut impl Write) -> io::Result<()> {
    if listed.skipped.is_some() {
        return Ok(());
    }
    match tree.name_of(listed.id) {
        Some(name) => writeln!(out, "{} {}", name.path(), name.variant_and_detail()),
        None => Ok(()),
    }
}

fn json(tree: &Products, listed: &Listed, out: &mut impl Write) -> io::Result<()> {
    let none = BTreeMap::new();
    let skipped = match &listed.skipped {
        None => Skipped::No(false),
        Some(Skip { rule, condition, .. }) => Skipped::By { rule, condition },
    };
    match tree.listed_case(listed.id) {
        Ok(case) => write(&ListedTest { skipped, heavy: listed.heavy, ..line(&case) }, out),
        Err(unrunnable) => write(
            &ListedTest {
                suite: &unrunnable.name.suite,
                name: &unrunnable.name.name,
                variant: Some(&unrunnable.name.variant).filter(|v| !v.is_empty()).map(String::as_str),
                argv: Vec::new(),
                env: &none,
                timeout: 0.0,
                expected: Vec::new(),
                slow: false,
                heavy: listed.heavy,
                skipped,
                id: &unrunnable.id,
                judge: None,
                expected_file: None,
                reason: None,
                doubt: None,
                error: Some(&unrunnable.reason),
            },
            out,
        ),
    }
}

fn line(case: &TestCase) -> ListedTest<'_> {
    ListedTest {
        suite: &case.name.suite,
        name: &case.name.name,
        // A test that is skipped before it gets variants has none.
        variant: Some(case.name.variant.as_str()).filter(|variant| !variant.is_empty()),
        argv: case.relative_argv(),
        env: &case.env,
        timeout: case.timeout.as_secs_f64(),
        expected: case.expectation.outcomes.iter().map(|outcome| outcome.as_str()).collect(),
        slow: case.slow,
        heavy: false,
        skipped: Skipped::No(false),
        id: &case.id,
        judge: Some(Judged::of(&case.judge)),
        expected_file: case.expected_file.as_ref().map(Arg::relative),
        reason: case.expectation.reason.as_deref(),
        doubt: case.expectation.doubt.as_deref(),
        error: None,
    }
}

fn write(line: &ListedTest<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Prints the tests' sources, each once.
///
/// # Errors
/// Writing to standard output failed.
pub fn sources(tree: &Products) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut last = None;
    for listed in tree.listing().filter(|listed| listed.skipped.is_none()) {
        let name = match tree.listed_case(listed.id) {
            Ok(case) => case.name.path(),
            Err(unrunnable) => unrunnable.name.path(),
        };
        if last.as_ref() == Some(&name) {
            continue;
        }
        writeln!(out, "--- begin source: {name} ---")?;
        match tree.source(listed.id) {
            Ok(source) => out.write_all(&source)?,
            Err(error) => writeln!(out, "{error}")?,
        }
        writeln!(out, "--- end source: {name} ---")?;
        last = Some(name);
    }
    out.flush()
}
