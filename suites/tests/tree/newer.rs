//! Trees that are newer than what is known, and what their files may look like.

use flotilla_messages::{Arg, CaseId, Cases};
use flotilla_suites::{Filter, Options, Tree};
use tempfile::TempDir;

use crate::trees::*;

fn with(root: &TempDir, tests: &[&str], change: impl Fn(&mut Options)) -> Tree {
    let mut options = options(root, tests);
    change(&mut options);
    Tree::open(options).unwrap()
}

#[test]
fn a_tree_newer_than_what_is_known_hides_nothing() {
    let status = "[\n['has_new_thing', {'a': [SKIP]}],\n['has_new_thing and asan', {'b': [SKIP]}],\n\
                  [ALWAYS, {'c': [FAIL, MAYBE_NOT]}],\n[ALWAYS, {'d': ['arch == arm', SKIP]}],\n]";
    let files = [
        ("test/mjsunit/mjsunit.status", status),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ];
    let root = tree_of((14, 1), &[], &files);
    let tree = open(&root, &["mjsunit"]);
    assert_eq!(running(&tree).len(), 3, "what may be skipped runs");
    let warnings = tree.warnings();
    let says = |words: &str| warnings.iter().any(|warning| warning.contains(words));
    assert!(says("V8 14.1 is newer than what is known (13.8): 13.8's rules are used"), "{warnings:?}");
    assert!(says("mjsunit.status:2: unknown name 'has_new_thing'"), "{warnings:?}");
    assert!(says("mjsunit.status:4: unknown outcome 'MAYBE_NOT'"), "{warnings:?}");
    assert!(!says("status:5: unknown"), "no word of any version: {warnings:?}");
    assert!(tree.not_understood() >= 2, "{warnings:?}");
    let doubt = |name: &str| {
        let all = tree.entries().map(|entry| tree.case(entry.id).unwrap());
        all.filter(|case| case.name.name == name).find_map(|case| case.expectation.doubt)
    };
    assert!(doubt("a").unwrap().contains("mjsunit.status:2"));
    assert_eq!(doubt("b"), None, "asan is false, whatever has_new_thing is");
    assert_eq!(refused(&tree_of((13, 8), &[], &files), &["mjsunit"]).exit_code(), 5);
}

