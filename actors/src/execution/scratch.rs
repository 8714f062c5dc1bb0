//! Where a run of this machine keeps files that are put together for tests: one directory in the system's temporary one,
//! gone when the run is.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::execution::marker::RunId;

/// A run's directory. The reaper of the run finds it by the same name.
pub fn of(run: &RunId) -> PathBuf {
    std::env::temp_dir().join(format!("flotilla-{run}"))
}

/// Makes a directory that only this user can enter, unless it is there already.
///
/// # Errors
/// It cannot be made, or is there and somebody else's: anybody may write to the system's temporary directory.
pub fn make(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(dir)?;
            let own = found.is_dir() && found.uid() == geteuid().as_raw();
            if own { Ok(()) } else { Err(io::Error::other(format!("{} is not ours", dir.display()))) }
        }
        made => made,
    }
}

/// Removes a run's directory with all that is in it, if there is one.
pub fn remove(dir: &Path) {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("cannot remove {}: {error}", dir.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_directory_is_made_once_and_for_this_user_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("flotilla-x");
        make(&dir).unwrap();
        make(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        remove(&dir);
        remove(&dir);
        assert!(!dir.exists());
    }

    #[test]
    fn what_stands_in_its_place_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("flotilla-x");
        symlink(parent.path(), &dir).unwrap();
        assert!(make(&dir).unwrap_err().to_string().ends_with("is not ours"));
    }
}
