//! Real processes, by every way of watching them that this system has.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use flotilla_messages::Exit;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::worker::patiently;
use super::{
    Ended, Launch, Launcher, Limits, ProcessError, ResourceLimits, StopSignal, StopStage, Worker, portable,
    watch,
};
use crate::execution::executor::LeaseId;

const LONG: Duration = Duration::from_secs(60);
const CAP: usize = 1 << 20;

fn launcher() -> Launcher {
    Launcher::new("/".into(), vec![("PATH".into(), "/usr/bin:/bin".into())])
}

/// A worker for each way to watch.
fn workers() -> [Worker; 2] {
    let portable = Box::new(portable::WaitThread::start().unwrap());
    [Worker::with(watch().unwrap()).unwrap(), Worker::with(portable).unwrap()]
}

fn run_words(
    worker: &mut Worker,
    words: &[&str],
    limits: Limits,
    switch: &StopSignal,
) -> Result<Ended, ProcessError> {
    let argv: Vec<OsString> = words.iter().map(OsString::from).collect();
    let env = BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]);
    worker.run(&launcher(), Launch { argv: &argv, env: &env, unset: &[], marker: "run.1" }, limits, switch)
}

fn run_script(worker: &mut Worker, script: &str, limits: Limits) -> Ended {
    let switch = StopSignal::new().unwrap();
    run_words(worker, &["/bin/sh", "-c", script], limits, &switch).unwrap()
}

fn whole(script: &str) -> [Ended; 2] {
    workers()
        .map(|mut worker| run_script(&mut worker, script, Limits { timeout: LONG, grace: None, cap: CAP }))
}

/// The process whose number the script printed is gone, or soon will be.
fn assert_ends(stdout: &[u8]) {
    let pid = std::str::from_utf8(stdout).unwrap().trim().parse().ok().and_then(Pid::from_raw).unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    let alive = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        test_kill_process(pid).is_ok() && !stat.contains(") Z ")
    };
    while alive() {
        assert!(Instant::now() < until, "process {pid} lives on");
        thread::yield_now();
    }
}

#[test]
fn output_environment_directory_and_exit_code_are_as_asked() {
    let script = "printf '%s %s ' $GREETING $FLOTILLA_RUN; pwd; printf 'e\\377' >&2; cat; exit 7";
    for ended in whole(script) {
        assert!(!ended.stopped && !ended.output.timed_out);
        assert_eq!(ended.output.exit, Exit::Code(7));
        assert_eq!(ended.output.stdout.bytes, b"hello run.1 /\n");
        assert_eq!(ended.output.stderr.bytes, b"e\xff");
    }
}

#[test]
fn a_signal_is_reported_as_such() {
    for ended in whole("kill -SEGV $$") {
        assert_eq!(ended.output.exit, Exit::Signal(11));
    }
}

#[test]
fn a_grandchild_that_holds_the_pipes_delays_nothing_and_dies_with_the_group() {
    for ended in whole("sleep 60 & echo $!") {
        assert_eq!(ended.output.exit, Exit::Code(0));
        assert!(ended.output.duration < Duration::from_secs(30));
        assert_ends(&ended.output.stdout.bytes);
    }
}

#[test]
fn a_grandchild_that_left_the_session_delays_nothing() {
    for ended in whole("setsid sleep 60 & echo $!") {
        assert_eq!(ended.output.exit, Exit::Code(0));
        assert!(ended.output.duration < Duration::from_secs(30));
        // Nobody looks after orphans here.
        let pid = ended.output.stdout.text().trim().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::KILL).ok();
    }
}

#[test]
fn the_deadline_kills_the_group_and_keeps_what_was_printed() {
    for mut worker in workers() {
        let limits = Limits { timeout: Duration::from_millis(300), grace: None, cap: CAP };
        let ended = run_script(&mut worker, "sleep 60 & echo $!; trap '' TERM; wait; sleep 60", limits);
        assert!(ended.output.timed_out && !ended.stopped);
        assert_eq!(ended.output.exit, Exit::Signal(9));
        assert!(ended.output.duration >= limits.timeout);
        assert_ends(&ended.output.stdout.bytes);
        let next = run_script(&mut worker, "echo next", Limits { timeout: LONG, grace: None, cap: CAP });
        assert_eq!(next.output.stdout.bytes, b"next\n");
    }
}

