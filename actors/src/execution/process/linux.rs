//! The leader's end by pidfd (Linux 5.3): no thread, no signal handler, no race with pid reuse.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use signal_hook::consts::SIGCHLD;

use super::EndWatch;

/// Watches one child at a time by its pidfd.
pub(super) struct Pidfd(Option<OwnedFd>);

impl Pidfd {
    /// `None` where the kernel, or a sandbox around us, does not know pidfds.
    pub(super) fn if_supported() -> Option<Self> {
        pidfd_open(getpid(), PidfdFlags::empty()).ok().map(|_| Self(None))
    }
}

impl EndWatch for Pidfd {
    fn arm(&mut self, child: &Child) -> io::Result<()> {
        self.0 = Some(pidfd_open(Pid::from_child(child), PidfdFlags::empty())?);
        Ok(())
    }

    fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd).ok_or_else(|| io::Error::other("no child is watched"))
    }

    fn disarm(&mut self) -> io::Result<()> {
        self.0 = None;
        Ok(())
    }
}

/// Makes sure that this process learns how its children end.
///
/// Its parent may have let it inherit an ignored SIGCHLD: the kernel then reaps children by itself. Any
/// handler undoes that; it is installed only then, since it interrupts system calls at each child's end.
///
/// # Errors
/// The handler cannot be installed.
pub fn keep_child_status() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0);
    if ignored >> (SIGCHLD - 1) & 1 == 1 {
        signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}
