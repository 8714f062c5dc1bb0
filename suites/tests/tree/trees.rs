//! Making and opening trees.

use std::collections::BTreeMap;
use std::fs;

use flotilla_messages::{Cases, TestCase};
use flotilla_suites::{OpenError, Options, Tree};
use tempfile::TempDir;

pub const CONFIG: &str = r#"{"v8_target_cpu": "x64", "target_cpu": "x64", "is_asan": false, "is_cfi": false,
    "v8_control_flow_integrity": false, "v8_enable_concurrent_marking": true, "v8_enable_single_generation": false,
    "dcheck_always_on": false, "is_gcov_coverage": false, "is_android": false, "is_clang": true, "is_debug": false,
    "is_full_debug": false, "is_msan": false, "v8_enable_i18n_support": true,
    "v8_enable_verify_predictable": false, "is_tsan": false, "is_ubsan_vptr": false, "v8_enable_verify_csa": false,
    "v8_enable_lite_mode": false, "v8_enable_pointer_compression": true,
    "v8_enable_pointer_compression_shared_cage": true, "v8_enable_third_party_heap": false,
    "v8_enable_webassembly": true}"#;

pub const NO_RULES: &str = "[]";

pub fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Options that list tests: most trees here have no programs.
pub fn options(root: &TempDir, tests: &[&str]) -> Options {
    Options {
        root: root.path().into(),
        tests: tests.iter().map(|test| (*test).into()).collect(),
        random_seed: 7,
        lists: true,
        ..Options::default()
    }
}

pub fn open(root: &TempDir, tests: &[&str]) -> Tree {
    Tree::open(options(root, tests)).unwrap()
}

pub fn refused(root: &TempDir, tests: &[&str]) -> OpenError {
    Tree::open(options(root, tests)).unwrap_err()
}

/// `name variant` of each test that runs, in order.
pub fn running(tree: &Tree) -> Vec<String> {
    let cases = tree.entries().map(|entry| tree.case(entry.id).unwrap());
    cases.map(|case| format!("{} {}", case.name.path(), case.name.variant_and_detail())).collect()
}

pub fn cases(tree: &Tree) -> BTreeMap<String, TestCase> {
    tree.listing().map(|listed| tree.case(listed.id).unwrap()).map(|case| (case.id.clone(), case)).collect()
}

/// The one case of a tree, with the words of its command.
pub fn only_case(tree: &Tree) -> (TestCase, Vec<String>) {
    let entries: Vec<_> = tree.entries().collect();
    assert_eq!(entries.len(), 1);
    let case = tree.case(entries[0].id).unwrap();
    let argv = case.relative_argv();
    (case, argv)
}

/// A release build for x64 as V8 11.5 to 13.8 describe it: what their runners ask for, and little else.
pub const CONFIG_11_5: &str = r#"{"arch": "x64", "asan": false, "cfi": false, "clang": true, "component_build": false,
    "dcheck_always_on": false, "debugging_features": false, "full_debug": false, "has_maglev": true,
    "has_webassembly": true, "i18n": true, "is_android": false, "is_ios": false, "lite_mode": false, "msan": false,
    "simulator_run": false, "slow_dchecks": false, "tsan": false, "ubsan": false, "use_sanitizer": false,
    "verify_heap": false, "verify_predictable": false}"#;

/// A tree of a version, with a runner that says nothing, and a build whose configuration has these keys set.
pub fn tree_of((major, minor): (u32, u32), on: &[&str], files: &[(&str, &str)]) -> TempDir {
    let header = format!("#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n");
    let mut config = if (major, minor) < (11, 5) { CONFIG } else { CONFIG_11_5 }.to_owned();
    for key in on {
        let off = format!("\"{key}\": false");
        assert!(config.contains(&off), "{key}");
        config = config.replace(&off, &format!("\"{key}\": true"));
    }
    let own = [
        ("include/v8-version.h", header.as_str()),
        ("tools/testrunner/standard_runner.py", "A = 1\n"),
        ("out/build/v8_build_config.json", config.as_str()),
    ];
    tree(&[&own, files].concat())
}
