//! What a confined thread and its processes can do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use flotilla_messages::for_tests::skipped;

use super::{Confinement, Extent, extent};

/// Runs this on a thread that is confined to this workspace; does nothing where the kernel cannot confine.
fn confined<T: Send + 'static>(
    workspace: &Path,
    needs: Extent,
    act: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let extent = extent();
    if extent == Extent::Not || (needs == Extent::Full && extent != Extent::Full) {
        skipped(&format!("a newer Landlock: this kernel's confines to {extent:?}"));
        return None;
    }
    let confinement = Confinement { read: Vec::new(), write: vec![workspace.to_owned()] };
    let thread = std::thread::spawn(move || {
        confinement.enter().unwrap();
        act()
    });
    Some(thread.join().unwrap())
}

/// Whether a shell command succeeded.
fn shell(command: String) -> bool {
    let output = Command::new("/bin/sh").args(["-c", &command]).output().unwrap();
    output.status.success()
}

fn denied<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

#[test]
fn files_outside_of_the_workspace_are_neither_read_nor_written_nor_made() {
    let (workspace, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = outside.path().join("identity.key");
    fs::write(&secret, "secret").unwrap();
    let inside = workspace.path().join("result");
    let (own, other) = (secret.clone(), outside.path().join("new"));
    let seen = confined(workspace.path(), Extent::Partial, move || {
        [
            denied(fs::read(&own)),
            shell(format!("cat {}", own.display())),
            shell(format!("echo x > {}", own.display())),
            shell(format!("echo x > {}", other.display())),
            shell(format!("ln -s {} {}.link && cat {0}.link", own.display(), inside.display())),
            shell(format!("echo done > {0} && cat {0} /etc/passwd > /dev/null", inside.display())),
        ]
    });
    let Some(seen) = seen else { return };
    assert_eq!(seen, [true, false, false, false, false, true]);
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    assert!(!outside.path().join("new").exists());
    assert_eq!(fs::read_to_string(workspace.path().join("result")).unwrap(), "done\n");
}

#[test]
fn the_local_port_is_out_of_reach() {
    let workspace = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap();
    let tried = move || (denied(TcpStream::connect(port)), denied(TcpListener::bind(("127.0.0.1", 0))));
    let Some(tried) = confined(workspace.path(), Extent::Full, tried) else { return };
    assert_eq!(tried, (true, true));
    assert!(TcpStream::connect(port).is_ok(), "other threads stay free");
}

#[test]
fn processes_outside_are_not_signalled() {
    let workspace = tempfile::tempdir().unwrap();
    let own = std::process::id();
    let tried = move || (shell(format!("kill -0 {own}")), shell("sleep 60 & kill $!".to_owned()));
    let Some(tried) = confined(workspace.path(), Extent::Full, tried) else { return };
    assert_eq!(tried, (false, true));
}

#[test]
fn a_second_job_on_the_same_thread_would_not_reach_its_workspace() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = second.path().to_owned();
    let tried = confined(first.path(), Extent::Partial, move || {
        Confinement { read: Vec::new(), write: vec![other.clone()] }.enter().unwrap();
        denied(fs::write(other.join("x"), ""))
    });
    assert!(tried.unwrap_or(true), "why a pool is made for each job");
}

#[test]
fn who_lends_a_machine_that_cannot_confine_is_told_what_that_means() {
    assert_eq!(Extent::Full.warning(), None);
    let [partial, not] = [Extent::Partial, Extent::Not].map(|extent| extent.warning().unwrap());
    assert!(partial.contains("TCP") && !partial.contains("not confined"), "{partial}");
    assert!(not.contains("not confined") && not.contains("all that this user can"), "{not}");
}
