//! The daemon's life: how it is started, found, told and ended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output};
use std::time::Duration;

use flotilla_messages::for_tests::skipped;
use machine::{Machine, failed, succeeded, until};
use rustix::process::Signal;

#[test]
fn start_tells_pid_and_fingerprint_and_stop_ends_the_daemon() {
    let machine = Machine::new();
    let said = machine.start(&[]);
    let pid = machine.pid().unwrap();
    assert_eq!(said, format!("peerd runs: pid {pid}, {}\n", machine.name()));
    let ports = machine.ports().unwrap();
    for address in [ports.local, ports.work, ports.status] {
        assert!(TcpStream::connect(address).is_ok(), "{address}");
    }
    assert_eq!(machine.done(&["stop"]), format!("peerd ended: pid {pid}\n"));
    assert!(TcpStream::connect(ports.local).is_err());
    for left in ["data/peerd.pid", "data/peerd.ports"] {
        assert!(!machine.path(left).exists(), "{left} is left");
    }
    machine.refused(&["stop"], 1, &["no daemon runs"]);
}

#[test]
fn the_daemon_is_in_a_session_of_its_own_and_keeps_no_directory() {
    let machine = Machine::running();
    let process = format!("/proc/{}", machine.pid().unwrap());
    assert_eq!(fs::read_link(format!("{process}/cwd")).unwrap(), std::path::Path::new("/"));
    let stat = fs::read_to_string(format!("{process}/stat")).unwrap();
    // After the name in parentheses: state, parent, group, session.
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, machine.pid().unwrap().to_string());
}

#[test]
fn a_second_daemon_on_the_same_home_is_refused() {
    let machine = Machine::running();
    let pid = machine.pid().unwrap();
    let running = format!("a daemon runs already: pid {pid}");
    failed(machine.serving("start", &[]).output().unwrap(), 1, &[&running, "did not start"]);
    failed(machine.serving("run", &[]).output().unwrap(), 1, &[&running]);
    assert_eq!(machine.pid(), Some(pid));
    assert!(machine.ports().is_some());
    let log = machine.log();
    assert!(
        log.matches("starts: pid").count() == 1 && !log.contains("already"),
        "the log is the first one's: {log}"
    );
}

#[test]
fn of_many_starts_at_a_time_one_wins() {
    let machine = Machine::new();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..5).map(|_| scope.spawn(|| machine.serving("start", &[]).output().unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = outputs.into_iter().partition(|output| output.status.success());
    assert_eq!((won.len(), lost.len()), (1, 4));
    lost.into_iter().for_each(|output| failed(output, 1, &["a daemon runs already"]));
}

#[test]
fn restart_replaces_the_daemon_or_starts_one() {
    let machine = Machine::new();
    let said = succeeded(machine.serving("restart", &[]).output().unwrap());
    let first = machine.pid().unwrap();
    assert!(said.starts_with(&format!("peerd runs: pid {first}")), "{said}");
    let said = succeeded(machine.serving("restart", &[]).output().unwrap());
    let second = machine.pid().unwrap();
    assert_ne!(first, second);
    assert!(said.starts_with(&format!("peerd ended: pid {first}\npeerd runs: pid {second}")), "{said}");
    assert!(!machine.log().contains("cut"), "the command took leave: {}", machine.log());
}

#[test]
fn the_next_daemon_gets_the_ports_of_the_one_before() {
    let machine = Machine::running();
    let ports = machine.ports().unwrap();
    let set = |section: &str, address| format!("{section}.address={address}");
    let sets = [set("local", ports.local), set("work", ports.work), set("status", ports.status)];
    let args: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
    for _ in 0..3 {
        succeeded(machine.serving("restart", &args).output().unwrap());
        assert_eq!(machine.ports(), Some(ports));
    }
}

#[test]
fn restart_leaves_the_old_daemon_when_the_new_one_could_not_run() {
    let machine = Machine::running();
    let pid = machine.pid();
    fs::write(machine.path("peerd.toml"), "[work]\njobs = \"many\"\n").unwrap();
    failed(machine.serving("restart", &[]).output().unwrap(), 1, &["peerd.toml", "line 2"]);
    assert_eq!(machine.pid(), pid);
}

#[test]
fn a_stale_pid_file_is_said_and_replaced() {
    let machine = Machine::new();
    fs::write(machine.path("data/peerd.pid"), "4711\n").unwrap();
    machine.refused(&["stop"], 1, &["no daemon runs"]);
    let output = machine.serving("start", &[]).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("pid 4711, did not end in order"), "{said}");
    assert!(machine.log().contains("pid 4711, did not end in order"));
}

