//! One lease, from its case to its ending.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use flotilla_messages::judge::Allocations;
use flotilla_messages::port::work::JudgedRun;
use flotilla_messages::{Judge, Judgement, Memory, Outcome, Output, TestCase, TestName, judge};

use super::control::Setup;
use super::leased_test::LeasedTest;
use super::sandbox::{is_machines_fault, is_shortage};
use super::scratch_dir::ScratchDir;
use crate::execution::executor::{Failed, Judged, LeaseId, LeaseResult};
use crate::execution::process::{Ended, Launch, Limits, ProcessError, StopSignal, Worker};

/// The state of the thread that runs the test.
pub(super) struct WorkerState<'a> {
    pub(super) worker: &'a mut Worker,
    pub(super) scratch_dir: &'a mut ScratchDir,
}

/// Runs the lease's test on this thread and judges it. Calls `started` just before the process starts.
pub(super) fn attempt(
    WorkerState { worker, scratch_dir }: WorkerState<'_>,
    setup: &Setup,
    lease: LeaseId,
    test: LeasedTest,
    switch: &StopSignal,
    started: &mut dyn FnMut(&TestName),
) -> LeaseResult {
    let case = match test {
        LeasedTest::Case(case) => *case,
        LeasedTest::Id { id, cases } => match cases.case(id) {
            Ok(case) => case,
            Err(unrunnable) => return LeaseResult::Failed(Box::new(Failed::unrunnable(*unrunnable))),
        },
    };
    let root = setup.launcher.root();
    // The client must not see paths of this machine.
    let told = |reason: String| match &setup.guest {
        Some(guest) => guest.rewrite_text(reason),
        None => reason,
    };
    let expected = match expected(&case, root) {
        Ok(expected) => expected,
        Err(reason) => return LeaseResult::Failed(Box::new(Failed::of(case, told(reason)))),
    };
    let compiled = match case.recipe.as_deref().map(|recipe| scratch_dir.put(recipe, root)).transpose() {
        Ok(compiled) => compiled,
        Err(error) => {
            let full = error.of_system().is_some_and(is_shortage);
            let reason = told(format!("cannot put the test together: {error}"));
            return match setup.guest {
                Some(_) if full => LeaseResult::Unable { reason },
                _ => LeaseResult::Failed(Box::new(Failed::of(case, reason))),
            };
        }
    };
    let argv = case.argv(root, &setup.builtin, compiled.as_deref());
    let marker = setup.run.value(lease);
    let launch = Launch { argv: &argv, env: &case.env, unset: &case.unset_env, marker: &marker };
    let limits = Limits { timeout: case.timeout, grace: case.term_grace, cap: setup.output_cap };
    started(&case.name);
    let judged = |output: &Output| judge(&case.judge, output, expected.as_deref());
    let run = match case.judge {
        Judge::Allocations { required } => {
            predictable(required, limits, |limits| worker.run(&setup.launcher, launch, limits, switch))
        }
        _ => worker.run(&setup.launcher, launch, limits, switch).map(|ended| (ended, None)),
    };
    match run {
        Ok((ended, _)) if ended.stopped => LeaseResult::Withdrawn,
        Ok((mut ended, judgement)) => {
            if let Some(guest) = &setup.guest {
                guest.rewrite(&mut ended.output);
            }
            let judgement = judgement.unwrap_or_else(|| judged(&ended.output));
            let difference = difference(&case, &ended.output, &judgement, expected.as_deref());
            let run = JudgedRun { output: ended.output, judgement, difference };
            LeaseResult::Judged(Box::new(Judged { case, run }))
        }
        Err(error) if setup.guest.is_some() && is_machines_fault(&error) => {
            LeaseResult::Unable { reason: told(error.to_string()) }
        }
        Err(error) => LeaseResult::Failed(Box::new(Failed::of(case, told(error.to_string())))),
    }
}

/// Runs a test of a predictable build until it is judged, with one time limit for all runs. Returns the last run, with
/// the time and memory of all runs.
fn predictable(
    required: bool,
    limits: Limits,
    mut run: impl FnMut(Limits) -> Result<Ended, ProcessError>,
) -> Result<(Ended, Option<Judgement>), ProcessError> {
    let mut allocations = Allocations::new(required);
    let mut spent = Duration::ZERO;
    let (mut memory, mut started) = (Memory::default(), None);
    loop {
        let mut ended = run(Limits { timeout: limits.timeout.saturating_sub(spent), ..limits })?;
        spent += ended.output.duration;
        ended.output.duration = spent;
        memory = memory.max(ended.output.memory);
        ended.output.memory = memory;
        started = started.or(ended.output.started);
        ended.output.started = started;
        if ended.stopped {
            return Ok((ended, None));
        }
        if let Some(judgement) = allocations.next(&ended.output) {
            return Ok((ended, Some(judgement)));
        }
    }
}

/// How an output differs from the expected one, where that explains an unexpected outcome.
fn difference(
    case: &TestCase,
    output: &Output,
    judgement: &Judgement,
    expected: Option<&[u8]>,
) -> Option<String> {
    // V8 also shows one where a test that was to fail passed; it would be wrong there to report a mismatch.
    if case.expectation.allows(judgement.outcome) || judgement.outcome == Outcome::Pass {
        return None;
    }
    let file = case.expected_file.as_ref()?.relative();
    judge::difference(&case.judge, output, expected, &file)
}

/// Reads the expected file before the test starts: a test that cannot be judged need not run.
fn expected(case: &TestCase, root: &Path) -> Result<Option<Vec<u8>>, String> {
    let Some(file) = &case.expected_file else { return Ok(None) };
    let path = file.resolve(root);
    // Reading a pipe that has no writer would never end.
    let read = match fs::metadata(&path) {
        Ok(meta) if !meta.is_file() => Err(io::Error::other("it is no regular file")),
        _ => fs::read(&path),
    };
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => Err(format!("cannot read the expected output {}: {error}", Path::new(&path).display())),
    }
}
