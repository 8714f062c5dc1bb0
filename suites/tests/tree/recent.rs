//! V8 9.3 and later: each rule on both sides of the version at which it begins.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use flotilla_messages::{Cases, Judge, Outcome, TestCase};
use flotilla_suites::{Filter, Options, Tree};
use tempfile::TempDir;

use crate::trees::*;

type Version = (u32, u32);

/// The one test of a suite in a tree with these files.
fn one(version: Version, on: &[&str], suite: &str, files: &[(&str, &str)]) -> TestCase {
    let root = tree_of(version, on, files);
    only_case(&open(&root, &[suite])).0
}

/// The command line of the one test, behind the program.
fn argv(version: Version, on: &[&str], suite: &str, files: &[(&str, &str)]) -> Vec<String> {
    one(version, on, suite, files).relative_argv()[1..].to_vec()
}

fn has(argv: &[String], word: &str) -> bool {
    argv.iter().any(|own| own == word)
}

const MJSUNIT: (&str, &str) = ("test/mjsunit/mjsunit.status", NO_RULES);

fn with(root: &TempDir, tests: &[&str], change: impl Fn(&mut Options)) -> Tree {
    let mut options = options(root, tests);
    change(&mut options);
    Tree::open(options).unwrap()
}

fn program(root: &TempDir, name: &str, script: &str) {
    let path = root.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn from_13_8_the_harness_comes_before_what_a_test_names() {
    let files = [MJSUNIT, ("test/mjsunit/a.js", "// Files: test/x.js\n")];
    let names = |version| {
        let argv = argv(version, &[], "mjsunit", &files);
        argv.into_iter().filter(|word| word.ends_with(".js")).collect::<Vec<_>>()
    };
    assert_eq!(names((13, 7)), ["test/x.js", "test/mjsunit/mjsunit.js", "test/mjsunit/a.js"]);
    assert_eq!(names((13, 8)), ["test/mjsunit/mjsunit.js", "test/x.js", "test/mjsunit/a.js"]);
}

#[test]
fn heavy_tests_count_as_slow_until_12_0_and_come_first_later() {
    let files = [
        ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'b': [PASS, SLOW], 'c': [PASS, HEAVY]}]]"),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ];
    let found = |version| {
        let root = tree_of(version, &[], &files);
        let tree = open(&root, &["mjsunit"]);
        let heavy = tree.entries().find(|entry| entry.heavy).unwrap();
        let seconds = tree.case(heavy.id).unwrap().timeout.as_secs();
        (running(&tree)[0].clone(), heavy.slow, seconds)
    };
    assert_eq!(found((12, 0)), ("mjsunit/b default".into(), true, 240));
    assert_eq!(found((12, 1)), ("mjsunit/c default".into(), false, 60));
    // A tree of 9.2 does not know the word.
    let words = "SKIP = 'SKIP'\nKEYWORDS = {}\nfor key in [SKIP, 'PASS', 'SLOW', 'ALWAYS']:\n  KEYWORDS[key] = key\n\
                 for var in ['x64']:\n  VARIABLES[var] = var\n";
    let root =
        tree_of((9, 2), &[], &[&files[..], &[("tools/testrunner/local/statusfile.py", words)]].concat());
    let error = refused(&root, &["mjsunit"]).to_string();
    assert!(error.contains("mjsunit.status:1:43: ") && error.contains("'HEAVY'"), "{error}");
    assert!(error.contains("V8 9.3"), "{error}");
}

#[test]
fn from_10_5_outcomes_leave_tests_out_behind_the_variants_only() {
    let files = [
        ("test/mjsunit/mjsunit.status", "[['variant == stress', {'a': [SLOW]}]]"),
        ("test/mjsunit/a.js", ""),
    ];
    let runs = |version| {
        let root = tree_of(version, &[], &files);
        let tree = with(&root, &["mjsunit"], |options| {
            options.variants = Some("default,stress".into());
            options.slow_tests = Filter::Run;
        });
        running(&tree)
    };
    assert_eq!(runs((10, 4)), [] as [String; 0]);
    assert_eq!(runs((10, 5)), ["mjsunit/a stress"]);
}

