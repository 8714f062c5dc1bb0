//! Names of entries and targets of symbolic links, checked for confinement on construction.

use std::borrow::Cow;
use std::fmt;

/// The maximum length of a name in bytes, as on every Unix.
pub const LONGEST_NAME: usize = 255;
/// The maximum length of a symbolic link's target in bytes: Linux's PATH_MAX without the NUL.
pub const LONGEST_TARGET: usize = 4095;

/// The name of one directory entry: 1 to 255 bytes, not necessarily UTF-8, without `/` and NUL, and not `.` or `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

/// Why bytes are not a [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty.
    #[error("a name is empty")]
    Empty,
    /// Longer than [`LONGEST_NAME`].
    #[error("a name has {0} bytes, more than {LONGEST_NAME}")]
    TooLong(usize),
    /// Contains `/` or NUL.
    #[error("a name has '/' or NUL in it")]
    Separator,
    /// Is `.` or `..`.
    #[error("a name is '.' or '..'")]
    Dots,
}

impl Name {
    /// Checks bytes and makes them a name.
    ///
    /// # Errors
    /// [`NameError`] for anything that could leave its directory, or that cannot be a file's name.
    pub fn new(bytes: &[u8]) -> Result<Self, NameError> {
        match bytes {
            b"" => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Dots),
            _ if bytes.len() > LONGEST_NAME => Err(NameError::TooLong(bytes.len())),
            _ if bytes.contains(&b'/') || bytes.contains(&0) => Err(NameError::Separator),
            _ => Ok(Self(bytes.into())),
        }
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For display: bytes that are not UTF-8 are replaced.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string_lossy(), f)
    }
}

/// The target of a symbolic link: a relative path with `..` only at its beginning.
///
/// A `..` after a name could follow another link and leave the tree from there, although the text alone looks
/// harmless. With `..` only at the beginning, and no more of them than the link's depth ([`Target::climbs`]), no
/// chain of links leaves the tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(Box<[u8]>);

/// Why bytes are not a [`Target`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Empty.
    #[error("a link's target is empty")]
    Empty,
    /// Longer than [`LONGEST_TARGET`].
    #[error("a link's target has {0} bytes, more than {LONGEST_TARGET}")]
    TooLong(usize),
    /// Contains NUL.
    #[error("a link's target has NUL in it")]
    Nul,
    /// Begins with `/`.
    #[error("a link's target is absolute")]
    Absolute,
    /// Has `..` after a name.
    #[error("a link's target has '..' after a name")]
    InnerClimb,
}

impl Target {
    /// Checks bytes and makes them a target.
    ///
    /// # Errors
    /// [`TargetError`] for absolute paths, `..` after a name, and anything that cannot be a target.
    pub fn new(bytes: &[u8]) -> Result<Self, TargetError> {
        if bytes.is_empty() {
            return Err(TargetError::Empty);
        }
        if bytes.len() > LONGEST_TARGET {
            return Err(TargetError::TooLong(bytes.len()));
        }
        if bytes.contains(&0) {
            return Err(TargetError::Nul);
        }
        if bytes[0] == b'/' {
            return Err(TargetError::Absolute);
        }
        let mut components = components(bytes).skip_while(|part| *part == b"..");
        if components.any(|part| part == b"..") {
            return Err(TargetError::InnerClimb);
        }
        Ok(Self(bytes.into()))
    }

    /// The number of directories it goes up from the one that contains the link. Valid only for a link at least that
    /// deep in the tree.
    pub fn climbs(&self) -> usize {
        components(&self.0).take_while(|part| *part == b"..").count()
    }

    /// The bytes of the target.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For display: bytes that are not UTF-8 are replaced.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string_lossy(), f)
    }
}

/// The components that matter: not the empty ones between two `/`, and not `.`.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_directory() {
        assert_eq!(Name::new(b""), Err(NameError::Empty));
        assert_eq!(Name::new(b"."), Err(NameError::Dots));
        assert_eq!(Name::new(b".."), Err(NameError::Dots));
        assert_eq!(Name::new(b"a/b"), Err(NameError::Separator));
        assert_eq!(Name::new(b"/"), Err(NameError::Separator));
        assert_eq!(Name::new(b"a\0"), Err(NameError::Separator));
        assert_eq!(Name::new(&[b'x'; 256]), Err(NameError::TooLong(256)));
        for good in [&b"..."[..], b"..a", b" ", b"\xff", &[b'x'; 255]] {
            assert_eq!(Name::new(good).unwrap().as_bytes(), good);
        }
    }

    #[test]
    fn targets_climb_at_their_front_only() {
        let climbs = |text: &str| Target::new(text.as_bytes()).map(|target| target.climbs());
        assert_eq!(climbs("a/b"), Ok(0));
        assert_eq!(climbs("../a"), Ok(1));
        assert_eq!(climbs("./.././/../a/./b/"), Ok(2));
        assert_eq!(climbs(".."), Ok(1));
        assert_eq!(climbs("..."), Ok(0));
        assert_eq!(climbs("a/.."), Err(TargetError::InnerClimb));
        assert_eq!(climbs("../a/../.."), Err(TargetError::InnerClimb));
        assert_eq!(climbs("/a"), Err(TargetError::Absolute));
        assert_eq!(climbs(""), Err(TargetError::Empty));
        assert_eq!(climbs("a\0"), Err(TargetError::Nul));
        assert_eq!(climbs(&"a".repeat(4096)), Err(TargetError::TooLong(4096)));
    }
}
