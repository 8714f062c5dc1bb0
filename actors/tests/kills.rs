//! What is left when a run is ended from outside: nothing. By the real program and real signals.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flotilla_messages::for_tests::skipped;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run of `run-commands`, its processes marked by a variable of their own.
struct Run {
    dir: tempfile::TempDir,
    child: Child,
}

impl Run {
    /// Starts commands, one a line; `$DIR` stands for a directory of this run.
    fn start(commands: &str, jobs: usize) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_run-commands")), commands, jobs)
    }

    fn start_by(mut command: Command, commands: &str, jobs: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        let file = dir.path().join("commands");
        fs::write(&file, commands.replace("$DIR", path)).unwrap();
        let child = command
            .args(["--jobs", &jobs.to_string(), file.to_str().unwrap()])
            .env("KILLED_RUN", path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { dir, child }
    }

    /// A script that commands can name, made executable.
    fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until this many files called `begun*` exist.
    fn await_begun(&self, count: usize) {
        let begun = || {
            let names = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.to_string_lossy().starts_with("begun")).count()
        };
        poll_until("the commands begin", || begun() >= count);
    }

    /// The processes of this run, but for the runner itself: number and command.
    fn processes(&self) -> Vec<(Pid, String)> {
        let needle = format!("KILLED_RUN={}", self.dir.path().display()).into_bytes();
        let found = |entry: fs::DirEntry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let environ = fs::read(entry.path().join("environ")).ok()?;
            let marked = environ.split(|&byte| byte == 0).any(|item| item == needle);
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&words).replace('\0', " ");
            (marked && pid != self.pid()).then_some((pid, command))
        };
        fs::read_dir("/proc").unwrap().filter_map(|entry| found(entry.ok()?)).collect()
    }

    fn assert_nothing_left(&self) {
        let mut left = Vec::new();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            left = self.processes();
            if left.is_empty() {
                return;
            }
        }
        panic!("left behind: {left:#?}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A test that fails leaves nothing behind either.
        for (pid, _) in self.processes() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn poll_until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "waiting in vain until {what}");
        std::thread::yield_now();
    }
}

/// The beginning of a script whose grandchild leaves the session, and makes a file there.
const LEAVES: &str = "(setsid sh -c ': > '$1'/begun'$$';";
/// Its end: the script ends by itself once its grandchild is there.
const AWAITS: &str = "while [ ! -e $1/begun$$ ]; do :; done";

/// Four tests that do not end by themselves: a plain one, one whose grandchild left the session, one with a daemon (orphaned
/// already, in a session of its own), and one that ignores signals.
fn stubborn() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let scripts = [
        ("plain", ": > $1/begun1; sleep 600"),
        ("session", "setsid sh -c 'sleep 600; :' & : > $1/begun2; wait"),
        ("daemon", "(setsid sh -c ': > '$1'/begun3; sleep 600; :' >/dev/null 2>&1 &) ; sleep 600"),
        ("deaf", "trap '' INT TERM HUP; : > $1/begun4; while :; do sleep 1; done"),
    ];
    let line = |(name, text)| format!("{} $DIR\n", Run::script(dir.path(), name, text).display());
    let commands = scripts.map(line).concat();
    (dir, commands)
}

#[test]
fn a_killed_runner_leaves_nothing() {
    let (_scripts, commands) = stubborn();
    let mut run = Run::start(&commands, 4);
    run.await_begun(4);
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    run.assert_nothing_left();
}

#[test]
fn a_killed_process_group_leaves_nothing() {
    let (_scripts, commands) = stubborn();
    let mut run = Run::start(&commands, 4);
    run.await_begun(4);
    kill_process_group(run.pid(), Signal::KILL).unwrap();
    run.child.wait().unwrap();
    run.assert_nothing_left();
}

/// Whether SIGHUP does nothing here, as under nohup: what this process ignores, its children ignore as well.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|mask| mask & 1 != 0)
}