#[test]
fn from_10_1_to_10_6_message_tests_contradict_the_variant_that_stresses_them() {
    let files =
        [("test/message/message.status", NO_RULES), ("test/message/a.js", ""), ("test/message/a.out", "")];
    let found = |version| {
        let root = tree_of(version, &[], &files);
        let tree = with(&root, &["message"], |options| options.variants = Some("stress".into()));
        let (case, argv) = only_case(&tree);
        (has(&argv, "--no-stress-opt"), case.expectation.outcomes)
    };
    assert_eq!(found((10, 0)), (false, vec![Outcome::Pass]));
    assert_eq!(found((10, 1)), (true, vec![Outcome::Fail]));
    assert_eq!(found((10, 7)), (false, vec![Outcome::Pass]));
}

#[test]
fn templates_learn_addresses_negative_numbers_and_what_to_ignore() {
    let files = [("test/message/message.status", NO_RULES), ("test/message/a.js", "")];
    let rules = |version| match one(version, &[], "message", &files).judge {
        Judge::Template { rules, .. } => (rules.addresses, rules.negative_numbers, rules.ignored_lines.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(rules((11, 3)), (false, false, 0));
    assert_eq!(rules((11, 4)), (false, false, 1));
    assert_eq!(rules((11, 6)), (true, false, 1));
    assert_eq!(rules((12, 6)), (true, false, 2));
    assert_eq!(rules((13, 5)), (true, true, 2));
}

#[test]
fn from_10_4_a_silent_webkit_test_passes() {
    let files = [("test/webkit/webkit.status", NO_RULES), ("test/webkit/a.js", "")];
    let passes = |version| match one(version, &[], "webkit", &files).judge {
        Judge::Lines { blank_passes, .. } => blank_passes,
        other => panic!("{other:?}"),
    };
    assert!(!passes((10, 3)));
    assert!(passes((10, 4)));
}

#[test]
fn from_11_1_debug_flags_follow_what_was_built_in() {
    let files = [MJSUNIT, ("test/mjsunit/a.js", "")];
    let flags = |version, on: &[&str]| {
        let argv = argv(version, on, "mjsunit", &files);
        let checks = argv.into_iter().filter(|word| word.starts_with("--verify") || word.contains("asserts"));
        checks.collect::<Vec<_>>()
    };
    assert_eq!(flags((11, 0), &["is_debug"]), ["--enable-slow-asserts", "--verify-heap"]);
    assert_eq!(flags((11, 5), &["debugging_features"]), [] as [String; 0]);
    let all = ["debugging_features", "slow_dchecks", "verify_heap"];
    assert_eq!(flags((11, 5), &all), ["--verify-heap", "--enable-slow-asserts"]);
    assert_eq!(flags((11, 5), &["slow_dchecks", "verify_heap"]), [] as [String; 0], "in debug builds only");
}

#[test]
fn from_12_2_only_d8_is_told_what_asan_needs() {
    let files = [
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/a.js", ""),
        ("test/inspector/inspector.status", NO_RULES),
        ("test/inspector/a.js", ""),
    ];
    let told = |version, suite| has(&argv(version, &["asan"], suite, &files), "--invoke-weak-callbacks");
    assert_eq!([told((12, 1), "mjsunit"), told((12, 1), "inspector")], [true, true]);
    assert_eq!([told((12, 2), "mjsunit"), told((12, 2), "inspector")], [true, false]);
    let parts = one((12, 2), &["asan", "component_build"], "mjsunit", &files[..2]).env;
    let whole = one((12, 2), &["asan"], "mjsunit", &files[..2]).env;
    assert!(parts["ASAN_OPTIONS"].contains("detect_odr_violation=0"), "{parts:?}");
    assert!(!whole["ASAN_OPTIONS"].contains("detect_odr_violation"), "{whole:?}");
}

#[test]
fn builds_have_their_time() {
    let files = [MJSUNIT, ("test/mjsunit/a.js", "")];
    let seconds = |version, on: &[&str]| one(version, on, "mjsunit", &files).timeout.as_secs();
    assert_eq!(seconds((9, 2), &["is_tsan"]), 135);
    assert_eq!(seconds((9, 3), &["is_tsan"]), 180);
    assert_eq!(seconds((13, 8), &["tsan", "use_sanitizer"]), 180);
    assert_eq!(seconds((13, 1), &["verify_predictable"]), 240);
    assert_eq!(seconds((13, 2), &["verify_predictable"]), 480);
    assert_eq!(seconds((13, 8), &["lite_mode"]), 120);
    // What the tree says of it counts.
    let own = "def factors(c):\n  pass\nSCALE_FACTOR = dict(\n  lite_mode=3,\n)\n";
    let files = [&files[..], &[("tools/testrunner/build_config.py", own)]].concat();
    assert_eq!(one((13, 8), &["lite_mode"], "mjsunit", &files).timeout.as_secs(), 180);
}

#[test]
fn predictable_builds_have_their_flags_and_skip_suites_of_ones_own() {
    let files = [
        MJSUNIT,
        ("test/mjsunit/a.js", ""),
        (
            "test/own/suite.toml",
            "kind = \"files\"\nfiles = [\"*.js\"]\ncommand = [\"{shell}\", \"{file}\"]\n",
        ),
        ("test/own/b.js", ""),
    ];
    assert!(!has(&argv((12, 7), &["verify_predictable"], "mjsunit", &files), "--omit-quit"));
    assert!(has(&argv((12, 8), &["verify_predictable"], "mjsunit", &files), "--omit-quit"));
    let root = tree_of((13, 8), &["verify_predictable"], &files);
    let tree = open(&root, &["own"]);
    assert_eq!(running(&tree), [] as [String; 0]);
    let listed: Vec<_> = tree.listing().filter_map(|listed| listed.skipped).collect();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].rule.contains("predictable"), "{listed:?}");
    let root = tree_of((13, 8), &[], &files);
    assert_eq!(running(&open(&root, &["own"])), ["own/b default"]);
}

