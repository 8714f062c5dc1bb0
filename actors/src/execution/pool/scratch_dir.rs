//! Where the files that are put together for tests lie: one directory for each thread of the pool, used again and again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};

use flotilla_messages::recipe::{Assembled, harness_path};
use flotilla_messages::{Recipe, RecipeError};

use crate::execution::scratch;

/// The file's name. What the test imports lies beside it under its own name, which never begins so.
const NAME: &str = ".flotilla-compiled.js";

/// A file cannot be put together. Reads well after "cannot put the test together: ".
#[derive(Debug, thiserror::Error)]
pub(super) enum BenchError {
    /// A file of the tree is missing.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The system refuses to write.
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl BenchError {
    /// What the system said when it could not write.
    pub(super) fn of_system(&self) -> Option<&io::Error> {
        match self {
            Self::Recipe(_) => None,
            Self::Write { source, .. } => Some(source),
        }
    }
}

/// A thread's own directory.
#[derive(Debug)]
pub(super) struct ScratchDir {
    /// The pool's directory.
    scratch: PathBuf,
    dir: PathBuf,
    file: ReusedFile,
    /// The file that is read before it.
    harness: ReusedFile,
    links: Vec<PathBuf>,
}

/// A file that is written again and again, and its length.
#[derive(Debug, Default)]
struct ReusedFile(Option<(File, u64)>);

impl ScratchDir {
    /// For the thread in this place of a pool with this directory. Nothing is made before it is needed.
    pub(super) fn new(scratch: &Path, seat: usize) -> Self {
        let dir = scratch.join(format!("compiled-{seat}"));
        let (file, harness) = (ReusedFile::default(), ReusedFile::default());
        Self { scratch: scratch.to_owned(), dir, file, harness, links: Vec::new() }
    }

    /// Puts a file together, in the place of the one before, and the one that is read before it. The path is good until
    /// the next call.
    ///
    /// # Errors
    /// [`BenchError`]
    pub(super) fn put(&mut self, recipe: &Recipe, root: &Path) -> Result<PathBuf, BenchError> {
        let Assembled { file, harness } = recipe.assemble(root, |path| fs::read(path))?;
        let path = self.dir.join(NAME);
        match self.write(&path, &file, harness.as_deref()).and_then(|()| self.lay_beside(recipe, root)) {
            Ok(()) => Ok(path),
            Err(source) => {
                (self.file, self.harness) = (ReusedFile::default(), ReusedFile::default());
                Err(BenchError::Write { path, source })
            }
        }
    }

    fn write(&mut self, path: &Path, file: &[u8], harness: Option<&[u8]>) -> io::Result<()> {
        let (scratch, dir) = (&self.scratch, &self.dir);
        let make = || {
            scratch::make(scratch)?;
            scratch::make(dir)
        };
        self.file.write(path, file, make)?;
        match harness {
            Some(bytes) => self.harness.write(&harness_path(path), bytes, make),
            None => Ok(()),
        }
    }

    fn lay_beside(&mut self, recipe: &Recipe, root: &Path) -> io::Result<()> {
        for link in self.links.drain(..) {
            let _ = fs::remove_file(link);
        }
        for path in &recipe.beside {
            let Some(name) = Path::new(path).file_name().filter(|name| *name != NAME) else { continue };
            let link = self.dir.join(name);
            let _ = fs::remove_file(&link);
            symlink(root.join(path), &link)?;
            self.links.push(link);
        }
        Ok(())
    }
}

impl ReusedFile {
    /// Overwritten in place: file systems take a file that is cut to nothing and written again for one that must not be
    /// lost, and write it out at once (ext4's auto_da_alloc). `make` makes the directory.
    fn write(&mut self, path: &Path, bytes: &[u8], make: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let length = bytes.len() as u64;
        // A test may have removed it.
        let same = |file: &File| {
            use std::os::unix::fs::MetadataExt;
            let (Ok(own), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
            (own.dev(), own.ino()) == (there.dev(), there.ino())
        };
        match &mut self.0 {
            Some((file, before)) if same(file) => {
                file.write_all_at(bytes, 0)?;
                if length < *before {
                    file.set_len(length)?;
                }
                *before = length;
            }
            _ => {
                make()?;
                let _ = fs::remove_file(path);
                let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
                file.write_all(bytes)?;
                self.0 = Some((file, length));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flotilla_messages::Part;

    use super::*;

    fn text(text: &str, beside: &[&str]) -> Recipe {
        let beside = beside.iter().map(|path| (*path).to_owned()).collect();
        Recipe { parts: vec![Part::Text(text.into())], beside, ..Recipe::default() }
    }

    #[test]
    fn a_file_takes_the_place_of_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut bench = ScratchDir::new(&dir.path().join("run"), 3);
        let mut content = |text_: &str| fs::read_to_string(bench.put(&text(text_, &[]), dir.path()).unwrap());
        assert_eq!(content("long text").unwrap(), "long text");
        assert_eq!(content("short").unwrap(), "short");
        fs::remove_dir_all(dir.path().join("run")).unwrap();
        assert_eq!(content("a test has removed it").unwrap(), "a test has removed it");
    }

    #[test]
    fn what_is_read_before_a_file_lies_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut bench = ScratchDir::new(&dir.path().join("run"), 0);
        let mut put = |harness: &str| {
            let harness = Some(vec![Part::Text(harness.into())]);
            let path = bench.put(&Recipe { harness, ..text("test", &[]) }, dir.path()).unwrap();
            (fs::read_to_string(&path).unwrap(), fs::read_to_string(harness_path(&path)).unwrap())
        };
        assert_eq!(put("the harness"), ("test".into(), "the harness".into()));
        assert_eq!(put(""), ("test".into(), "".into()), "nothing is left of the one before");
    }

    #[test]
    fn what_is_imported_lies_beside_it_for_that_test_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x_FIXTURE.js"), "fixture").unwrap();
        let mut bench = ScratchDir::new(&dir.path().join("run"), 0);
        let path = bench.put(&text("a", &["x_FIXTURE.js"]), dir.path()).unwrap();
        let beside = path.with_file_name("x_FIXTURE.js");
        assert_eq!(fs::read_to_string(&beside).unwrap(), "fixture");
        bench.put(&text("a", &[]), dir.path()).unwrap();
        assert!(fs::symlink_metadata(&beside).is_err());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = ScratchDir::new(&file, 0).put(&text("a", &[]), dir.path()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write "), "{error}");
        assert!(error.of_system().is_some());
    }
}
