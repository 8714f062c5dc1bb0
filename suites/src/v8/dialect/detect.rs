//! Which version's rules a tree follows.

use std::fmt;
use std::path::Path;

use super::checkout::looks_like_test262;
use super::recent::{NEWEST, NEWEST_KNOWN};
use super::test262::BARE_TEST262;
use super::versions::V9_2;
use super::{Dialect, Since, Version, classic, older, recent, versions};
use crate::syntax::read::read;

/// Whose rules hold in a tree, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Detected {
    /// The rules.
    pub dialect: &'static Dialect,
    /// The tree's own version, if it says one.
    pub version: Option<Version>,
    /// Whether the tree is newer than all that is known: what is not understood in it does no harm.
    pub newer: bool,
    /// Whether nothing in the tree says whose rules hold: neither a runner nor a version.
    pub assumed: bool,
}

impl Detected {
    fn of(dialect: &'static Dialect) -> Self {
        Self { dialect, version: None, newer: false, assumed: false }
    }

    /// What a person should know of a tree that is newer than all that is known.
    pub fn warning(&self) -> Option<String> {
        let version = self.version.filter(|_| self.newer)?;
        Some(format!(
            "V8 {version} is newer than what is known ({NEWEST_KNOWN}): {NEWEST_KNOWN}'s rules are used"
        ))
    }
}

/// `V8 9.2`, with the tree's own version in parentheses where that is another.
impl fmt::Display for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.dialect.name;
        match self.version {
            Some(version) if !name.ends_with(&format!(" {version}")) => write!(f, "{name} (for {version})"),
            _ => f.write_str(name),
        }
    }
}