#[test]
fn flags_contradict_each_other_more_and_more() {
    let variants = "ALL_VARIANT_FLAGS = {'default': [[]], 'v': [['--opt']]}\n\
                    INCOMPATIBLE_FLAGS_PER_VARIANT = {'v': ['--never']}\n\
                    INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE = {}\n\
                    INCOMPATIBLE_FLAGS_PER_EXTRA_FLAG = {'--x': ['--x', '--y']}\n";
    let fails = |version, variant: &str, extra: &[&str], source: &str| {
        let source = format!("// Flags: {source}\n");
        let files = [
            ("tools/testrunner/local/variants.py", variants),
            MJSUNIT,
            ("test/mjsunit/a.js", source.as_str()),
        ];
        let root = tree_of(version, &[], &files);
        let tree = with(&root, &["mjsunit"], |options| {
            options.variants = Some(variant.into());
            options.extra_flags = extra.iter().map(|flag| (*flag).into()).collect();
        });
        only_case(&tree).0.expectation.outcomes == [Outcome::Fail]
    };
    assert!(fails((9, 2), "v", &[], "--never"));
    // A flag and its negation.
    assert!(!fails((9, 2), "default", &[], "--a --no-a"));
    assert!(fails((9, 3), "default", &[], "--a --no-a"));
    // The very flag that is given as an extra one.
    assert!(fails((12, 6), "default", &["--x"], "--x"));
    assert!(!fails((12, 7), "default", &["--x"], "--x"));
    assert!(fails((12, 7), "default", &["--x"], "--y"));
    // What the whole run says against what the variant says.
    assert!(!fails((13, 1), "v", &["--never"], ""));
    assert!(fails((13, 2), "v", &["--never"], ""));
    // V8 can be told not to look at what follows.
    assert!(fails((13, 1), "v", &[], "--no-abort-on-contradictory-flags --never"));
    assert!(!fails((13, 2), "v", &[], "--no-abort-on-contradictory-flags --never"));
}

