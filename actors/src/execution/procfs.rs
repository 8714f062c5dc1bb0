//! The little of /proc that finding processes needs.

use std::fs::{self, File};
use std::io::{self, Read};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::execution::marker::{self, Mark};

/// What a process's environment says about the run with this needle. One that is not ours to look into is foreign;
/// one that has no environment any more is unknown.
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

/// Every process.
pub(crate) fn processes() -> io::Result<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?)))
}

/// SIGKILL, if `still` holds once the process is held by a pidfd: its number may have gone to another one.
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