fn text(path: &Path) -> Option<String> {
    read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The rules for a tree whose build says `config` in its `v8_build_config.json`, if it has a build.
///
/// A checkout of test262 by itself has rules of its own. A runner without test processors is a classic one, whatever the version. Else `include/v8-version.h` decides where
/// there is one; else what the tree's own runner looks like; in a tree without a runner, what the keys of its build are
/// called, and without a build the newest rules hold.
pub fn detect(root: &Path, config: Option<&[u8]>) -> Detected {
    if looks_like_test262(root) {
        return Detected::of(&BARE_TEST262);
    }
    let runner = root.join("tools/testrunner");
    let header = |name: &str| Version::defined_in(&text(&root.join(name))?);
    let version = header("include/v8-version.h");
    if runner.join("local/execution.py").is_file() && !runner.join("testproc").is_dir() {
        let (versions, without) = match runner.join("local/old_statusfile.py").is_file() {
            true => (classic::VERSIONS_IN_LINES, &classic::V3_14),
            false => (classic::VERSIONS, &classic::V5_4),
        };
        let version = version.or_else(|| header("src/version.cc"));
        let dialect = version.and_then(|version| Since::find([versions], version)).unwrap_or(without);
        return Detected { version, ..Detected::of(dialect) };
    }
    if let Some(version) = version {
        let eras = [older::VERSIONS, versions::VERSIONS, recent::VERSIONS];
        let dialect = Since::find(eras, version).unwrap_or(&NEWEST);
        return Detected { version: Some(version), newer: version > NEWEST_KNOWN, ..Detected::of(dialect) };
    }
    let says = |file: &str, word: &str| text(&runner.join(file)).is_some_and(|text| text.contains(word));
    if !runner.is_dir() {
        return Detected { assumed: true, ..Detected::of(by_keys(config)) };
    }
    Detected::of(if says("build_config.py", "ensure_vars") {
        &NEWEST
    } else if says("local/variants.py", "INCOMPATIBLE_FLAGS_PER_VARIANT") {
        &V9_2
    } else if says("standard_runner.py", "EXTRA_DEFAULT_FLAGS") {
        &older::V8_4
    } else {
        &older::V7_0
    })
}

/// The rules of a build by what its keys are called: until V8 11.4 they had GN's names.
fn by_keys(config: Option<&[u8]>) -> &'static Dialect {
    let named_by_gn = |config: &[u8]| {
        let keys: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(config).ok();
        keys.is_some_and(|keys| keys.contains_key("v8_target_cpu") && !keys.contains_key("arch"))
    };
    if config.is_some_and(named_by_gn) { &V9_2 } else { &NEWEST }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::classic::{V3_14, V3_20, V3_25, V3_31, V5_0, V5_2, V5_4, V6_3, V6_5};
    use super::older::{V6_8, V7_0, V7_3, V7_9, V8_4, V8_6, V9_1};
    use super::*;

    fn detected(files: &[(&str, &str)], config: Option<&str>) -> Detected {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        detect(root.path(), config.map(str::as_bytes))
    }

    fn tree(files: &[(&str, &str)]) -> &'static str {
        detected(files, None).dialect.name
    }

    fn header(major: u32, minor: u32) -> String {
        format!("// x\n#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n")
    }

    #[test]
    fn the_version_header_decides() {
        for (major, minor, name) in [
            (6, 8, V6_8.name),
            (7, 0, V7_0.name),
            (7, 3, V7_3.name),
            (7, 9, V7_9.name),
            (8, 4, V8_4.name),
            (8, 6, V8_6.name),
            (9, 0, V9_1.name),
            (9, 2, V9_2.name),
            (9, 4, "V8 9.3"),
            (10, 0, "V8 9.9"),
            (11, 5, "V8 11.5"),
            (12, 5, "V8 12.3"),
            (13, 8, "V8 13.8"),
        ] {
            let found = detected(&[("include/v8-version.h", &header(major, minor))], None);
            assert_eq!(found.dialect.name, name, "{major}.{minor}");
            assert_eq!(found.version, Some(Version::new(major, minor)));
            assert!(!found.newer && !found.assumed && found.warning().is_none());
        }
    }

    #[test]
    fn eras_follow_one_another_without_a_gap() {
        let all = [older::VERSIONS, versions::VERSIONS, recent::VERSIONS].concat();
        for table in [all.as_slice(), classic::VERSIONS, classic::VERSIONS_IN_LINES] {
            assert!(table.windows(2).all(|two| two[0].0 < two[1].0));
        }
        for Since(version, dialect) in all {
            assert!(dialect.name.starts_with("V8 "), "{version}");
        }
    }

    #[test]
    fn a_tree_newer_than_all_says_so() {
        let found = detected(&[("include/v8-version.h", &header(14, 1))], None);
        assert_eq!(
            found.warning().unwrap(),
            "V8 14.1 is newer than what is known (13.8): 13.8's rules are used"
        );
        assert!(found.newer && found.dialect.name == NEWEST.name);
    }

    #[test]
    fn a_runner_without_test_processors_is_classic() {
        let execution = ("tools/testrunner/local/execution.py", "");
        assert_eq!(tree(&[execution, ("include/v8-version.h", &header(5, 9))]), V5_4.name);
        assert_eq!(tree(&[execution, ("tools/testrunner/local/old_statusfile.py", "")]), V3_14.name);
        assert_eq!(tree(&[execution, ("tools/testrunner/testproc/base.py", "")]), V7_0.name);
        for (major, minor, name) in [
            (3, 22, V3_25.name),
            (3, 29, V3_31.name),
            (4, 5, V5_0.name),
            (5, 0, V5_0.name),
            (5, 2, V5_2.name),
            (5, 3, V5_4.name),
            (6, 3, V6_3.name),
            (6, 5, V6_5.name),
        ] {
            let header = header(major, minor);
            assert_eq!(tree(&[execution, ("include/v8-version.h", &header)]), name, "{major}.{minor}");
        }
        let lines = ("tools/testrunner/local/old_statusfile.py", "");
        let header = "#define MAJOR_VERSION 3\n#define MINOR_VERSION 18\n";
        assert_eq!(tree(&[execution, lines, ("src/version.cc", header)]), V3_20.name);
    }

    #[test]
    fn without_a_header_the_runner_shows_its_age() {
        let variants = "tools/testrunner/local/variants.py";
        let runner = "tools/testrunner/standard_runner.py";
        let build_config = ("tools/testrunner/build_config.py", "def ensure_vars(self, build_vars): pass");
        assert_eq!(tree(&[build_config]), NEWEST.name);
        assert_eq!(tree(&[(variants, "INCOMPATIBLE_FLAGS_PER_VARIANT = {}")]), V9_2.name);
        assert_eq!(tree(&[(variants, "A = 1"), (runner, "EXTRA_DEFAULT_FLAGS = []")]), V8_4.name);
        assert_eq!(tree(&[(variants, "A = 1"), (runner, "A = 1")]), V7_0.name);
    }

    #[test]
    fn without_a_runner_the_build_shows_its_age() {
        let name = |config| {
            let found = detected(&[], config);
            assert!(found.assumed);
            found.dialect.name
        };
        assert_eq!(name(None), NEWEST.name);
        assert_eq!(name(Some("{\"arch\": \"x64\", \"v8_target_cpu\": \"x64\"}")), NEWEST.name);
        assert_eq!(name(Some("{\"v8_target_cpu\": \"x64\"}")), V9_2.name);
        assert_eq!(name(Some("{")), NEWEST.name);
    }
}
