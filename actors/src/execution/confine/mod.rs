//! Restricts what tests from another machine may access on this one: Landlock, on the threads of a pool that exists for
//! one job only.
//!
//! A domain applies to the thread that enters it and to all processes that the thread starts, not to other threads. It
//! can be narrowed but never left, so the threads end with their job: a reused thread could not access the workspace of
//! a second job.
//!
//! Such a test may read and run what is installed on the system, and has full access to its workspace and its job's
//! temporary directory. As far as the kernel can prevent it, the test cannot read the home of this machine's user or of
//! peerd, open TCP connections, or signal processes outside its job.
//!
//! | file | holds |
//! |---|---|
//! | `linux` | confinement by Landlock |
//! | `none` | other systems: nothing is confined, which is reported |

use std::path::PathBuf;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;
#[cfg(all(test, target_os = "linux"))]
mod tests;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use none as system;

/// What a job's tests may access besides what is installed on the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Files and directories that may be read and run, such as this program, which serves as the built-in shell.
    pub read: Vec<PathBuf>,
    /// Directories with full access.
    pub write: Vec<PathBuf>,
}

/// How far this machine can confine tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Files, TCP, signals and abstract sockets.
    Full,
    /// Files only; the kernel is too old for some of the rest.
    Partial,
    /// Not at all: a trusted client can do what peerd's user can.
    Not,
}

impl Extent {
    /// A warning for the owner of this machine; `None` if confinement is complete.
    pub fn warning(self) -> Option<String> {
        let said = match self {
            Self::Full => return None,
            Self::Partial => {
                "tests of trusted peers are confined to their files alone: this kernel's Landlock is too old to keep \
                 them from TCP connections (6.7) or from sending signals to this user's processes (6.12)"
            }
            Self::Not => {
                "tests of trusted peers are not confined: this kernel has no Landlock, so whoever is trusted can do \
                 here all that this user can, and read the identity of this machine"
            }
        };
        Some(said.to_owned())
    }
}

/// Why a thread was not confined.
#[derive(Debug, thiserror::Error)]
#[error("cannot confine tests: {0}")]
pub struct ConfineError(String);

impl Confinement {
    /// Confines the current thread and every process that it starts, permanently.
    ///
    /// # Errors
    /// The system refuses, for a reason other than missing support.
    pub fn enter(&self) -> Result<Extent, ConfineError> {
        system::enter(self)
    }
}

/// How far this machine can confine tests. Found out on a thread that ends afterwards.
pub fn extent() -> Extent {
    let asked = std::thread::Builder::new().name("confinement".into());
    let asked = asked.spawn(|| Confinement::default().enter().unwrap_or(Extent::Not));
    asked.ok().and_then(|thread| thread.join().ok()).unwrap_or(Extent::Not)
}
