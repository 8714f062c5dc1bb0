//! What a finished process did, and the four outcomes of V8's runners.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// SIGABRT's number: V8 counts an abort as an ordinary failure, not as a crash.
const SIGABRT: i32 = 6;

/// The result of a test run (V8 `statusfile`: PASS, FAIL, CRASH, TIMEOUT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The judge accepted the output.
    Pass,
    /// The judge rejected the output.
    Fail,
    /// A signal other than SIGABRT ended the process before its deadline.
    Crash,
    /// The time limit expired.
    Timeout,
}

impl Outcome {
    /// The word V8's status files and reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Crash => "CRASH",
            Self::Timeout => "TIMEOUT",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the leader of the test's process group terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It exited with this code (0..=255).
    Code(i32),
    /// It was terminated by this signal.
    Signal(i32),
}

impl Exit {
    /// Python's `returncode`: the code, or minus the signal's number. Reports use this form, as V8's do.
    pub fn returncode(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => -signal,
        }
    }

    /// Whether it exited with code 0.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// One captured stream: its first bytes up to the cap, and its total length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The bytes kept; not necessarily UTF-8.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// Number of bytes the process wrote; more than the length of `bytes` if the cap truncated them.
    pub total: u64,
}

impl Captured {
    /// A stream kept in full.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let total = bytes.len() as u64;
        Self { bytes, total }
    }

    /// Number of bytes dropped at the cap.
    pub fn cut(&self) -> u64 {
        self.total.saturating_sub(self.bytes.len() as u64)
    }

    /// The text for people and for judges: UTF-8 with replacement characters, as V8 decodes it.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// The result of running one test's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// How the group's leader terminated.
    pub exit: Exit,
    /// Whether the group was killed because the time limit had expired.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error; never compared.
    pub stderr: Captured,
    /// From just before the spawn to the leader's end.
    pub duration: Duration,
    /// The leader's peak memory use.
    #[serde(default)]
    pub memory: Memory,
    /// When the leader was spawned, by the clock of the machine that spawned it: never sent to another machine.
    #[serde(skip)]
    pub started: Option<SystemTime>,
}

/// A process's peak memory use in bytes; 0 where it was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident memory (Linux: VmHWM).
    pub max_rss: u64,
    /// Address space (Linux: VmPeak).
    pub max_vms: u64,
}

impl Memory {
    /// The field-wise maximum.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { max_rss: self.max_rss.max(other.max_rss), max_vms: self.max_vms.max(other.max_vms) }
    }
}

impl Output {
    /// Whether the test crashed: any signal except SIGABRT, whatever program /bin/sh is (V8 `Output.HasCrashed`). A
    /// test that timed out did not crash.
    pub fn crashed(&self) -> bool {
        !self.timed_out && matches!(self.exit, Exit::Signal(signal) if signal != SIGABRT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit: Exit, timed_out: bool) -> Output {
        Output {
            exit,
            timed_out,
            stdout: Captured::default(),
            stderr: Captured::default(),
            duration: Duration::ZERO,
            memory: Memory::default(),
            started: None,
        }
    }

    #[test]
    fn a_signal_is_a_crash_but_sigabrt_and_timeouts_are_not() {
        assert!(ended(Exit::Signal(11), false).crashed());
        assert!(!ended(Exit::Signal(6), false).crashed());
        assert!(!ended(Exit::Signal(9), true).crashed());
        assert!(!ended(Exit::Code(139), false).crashed());
    }

    #[test]
    fn captured_says_what_was_cut() {
        let captured = Captured { bytes: b"ab\xff".to_vec(), total: 10 };
        assert_eq!(captured.cut(), 7);
        assert_eq!(captured.text(), "ab\u{fffd}");
        assert_eq!(Captured::whole("abc").cut(), 0);
    }
}
