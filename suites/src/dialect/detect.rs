//! Which version's rules a tree follows.

use std::path::Path;

use super::{
    BARE_TEST262, Dialect, V3_14, V3_20, V3_25, V3_31, V5_0, V5_2, V5_4, V6_3, V6_5, V6_8, V7_0, V7_1, V7_2,
    V7_3, V7_4, V7_5, V7_6, V7_8, V7_9, V8_4, V8_6, V8_8, V9_1, V9_2,
};
use crate::read::read;
use crate::test262;

fn text(path: &Path) -> Option<String> {
    read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The rules for a tree, and its version if it says one.
///
/// A checkout of test262 by itself has rules of its own. A runner without test processors is a classic one, whatever the version. Else `include/v8-version.h` decides where
/// there is one; else what the tree's own runner looks like; a tree without a runner gets the newest rules.
pub fn detect(root: &Path) -> (&'static Dialect, Option<String>) {
    if test262::looks_like(root) {
        return (&BARE_TEST262, None);
    }
    let runner = root.join("tools/testrunner");
    if runner.join("local/execution.py").is_file() && !runner.join("testproc").is_dir() {
        let lines = runner.join("local/old_statusfile.py").is_file();
        let version = ["include/v8-version.h", "src/version.cc"]
            .iter()
            .find_map(|header| version(&text(&root.join(header))?));
        let dialect = match version {
            Some((3, 15..)) if lines => &V3_20,
            _ if lines => &V3_14,
            Some((6, 5..)) => &V6_5,
            Some((6.., _)) => &V6_3,
            Some((5, 1..=2)) => &V5_2,
            Some((4, _) | (5, 0)) => &V5_0,
            Some((3, 26..)) => &V3_31,
            Some((..=3, _)) => &V3_25,
            _ => &V5_4,
        };
        return (dialect, version.map(|(major, minor)| format!("{major}.{minor}")));
    }
    if let Some((major, minor)) = text(&root.join("include/v8-version.h")).as_deref().and_then(version) {
        let dialect = match (major, minor) {
            (10.., _) | (9, 2..) => &V9_2,
            (9, _) | (8, 9..) => &V9_1,
            (8, 7..) => &V8_8,
            (8, 5..) => &V8_6,
            (8, _) => &V8_4,
            (7, 9..) => &V7_9,
            (7, 7..) => &V7_8,
            (7, 6) => &V7_6,
            (7, 5) => &V7_5,
            (7, 4) => &V7_4,
            (7, 3) => &V7_3,
            (7, 2) => &V7_2,
            (7, 1) => &V7_1,
            (7, 0) | (6, 9..) => &V7_0,
            _ => &V6_8,
        };
        return (dialect, Some(format!("{major}.{minor}")));
    }
    let says = |file: &str, word: &str| text(&runner.join(file)).is_some_and(|text| text.contains(word));
    let dialect = if !runner.is_dir() || says("local/variants.py", "INCOMPATIBLE_FLAGS_PER_VARIANT") {
        &V9_2
    } else if says("standard_runner.py", "EXTRA_DEFAULT_FLAGS") {
        &V8_4
    } else {
        &V7_0
    };
    (dialect, None)
}

/// The version that `v8-version.h` defines.
fn version(header: &str) -> Option<(u32, u32)> {
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
    Some((either("MAJOR")?, either("MINOR")?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> &'static str {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        detect(root.path()).0.name
    }

    #[test]
    fn the_version_header_decides() {
        let header = |major, minor| {
            format!("// x\n#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n")
        };
        for (major, minor, name) in [
            (6, 8, V6_8.name),
            (7, 0, V7_0.name),
            (7, 3, V7_3.name),
            (7, 9, V7_9.name),
            (8, 4, V8_4.name),
            (8, 6, V8_6.name),
            (9, 0, V9_1.name),
            (9, 2, V9_2.name),
            (14, 1, V9_2.name),
        ] {
            assert_eq!(tree(&[("include/v8-version.h", &header(major, minor))]), name, "{major}.{minor}");
        }
    }

    #[test]
    fn a_runner_without_test_processors_is_classic() {
        let execution = ("tools/testrunner/local/execution.py", "");
        let header = "#define V8_MAJOR_VERSION 5\n#define V8_MINOR_VERSION 9\n";
        assert_eq!(tree(&[execution, ("include/v8-version.h", header)]), V5_4.name);
        assert_eq!(tree(&[execution, ("tools/testrunner/local/old_statusfile.py", "")]), V3_14.name);
        assert_eq!(tree(&[execution, ("tools/testrunner/testproc/base.py", "")]), V7_0.name);
        for (major, minor, name) in [
            (3, 22, V3_25.name),
            (3, 29, V3_31.name),
            (4, 5, V5_0.name),
            (5, 2, V5_2.name),
            (5, 3, V5_4.name),
            (6, 3, V6_3.name),
            (6, 5, V6_5.name),
        ] {
            let header = format!("#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n");
            assert_eq!(tree(&[execution, ("include/v8-version.h", &header)]), name, "{major}.{minor}");
        }
        let lines = ("tools/testrunner/local/old_statusfile.py", "");
        let header = "#define MAJOR_VERSION 3\n#define MINOR_VERSION 18\n";
        assert_eq!(tree(&[execution, lines, ("src/version.cc", header)]), V3_20.name);
        assert_eq!(version("#define MAJOR_VERSION    3\n#define MINOR_VERSION    14\n"), Some((3, 14)));
    }

    #[test]
    fn without_a_header_the_runner_shows_its_age() {
        let variants = "tools/testrunner/local/variants.py";
        let runner = "tools/testrunner/standard_runner.py";
        assert_eq!(tree(&[]), V9_2.name);
        assert_eq!(tree(&[(variants, "INCOMPATIBLE_FLAGS_PER_VARIANT = {}")]), V9_2.name);
        assert_eq!(tree(&[(variants, "A = 1"), (runner, "EXTRA_DEFAULT_FLAGS = []")]), V8_4.name);
        assert_eq!(tree(&[(variants, "A = 1"), (runner, "A = 1")]), V7_0.name);
    }
}
