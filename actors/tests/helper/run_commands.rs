//! Runs commands through the whole actor system, each as one test that passes with exit code 0.
//!
//! ```text
//! run-commands [--jobs N] [--timeout SECONDS] [--no-reaper] FILE    one command a line, words between blanks
//! run-commands reap RUN                                             the reaper
//! ```
//!
//! The integration tests kill it to see what is left; for measuring, compare it with `xargs -P N -L 1 < FILE`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use flotilla_actors::execution::reaper;
use flotilla_actors::{Reporter, RunOptions, StopSource, run};
use flotilla_messages::{
    Arg, CaseId, Cases, Entry, Event, EventKind, Expectation, Judge, Program, RunHeader, TestCase, TestName,
    Unrunnable,
};

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut args = env::args().skip(1).peekable();
    if args.next_if_eq("reap").is_some() {
        return reaper::main(&args.next().unwrap_or_default());
    }
    match work(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(5)
        }
    }
}

fn work(mut args: impl Iterator<Item = String>) -> Result<u8, Error> {
    let begun = Instant::now();
    let mut jobs = 1;
    let mut timeout = Duration::from_secs(60);
    let own = env::current_exe()?.into_os_string();
    let mut reaper = Some(vec![own, "reap".into()]);
    let mut file = None;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or("a value is missing");
        match arg.as_str() {
            "--jobs" => jobs = value()?.parse()?,
            "--timeout" => timeout = Duration::from_secs_f64(value()?.parse()?),
            "--no-reaper" => reaper = None,
            _ => file = Some(arg),
        }
    }
    let commands = fs::read_to_string(file.ok_or("no file is named")?)?;
    let commands =
        commands.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
    let options = RunOptions {
        root: env::current_dir()?,
        jobs,
        builtin: Vec::new(),
        env: env::vars_os().collect(),
        output_cap: RunOptions::OUTPUT_CAP,
        memory: false,
        max_heavy: 1,
        exit_after_failures: None,
        keep_passing_output: false,
        confirm_failures: Default::default(),
        reruns: Default::default(),
        flaky_fails: false,
        total_timeout: None,
        unsorted: false,
        explain: false,
        history: None,
        reaper,
        peers: None,
        unusable_peers: Vec::new(),
        header: RunHeader::default(),
    };
    let first = Box::new(Printer { begun, started: false });
    let summary = run(options, Arc::new(Commands { commands, timeout }), vec![first], StopSource::Signals)?;
    println!("{summary:?} whole {:?}", begun.elapsed());
    Ok(summary.exit_code())
}

/// Says when the first test starts, and what fails.
struct Printer {
    begun: Instant,
    started: bool,
}

impl Reporter for Printer {
    fn event(&mut self, event: &Event) {
        let text = match &event.kind {
            EventKind::Started { .. } if !self.started => {
                self.started = true;
                format!("first test after {:?}", self.begun.elapsed())
            }
            EventKind::Finished(report) if !report.as_expected => {
                let why = report.why.as_deref().unwrap_or_default();
                format!("{}: {} {why}", report.name, report.outcome)
            }
            EventKind::Notice(text) => text.clone(),
            _ => return,
        };
        // Whoever reads this may be gone.
        let _ = writeln!(io::stdout(), "{text}");
    }
}

struct Commands {
    commands: Vec<Vec<String>>,
    timeout: Duration,
}

impl Commands {
    fn name(id: CaseId) -> TestName {
        TestName {
            suite: "line".into(),
            name: (id.0 + 1).to_string(),
            variant: "default".into(),
            detail: None,
        }
    }
}

impl Cases for Commands {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: id };
        Box::new((0..self.commands.len() as u64).map(entry))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        let name = Self::name(id);
        let words = usize::try_from(id.0).ok().and_then(|index| self.commands.get(index));
        let Some((program, args)) = words.and_then(|words| words.split_first()) else {
            let (id, reason) = (name.path(), "the line is empty".into());
            return Err(Box::new(Unrunnable { name, id, reason }));
        };
        Ok(TestCase {
            id: name.path(),
            name,
            prefix: Vec::new(),
            program: Program::Shell(Arg::Text(program.clone())),
            args: args.iter().cloned().map(Arg::Text).collect(),
            env: BTreeMap::new(),
            unset_env: Vec::new(),
            timeout: self.timeout,
            term_grace: None,
            judge: Judge::ExitCode,
            recipe: None,
            expected_file: None,
            expectation: Expectation::pass(),
            slow: false,
            heavy: false,
            variant_flags: Vec::new(),
            random_seed: None,
        })
    }
}
