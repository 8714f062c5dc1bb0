//! What a process takes of memory, seen from outside while it runs.
//!
//! The kernel keeps the most that a process has taken (VmHWM, VmPeak) until it ends, and no longer: a zombie has neither.
//! So it is looked at while it runs, ever less often: when it has lived for 5, 10, 20, 40 ... ms and then five times a
//! second, when it has printed something, and before it is killed at its deadline. What is missed: all of a process that
//! ends within 5 ms, and what the others take for the first time after the last look, at most half their time and at most
//! 0.2 s before their end. Not counted in any case: its children, such as an engine behind a wrapper that waits for it.
//!
//! A process that ends at once costs nothing; one of 30 ms, with its five looks, 0.2 ms of processor time. So it is done where
//! somebody wants to know (V8: `log_process_stats`). V8 (13.8
//! process_utils.py) looks every 0.2 s at what a process takes at that moment.

use std::time::{Duration, Instant};

use flotilla_messages::Memory;
use rustix::process::Pid;

/// No process is looked at that is younger, and none twice within that time.
const FIRST: Duration = Duration::from_millis(5);
/// The time between two readings of a process's memory.
const EVERY: Duration = Duration::from_millis(200);

/// Watches one process.
pub(super) struct Meter {
    /// `None` if memory is not to be measured.
    source: Option<MemorySource>,
    begun: Instant,
    last: Instant,
    next: Instant,
    seen: Memory,
}

impl Meter {
    /// For a process that was started at `begun`; `wanted`: it is to be looked at at all.
    pub(super) fn new(pid: Pid, begun: Instant, wanted: bool) -> Self {
        let (source, seen) = (wanted.then(|| MemorySource::new(pid)), Memory::default());
        Self { source, begun, last: begun, next: begun + FIRST, seen }
    }

    /// How long until the next look; `None` if no look is planned.
    pub(super) fn rest(&self, now: Instant) -> Option<Duration> {
        let useful = self.source.as_ref().is_some_and(MemorySource::is_useful);
        useful.then(|| self.next.saturating_duration_since(now))
    }

    /// Looks if it is time to, or if the process has printed something and the last look was not just now.
    pub(super) fn look_if_due(&mut self, now: Instant, printed: bool, buffer: &mut [u8]) {
        if now >= self.next || printed && now >= self.last + FIRST {
            self.look(now, buffer);
        }
    }

    /// Reads what the process takes of memory now.
    pub(super) fn look(&mut self, now: Instant, buffer: &mut [u8]) {
        if let Some(found) = self.source.as_mut().and_then(|source| source.read(buffer)) {
            self.seen = self.seen.max(found);
        }
        self.last = now;
        self.next = now + now.saturating_duration_since(self.begun).clamp(FIRST, EVERY);
    }

    /// The highest values seen.
    pub(super) fn seen(&self) -> Memory {
        self.seen
    }
}

#[cfg(target_os = "linux")]
use linux::MemorySource;
#[cfg(not(target_os = "linux"))]
use none::MemorySource;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use flotilla_messages::Memory;
    use rustix::process::Pid;

    /// `/proc/PID/status`, opened at the first look: it stays that process's, even if its number is given to another later.
    pub(super) struct MemorySource {
        pid: Pid,
        file: Option<File>,
        useful: bool,
    }

    impl MemorySource {
        pub(super) fn new(pid: Pid) -> Self {
            Self { pid, file: None, useful: true }
        }

        pub(super) fn is_useful(&self) -> bool {
            self.useful
        }

        /// What the kernel has noted, unless the process has ended.
        pub(super) fn read(&mut self, buffer: &mut [u8]) -> Option<Memory> {
            let found = self.try_read(buffer);
            self.useful = found.is_some();
            found
        }

        fn try_read(&mut self, buffer: &mut [u8]) -> Option<Memory> {
            let file = match &self.file {
                Some(file) => file,
                None => self.file.insert(File::open(format!("/proc/{}/status", self.pid)).ok()?),
            };
            let length = file.read_at(buffer, 0).ok()?;
            of_status(buffer.get(..length)?)
        }
    }

    /// The two lines `VmPeak:    6228 kB` and `VmHWM:    3952 kB`.
    fn of_status(status: &[u8]) -> Option<Memory> {
        let bytes = |name: &[u8]| {
            let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = std::str::from_utf8(line).ok()?.trim().strip_suffix(" kB")?.trim().parse().ok()?;
            kib.checked_mul(1024)
        };
        Some(Memory { max_rss: bytes(b"VmHWM:")?, max_vms: bytes(b"VmPeak:")? })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn both_lines_are_read_in_bytes() {
            let status =
                b"Name:\tsh\nVmPeak:\t    2808 kB\nVmSize:\t 2800 kB\nVmHWM:\t    1640 kB\nVmRSS:\t 9 kB\n";
            assert_eq!(of_status(status), Some(Memory { max_rss: 1640 << 10, max_vms: 2808 << 10 }));
        }

        #[test]
        fn a_zombie_has_none_and_nonsense_is_none() {
            assert_eq!(of_status(b"Name:\tsh\nState:\tZ (zombie)\nThreads:\t1\n"), None);
            assert_eq!(of_status(b"VmPeak:\tx kB\nVmHWM:\t 99999999999999999999 kB\n"), None);
            assert_eq!(of_status(b""), None);
        }

        #[test]
        fn this_process_takes_something() {
            let mut source = MemorySource::new(rustix::process::getpid());
            let found = source.read(&mut [0; 4096]).unwrap();
            assert!(found.max_rss > 1 << 20 && found.max_vms >= found.max_rss, "{found:?}");
            assert_eq!(source.read(&mut [0; 20]), None, "cut before the lines");
            assert!(!source.is_useful());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use flotilla_messages::Memory;
    use rustix::process::Pid;

    /// Other systems tell of ended children only.
    pub(super) struct MemorySource;

    impl MemorySource {
        pub(super) fn new(_: Pid) -> Self {
            Self
        }

        pub(super) fn is_useful(&self) -> bool {
            false
        }

        pub(super) fn read(&mut self, _: &mut [u8]) -> Option<Memory> {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_ever_less_often_but_five_times_a_second() {
        let begun = Instant::now();
        let mut meter = Meter::new(rustix::process::getpid(), begun, true);
        let mut buffer = [0; 4096];
        let ms = Duration::from_millis;
        let mut now = begun;
        let mut looks = Vec::new();
        for _ in 0..9 {
            now += meter.rest(now).unwrap_or(ms(0));
            meter.look_if_due(now, false, &mut buffer);
            looks.push((now - begun).as_millis());
        }
        assert_eq!(looks, [5, 10, 20, 40, 80, 160, 320, 520, 720]);
        meter.look_if_due(now + ms(4), true, &mut buffer);
        assert_eq!(meter.last, now, "not again so soon");
        meter.look_if_due(now + ms(5), true, &mut buffer);
        assert_eq!(meter.last, now + ms(5));
    }

    #[test]
    fn nothing_is_looked_at_that_nobody_wants_to_know() {
        let now = Instant::now();
        let mut meter = Meter::new(rustix::process::getpid(), now, false);
        meter.look(now, &mut [0; 4096]);
        assert_eq!((meter.rest(now), meter.seen()), (None, Memory::default()));
    }
}