#[test]
fn test262_gets_its_harness_as_each_version_has_it() {
    let files = |matter: &'static str| {
        [("test/test262/test262.status", NO_RULES), ("test/test262/data/test/a.js", matter)]
    };
    let raw = files("/*---\nflags: [raw, noStrict]\n---*/");
    let harness = |version| argv(version, &[], "test262", &raw).iter().any(|word| word.ends_with("sta.js"));
    assert!(harness((10, 8)));
    assert!(!harness((10, 9)));

    let done = files("/*---\nflags: [async, noStrict]\n---*/");
    let async_file = |version| has(&argv(version, &[], "test262", &done), "test/test262/harness-done.js");
    assert!(!async_file((11, 2)));
    assert!(async_file((11, 3)));
    let must_complete = |version| match one(version, &[], "test262", &done).judge {
        Judge::Exception { must_complete, .. } => must_complete,
        other => panic!("{other:?}"),
    };
    assert!(!must_complete((11, 7)));
    assert!(must_complete((11, 8)));

    let source = files("/*---\nfeatures: [source-phase-imports]\nflags: [noStrict]\n---*/");
    let module_file = |version| {
        has(&argv(version, &[], "test262", &source), "test/test262/harness-abstractmodulesource.js")
    };
    assert!(!module_file((12, 8)));
    assert!(module_file((12, 9)));

    let feature = files("/*---\nfeatures: [f]\nflags: [noStrict]\n---*/");
    let table = ("test/test262/testcfg.py", "FEATURE_FLAGS = {'f': '--one --two'}\n");
    let split = |version| has(&argv(version, &[], "test262", &[&feature[..], &[table]].concat()), "--one");
    assert!(!split((11, 3)));
    assert!(split((11, 4)));
}

#[test]
fn from_12_7_a_staging_test_that_v8_has_itself_is_listed_once() {
    let files = [
        ("test/test262/test262.status", NO_RULES),
        ("test/test262/data/test/staging/a.js", "/*---\nflags: [noStrict]\n---*/"),
        ("test/test262/local-tests/test/staging/a.js", "/*---\nflags: [noStrict]\n---*/"),
    ];
    let count = |version| running(&open(&tree_of(version, &[], &files), &["test262"])).len();
    assert_eq!(count((12, 6)), 2);
    assert_eq!(count((12, 7)), 1);
}

#[test]
fn filecheck_judges_by_what_a_tests_own_file_says() {
    let files = [
        ("test/filecheck/filecheck.status", NO_RULES),
        ("test/filecheck/a.js", "// Flags: --f\n// CHECK: x\n"),
        ("test/filecheck/b.out", ""),
    ];
    let case = one((13, 7), &[], "filecheck", &files);
    assert!(matches!(case.judge, Judge::FileCheck), "{:?}", case.judge);
    assert!(has(&case.relative_argv(), "--f"));
    assert_eq!(case.expected_file.unwrap().relative(), "test/filecheck/a.js");
}

#[test]
fn inspector_leaves_out_the_files_it_names() {
    let files = |config: &'static str| {
        [
            ("test/inspector/inspector.status", NO_RULES),
            ("test/inspector/a.js", ""),
            ("test/inspector/wasm-inspector-test.js", ""),
            ("test/inspector/odd.js", ""),
            ("test/inspector/testcfg.py", config),
        ]
    };
    let names = |version, config| running(&open(&tree_of(version, &[], &files(config)), &["inspector"]));
    let odd = "inspector/odd default";
    assert_eq!(names((11, 1), ""), ["inspector/a default", odd]);
    let own = "class TestLoader(testsuite.JSTestLoader):\n  @property\n  def excluded_files(self):\n    \
               return {'odd.js', 'wasm-inspector-test.js'}\n";
    assert_eq!(names((11, 1), own), ["inspector/a default"]);
}

