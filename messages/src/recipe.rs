//! Files put together where a test runs: from a harness, directives and the test's own source.
//!
//! A recipe lists files of the tree and the text between them; the executor reads and joins them. A peer therefore
//! needs only the files of the tree, and no machine has to keep a combined copy of every test.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How to put one file together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The file's parts, in order, concatenated without separators.
    pub parts: Vec<Part>,
    /// The parts of the harness file at [`harness_path`], which the shell reads first; `None` if there is no such
    /// file, and it may be empty. Being a file of its own keeps the test's directives from applying to the harness.
    pub harness: Option<Vec<Part>>,
    /// Files of the tree that must be present under their own names in the directory of the file, because the test
    /// imports them. Paths below the root.
    pub beside: Vec<String>,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// The bytes of a file below the root.
    File(String),
    /// The bytes of a file below the root, escaped for a double-quoted JavaScript string.
    QuotedFile(String),
    /// The absolute path of a file below the root on the machine that runs the test, escaped for a double-quoted
    /// JavaScript string.
    QuotedPath(String),
}

/// A file of a recipe cannot be read. Reads well after "cannot put the test together: ".
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", .path.display())]
pub struct RecipeError {
    /// The path of the file.
    pub path: PathBuf,
    /// The error when reading it.
    pub source: io::Error,
}

impl Recipe {
    /// The parts of the file and of its harness file.
    pub fn all_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain(self.harness.iter().flatten())
    }

    /// The bytes of the file and of its harness file on a machine with this root. `read` reads files.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn assemble(
        &self,
        root: &Path,
        mut read: impl FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Assembled, RecipeError> {
        let harness = self.harness.as_deref().map(|parts| join(parts, root, &mut read)).transpose()?;
        Ok(Assembled { file: join(&self.parts, root, &mut read)?, harness })
    }
}

/// The files made by a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The file's bytes.
    pub file: Vec<u8>,
    /// The bytes of the harness file, which is read first.
    pub harness: Option<Vec<u8>>,
}

/// The path of the harness file for the test file at `path`: in the same directory.
pub fn harness_path(path: &Path) -> PathBuf {
    path.with_extension("harness.js")
}

fn join(
    parts: &[Part],
    root: &Path,
    read: &mut impl FnMut(&Path) -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, RecipeError> {
    let mut bytes = Vec::with_capacity(32 << 10);
    for part in parts {
        let mut file = |path: &String| {
            let path = root.join(path);
            read(&path).map_err(|source| RecipeError { path, source })
        };
        match part {
            Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Part::File(path) => bytes.append(&mut file(path)?),
            Part::QuotedFile(path) => bytes.extend_from_slice(&quoted(&file(path)?)),
            Part::QuotedPath(path) => {
                bytes.extend_from_slice(&quoted(root.join(path).as_os_str().as_encoded_bytes()));
            }
        }
    }
    Ok(bytes)
}

/// Escapes bytes for a double-quoted JavaScript string. Bytes that are not UTF-8 are unchanged, so an engine reads
/// them as it would in a file. U+2028 and U+2029 are escaped because they end lines in string literals of old
/// engines.
pub fn quoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    let special = |&b: &u8| b < 0x20 || b == b'"' || b == b'\\' || b == 0xe2;
    let Some(first) = bytes.iter().position(special) else { return Cow::Borrowed(bytes) };
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8 + 16);
    out.extend_from_slice(&bytes[..first]);
    let mut rest = &bytes[first..];
    while let Some((&byte, after)) = rest.split_first() {
        let mut taken = 1;
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0..0x20 => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            0xe2 if after.starts_with(b"\x80\xa8") => {
                out.extend_from_slice(b"\\u2028");
                taken = 3;
            }
            0xe2 if after.starts_with(b"\x80\xa9") => {
                out.extend_from_slice(b"\\u2029");
                taken = 3;
            }
            byte => out.push(byte),
        }
        rest = &rest[taken..];
        let plain = rest.iter().position(special).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_joined_without_anything_between_them() {
        let recipe = Recipe {
            parts: vec![
                Part::Text("run(\"".into()),
                Part::QuotedFile("a.js".into()),
                Part::Text("\", \"".into()),
                Part::QuotedPath("t\"/a.js".into()),
                Part::Text("\");".into()),
                Part::File("b.js".into()),
            ],
            ..Recipe::default()
        };
        let read = |path: &Path| Ok(format!("\"{}\"\n", path.display()).into_bytes());
        let assembled = recipe.assemble(Path::new("/r"), read).unwrap();
        assert_eq!(
            String::from_utf8(assembled.file).unwrap(),
            "run(\"\\\"/r/a.js\\\"\\n\", \"/r/t\\\"/a.js\");\"/r/b.js\"\n"
        );
        assert_eq!(assembled.harness, None);
    }

    #[test]
    fn what_is_read_before_a_file_is_a_file_of_its_own() {
        let recipe = Recipe {
            parts: vec![Part::Text("test".into())],
            harness: Some(vec![Part::Text("harness".into())]),
            beside: Vec::new(),
        };
        let assembled = recipe.assemble(Path::new("/r"), |_| Ok(Vec::new())).unwrap();
        let expected = Assembled { file: b"test".to_vec(), harness: Some(b"harness".to_vec()) };
        assert_eq!(assembled, expected);
        assert_eq!(harness_path(Path::new("/d/a.strict.js")), Path::new("/d/a.strict.harness.js"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let recipe = Recipe { parts: vec![Part::File("a.js".into())], ..Recipe::default() };
        let error = recipe.assemble(Path::new("/r"), |_| Err(io::ErrorKind::NotFound.into())).unwrap_err();
        assert!(error.to_string().starts_with("cannot read /r/a.js: "), "{error}");
    }

    #[test]
    fn line_separators_are_escaped_and_other_bytes_stay() {
        assert_eq!(&*quoted("a\u{2028}b\u{2029}\u{2026}".as_bytes()), "a\\u2028b\\u2029\u{2026}".as_bytes());
        assert_eq!(&*quoted(b"\xff\xe2"), b"\xff\xe2");
        assert_eq!(&*quoted(b"\0\t\r\n"), b"\\x00\\x09\\r\\n");
    }

    proptest! {
        /// JSON's escapes are a subset of JavaScript's, except for `\xNN`.
        #[test]
        fn what_is_quoted_is_read_back(text in any::<String>()) {
            let escaped = String::from_utf8(quoted(text.as_bytes()).into_owned()).unwrap();
            let json = escaped.replace("\\\\", "\0").replace("\\x", "\\u00").replace('\0', "\\\\");
            let back: String = serde_json::from_str(&format!("\"{json}\"")).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
