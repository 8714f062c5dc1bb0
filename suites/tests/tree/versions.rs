//! Trees of the versions between those with rules of their own.

use flotilla_messages::Cases;
use flotilla_suites::Tree;

use crate::trees::*;

fn header(major: u32, minor: u32) -> String {
    format!("#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n")
}

/// The command line that the one test of a tree has, behind the files.
fn flags(files: &[(&str, &str)], variants: &str) -> Vec<String> {
    let root = tree(files);
    let options = flotilla_suites::Options {
        variants: Some(variants.into()),
        extra_flags: vec!["--x".into()],
        ..options(&root, &["mjsunit"])
    };
    let found = Tree::open(options).unwrap();
    let case = found.case(found.entries().next().unwrap().id).unwrap();
    let argv = case.relative_argv();
    argv[argv.iter().position(|word| word == "test/mjsunit/m.js").unwrap() + 1..].to_vec()
}

#[test]
fn the_runner_of_the_tree_says_the_order_of_its_command_lines() {
    let parts = [
        "files_params",
        "variant_flags",
        "mode_flags",
        "extra_flags",
        "source_flags",
        "suite_flags",
        "random_seed_flags",
    ];
    let calls: Vec<String> = parts.iter().map(|part| format!("self._get_{part}()")).collect();
    let test_case = format!("class T:\n  def _get_cmd_params(self):\n    return ({})\n", calls.join(" +\n"));
    let header = header(8, 6);
    let files = [
        ("include/v8-version.h", header.as_str()),
        ("tools/testrunner/objects/testcase.py", &test_case),
        ("tools/testrunner/standard_runner.py", "A = 1\n"),
        ("tools/testrunner/local/variants.py", "ALL_VARIANT_FLAGS = {'default': [[]], 'v': [['--v']]}\n"),
        ("test/mjsunit/mjsunit.status", "[]"),
        ("test/mjsunit/m.js", "// Flags: --source\n"),
    ];
    // A runner without a table of its own flags has none.
    assert_eq!(flags(&files, "v"), ["--v", "--nohard-abort", "--x", "--source", "--random-seed=7"]);
}

#[test]
fn keys_of_newer_builds_are_status_variables() {
    let config = CONFIG.trim_end().trim_end_matches('}').to_owned()
        + ", \"v8_enable_maglev\": true, \"v8_use_sandbox\": false}";
    let build_config = "class BuildConfig:\n  def __init__(self, build_config, options):\n    \
        self.arch = build_config['v8_target_cpu']\n    self.is_debug = build_config['is_debug']\n    \
        self.maglev = build_config['v8_enable_maglev']\n    self.sandbox = build_config[\n        'v8_use_sandbox']\n";
    let base_runner = "class R:\n  def _get_statusfile_variables(self, options):\n    return {\n      \
        \"has_maglev\": self.build_config.maglev,\n    }\n";
    let header = header(11, 2);
    let root = tree(&[
        ("include/v8-version.h", &header),
        ("out/build/v8_build_config.json", &config),
        ("tools/testrunner/build_config.py", build_config),
        ("tools/testrunner/base_runner.py", base_runner),
        (
            "test/mjsunit/mjsunit.status",
            "[['has_maglev and not sandbox', {'m': [SKIP]}], ['sandbox', {'n': [SKIP]}]]",
        ),
        ("test/mjsunit/m.js", ""),
        ("test/mjsunit/n.js", ""),
    ]);
    let found = Tree::open(options(&root, &["mjsunit"])).unwrap();
    let names: Vec<String> = found.entries().map(|entry| found.case(entry.id).unwrap().name.name).collect();
    assert_eq!(names, ["n"]);
}

#[test]
fn variants_of_2015_stand_beside_the_suites() {
    let header = header(4, 7);
    let files = [
        ("include/v8-version.h", header.as_str()),
        ("tools/testrunner/local/execution.py", ""),
        ("tools/run-tests.py", "VARIANTS = ['default', 'turbofan']\n"),
        (
            "tools/testrunner/local/testsuite.py",
            "ALL_VARIANT_FLAGS = {'default': [[]], 'turbofan': [['--turbo', '--always-opt']]}\n\
             FAST_VARIANT_FLAGS = [f for v, f in X.iteritems()]\n",
        ),
        (
            "test/mjsunit/mjsunit.status",
            "[['arch == nacl_x64 or ignition', {'*': [SKIP]}], [ALWAYS, {'m': [PASS, FLAKY]}]]",
        ),
        ("test/mjsunit/m.js", ""),
    ];
    assert_eq!(flags(&files, "turbofan"), ["--x"]);
    let root = tree(&files);
    let found = Tree::open(flotilla_suites::Options {
        variants: Some("turbofan".into()),
        ..options(&root, &["mjsunit"])
    });
    let found = found.unwrap();
    let case = found.case(found.entries().next().unwrap().id).unwrap();
    assert_eq!(case.variant_flags, ["--turbo", "--always-opt"]);
    assert_eq!(found.description().dialect, "V8 5.0 (for 4.7)");
}

#[test]
fn test262_of_classic_trees_has_its_own_order() {
    let header = header(5, 4);
    let root = tree(&[
        ("include/v8-version.h", &header),
        ("tools/testrunner/local/execution.py", ""),
        ("test/test262/test262.status", "[]"),
        (
            "test/test262/data/test/a.js",
            "/*---\nflags: [module, onlyStrict]\nnegative: TypeError\nincludes: [x.js]\n---*/\n",
        ),
    ]);
    let found = Tree::open(flotilla_suites::Options {
        variants: Some("default".into()),
        ..options(&root, &["test262"])
    });
    let found = found.unwrap();
    let cases: Vec<_> = found.entries().map(|entry| found.case(entry.id).unwrap()).collect();
    let argv = cases[0].relative_argv();
    let flags = argv.iter().position(|word| word == "--random-seed=7").unwrap() + 1;
    let expected = [
        "--use-strict",
        "--nohard-abort",
        "--nodead-code-elimination",
        "--nofold-constants",
        "test/test262/data/harness/sta.js",
        "test/test262/data/harness/assert.js",
        "test/test262/harness-adapt.js",
        "test/test262/data/harness/x.js",
        "--harmony",
        "--module",
        "test/test262/data/test/a.js",
        "--throws",
    ];
    assert_eq!(argv[flags..], expected);
    assert_eq!(cases.len(), 1, "onlyStrict");
}
