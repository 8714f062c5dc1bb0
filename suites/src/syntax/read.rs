//! Reading the tree's files.

use std::fs;
use std::io;
use std::path::Path;

/// A regular file's bytes. Anything else is refused: reading a pipe that nobody writes to would never end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() {
        fs::read(path)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        assert!(read(Path::new("/dev/zero")).unwrap_err().to_string().contains("no regular file"));
        assert!(read(Path::new("/no/such/file")).is_err());
        assert!(read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).is_ok());
    }
}
