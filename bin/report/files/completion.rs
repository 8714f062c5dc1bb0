//! `--ci-test-completion`: a line for each test that has its verdict, written at once: one who ends the run from outside
//! sees how far it was.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use flotilla_actors::Reporter;
use flotilla_messages::{Event, EventKind};

use super::file::ReportError;
use crate::report::styles::verbose;

/// Appends to a file. After the first error it writes nothing more.
pub struct Completion {
    file: Option<File>,
}

impl Completion {
    /// Opens the file, after what it holds.
    ///
    /// # Errors
    /// [`ReportError`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ReportError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(Self { file: Some(file.map_err(|source| ReportError::new(path, source))?) })
    }
}

impl Reporter for Completion {
    fn event(&mut self, event: &Event) {
        let EventKind::Finished(report) = &event.kind else { return };
        let line = format!("{}\n", verbose::line(report));
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.write_all(line.as_bytes())) {
            self.file = None;
            notice!("runner: cannot write the file of --ci-test-completion: {error}; the run goes on");
        }
    }
}
