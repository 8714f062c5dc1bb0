//! Grandchildren that outlive their test, while the runner lives.
//!
//! A test's process group dies with its leader; a grandchild that left the group (`setsid`) does not. The runner is a
//! *child subreaper*: the kernel makes it the parent of such orphans, and lists them as children of its main thread (a test's
//! leader is listed under the thread that spawned it). After each test, one read of that list shows whether there are
//! any; those whose [marker](crate::execution::marker) names a lease that is over are killed and reaped.
//!
//! While orphans are being watched, the main thread must not spawn processes, except those that are
//! [spared](Orphans::spare).
//!
//! Linux only; elsewhere orphans cannot be seen, and nothing is done.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub use linux::Orphans;
#[cfg(not(target_os = "linux"))]
pub use none::Orphans;
