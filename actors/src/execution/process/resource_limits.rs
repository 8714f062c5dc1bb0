//! What a process of somebody else may take of the system (setrlimit(2)).
//!
//! Set from outside just after the process was started: std starts processes without a step between fork and exec. What
//! it starts in the first microseconds escapes, and inherits the user's own limits.
//!
//! Never the size of the address space: engines reserve far more than they use.

use rustix::process::{Pid, Resource, Rlimit, getrlimit};

/// Bytes of one file that a test of another machine writes: SIGXFSZ follows.
const FILE: u64 = 4 << 30;
/// Files that one of its processes may have open.
const DESCRIPTORS: u64 = 4096;
/// Processes and threads that are left to this machine's user at least, and at most as a part of all.
const RESERVED: u64 = 512;
const RESERVED_PART: u64 = 8;

/// Limits of a process and of all that it starts. The default has no limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Bytes of a core file.
    pub core: Option<u64>,
    /// Bytes of a file that is written to.
    pub file: Option<u64>,
    /// Open files of a process.
    pub descriptors: Option<u64>,
    /// Processes and threads of the user, no matter who started them, from which on it can start no more. Not heeded where
    /// the user is root.
    pub processes: Option<u64>,
}

impl ResourceLimits {
    /// For tests of other machines: no core files, no file of more than 4 GiB, 4096 open files, and not the last of the
    /// processes that this user may have.
    pub fn of_guests() -> Self {
        let most = getrlimit(Resource::Nproc).current;
        let reserved = |most: u64| RESERVED.min(most / RESERVED_PART);
        Self {
            core: Some(0),
            file: Some(FILE),
            descriptors: Some(DESCRIPTORS),
            processes: most.map(|most| most - reserved(most)),
        }
    }

    /// Imposes them on a process that has been started.
    pub(super) fn impose(&self, process: Pid) {
        let limits = [
            (Resource::Core, self.core),
            (Resource::Fsize, self.file),
            (Resource::Nofile, self.descriptors),
            (Resource::Nproc, self.processes),
        ];
        for (resource, most) in limits {
            let Some(most) = most else { continue };
            // A limit that it has inherited stays if it is lower.
            let inherited = getrlimit(resource);
            let least = |other: Option<u64>| Some(other.map_or(most, |other| other.min(most)));
            let limit = Rlimit { current: least(inherited.current), maximum: least(inherited.maximum) };
            if let Err(error) = set(process, resource, limit) {
                // It has ended already, or belongs to another user by now.
                log::debug!("cannot limit process {}: {error}", process.as_raw_nonzero());
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn set(process: Pid, resource: Resource, limit: Rlimit) -> rustix::io::Result<()> {
    rustix::process::prlimit(Some(process), resource, limit).map(drop)
}

/// Other systems limit a process from within only.
#[cfg(not(target_os = "linux"))]
fn set(_: Pid, _: Resource, _: Rlimit) -> rustix::io::Result<()> {
    Ok(())
}