/// The files of a tree of V8 14.1 with what its runner needs, of which one text is replaced.
fn newer(file: &str, from: &str, to: &str, more: &[(&str, &str)]) -> (TempDir, Vec<String>) {
    let texts = [
        (
            "tools/testrunner/local/variants.py",
            "ALL_VARIANT_FLAGS = {\n  \"default\": [[]],\n  \"stress\": [[\"--s\"]],\n}\n",
        ),
        (
            "tools/testrunner/standard_runner.py",
            "VARIANTS = [\"default\"]\nVARIANT_ALIASES = {\n  \"dev\": VARIANTS,\n}\n",
        ),
        (
            "tools/testrunner/base_runner.py",
            "TEST_MAP = {\n  \"default\": [\"mjsunit\"],\n}\nDEBUG_FLAGS = []\nRELEASE_FLAGS = []\nDEFAULT_FLAGS = {\n  \
             \"standard_runner\": [\"--testing\"],\n}\n",
        ),
        ("tools/testrunner/build_config.py", "SCALE_FACTOR = dict(\n  tsan=2,\n)\n"),
        ("test/mjsunit/mjsunit.status", "[]"),
        ("test/mjsunit/a.js", ""),
        ("test/fuzzer/fuzzer.status", "[]"),
        ("test/fuzzer/testcfg.py", "SUB_TESTS = [ 'json' ]\n"),
    ];
    let files: Vec<(&str, String)> = texts
        .iter()
        .chain(more)
        .map(|(name, text)| {
            let text = if *name == file { text.replace(from, to) } else { (*text).to_owned() };
            assert!(*name != file || text.contains(to), "{file} has {from}");
            (*name, text)
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let root = tree_of((14, 1), &[], &files);
    let tree = open(&root, &["mjsunit", "fuzzer"]);
    let said = tree.warnings();
    (root, said)
}

#[test]
fn tables_of_a_newer_tree_are_read_as_they_are_written_or_said() {
    let variants = "tools/testrunner/local/variants.py";
    let standard = "tools/testrunner/standard_runner.py";
    let base = "tools/testrunner/base_runner.py";
    for (file, from, to, names) in [
        (base, "DEFAULT_FLAGS =", "DEFAULT_FLAGS: dict[str, list[str]] =", &["default"][..]),
        (standard, "VARIANT_ALIASES", "VARIANTS += ['stress']\nVARIANT_ALIASES", &["stress", "default"]),
        (standard, "VARIANT_ALIASES", "VARIANTS.append('stress')\nVARIANT_ALIASES", &["stress", "default"]),
        (
            variants,
            "}\n",
            "}\nALL_VARIANT_FLAGS['new'] = [['--n']]\nALL_VARIANT_FLAGS |= {'x': [[]]}\n",
            &["default"],
        ),
    ] {
        let (root, said) = newer(file, from, to, &[]);
        let tree = open(&root, &["mjsunit"]);
        let listed: Vec<String> =
            tree.entries().map(|entry| tree.case(entry.id).unwrap().name.variant.clone()).collect();
        assert_eq!(listed, names, "{to}");
        assert!(
            tree.entries().all(|entry| argv_of(&tree, entry.id).contains(&"--testing".to_owned())),
            "{to}"
        );
        assert!(!said.iter().any(|said| said.contains(".py")), "{to}: {said:?}");
    }
    let fuzzer = "test/fuzzer/testcfg.py";
    for (file, from, to, says) in [
        (base, "DEFAULT_FLAGS =", "FLAGS =", "base_runner.py has no DEFAULT_FLAGS"),
        (
            standard,
            "VARIANT_ALIASES",
            "if X:\n  VARIANTS += ['stress']\nVARIANT_ALIASES",
            "standard_runner.py:5:",
        ),
        (
            variants,
            "}\n",
            "}\nALL_VARIANT_FLAGS.pop('stress')\n",
            "variants.py:5:1: 'ALL_VARIANT_FLAGS' is changed",
        ),
        (
            fuzzer,
            "SUB_TESTS = [ 'json' ]",
            "SUB_TESTS = sorted(x)",
            "test/fuzzer/testcfg.py:1:13: calls are not",
        ),
        (fuzzer, "[ 'json' ]", "3", "test/fuzzer/testcfg.py: SUB_TESTS is no list"),
    ] {
        let (_, said) = newer(file, from, to, &[]);
        assert!(said.iter().any(|said| said.contains(says)), "{to}: {said:?}");
    }
}

fn argv_of(tree: &Tree, id: CaseId) -> Vec<String> {
    let words = tree.case(id).unwrap().args.into_iter();
    words.filter_map(|word| if let Arg::Text(text) = word { Some(text) } else { None }).collect()
}

#[test]
fn a_key_that_is_missing_in_a_newer_tree_hides_no_test() {
    let status = "[\n['not i18n', {'a': [SKIP]}],\n['mode == debug', {'b': [SKIP]}],\n]";
    let files =
        [("test/mjsunit/mjsunit.status", status), ("test/mjsunit/a.js", ""), ("test/mjsunit/b.js", "")];
    let root = tree_of((14, 1), &[], &files);
    let path = root.path().join("out/build/v8_build_config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    let without =
        config.replace("\"i18n\": true", "\"other\": true").replace("\"debugging_features\"", "\"more\"");
    assert!(!without.contains("i18n") && !without.contains("debugging_features"));
    std::fs::write(&path, without).unwrap();
    let tree = open(&root, &["mjsunit"]);
    let doubts: Vec<Option<String>> =
        tree.entries().map(|entry| tree.case(entry.id).unwrap().expectation.doubt).collect();
    assert_eq!(doubts.len(), 2);
    assert!(
        doubts.iter().all(|doubt| doubt.as_ref().is_some_and(|doubt| doubt.contains("may hold"))),
        "{doubts:?}"
    );
}

#[test]
fn what_may_be_slow_runs_among_slow_tests() {
    let status = "[['has_new_thing', {'a': [SLOW], 'b': [PASS, FAIL]}]]";
    let files = [
        ("test/mjsunit/mjsunit.status", status),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ];
    let root = tree_of((14, 1), &[], &files);
    let names = |change: fn(&mut Options)| -> Vec<String> {
        let tree = with(&root, &["mjsunit"], change);
        tree.entries().map(|entry| tree.case(entry.id).unwrap().name.name).collect()
    };
    assert_eq!(names(|options| options.slow_tests = Filter::Run), ["a"]);
    assert_eq!(names(|options| options.pass_fail_tests = Filter::Run), ["b"]);
}

#[test]
fn keys_of_any_type_are_what_python_takes_them_for() {
    let status = "[\n['interrupt_fuzzer', {'a': [SKIP]}],\n['not several', {'a': [SKIP]}],\n['arch in several', {'b': [SKIP]}],\n\
                  ['device_type == odd', {'a': [SKIP]}],\n['mode == debug', {'c': [SKIP]}],\n]";
    let files = [
        ("test/mjsunit/mjsunit.status", status),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
        (
            "tools/testrunner/base_runner.py",
            "class R:\n  def _get_statusfile_variables(self):\n    variables.update({'interrupt_fuzzer': False})\n",
        ),
    ];
    let root = tree_of((13, 8), &[], &files);
    let path = root.path().join("out/build/v8_build_config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    let more = "{\"interrupt_fuzzer\": true, \"several\": [\"x64\"], \"odd\": \"bullhead\", \"device_type\": \"bullhead\", ";
    let changed =
        config.replacen('{', more, 1).replace("\"debugging_features\": false", "\"debugging_features\": 1");
    std::fs::write(&path, changed).unwrap();
    assert_eq!(running(&open(&root, &["mjsunit"])).len(), 1, "a alone");
}

#[test]
fn status_files_may_be_written_in_other_ways() {
    let status = "([ALWAYS, {'a': {SKIP}, 'b': [SKIP] + [FAIL], 'c': ['HEAVY']}],\n['arch is not x64', {'c': [SKIP]}])";
    let files = [
        ("test/mjsunit/mjsunit.status", status),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ];
    let root = tree_of((13, 8), &[], &files);
    assert_eq!(running(&open(&root, &["mjsunit"])).len(), 1, "c alone");
}
