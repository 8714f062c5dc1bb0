//! What tests that another machine asked for may touch of this one: Landlock, on the threads of a pool that was made for
//! one job.
//!
//! A domain holds for the thread that enters it and for all processes that thread starts; other threads stay free. It
//! can be narrowed and never left, so the threads end with their job (on a thread that is used again, a second job's
//! workspace would be out of reach).
//!
//! Such a test may read and run what the system has installed, and do what it likes in its workspace and in its job's
//! temporary directory. It reads neither the home of this machine's user nor peerd's, opens no TCP connection, and signals
//! no process outside of its job, as far as the kernel knows how to prevent it.
//!
//! | file | holds |
//! |---|---|
//! | `linux` | by Landlock |
//! | `none` | for other systems: nothing is confined, and that is said |

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

/// What a job's tests may reach beside what the system has installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Files and directories that may be read and run, such as this program, which is the built-in shell.
    pub read: Vec<PathBuf>,
    /// Directories in which all is allowed.
    pub write: Vec<PathBuf>,
}

/// How far this machine can confine tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Files, TCP, signals and abstract sockets.
    Full,
    /// Files; the kernel is too old for some of the rest.
    Partial,
    /// Not at all: a trusted client can do what peerd's user can.
    Not,
}

impl Extent {
    /// What the owner of this machine has to know of it, where it is not all that could be.
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
    /// Confines the current thread, and all that it starts, for ever.
    ///
    /// # Errors
    /// The system refuses for another reason than that it does not know how.
    pub fn enter(&self) -> Result<Extent, ConfineError> {
        system::enter(self)
    }
}

/// How far this machine can confine tests; asks the system, on a thread that ends with the question.
pub fn extent() -> Extent {
    let asked = std::thread::Builder::new().name("confinement".into());
    let asked = asked.spawn(|| Confinement::default().enter().unwrap_or(Extent::Not));
    asked.ok().and_then(|thread| thread.join().ok()).unwrap_or(Extent::Not)
}
