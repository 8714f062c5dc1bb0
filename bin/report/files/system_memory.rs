//! `--log-system-memory`: how much of the system's memory is in use, looked at five times a second, a line every two seconds
//! (V8 13.8 process_utils.py: `PSUtilProcessLogger.log_system_memory`).

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, Utc};
use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind};

use super::file::ReportError;

/// What the kernel says of it.
const SOURCE: &str = "/proc/meminfo";
/// Between two looks.
const EVERY: Duration = Duration::from_millis(200);
/// Looks that make a line.
const LINE: usize = 10;

/// Writes the log on a thread of its own until the run is over.
pub struct SystemMemory {
    /// Dropped, it ends the thread.
    going: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SystemMemory {
    /// Whether this system tells how much is in use.
    pub fn is_known() -> bool {
        used().is_ok()
    }

    /// Makes the file anew and begins to write.
    ///
    /// # Errors
    /// [`ReportError`] when the file cannot be made, the system does not tell, or no thread is left.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        used().map_err(|source| ReportError::new(path, source))?;
        let failed = |source| ReportError::new(path, source);
        let file = File::create(path).map_err(failed)?;
        let (going, over) = mpsc::channel();
        let log = move || {
            let wait = || !matches!(over.recv_timeout(EVERY), Err(RecvTimeoutError::Disconnected));
            if let Err(error) = log(file, wait) {
                notice!("runner: cannot write the file of --log-system-memory: {error}; the run goes on");
            }
        };
        let thread = thread::Builder::new().name("memory".into()).spawn(log).map_err(failed)?;
        Ok(Self { going: Some(going), thread: Some(thread) })
    }

    fn end(&mut self) {
        self.going = None;
        if let Some(thread) = self.thread.take() {
            // What it could not do it has said.
            let _ = thread.join();
        }
    }
}

impl Reporter for SystemMemory {
    fn event(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::RunFinished(_)) {
            self.end();
        }
    }
}

impl Drop for SystemMemory {
    fn drop(&mut self) {
        self.end();
    }
}

/// Looks and writes until `wait` says that it is over.
fn log(mut file: impl Write, mut wait: impl FnMut() -> bool) -> io::Result<()> {
    let mut looks = Vec::with_capacity(LINE);
    let mut going = true;
    while going {
        looks.push(used()?);
        going = wait();
        if looks.len() >= LINE || !going {
            file.write_all(line(Utc::now(), &looks).as_bytes())?;
            looks.clear();
        }
    }
    Ok(())
}

/// `2026-11-30 18:07:00.123456 - 35.1%, 35.0%`
fn line(now: DateTime<Utc>, looks: &[f64]) -> String {
    let looks: Vec<String> = looks.iter().map(|used| format!("{used:.1}%")).collect();
    format!("{} - {}\n", now.format("%Y-%m-%d %H:%M:%S%.6f"), looks.join(", "))
}

/// What is in use, in percent: all that is not available (psutil's `virtual_memory().percent`).
fn used() -> io::Result<f64> {
    let text = fs::read_to_string(SOURCE)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {SOURCE}: {error}")))?;
    used_of(&text)
        .ok_or_else(|| io::Error::other(format!("{SOURCE} does not say how much memory is available")))
}

fn used_of(text: &str) -> Option<f64> {
    let kib = |name: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let (total, available) = (kib("MemTotal")?, kib("MemAvailable")?);
    (total > 0.0).then(|| (total - available) / total * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_available_is_in_use() {
        let text = "MemTotal:        8000000 kB\nMemFree:   1 kB\nMemAvailable:    5000000 kB\n";
        assert_eq!(used_of(text), Some(37.5));
        assert_eq!(used_of("MemTotal: 8000000 kB\n"), None);
        assert_eq!(used_of("MemTotal: 0 kB\nMemAvailable: 0 kB\n"), None);
    }

    #[test]
    fn a_line_has_the_time_and_each_look() {
        let now = DateTime::from_timestamp(1_700_000_000, 5_000).unwrap();
        assert_eq!(line(now, &[37.5, 9.0]), "2023-11-14 22:13:20.000005 - 37.5%, 9.0%\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ten_looks_make_a_line_and_the_rest_one_at_the_end() {
        let (mut written, mut left) = (Vec::new(), 25);
        log(&mut written, || {
            left -= 1;
            left > 0
        })
        .unwrap();
        let text = String::from_utf8(written).unwrap();
        let looks: Vec<usize> = text.lines().map(|line| line.matches('%').count()).collect();
        assert_eq!(looks, [10, 10, 5]);
    }
}
