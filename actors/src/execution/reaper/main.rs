//! The reaper's own side.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{getpid, setsid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

use crate::execution::marker::{Mark, RunId};
use crate::execution::procfs;
use crate::execution::scratch;

/// What `ps` and `killall` call the reaper: not the runner's name, or killing that kills both.
const NAME: &std::ffi::CStr = c"flotilla-reaper";
/// How long the reaper goes on looking for processes that do not die.
const BOUND: Duration = Duration::from_secs(10);
/// This many passes in a row must find nothing, with these pauses before them: a process in the middle of an exec has no
/// environment for a moment.
const CLEAN: [Duration; 3] = [Duration::ZERO, Duration::from_millis(5), Duration::from_millis(20)];

/// The whole life of the reaper process, for the binary's hidden subcommand: waits for the end of standard input, then
/// ends all processes of `run` and removes its temporary files. Exit code 0 if nothing is left, 1 if something did not die, 2 for a bad id.
pub fn main(run: &str) -> ExitCode {
    let Some(run) = RunId::parse(run) else { return ExitCode::from(2) };
    let _ = rustix::thread::set_name(NAME);
    // Fails for a group's leader only, which no shell's job control signals reach as long as the group is its own.
    let _ = setsid();
    // Handlers that do nothing: what is meant for the runner must not end its reaper.
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2] {
        let _ = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)));
    }
    // Keeps no file system busy.
    let _ = std::env::set_current_dir("/");
    let mut report = io::stdout();
    let _ = report.write_all(b"r").and_then(|()| report.flush());
    wait_for_end();
    let ended = end_all(&run);
    scratch::remove(&scratch::of(&run));
    if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wait_for_end() {
    let mut input = io::stdin();
    let mut byte = [0];
    loop {
        match input.read(&mut byte) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// Kills every process of the run and looks again until nothing is found; says whether it came to that.
fn end_all(run: &RunId) -> bool {
    let needle = run.needle();
    let own = getpid();
    let begun = Instant::now();
    let marked = |pid| matches!(procfs::mark(pid, &needle), Mark::Of(_));
    let mut clean = 0;
    while let Some(pause) = CLEAN.get(clean) {
        if begun.elapsed() > BOUND {
            return false;
        }
        thread::sleep(*pause);
        let Ok(processes) = procfs::processes() else { return false };
        let found = processes.filter(|&pid| pid != own && marked(pid));
        let killed = found.map(|pid| procfs::kill(pid, marked)).count();
        clean = if killed == 0 { clean + 1 } else { 0 };
        if killed > 0 {
            // What was killed needs a moment to die.
            thread::sleep(Duration::from_millis(1));
        }
    }
    true
}
