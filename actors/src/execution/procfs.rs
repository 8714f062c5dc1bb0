//! The parts of /proc that are needed to find processes.

use std::fs::{self, File};
use std::io::{self, Read};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::execution::marker::{self, Mark};

/// Looks for the run with this needle in a process's environment. A process whose environment may not be read is
/// foreign; one that no longer has an environment is unknown.
pub(crate) fn mark(pid: Pid, needle: &[u8]) -> Mark {
    let mut block = Vec::new();
    let read =
        File::open(format!("/proc/{pid}/environ")).and_then(|mut environ| environ.read_to_end(&mut block));
    match read {
        Ok(_) => marker::find(&block, needle),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Mark::Foreign,
        Err(_) => Mark::Unknown,
    }
}

/// All processes.
pub(crate) fn processes() -> io::Result<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?)))
}

/// Sends SIGKILL if `still` holds once a pidfd holds the process: its number may have been reused.
pub(crate) fn kill(pid: Pid, still: impl Fn(Pid) -> bool) {
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(held) if still(pid) => {
            let _ = pidfd_send_signal(&held, Signal::KILL);
        }
        Err(Errno::NOSYS | Errno::PERM | Errno::MFILE | Errno::NFILE) if still(pid) => {
            let _ = kill_process(pid, Signal::KILL);
        }
        _ => {}
    }
}
