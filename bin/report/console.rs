//! Standard output, which may be a terminal, a file on a full disk or a pipe whose reader has gone.

use std::io::{self, IsTerminal, Write};

/// Writes whole pieces to standard output. After the first error it writes nothing more: a reporter never
/// fails a run. A full disk is said once on standard error; a reader that has gone needs no telling.
#[derive(Debug)]
pub struct Console {
    color: bool,
    broken: bool,
}

impl Console {
    /// Standard output, with colours if it is a terminal and NO_COLOR is not set.
    pub fn new() -> Self {
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { color, broken: false }
    }

    /// Standard output, with colours whatever it is (`-p color`).
    pub fn colored() -> Self {
        Self { color: true, broken: false }
    }

    /// Standard output, without colours whatever it is (`-p mono`).
    pub fn monochrome() -> Self {
        Self { color: false, broken: false }
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
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            self.broken = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                notice!("runner: cannot write to standard output: {error}; the run goes on");
            }
        }
    }
}
