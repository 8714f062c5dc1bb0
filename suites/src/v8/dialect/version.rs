//! Versions of V8, and the rules that hold from one on.

use std::fmt;

use super::Dialect;

/// A version of V8, by its first two numbers: those after which its rules can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second.
    pub minor: u32,
}

impl Version {
    /// The version `MAJOR.MINOR`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The version that `include/v8-version.h` (or `src/version.cc`, until V8 4) defines.
    pub fn defined_in(header: &str) -> Option<Self> {
        let number = |name: &str| {
            header.lines().find_map(|line| {
                let mut words = line.split_whitespace();
                (words.next() == Some("#define") && words.next() == Some(name))
                    .then(|| words.next()?.parse().ok())
                    .flatten()
            })
        };
        // V8 3 called them otherwise.
        let either =
            |kind: &str| number(&format!("V8_{kind}_VERSION")).or_else(|| number(&format!("{kind}_VERSION")));
        Some(Self { major: either("MAJOR")?, minor: either("MINOR")? })
    }
}

/// `13.8`
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Rules that hold from a version on, up to the next one of its era.
#[derive(Clone, Copy, Debug)]
pub struct Since(pub Version, pub &'static Dialect);

impl Since {
    /// The entry `MAJOR.MINOR` of an era.
    pub const fn new(major: u32, minor: u32, dialect: &'static Dialect) -> Self {
        Self(Version::new(major, minor), dialect)
    }

    /// The rules of a version: those of the latest entry that is not later. Of one before all entries, the first ones.
    /// `None` if there are no entries.
    pub fn find<'a>(
        eras: impl IntoIterator<Item = &'a [Self]>,
        version: Version,
    ) -> Option<&'static Dialect> {
        let mut entries = eras.into_iter().flatten();
        let first = entries.next()?;
        let found = entries.take_while(|Self(since, _)| *since <= version).last().unwrap_or(first);
        Some(found.1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{V7_0, V8_4, V9_2};
    use super::*;

    #[test]
    fn the_latest_entry_that_is_not_later_counts() {
        const ERAS: [&[Since]; 2] =
            [&[Since::new(7, 0, &V7_0), Since::new(8, 4, &V8_4)], &[Since::new(9, 2, &V9_2)]];
        let found = |major, minor| Since::find(ERAS, Version::new(major, minor)).map(|found| found.name);
        assert_eq!(found(6, 9), Some(V7_0.name), "earlier than all");
        assert_eq!(found(8, 3), Some(V7_0.name));
        assert_eq!(found(8, 4), Some(V8_4.name));
        assert_eq!(found(9, 1), Some(V8_4.name));
        assert_eq!(found(13, 8), Some(V9_2.name));
        assert!(Since::find([], Version::new(9, 2)).is_none());
    }

    #[test]
    fn headers_of_both_kinds_define_a_version() {
        let v8 = "// x\n#define V8_MAJOR_VERSION 13\n#define V8_MINOR_VERSION 8\n#define V8_BUILD_NUMBER 1\n";
        assert_eq!(Version::defined_in(v8), Some(Version::new(13, 8)));
        let old = "#define MAJOR_VERSION    3\n#define MINOR_VERSION    14\n";
        assert_eq!(Version::defined_in(old), Some(Version::new(3, 14)));
        assert_eq!(Version::defined_in("#define V8_MAJOR_VERSION 13\n"), None);
    }
}
