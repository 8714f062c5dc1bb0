//! `peerd log`: prints the end of the log file, and lines that are added to it.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often to look for new lines.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How many bytes are read at a time.
const BLOCK_BYTES: usize = 64 * 1024;

/// Why the log cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The log does not exist, or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Standard output is closed or full.
    #[error(transparent)]
    Print(io::Error),
}

/// Prints the last `lines` lines. With `follow`, also prints new lines, until SIGINT or SIGTERM.
pub fn tail(path: &Path, lines: usize, follow: bool) -> Result<(), TailError> {
    let failed = |source| TailError::Read { path: path.to_owned(), source };
    let ended = Arc::new(AtomicBool::new(false));
    if follow {
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&ended)).map_err(failed)?;
        }
    }
    let mut out = io::stdout().lock();
    let mut tail = match File::open(path) {
        Ok(file) => Some(Tail::of(file, lines).map_err(failed)?),
        // The file may still be created.
        Err(error) if follow && error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    loop {
        if let Some(open) = &mut tail {
            // Finish the old file before the new one.
            let replaced = open.replaced(path);
            open.print(&mut out)?;
            if replaced {
                // Wait for the last lines of a daemon that still has the renamed file open.
                std::thread::sleep(POLL_INTERVAL);
                open.print(&mut out)?;
                tail = None;
            }
        }
        if tail.is_none()
            && let Ok(file) = File::open(path)
        {
            tail = Some(Tail { file });
            continue;
        }
        if !follow || ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// An open log file. Everything before its file position has been printed or skipped.
struct Tail {
    file: File,
}

impl Tail {
    /// Starts at the last `lines` lines of the file.
    fn of(mut file: File, lines: usize) -> io::Result<Self> {
        let start = last_lines(&mut file, lines)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file })
    }

    /// Whether the path now belongs to another file.
    fn replaced(&self, path: &Path) -> bool {
        let identity = |meta: Metadata| (meta.dev(), meta.ino());
        match (self.file.metadata(), std::fs::metadata(path)) {
            (Ok(open), Ok(named)) => identity(open) != identity(named),
            // The file was renamed, and there is no new one yet.
            _ => false,
        }
    }

    /// Prints everything after the file position.
    fn print(&mut self, out: &mut impl Write) -> Result<(), TailError> {
        let read = |source| TailError::Read { path: PathBuf::from("the log"), source };
        let length = self.file.metadata().map_err(read)?.len();
        if length < self.file.stream_position().map_err(read)? {
            // The file was truncated.
            self.file.rewind().map_err(read)?;
        }
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let count = self.file.read(&mut block).map_err(read)?;
            if count == 0 {
                return out.flush().map_err(TailError::Print);
            }
            out.write_all(block.get(..count).unwrap_or_default()).map_err(TailError::Print)?;
        }
    }
}

/// The offset where the last `lines` lines begin. Reads backwards from the end, only as far as needed.
fn last_lines(file: &mut File, lines: usize) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut start, mut wanted) = (length, lines);
    let mut block = vec![0; BLOCK_BYTES];
    while start > 0 && wanted > 0 {
        let count = start.min(BLOCK_BYTES as u64);
        let begin = start - count;
        file.seek(SeekFrom::Start(begin))?;
        // Fits, as `count` is at most BLOCK_BYTES.
        let block = &mut block[..count as usize];
        file.read_exact(block)?;
        for (place, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let after = begin + place as u64 + 1;
            // No line begins after the newline at the end of the file.
            if after == length {
                continue;
            }
            wanted -= 1;
            if wanted == 0 {
                return Ok(after);
            }
        }
        start = begin;
    }
    Ok(if wanted == 0 { length } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str, lines: usize) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        Tail::of(file, lines).unwrap().print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        assert_eq!(last("", 3), "");
        assert_eq!(last("a\n", 0), "");
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc", "a line that is not whole yet counts");
        assert_eq!(last("a\nb\n", 9), "a\nb\n");
        assert_eq!(last("\n\n\n", 2), "\n\n");
    }

    #[test]
    fn lines_may_be_longer_than_a_block() {
        let long = "x".repeat(2 * BLOCK_BYTES + 5);
        assert_eq!(last(&format!("a\n{long}\nb\n"), 2), format!("{long}\nb\n"));
        let many: String = (0..BLOCK_BYTES).map(|n| format!("{n}\n")).collect();
        assert_eq!(last(&many, 1), format!("{}\n", BLOCK_BYTES - 1));
    }
}
