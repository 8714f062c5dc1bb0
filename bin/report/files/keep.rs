//! `--keep-compiled`: the files that were put together for tests, under the tests' names.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flotilla_actors::Reporter;
use flotilla_messages::recipe::harness_path;
use flotilla_messages::{Event, EventKind, TestCase};

use super::file::ReportError;
use crate::report::shared::console::Console;
use crate::report::shared::context::{Context, kept_path};

/// Writes each finished test's file, wherever the test ran.
pub struct Keep {
    console: Console,
    context: Context,
    dir: PathBuf,
    /// Directories that are there.
    made: BTreeSet<PathBuf>,
    /// Whether something could not be written; one is told.
    failed: bool,
}

impl Keep {
    /// Keeps files below `dir`, which is made.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(console: Console, context: Context, dir: PathBuf) -> Result<Self, ReportError> {
        fs::create_dir_all(&dir).map_err(|source| ReportError::new(&dir, source))?;
        Ok(Self { console, context, dir, made: BTreeSet::new(), failed: false })
    }

    fn keep(&mut self, case: &TestCase) -> io::Result<()> {
        let Some(recipe) = &case.recipe else { return Ok(()) };
        let path = kept_path(&self.dir, case);
        let dir = path.parent().unwrap_or(&self.dir);
        if !self.made.contains(dir) {
            fs::create_dir_all(dir)?;
            self.made.insert(dir.to_owned());
        }
        let read = |path: &Path| fs::read(path);
        let assembled = recipe.assemble(&self.context.root, read).map_err(io::Error::other)?;
        fs::write(&path, assembled.file)?;
        if let Some(harness) = assembled.harness {
            fs::write(harness_path(&path), harness)?;
        }
        for beside in &recipe.beside {
            let Some(name) = Path::new(beside).file_name() else { continue };
            match symlink(self.context.root.join(beside), dir.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Reporter for Keep {
    fn event(&mut self, event: &Event) {
        let EventKind::Finished(report) = &event.kind else { return };
        let Some(case) = &report.case else { return };
        if let Err(error) = self.keep(case)
            && !self.failed
        {
            self.failed = true;
            let line =
                format!("cannot keep the file of {} in {}: {error}\n", report.name, self.dir.display());
            self.console.write(line.as_bytes());
        }
    }
}