#[test]
fn after_a_kill_it_starts_again() {
    let machine = Machine::running();
    let (killed, ports) = (machine.pid().unwrap(), machine.ports());
    machine.send(Signal::KILL);
    until("it is gone", || machine.pid().is_none());
    assert_eq!(machine.ports(), ports, "nobody took it away");
    let output = machine.serving("start", &[]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(&format!("pid {killed}, did not end")), "{said}");
    assert_ne!(machine.ports(), ports);
}

#[test]
fn a_port_in_use_is_told_by_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let machine = Machine::new();
    let output = machine.serving("start", &["--set", &format!("status.address={address}")]).output().unwrap();
    failed(output, 1, &[&address, "in use", "did not start"]);
    assert!(machine.log().contains(&address), "{}", machine.log());
    assert_eq!(machine.pid(), None);
    assert!(!machine.path("data/peerd.pid").exists());
}

#[test]
fn what_cannot_be_written_is_told_by_start() {
    let machine = Machine::new();
    fs::write(machine.path("log"), "").unwrap();
    failed(machine.serving("start", &[]).output().unwrap(), 1, &["cannot write the log", "log/peerd.log"]);
    assert_eq!(machine.pid(), None);
    fs::remove_file(machine.path("log")).unwrap();

    fs::create_dir(machine.path("data/peerd.pid")).unwrap();
    failed(machine.serving("start", &[]).output().unwrap(), 1, &["cannot write", "peerd.pid"]);

    let nowhere = Machine::bare();
    fs::write(nowhere.path(""), "").unwrap_err();
    fs::write(nowhere.dir.path().join("home"), "a file").unwrap();
    nowhere.refused(&["setup"], 1, &["cannot make the directory", "home"]);
    failed(nowhere.serving("start", &[]).output().unwrap(), 1, &["home"]);
}

#[test]
fn without_an_identity_nothing_is_started_or_made() {
    let machine = Machine::bare();
    for word in ["start", "run", "restart"] {
        failed(machine.serving(word, &[]).output().unwrap(), 1, &["peerd setup"]);
    }
    machine.refused(&["stop"], 1, &["peerd setup"]);
    machine.refused(&["log"], 1, &["peerd setup"]);
    assert!(!machine.path("").exists());
}

#[test]
fn root_is_refused_unless_asked_for() {
    if !rustix::process::geteuid().is_root() {
        skipped("root");
        return;
    }
    let machine = Machine::new();
    for word in ["start", "run", "restart"] {
        machine.refused(&[word], 1, &["root", "--allow-root"]);
    }
}

#[test]
fn in_the_foreground_signals_end_it_in_order_and_the_log_goes_to_standard_error_too() {
    let machine = Machine::new();
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let child = machine.foreground(|_| {});
        machine.send(signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&format!("ends: {name}")) && said.contains("info  peerd: "), "{said}");
        assert!(machine.log().contains(&*said), "{said}");
        assert!(!machine.path("data/peerd.ports").exists());
        fs::remove_file(machine.path("log/peerd.log")).unwrap();
    }
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_and_when_it_stops() {
    let machine = Machine::new();
    let path = machine.dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hear = || {
        let mut bytes = [0; 256];
        let count = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).trim_end().to_owned()
    };
    let mut child = machine.foreground(|command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(hear(), "READY=1");
    machine.send(Signal::TERM);
    assert_eq!(hear(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
}

#[test]
fn stop_sends_a_signal_when_the_local_port_does_not_answer() {
    let machine = Machine::running();
    let pid = machine.pid().unwrap();
    let ports = fs::read_to_string(machine.path("data/peerd.ports")).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let changed = ports.replace(&machine.ports().unwrap().local.to_string(), &nobody);
    fs::write(machine.path("data/peerd.ports"), changed).unwrap();
    let output = machine.run(&["stop"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("sending SIGTERM to pid {pid}")), "{said}");
    assert_eq!(machine.pid(), None);
    assert!(machine.log().contains("ends: SIGTERM"));
}

#[test]
fn stop_leaves_a_process_alone_that_only_has_the_daemons_number() {
    let machine = Machine::running();
    let (pid, mut other) = (machine.pid().unwrap(), Command::new("sleep").arg("1000").spawn().unwrap());
    // As on a disk that machines share: locked, and the number is another machine's.
    fs::write(machine.path("data/peerd.pid"), format!("{}\n", other.id())).unwrap();
    fs::remove_file(machine.path("data/peerd.ports")).unwrap();
    machine.refused(&["stop"], 1, &["no process of this machine"]);
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
    machine.refused(&["stop"], 1, &["no process of this machine"]);
    fs::write(machine.path("data/peerd.pid"), format!("{pid}\n")).unwrap();
}