#[test]
fn unittests_have_variants_and_an_environment_of_their_own() {
    let files = [
        ("test/unittests/unittests.status", NO_RULES),
        ("test/unittests/testcfg.py", "ADDITIONAL_VARIANTS = set(['v'])\n"),
        (
            "tools/testrunner/local/variants.py",
            "ALL_VARIANT_FLAGS = {'default': [[]], 'v': [['--v']], 'w': [['--w']]}\n",
        ),
    ];
    let found = |version, name: &str| {
        let root = tree_of(version, &[], &files);
        program(&root, &format!("out/build/{name}"), "printf 'A.\\n  B\\n'");
        let tree = with(&root, &["unittests"], |options| options.variants = Some("default,v,w".into()));
        let case = tree.case(tree.entries().next().unwrap().id).unwrap();
        (running(&tree), case.env.get("FUZZTEST_PRNG_SEED").map(String::len))
    };
    let v = "unittests/A.B v".to_owned();
    let default = "unittests/A.B default".to_owned();
    assert_eq!(found((10, 9), "unittests"), (vec![default.clone()], None));
    assert_eq!(found((11, 0), "unittests"), (vec![v.clone(), default.clone()], None));
    assert_eq!(found((12, 3), "v8_unittests"), (vec![v, default], Some(43)));
}

#[test]
fn cctest_marks_its_tests_from_10_3_on() {
    let names = |version, printed: &str| {
        let root = tree_of(version, &[], &[("test/cctest/cctest.status", NO_RULES)]);
        program(&root, "out/build/cctest", &format!("printf '{printed}'"));
        running(&open(&root, &["cctest"]))
    };
    assert_eq!(names((10, 2), "test-a/B\\n"), ["cctest/test-a/B default"]);
    let marked = "a word\\n**>Test: test-a/B\\nTotal number of tests: 1\\n";
    assert_eq!(names((10, 3), marked), ["cctest/test-a/B default"]);
}

#[test]
fn fuzzers_have_the_directories_of_their_version() {
    let files = [
        ("test/fuzzer/fuzzer.status", NO_RULES),
        ("test/fuzzer/json/a", ""),
        ("test/fuzzer/wasm/async/b", ""),
        ("test/fuzzer/wasm_async/c", ""),
    ];
    let found = |version| {
        let root = tree_of(version, &[], &files);
        let tree = open(&root, &["fuzzer"]);
        let cases = tree.entries().map(|entry| tree.case(entry.id).unwrap());
        cases
            .map(|case| {
                let judge = matches!(case.judge, Judge::ExitCodes(_));
                format!("{} {} {judge}", case.name.name, case.relative_argv()[0])
            })
            .collect::<Vec<_>>()
    };
    let json = |judge: bool| format!("json/a out/build/v8_simple_json_fuzzer {judge}");
    let wasm = |name: &str, judge: bool| format!("{name} out/build/v8_simple_wasm_async_fuzzer {judge}");
    let first = "wasm/async/b out/build/v8_simple_wasm_fuzzer false".to_owned();
    assert_eq!(found((13, 2)), [json(false), first, wasm("wasm_async/c", false)]);
    assert_eq!(found((13, 3)), [json(false), wasm("wasm/async/b", false)]);
    assert_eq!(found((13, 5)), [json(true), wasm("wasm/async/b", true)]);
    // A tree that lists them itself is right.
    let own = [&files[..], &[("test/fuzzer/testcfg.py", "SUB_TESTS = ['json']\n")]].concat();
    let root = tree_of((13, 8), &[], &own);
    assert_eq!(running(&open(&root, &["fuzzer"])), ["fuzzer/json/a default"]);
}