const GRACE: Duration = Duration::from_millis(100);

/// Runs the script until a deadline of 0.3 s with SIGTERM first.
fn late(worker: &mut Worker, grace: Duration, script: &str) -> Ended {
    let limits = Limits { timeout: Duration::from_millis(300), grace: Some(grace), cap: CAP };
    let ended = run_script(worker, script, limits);
    assert!(ended.output.timed_out && !ended.stopped, "{ended:?}");
    assert!(ended.output.duration >= limits.timeout);
    ended
}

#[test]
fn with_a_grace_the_deadline_is_sigterm_and_what_is_printed_then_is_kept() {
    for mut worker in workers() {
        let ended = late(
            &mut worker,
            LONG,
            "trap 'echo got TERM; exit 5' TERM; echo started; while :; do sleep 0.01; done",
        );
        assert_eq!(ended.output.stdout.text(), "started\ngot TERM\n");
        assert_eq!(ended.output.exit, Exit::Code(5));
        let ended = late(&mut worker, LONG, "exec sleep 60");
        assert_eq!(ended.output.exit, Exit::Signal(15));
        let next = run_script(&mut worker, "echo next", Limits { timeout: LONG, grace: None, cap: CAP });
        assert_eq!(next.output.stdout.bytes, b"next\n");
    }
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_after_the_grace() {
    for mut worker in workers() {
        let ended =
            late(&mut worker, GRACE, "sleep 60 & echo $!; trap '' TERM; while :; do sleep 0.01; done");
        assert_eq!(ended.output.exit, Exit::Signal(9));
        assert!(ended.output.duration >= Duration::from_millis(400));
        assert_ends(&ended.output.stdout.bytes);
    }
}

/// The leader dies of SIGTERM at once, as a wrapper does; its child is still at work then.
#[test]
fn the_grace_is_the_whole_groups_and_ends_with_it() {
    let child = "trap 'sleep 0.05; echo stack follows; exit' TERM; while :; do sleep 0.01; done";
    for mut worker in workers() {
        let begun = Instant::now();
        let ended = late(&mut worker, LONG, &format!("({child}) & wait"));
        assert_eq!(ended.output.exit, Exit::Signal(15));
        assert_eq!(ended.output.stdout.text(), "stack follows\n");
        assert!(begun.elapsed() < LONG);
    }
}

#[test]
fn who_left_the_group_and_holds_the_pipes_gets_no_more_than_the_grace() {
    for mut worker in workers() {
        let begun = Instant::now();
        let ended = late(&mut worker, GRACE, "setsid sleep 60 & echo $!; exec sleep 60");
        assert_eq!(ended.output.exit, Exit::Signal(15));
        assert!(begun.elapsed() < Duration::from_secs(20));
        let pid = ended.output.stdout.text().trim().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::KILL).ok();
    }
}

#[test]
fn a_flood_of_output_makes_the_grace_no_longer() {
    for mut worker in workers() {
        for script in ["trap '' TERM; exec cat /dev/zero", "trap '' TERM; cat /dev/zero & trap - TERM; wait"]
        {
            let begun = Instant::now();
            let ended = late(&mut worker, GRACE, script);
            assert!(ended.output.stdout.total > 0);
            assert!(begun.elapsed() < Duration::from_secs(20), "{script}");
        }
    }
}

#[test]
fn a_run_that_is_killed_does_not_wait_for_the_grace() {
    for worker in workers() {
        // Told as soon as the test has got SIGTERM, which is long before the grace is over.
        let limits = Limits { timeout: Duration::from_millis(300), grace: Some(LONG), cap: CAP };
        let script = "trap ': > $0' TERM; while :; do sleep 0.01; done";
        let (ended, _dir) = while_running_for(limits, worker, script, |switch| {
            switch.stop(StopStage::Terminate);
            switch.stop(StopStage::Kill);
        });
        assert!(ended.stopped);
        assert_eq!(ended.output.exit, Exit::Signal(9));
        assert!(ended.output.duration < LONG);
    }
}

#[test]
fn a_deadline_holds_against_a_flood_of_output() {
    for mut worker in workers() {
        let limits = Limits { timeout: Duration::from_millis(200), grace: None, cap: 10 };
        let ended = run_script(&mut worker, "exec cat /dev/zero", limits);
        assert!(ended.output.timed_out);
        assert_eq!(ended.output.stdout.bytes, [0; 10]);
        assert!(ended.output.stdout.total > 10);
    }
}

