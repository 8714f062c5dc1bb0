//! Files that reports go to: checked before the run starts, written whole at its end.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: io::Error,
}

impl ReportError {
    /// What the system says about this file or directory.
    pub fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// A file to be written at the run's end.
#[derive(Debug)]
pub struct ReportFile {
    path: PathBuf,
}

impl ReportFile {
    /// Makes sure, as far as can be known now, that the file can be written later.
    ///
    /// # Errors
    /// [`ReportError`] when its directory is not there or not writable, or the file itself is not.
    pub fn check(path: &Path) -> Result<Self, ReportError> {
        let file = Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) };
        let checked = match file.special() {
            true => std::fs::OpenOptions::new().write(true).open(&file.path).map(drop),
            false => {
                let draft = file.draft();
                std::fs::File::create(&draft).and_then(|_| std::fs::remove_file(&draft))
            }
        };
        match checked {
            _ if file.path.is_dir() => Err(file.error(io::Error::from(io::ErrorKind::IsADirectory))),
            Ok(()) => Ok(file),
            Err(source) => Err(file.error(source)),
        }
    }

    /// Writes the file whole: under another name first, so that nobody sees half a report.
    ///
    /// # Errors
    /// [`ReportError`] with what the system says.
    pub fn write(&self, bytes: &[u8]) -> Result<(), ReportError> {
        let written = if self.special() {
            std::fs::OpenOptions::new().write(true).open(&self.path).and_then(|mut f| f.write_all(bytes))
        } else {
            let draft = self.draft();
            std::fs::write(&draft, bytes).and_then(|()| std::fs::rename(&draft, &self.path)).inspect_err(
                |_| {
                    // The draft is of no use; that it cannot be removed would be no news.
                    let _ = std::fs::remove_file(&draft);
                },
            )
        };
        written.map_err(|source| self.error(source))
    }

    /// Whether its name ends in `.EXTENSION`.
    pub fn is_called(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
    }

    /// Something that is there and no regular file (/dev/stdout, a pipe) cannot be replaced by renaming.
    fn special(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
    }

    fn draft(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.draft", std::process::id()));
        self.path.with_file_name(name)
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_the_file_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        let file = ReportFile::check(&path).unwrap();
        assert!(!path.exists(), "checking leaves nothing behind");
        file.write(b"one").unwrap();
        file.write(b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_said_before() {
        let dir = tempfile::tempdir().unwrap();
        let missing = ReportFile::check(&dir.path().join("no/such/r.json")).unwrap_err();
        assert!(missing.to_string().starts_with("cannot write "), "{missing}");
        assert!(ReportFile::check(dir.path()).is_err(), "a directory");
        assert!(ReportFile::check(Path::new("/dev/null")).unwrap().write(b"x").is_ok());
    }
}
