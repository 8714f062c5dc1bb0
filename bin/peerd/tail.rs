//! `peerd log`: the end of the log file, and what is added to it.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often is looked for new lines.
const LOOK: Duration = Duration::from_millis(100);
/// What is read at once.
const BLOCK: usize = 64 * 1024;

/// Why the log cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// There is none, or it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed or full.
    #[error(transparent)]
    Print(io::Error),
}

/// Prints the last `lines` lines; with `follow`, what is added too, until SIGINT or SIGTERM.
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
        // It may come.
        Err(error) if follow && error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    loop {
        if let Some(open) = &mut tail {
            // What is in the old file comes before what is in the new one.
            let replaced = open.replaced(path);
            open.print(&mut out)?;
            if replaced {
                // Time for the last lines of somebody who had it open when the name was taken.
                std::thread::sleep(LOOK);
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
        std::thread::sleep(LOOK);
    }
}

/// An open log file, read up to where its file position is.
struct Tail {
    file: File,
}

impl Tail {
    /// The file, from its last lines on.
    fn of(mut file: File, lines: usize) -> io::Result<Self> {
        let start = last_lines(&mut file, lines)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(Self { file })
    }

    /// Whether another file has this one's name now.
    fn replaced(&self, path: &Path) -> bool {
        let identity = |meta: Metadata| (meta.dev(), meta.ino());
        match (self.file.metadata(), std::fs::metadata(path)) {
            (Ok(open), Ok(named)) => identity(open) != identity(named),
            // It was renamed, and there is no new one yet.
            _ => false,
        }
    }

    /// Prints what was not printed yet.
    fn print(&mut self, out: &mut impl Write) -> Result<(), TailError> {
        let read = |source| TailError::Read { path: PathBuf::from("the log"), source };
        let length = self.file.metadata().map_err(read)?.len();
        if length < self.file.stream_position().map_err(read)? {
            // Somebody emptied it.
            self.file.rewind().map_err(read)?;
        }
        let mut block = vec![0; BLOCK];
        loop {
            let count = self.file.read(&mut block).map_err(read)?;
            if count == 0 {
                return out.flush().map_err(TailError::Print);
            }
            out.write_all(block.get(..count).unwrap_or_default()).map_err(TailError::Print)?;
        }
    }
}

/// Where the last `lines` lines begin. Reads from the end, as far as is needed.
fn last_lines(file: &mut File, lines: usize) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut start, mut wanted) = (length, lines);
    let mut block = vec![0; BLOCK];
    while start > 0 && wanted > 0 {
        let count = start.min(BLOCK as u64);
        let begin = start - count;
        file.seek(SeekFrom::Start(begin))?;
        // As `count` is at most BLOCK, it fits.
        let block = &mut block[..count as usize];
        file.read_exact(block)?;
        for (place, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let after = begin + place as u64 + 1;
            // The end of the last line begins no line.
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
        let long = "x".repeat(2 * BLOCK + 5);
        assert_eq!(last(&format!("a\n{long}\nb\n"), 2), format!("{long}\nb\n"));
        let many: String = (0..BLOCK).map(|n| format!("{n}\n")).collect();
        assert_eq!(last(&many, 1), format!("{}\n", BLOCK - 1));
    }
}
