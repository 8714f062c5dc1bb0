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

pub fn options(root: &TempDir, tests: &[&str]) -> Options {
    Options {
        root: root.path().into(),
        tests: tests.iter().map(|test| (*test).into()).collect(),
        random_seed: 7,
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
