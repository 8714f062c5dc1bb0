//! Finds and ends orphans by means of /proc.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::pread;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, set_child_subreaper, waitpid,
};

use crate::execution::executor::LeaseId;
use crate::execution::marker::{Mark, RunId};
use crate::execution::procfs;

/// How long one look continues while orphans start further orphans.
const ONE_LOOK: Duration = Duration::from_millis(500);
/// How long the last look continues.
const LAST_LOOK: Duration = Duration::from_secs(3);
/// How long to wait for a killed process before looking again.
const DYING: Duration = Duration::from_millis(50);

/// Ends the orphans of one run.
pub struct Orphans {
    needle: Vec<u8>,
    /// The main thread's list of children.
    children: File,
    /// Children that do not belong to the run.
    spared: Vec<Pid>,
    /// Whether all orphans certainly belong to the run, marked or not: this process had no children before, whose
    /// descendants could be among the orphans, and it is not the init process, which inherits every orphan.
    all_ours: bool,
    settled: Mutex<Settled>,
}

/// What the last look left running.
#[derive(Default)]
struct Settled {
    /// The list of children, in the kernel's format.
    list: Vec<u8>,
    /// The running leases that some of these children belong to.
    of: BTreeSet<LeaseId>,
}

impl Orphans {
    /// Makes this process a child subreaper, permanently.
    ///
    /// # Errors
    /// The kernel does not support subreapers, or does not list children (`CONFIG_PROC_CHILDREN`).
    pub fn adopt(run: &RunId) -> io::Result<Self> {
        let own = getpid();
        let children = File::open(format!("/proc/self/task/{own}/children"))?;
        let spared: Vec<Pid> = pids(&list(&children)?).collect();
        set_child_subreaper(Some(own))?;
        let all_ours = spared.is_empty() && own != Pid::INIT;
        let this = Self { needle: run.needle(), children, spared, all_ours, settled: Mutex::default() };
        Ok(this)
    }

    /// Excludes a child that does not belong to the run.
    pub fn spare(&mut self, child: Pid) {
        self.spared.push(child);
    }

    /// Ends the orphans of leases that are over. Costs one system call when there are none.
    pub fn test_ended(&self, lease: LeaseId, is_over: &dyn Fn(LeaseId) -> bool) {
        let mut settled = match self.settled.try_lock() {
            Ok(settled) => settled,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread is looking right now. What its look misses, the next one finds.
            Err(TryLockError::WouldBlock) => return,
        };
        let mut small = [0; 256];
        let as_before = pread(&self.children, &mut small, 0)
            .is_ok_and(|count| count < small.len() && small[..count] == settled.list);
        if as_before && !settled.of.contains(&lease) {
            return;
        }
        let until = Instant::now() + ONE_LOOK;
        while Instant::now() < until {
            match self.look(Some(is_over)) {
                Ok(Look { left, killed, of, .. }) if killed.is_empty() => {
                    *settled = Settled { list: left, of };
                    return;
                }
                Ok(look) => await_end(&look.killed),
                Err(error) => {
                    log::warn!("cannot look for leftover processes: {error}");
                    return;
                }
            }
        }
    }

    /// Ends all orphans; to be called after the run, when none of its leases is running. Returns whether nothing is
    /// left; takes up to three seconds if something is.
    pub fn end_all(&self) -> bool {
        let _settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + LAST_LOOK;
        while let Ok(look) = self.look(None) {
            if look.killed.is_empty() && !look.unsure {
                return true;
            }
            if Instant::now() >= until {
                break;
            }
            await_end(&look.killed);
        }
        false
    }

    /// Goes through the list once. `is_over` is `None` when all leases are over.
    fn look(&self, is_over: Option<&dyn Fn(LeaseId) -> bool>) -> io::Result<Look> {
        let left = list(&self.children)?;
        let mut look = Look { left, ..Look::default() };
        for pid in pids(&look.left).filter(|pid| !self.spared.contains(pid)) {
            // Nothing else reaps the main thread's children, so the number still belongs to this process.
            if reap(pid) {
                look.reaped = true;
                continue;
            }
            match procfs::mark(pid, &self.needle) {
                Mark::Of(lease) if is_over.is_none_or(|is_over| is_over(lease)) => look.killed.push(pid),
                Mark::Of(lease) => {
                    look.of.insert(lease);
                }
                Mark::Foreign if is_over.is_none() && self.all_ours => look.killed.push(pid),
                Mark::Foreign => {}
                // In the middle of an exec or of exiting.
                Mark::Unknown => look.unsure = true,
            }
        }
        for &pid in &look.killed {
            let _ = kill_process(pid, Signal::KILL);
        }
        if look.reaped || look.unsure {
            // Such a list must not be taken for a settled one.
            look.left.clear();
        }
        Ok(look)
    }
}

/// What one look found and did.
#[derive(Default)]
struct Look {
    left: Vec<u8>,
    killed: Vec<Pid>,
    of: BTreeSet<LeaseId>,
    reaped: bool,
    unsure: bool,
}

/// Waits a short time for killed processes to end, and reaps them.
fn await_end(killed: &[Pid]) {
    let until = Instant::now() + DYING;
    for &pid in killed {
        let held: Option<OwnedFd> = pidfd_open(pid, PidfdFlags::empty()).ok();
        let rest = Timespec::try_from(until.saturating_duration_since(Instant::now())).ok();
        if let Some(held) = held {
            let _ = poll(&mut [PollFd::new(&held, PollFlags::IN)], rest.as_ref());
        }
        reap(pid);
    }
    if killed.is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reaps a zombie; returns whether it is gone.
fn reap(pid: Pid) -> bool {
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}

/// Reads the whole list, which a fork bomb can make long.
fn list(children: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match pread(children, &mut chunk, bytes.len() as u64)? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

fn pids(list: &[u8]) -> impl Iterator<Item = Pid> {
    let words = list.split(|byte| !byte.is_ascii_digit());
    words.filter_map(|word| Pid::from_raw(std::str::from_utf8(word).ok()?.parse().ok()?))
}
