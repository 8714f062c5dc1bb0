//! One command, from its spawn to its end.
//!
//! - Started by `posix_spawn` (std does that as long as there is no `pre_exec` and the program's path is absolute):
//!   a fork costs several times as much once the parent is large.
//! - Leads its own process group; standard input is null, both outputs are pipes.
//! - The verdict comes from the leader's exit, never from the end of its output: a grandchild may hold the pipes.
//!   When the leader has gone, its group is killed, what the pipes hold is read, and they are closed whatever happens.
//! - Groups are signalled only before their leader is reaped: until then its number cannot be given to another process.
//!
//! | file | holds |
//! |---|---|
//! | `worker` | the loop: poll, capture, deadline, stop |
//! | `launch` | what to start: program look-up, environment, errors |
//! | `capture` | one stream, up to a cap |
//! | `stop_signal` | how others stop what a worker runs |
//! | `memory` | what a process takes of memory, while it runs |
//! | `resource_limits` | what a process of somebody else may take of the system |
//! | `linux` | the leader's end, by pidfd |
//! | `portable` | the same by a thread that waits |

mod capture;
mod launch;
#[cfg(target_os = "linux")]
mod linux;
mod memory;
mod portable;
mod resource_limits;
mod stop_signal;
#[cfg(test)]
mod tests;
mod worker;

use std::io;
use std::os::fd::BorrowedFd;
use std::process::Child;

pub use launch::{Launch, Launcher, ProcessError};
#[cfg(target_os = "linux")]
pub use linux::keep_child_status;
pub use resource_limits::ResourceLimits;
pub use stop_signal::{StopSignal, StopStage};
pub use worker::{Ended, Limits, Worker};

/// Tells of a leader's end by a descriptor that becomes readable.
trait EndWatch: Send {
    /// Begins to watch; the child has not been waited for. One child at a time.
    fn arm(&mut self, child: &Child) -> io::Result<()>;

    /// Readable once the armed child has ended; the child is still a zombie then.
    fn descriptor(&self) -> io::Result<BorrowedFd<'_>>;

    /// The descriptor was readable and has served. A watch that was armed and not disarmed is not used again.
    fn disarm(&mut self) -> io::Result<()>;
}

/// The best way this system has.
fn watch() -> io::Result<Box<dyn EndWatch>> {
    #[cfg(target_os = "linux")]
    if let Some(pidfd) = linux::Pidfd::if_supported() {
        return Ok(Box::new(pidfd));
    }
    Ok(Box::new(portable::WaitThread::start()?))
}