#[test]
fn signals_to_the_whole_group_do_not_disarm_the_reaper() {
    if hangups_are_ignored() {
        skipped("SIGHUP, which is ignored here (nohup)");
        return;
    }
    let (_scripts, commands) = stubborn();
    let mut run = Run::start(&commands, 4);
    run.await_begun(4);
    // As a closed terminal does. SIGHUP ends the runner, which does not catch it.
    kill_process_group(run.pid(), Signal::HUP).unwrap();
    assert_eq!(run.child.wait().unwrap().signal(), Some(1));
    run.assert_nothing_left();
}

#[test]
fn killing_a_runner_at_any_moment_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let script = Run::script(dir.path(), "brief", &format!("{LEAVES} exec sleep 600' &); {AWAITS}"));
    let commands = format!("{} $DIR\n", script.display()).repeat(400);
    for round in 1..=8 {
        let mut run = Run::start(&commands, 3);
        run.await_begun(round * 3);
        run.child.kill().unwrap();
        run.child.wait().unwrap();
        run.assert_nothing_left();
    }
}

#[test]
fn a_run_that_ends_by_itself_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{LEAVES} setsid sleep 600 & sleep 600' &); {AWAITS}");
    let script = Run::script(dir.path(), "brief", &text);
    let mut run = Run::start(&format!("{} $DIR\n", script.display()).repeat(50), 2);
    assert_eq!(run.child.wait().unwrap().code(), Some(0));
    // Not even for a moment.
    assert_eq!(run.processes(), []);
}

#[test]
fn even_what_scrubs_its_environment_goes_when_the_runner_ends_in_order() {
    let dir = tempfile::tempdir().unwrap();
    // The order matters: what still carries its marker is ended with its test.
    let scrubbed = "env -i sh -c 'echo $$ > '$1'/pid; : > '$1'/begun'$$'; exec sleep 600'";
    let text = format!("(setsid {scrubbed} &); {AWAITS}");
    let script = Run::script(dir.path(), "scrubs", &text);
    let mut run = Run::start(&format!("{} $DIR\n/bin/sleep 0.5\n", script.display()), 1);
    assert_eq!(run.child.wait().unwrap().code(), Some(0));
    let pid = fs::read_to_string(run.dir.path().join("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn interrupt_and_terminate_end_the_run_with_their_exit_codes() {
    for (signal, code) in [(Signal::INT, 3), (Signal::TERM, 4)] {
        let (_scripts, commands) = stubborn();
        let mut run = Run::start(&commands, 4);
        run.await_begun(4);
        kill_process(run.pid(), signal).unwrap();
        assert_eq!(run.child.wait().unwrap().code(), Some(code));
        assert_eq!(run.processes(), []);
    }
}

#[test]
fn a_second_interrupt_kills_at_once() {
    let attempt = || {
        let (_scripts, commands) = stubborn();
        let mut run = Run::start(&commands, 4);
        run.await_begun(4);
        let begun = Instant::now();
        // Two signals of a kind may become one: repeated until the run ends.
        while run.child.try_wait().unwrap().is_none() {
            kill_process(run.pid(), Signal::INT).ok();
            assert!(begun.elapsed() < PATIENCE);
            std::thread::yield_now();
        }
        let took = begun.elapsed();
        assert_eq!(run.child.wait().unwrap().code(), Some(3));
        assert_eq!(run.processes(), []);
        took
    };
    // Without it, the one that ignores SIGTERM has a second. A busy machine gets another chance.
    assert!((0..3).any(|_| attempt() < Duration::from_millis(950)));
}

#[test]
fn a_parent_that_ignores_the_end_of_its_children_does_no_harm() {
    if which::which("perl").is_err() {
        return skipped("perl");
    }
    let mut command = Command::new("perl");
    command.args(["-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV", env!("CARGO_BIN_EXE_run-commands")]);
    let mut run = Run::start_by(command, "/bin/true\n/bin/sleep 0.2\n", 2);
    assert_eq!(run.child.wait().unwrap().code(), Some(0));
}
