//! Standard output, which may be a terminal, a file on a full disk or a pipe whose reader has gone.

use std::io::{self, IsTerminal, Write};

/// Writes whole pieces to standard output, or to another writer. After the first error it writes nothing more: a
/// reporter never fails a run. A full disk is said once on standard error; a reader that has gone needs no telling.
pub struct Console {
    out: Box<dyn Write + Send>,
    color: bool,
    broken: bool,
}

impl Console {
    /// Standard output, with colours if it is a terminal and NO_COLOR is not set.
    pub fn new() -> Self {
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self::over(io::stdout(), color)
    }

    /// Standard output, with colours whatever it is (`-p color`).
    pub fn colored() -> Self {
        Self::over(io::stdout(), true)
    }

    /// Standard output, without colours whatever it is (`-p mono`).
    pub fn monochrome() -> Self {
        Self::over(io::stdout(), false)
    }

    /// This writer, with colours or without.
    pub fn over(out: impl Write + Send + 'static, color: bool) -> Self {
        Self { out: Box::new(out), color, broken: false }
    }

    /// Whether text may be coloured.
    pub fn color(&self) -> bool {
        self.color
    }

    /// `text` in this ANSI style (`1;31`), if colours are wanted.
    pub fn styled(&self, style: &str, text: &str) -> String {
        if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Writes `text` and a line's end.
    pub fn line(&mut self, text: &str) {
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'\n');
        self.write(&bytes);
    }

    /// Writes these bytes now.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        if let Err(error) = self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            self.broken = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                notice!("runner: cannot write to standard output: {error}; the run goes on");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Takes one piece, and then nothing more.
    struct Full(Arc<AtomicU32>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(bytes.len()),
                _ => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn after_the_first_error_nothing_more_is_written() {
        let writes = Arc::default();
        let mut console = Console::over(Full(Arc::clone(&writes)), false);
        for _ in 0..5 {
            console.line("text");
        }
        assert_eq!(writes.load(Ordering::Relaxed), 2);
    }
}
