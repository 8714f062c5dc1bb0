//! Small disks.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::bridge::tool;

/// A tmpfs, gone when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Of this many MiB, at a directory that is created.
    ///
    /// # Errors
    /// What `mount` says.
    pub fn mount(at: &Path, size: u32) -> Result<Self, String> {
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let at = at.canonicalize().map_err(|error| error.to_string())?;
        tool("mount", &format!("-t tmpfs -o size={size}m,mode=700 flotilla-test {}", at.display()))?;
        Ok(Self(at))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Leaves no room at all.
    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        for block in [1 << 20, 1 << 12, 1] {
            let zeros = vec![0; block];
            while file.write_all(&zeros).is_ok() {}
        }
    }

    /// Gives the room back.
    pub fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = tool("umount", &format!("-l {}", self.0.display()));
    }
}
