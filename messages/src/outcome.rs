//! What a finished process did, and the four outcomes V8's runners know.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The number of SIGABRT: V8 counts an abort as an ordinary failure, not as a crash.
const SIGABRT: i32 = 6;

/// What a test run amounts to (V8 `statusfile`: PASS, FAIL, CRASH, TIMEOUT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The judge was content.
    Pass,
    /// The judge was not.
    Fail,
    /// A signal other than SIGABRT ended the process before its deadline.
    Crash,
    /// The deadline passed.
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

/// How the leader of the test's process group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It returned this code (0..=255).
    Code(i32),
    /// This signal ended it.
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

    /// True for code 0 alone.
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

/// One captured stream: its first bytes up to the cap, and how many came in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// The bytes kept; any bytes, not only UTF-8.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
    /// How many bytes the process wrote; more than `bytes` holds when the cap cut it.
    pub total: u64,
}

impl Captured {
    /// A stream that was kept whole.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let total = bytes.len() as u64;
        Self { bytes, total }
    }

    /// How many bytes the cap dropped.
    pub fn cut(&self) -> u64 {
        self.total.saturating_sub(self.bytes.len() as u64)
    }

    /// The text for people and for judges: UTF-8 with replacement characters, as V8 decodes it.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// What running one test's process gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// How the leader ended.
    pub exit: Exit,
    /// Whether the deadline had passed and the group was killed for it.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error; never compared.
    pub stderr: Captured,
    /// From just before the spawn to the leader's end.
    pub duration: Duration,
    /// What the leader took of memory.
    #[serde(default)]
    pub memory: Memory,
    /// When the leader was spawned, by the clock of the machine that tells it: never sent to another one.
    #[serde(skip)]
    pub started: Option<SystemTime>,
}

/// The most memory that a process was seen to take, in bytes; 0 where that was not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// In main memory (Linux: VmHWM).
    pub max_rss: u64,
    /// Of addresses (Linux: VmPeak).
    pub max_vms: u64,
}

impl Memory {
    /// The larger of both, for each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { max_rss: self.max_rss.max(other.max_rss), max_vms: self.max_vms.max(other.max_vms) }
    }
}

impl Output {
    /// A signal is a crash whichever program is /bin/sh; SIGABRT alone is an ordinary failure
    /// (V8 `Output.HasCrashed`), and a test that timed out did not crash.
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