#[test]
fn mkgrokdump_is_judged_by_plausibility_from_11_7_on() {
    let judge =
        |version| one(version, &[], "mkgrokdump", &[("test/mkgrokdump/mkgrokdump.status", NO_RULES)]).judge;
    assert!(!matches!(judge((11, 6)), Judge::PlausibleGrokDump));
    assert!(matches!(judge((11, 7)), Judge::PlausibleGrokDump));
}

#[test]
fn words_of_a_command_line_that_took_longer_no_longer_do() {
    let files = [MJSUNIT, ("test/mjsunit/a.js", "")];
    let seconds = |version, flag: &str| {
        let root = tree_of(version, &[], &files);
        let tree = with(&root, &["mjsunit"], |options| options.extra_flags = vec![flag.into()]);
        only_case(&tree).0.timeout.as_secs()
    };
    assert_eq!([seconds((10, 2), "--no-opt"), seconds((10, 3), "--no-opt")], [120, 60]);
    assert_eq!([seconds((10, 2), "--no-turbofan"), seconds((10, 3), "--no-turbofan")], [60, 120]);
    assert_eq!([seconds((10, 6), "--stress-opt"), seconds((10, 7), "--stress-opt")], [240, 60]);
}

#[test]
fn every_key_of_a_build_is_a_variable_from_11_5_on() {
    let files = [
        ("test/mjsunit/mjsunit.status", "[['has_maglev and not asan', {'a': [SKIP]}]]"),
        ("test/mjsunit/a.js", ""),
    ];
    assert_eq!(running(&open(&tree_of((11, 5), &[], &files), &["mjsunit"])), [] as [String; 0]);
    assert_eq!(running(&open(&tree_of((11, 5), &["asan"], &files), &["mjsunit"])).len(), 1);
    // Until then it is a name that nobody knows.
    let error = refused(&tree_of((11, 4), &[], &files), &["mjsunit"]).to_string();
    assert!(error.contains("mjsunit.status:1:4: ") && error.contains("'has_maglev'"), "{error}");
}

#[test]
fn a_tree_without_a_version_may_use_the_names_of_several() {
    let status = "[['no_i18n or ubsan_vptr', {'a': [SKIP]}], ['i18n and not ubsan', {'b': [SKIP]}]]";
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", status),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
    ]);
    let tree = open(&root, &["mjsunit"]);
    assert_eq!(running(&tree), ["mjsunit/a default"]);
    assert!(tree.description().assumed);
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_with_the_key() {
    let wrong = |config: &str| {
        let root = tree_of((13, 8), &[], &[MJSUNIT, ("out/build/v8_build_config.json", config)]);
        let error = refused(&root, &["mjsunit"]);
        assert_eq!(error.exit_code(), 5);
        error.to_string()
    };
    let without = |key: &str| {
        let off = format!("\"{key}\": false, ");
        assert!(CONFIG_11_5.contains(&off), "{key}");
        CONFIG_11_5.replace(&off, "")
    };
    for (config, says) in [
        (CONFIG_11_5.replace("\"arch\": \"x64\", ", ""), "v8_build_config.json: lacks the key 'arch'"),
        (without("asan"), "v8_build_config.json: lacks the key 'asan'"),
        (
            CONFIG_11_5.replace("\"asan\"", "\"debug\": true, \"asan\""),
            "v8_build_config.json: the key 'debug' is a constant of status files as well",
        ),
        ("[]".into(), "v8_build_config.json: is no JSON object: "),
        (CONFIG_11_5[..40].into(), "v8_build_config.json: is no JSON object: EOF"),
    ] {
        let error = wrong(&config);
        assert!(error.contains(says), "{says}: {error}");
    }
}