#[test]
fn the_cap_cuts_each_stream_and_counts_it_whole() {
    for mut worker in workers() {
        let script = "head -c 5000000 /dev/zero; echo done >&2";
        let ended = run_script(&mut worker, script, Limits { timeout: LONG, grace: None, cap: 1000 });
        assert_eq!(ended.output.exit, Exit::Code(0));
        assert_eq!((ended.output.stdout.bytes.len(), ended.output.stdout.total), (1000, 5_000_000));
        assert_eq!(ended.output.stderr.bytes, b"done\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_process_takes_of_memory_is_seen_while_it_lives() {
    for worker in workers() {
        let mut worker = worker.measuring(true);
        // It has grown by then, and lives until it has been looked at once more.
        let script =
            "exec perl -e '$x = \"x\" x (64 << 20); $| = 1; print 1; select(undef, undef, undef, 0.3)'";
        let output = run_script(&mut worker, script, Limits { timeout: LONG, grace: None, cap: CAP }).output;
        let memory = output.memory;
        assert!(memory.max_rss >= 64 << 20 && memory.max_rss < 1 << 30, "{memory:?}");
        assert!(memory.max_vms >= memory.max_rss, "{memory:?}");
        assert!(output.started.is_some_and(|started| started.elapsed().unwrap() >= output.duration));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_is_looked_at_before_its_deadline_kills_it() {
    for worker in workers() {
        let mut worker = worker.measuring(true);
        let limits = Limits { timeout: Duration::from_millis(1), grace: None, cap: CAP };
        let output = run_script(&mut worker, "exec sleep 60", limits).output;
        assert!(output.timed_out && output.memory.max_rss > 0, "{output:?}");
    }
}

#[test]
fn a_process_that_closes_its_outputs_is_waited_for() {
    for ended in whole("exec >&- 2>&-; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; exit 3") {
        assert_eq!(ended.output.exit, Exit::Code(3));
    }
}

#[test]
fn a_leader_that_leaves_its_group_is_killed_all_the_same() {
    let script = "exec perl -e 'setpgrp(0, getppid()); sleep 60'";
    for mut worker in workers() {
        let limits = Limits { timeout: Duration::from_millis(200), grace: None, cap: CAP };
        let ended = run_script(&mut worker, script, limits);
        assert!(ended.output.timed_out);
    }
}

/// Runs the script on a thread and calls `then` once the script has made the file that it gets as `$0`.
fn while_running(
    worker: Worker,
    script: &'static str,
    then: impl FnOnce(&StopSignal),
) -> (Ended, tempfile::TempDir) {
    while_running_for(Limits { timeout: LONG, grace: None, cap: CAP }, worker, script, then)
}

fn while_running_for(
    limits: Limits,
    mut worker: Worker,
    script: &'static str,
    then: impl FnOnce(&StopSignal),
) -> (Ended, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("begun");
    let switch = StopSignal::new().unwrap();
    switch.begin(LeaseId(1));
    let ended = thread::scope(|scope| {
        let (name, switched) = (file.to_str().unwrap(), &switch);
        let running = scope.spawn(move || {
            run_words(&mut worker, &["/bin/sh", "-c", script, name], limits, switched).unwrap()
        });
        while !file.exists() {
            thread::yield_now();
        }
        then(&switch);
        running.join().unwrap()
    });
    (ended, dir)
}

#[test]
fn a_stop_is_sigterm_first() {
    for worker in workers() {
        let script = "trap 'echo bye; exit 5' TERM; : > $0; while :; do sleep 0.01; done";
        let (ended, _dir) = while_running(worker, script, |switch| switch.stop(StopStage::Terminate));
        assert!(ended.stopped);
        assert_eq!(ended.output.exit, Exit::Code(5));
        assert_eq!(ended.output.stdout.bytes, b"bye\n");
    }
}

#[test]
fn a_stop_becomes_sigkill_after_the_grace() {
    for worker in workers() {
        let script = "trap '' TERM; : > $0; while :; do sleep 0.01; done";
        let (ended, _dir) = while_running(worker, script, |switch| {
            assert!(switch.withdraw(LeaseId(1)));
        });
        assert!(ended.stopped);
        assert_eq!(ended.output.exit, Exit::Signal(9));
        assert!(ended.output.duration >= Duration::from_secs(1));
    }
}

#[test]
fn a_kill_does_not_wait_for_the_grace() {
    for worker in workers() {
        let script = "trap '' TERM; : > $0; while :; do sleep 0.01; done";
        let mut asked = Instant::now();
        let (ended, _dir) = while_running(worker, script, |switch| {
            asked = Instant::now();
            switch.stop(StopStage::Terminate);
            switch.stop(StopStage::Kill);
        });
        assert!(asked.elapsed() < Duration::from_secs(1));
        assert!(ended.stopped);
        assert_eq!(ended.output.exit, Exit::Signal(9));
    }
}

#[test]
fn what_cannot_be_started_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str, text: &str, mode| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let plain = made("plain", "text", 0o644);
    let nonsense = made("nonsense", "neither ELF nor script", 0o755);
    let orphan = made("orphan", "#!/no/such/interpreter\n", 0o755);
    let missing = dir.path().join("missing");
    let error = |path: &Path| {
        let [mut worker, _] = workers();
        let limits = Limits { timeout: LONG, grace: None, cap: CAP };
        let words = [path.to_str().unwrap()];
        let error = run_words(&mut worker, &words, limits, &StopSignal::new().unwrap()).unwrap_err();
        // The worker is as good as before.
        assert_eq!(run_script(&mut worker, "exit 4", limits).output.exit, Exit::Code(4));
        error.to_string().replace(path.to_str().unwrap(), "PATH")
    };
    assert_eq!(error(&missing), "cannot start PATH: No such file or directory (os error 2)");
    assert_eq!(error(&plain), "cannot start PATH: Permission denied (os error 13) (not executable)");
    assert!(error(&nonsense).ends_with("(neither a program of this machine nor a script with a `#!` line)"));
    assert!(error(&orphan).ends_with("(the file exists: its interpreter or loader does not)"));
}

#[test]
fn a_shortage_that_passes_is_waited_out_and_other_errors_are_not() {
    let switch = StopSignal::new().unwrap();
    let mut attempts = 0;
    let done = patiently(&switch, || {
        attempts += 1;
        if attempts < 4 { Err(Errno::AGAIN.into()) } else { Ok(attempts) }
    });
    assert_eq!(done.unwrap(), Some(4));
    let error = patiently::<()>(&switch, || Err(Errno::NOENT.into())).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    switch.stop(StopStage::Terminate);
    assert_eq!(patiently::<()>(&switch, || Err(Errno::TXTBSY.into())).unwrap(), None);
}

#[test]
fn no_descriptor_is_lost_over_many_runs() {
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let [mut worker, _other] = workers();
    run_script(&mut worker, "exit 0", Limits { timeout: LONG, grace: None, cap: CAP });
    // Other tests of this process come and go: several looks, the least counts.
    let least = |worker: &mut Worker| {
        (0..20)
            .map(|_| {
                run_script(worker, "echo x", Limits { timeout: LONG, grace: None, cap: CAP });
                count()
            })
            .min()
            .unwrap()
    };
    let before = least(&mut worker);
    for _ in 0..200 {
        run_script(&mut worker, "exit 0", Limits { timeout: LONG, grace: None, cap: CAP });
    }
    assert!(least(&mut worker) < before + 200, "descriptors pile up");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_process_may_take_can_be_bounded() {
    let ceilings =
        ResourceLimits { core: Some(0), file: Some(1 << 20), descriptors: Some(50), processes: None };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("large");
    // They are set just after the start.
    let waits = "until [ $(ulimit -n) = 50 ]; do :; done; ";
    let script =
        format!("{waits}ulimit -Hc; ulimit -Hn; head -c 3000000 /dev/zero > {}; echo $?", file.display());
    for worker in workers() {
        let mut worker = worker.limited(ceilings);
        let ended = run_script(&mut worker, &script, Limits { timeout: LONG, grace: None, cap: CAP });
        let said = ended.output.stdout.text().into_owned();
        assert!(said.starts_with("0\n50\n") && !said.ends_with("\n0\n"), "{said}");
        assert_eq!(fs::metadata(&file).unwrap().len(), 1 << 20);
        fs::remove_file(&file).unwrap();
    }
}
