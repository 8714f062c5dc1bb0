//! Whole trees, made for the purpose: what is listed, how it is run, and what is said when something is wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use flotilla_messages::{Arg, Cases, Judge, Outcome, Program, TestCase};
use flotilla_suites::{Filter, Listed, OpenError, Options, Shell, Tree, find_root};
use tempfile::TempDir;

const CONFIG: &str = r#"{"v8_target_cpu": "x64", "target_cpu": "x64", "is_asan": false, "is_cfi": false,
    "v8_control_flow_integrity": false, "v8_enable_concurrent_marking": true, "v8_enable_single_generation": false,
    "dcheck_always_on": false, "is_gcov_coverage": false, "is_android": false, "is_clang": true, "is_debug": false,
    "is_full_debug": false, "is_msan": false, "v8_enable_i18n_support": true,
    "v8_enable_verify_predictable": false, "is_tsan": false, "is_ubsan_vptr": false, "v8_enable_verify_csa": false,
    "v8_enable_lite_mode": false, "v8_enable_pointer_compression": true,
    "v8_enable_pointer_compression_shared_cage": true, "v8_enable_third_party_heap": false,
    "v8_enable_webassembly": true}"#;

const NO_RULES: &str = "[]";

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn options(root: &TempDir, tests: &[&str]) -> Options {
    Options {
        root: root.path().into(),
        tests: tests.iter().map(|test| (*test).into()).collect(),
        random_seed: 7,
        ..Options::default()
    }
}

fn open(root: &TempDir, tests: &[&str]) -> Tree {
    Tree::open(options(root, tests)).unwrap()
}

fn refused(root: &TempDir, tests: &[&str]) -> OpenError {
    Tree::open(options(root, tests)).unwrap_err()
}

/// `name variant` of each test that runs, in order.
fn running(tree: &Tree) -> Vec<String> {
    let cases = tree.entries().map(|entry| tree.case(entry.id).unwrap());
    cases.map(|case| format!("{} {}", case.name.path(), case.name.variant_and_detail())).collect()
}

fn cases(tree: &Tree) -> BTreeMap<String, TestCase> {
    tree.listing().map(|listed| tree.case(listed.id).unwrap()).map(|case| (case.id.clone(), case)).collect()
}

/// The one case of a tree, with the words of its command.
fn only_case(tree: &Tree) -> (TestCase, Vec<String>) {
    let entries: Vec<_> = tree.entries().collect();
    assert_eq!(entries.len(), 1);
    let case = tree.case(entries[0].id).unwrap();
    let argv = case.relative_argv();
    (case, argv)
}

#[test]
fn slow_tests_come_first_and_suites_in_the_order_given() {
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'c': [PASS, SLOW], 'd/*': SLOW, 'b': SKIP}]]"),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
        ("test/mjsunit/d/e.js", ""),
        ("test/message/message.status", "[[ALWAYS, {'y': SLOW}]]"),
        ("test/message/x.js", ""),
        ("test/message/y.js", ""),
    ]);
    let found = open(&root, &["message", "mjsunit", "message/x"]);
    assert_eq!(
        running(&found),
        [
            "message/y default",
            "mjsunit/c default",
            "mjsunit/d/e default",
            "message/x default",
            "mjsunit/a default"
        ]
    );
    let slow: Vec<bool> = found.entries().map(|entry| entry.slow).collect();
    assert_eq!(slow, [true, true, true, false, false]);
    let skipped: Vec<Listed> = found.listing().filter(|listed| listed.skipped.is_some()).collect();
    assert_eq!(skipped.len(), 1);
    let skip = skipped[0].skipped.as_ref().unwrap();
    assert_eq!((skip.rule.as_str(), skip.condition.as_str(), &skip.variant), ("b", "ALWAYS", &None));
    let case = found.case(skipped[0].id).unwrap();
    assert_eq!((case.id.as_str(), case.name.variant.as_str()), ("mjsunit/b", ""));
}

#[test]
fn without_selection_every_suite_of_the_tree_runs() {
    let root = tree(&[
        ("test/webkit/webkit.status", NO_RULES),
        ("test/webkit/a.js", ""),
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/b.js", ""),
        ("test/other/readme", ""),
    ]);
    let found = open(&root, &[]);
    assert_eq!(running(&found), ["mjsunit/b default", "webkit/a default"]);
    let description = found.description();
    assert_eq!(description.engine, "built-in shell");
    assert_eq!((description.suites.len(), description.mode.as_str()), (2, "release"));
    assert_eq!(found.unmatched(), []);
    assert!(found.check_engines().is_ok());
}

#[test]
fn groups_of_the_tree_are_suites() {
    let root = tree(&[
        (
            "tools/testrunner/base_runner.py",
            "TEST_MAP = {'default': ['cctest', 'mjsunit', 'gone'], 'all': ['webkit']}\n",
        ),
        ("test/cctest/testcfg.py", ""),
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/b.js", ""),
        ("test/webkit/webkit.status", NO_RULES),
        ("test/webkit/a.js", ""),
    ]);
    let found = open(&root, &[]);
    assert_eq!(found.description().suites, ["mjsunit"]);
    assert!(
        found.warnings().iter().any(|w| w == "not supported yet and left out: cctest"),
        "{:?}",
        found.warnings()
    );
    assert_eq!(open(&root, &["all"]).description().suites, ["webkit"]);
    let error = refused(&root, &["cctest"]);
    assert!(matches!(error, OpenError::UnsupportedSuite { .. }), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn variants_are_made_in_order_and_no_variants_means_default() {
    let root = tree(&[
        (
            "test/mjsunit/mjsunit.status",
            "[[ALWAYS, {'b': [PASS, NO_VARIANTS]}], ['variant == jitless', {'a': SKIP}], \
             ['variant == stress', {'c': [FAIL]}]]",
        ),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ]);
    let with = |variants: &str| {
        Tree::open(Options { variants: Some(variants.into()), ..options(&root, &[]) }).unwrap()
    };
    let found = with("default,jitless,stress");
    assert_eq!(
        running(&found),
        [
            "mjsunit/a stress",
            "mjsunit/a default",
            "mjsunit/b default",
            "mjsunit/c stress",
            "mjsunit/c jitless",
            "mjsunit/c default"
        ]
    );
    let cases = cases(&found);
    assert!(cases.contains_key("mjsunit/b.VariantProc-default-0"), "{:?}", cases.keys());
    assert_eq!(cases["mjsunit/c.VariantProc-stress-0"].expectation.outcomes, [Outcome::Fail]);
    assert_eq!(cases["mjsunit/c.VariantProc-jitless-1"].expectation.outcomes, [Outcome::Pass]);
    assert_eq!(cases["mjsunit/c.VariantProc-stress-0"].timeout.as_secs(), 240, "--stress-opt takes its time");
    let skips: Vec<_> = found.listing().filter_map(|listed| listed.skipped).collect();
    assert_eq!(skips.len(), 1);
    assert_eq!((skips[0].rule.as_str(), skips[0].variant.as_deref()), ("a", Some("jitless")));
    assert_eq!(running(&with("stress")), ["mjsunit/a stress", "mjsunit/c stress"], "b has no variant left");
}

#[test]
fn entries_and_listing_name_the_same_tests() {
    let root = tree(&[
        (
            "test/mjsunit/mjsunit.status",
            "[[ALWAYS, {'a': SKIP}], ['variant == stress', {'b': [SKIP, HEAVY], 'c': HEAVY}]]",
        ),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
    ]);
    let found =
        Tree::open(Options { variants: Some("stress,default".into()), ..options(&root, &[]) }).unwrap();
    let entries: Vec<_> = found.entries().collect();
    let listed: Vec<_> = found.listing().filter(|l| l.skipped.is_none()).map(|l| l.id).collect();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), listed);
    assert_eq!(entries.iter().map(|entry| entry.heavy).collect::<Vec<_>>(), [false, true, false]);
    let mut keys: Vec<u64> = entries.iter().map(|entry| entry.history_key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3, "each test has a history of its own");
}

#[test]
fn a_command_line_has_its_parts_in_order() {
    let root = tree(&[
        ("out/build/v8_build_config.json", CONFIG),
        ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'d/a': ['--from-status']}]]"),
        (
            "test/mjsunit/d/a.js",
            "// Flags: --one 'two three'\n// Files: test/lib/x.js ../up.js\n// Env: TEST_FILE_NAME\n\
             // Environment Variables: TZ=UTC\n",
        ),
    ]);
    let options = Options {
        variants: Some("jitless".into()),
        extra_flags: vec!["--e1 --e2".into(), "'--e 3'".into()],
        command_prefix: "nice -n 5".into(),
        ..options(&root, &[])
    };
    let (case, argv) = only_case(&Tree::open(options.clone()).unwrap());
    let expected = [
        "nice",
        "-n",
        "5",
        "out/build/d8",
        "--test",
        "-e",
        "TEST_FILE_NAME=\"test/mjsunit/d/a.js\"",
        "test/lib/x.js",
    ];
    assert_eq!(argv[..8], expected);
    // Outside the root, a file has its absolute path.
    let up = root.path().parent().unwrap().join("up.js");
    assert_eq!(argv[8], up.to_string_lossy());
    let expected = [
        "test/mjsunit/mjsunit.js",
        "test/mjsunit/d/a.js",
        "--random-seed=7",
        "--nohard-abort",
        "--testing-d8-test-runner",
        "--e1",
        "--e2",
        "--e 3",
        "--jitless",
        "--one",
        "two three",
        "--from-status",
    ];
    assert_eq!(argv[9..], expected);
    assert_eq!(case.env, BTreeMap::from([("TZ".into(), "UTC".into())]));
    assert_eq!(case.timeout.as_secs(), 120);
    assert_eq!(case.judge, Judge::ExitCode);
    assert_eq!(case.program, Program::Shell(Arg::Path("out/build/d8".into())));

    let isolates = Options { isolates: true, no_harness: true, command_prefix: String::new(), ..options };
    let (_, argv) = only_case(&Tree::open(isolates).unwrap());
    assert_eq!(argv.iter().filter(|word| *word == "--isolate").count(), 1);
    assert_eq!(argv.iter().filter(|word| *word == "test/mjsunit/d/a.js").count(), 2);
    assert!(!argv.contains(&"test/mjsunit/mjsunit.js".to_string()));
}

#[test]
fn debug_builds_have_their_flags_and_message_tests_not_all_of_them() {
    let root = tree(&[
        ("out/v8_build_config.json", &CONFIG.replace("\"is_debug\": false", "\"is_debug\": true")),
        ("test/message/message.status", NO_RULES),
        ("test/message/fail/a.mjs", ""),
    ]);
    let (case, argv) = only_case(&open(&root, &[]));
    assert_eq!(argv[2..4], ["test/message/fail/a.mjs", "--random-seed=7"]);
    assert_eq!(argv[4..], ["--nohard-abort", "--verify-heap", "--testing-d8-test-runner"]);
    assert_eq!(case.timeout.as_secs(), 240);
    assert_eq!(case.judge, Judge::Template { fails: true, basename: "a.mjs".into() });
    assert_eq!(case.expected_file, Some(Arg::Path("test/message/fail/a.out".into())));
}

#[test]
fn a_contradicted_variant_makes_a_test_expected_to_fail() {
    let root = tree(&[
        (
            "tools/testrunner/local/variants.py",
            "ALL_VARIANT_FLAGS = {'default': [[]], 'jitless': [['--jitless']]}\n\
             INCOMPATIBLE_FLAGS_PER_VARIANT = {'jitless': ['--opt']}\n\
             INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE = {}\nINCOMPATIBLE_FLAGS_PER_EXTRA_FLAG = {}\n",
        ),
        ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'a': [PASS, SLOW], 'b': [FAIL]}]]"),
        ("test/mjsunit/a.js", "// Flags: --opt\n"),
        ("test/mjsunit/b.js", ""),
    ]);
    let found =
        Tree::open(Options { variants: Some("default,jitless".into()), ..options(&root, &[]) }).unwrap();
    let cases = cases(&found);
    let contradicted = &cases["mjsunit/a.VariantProc-jitless-0"];
    assert_eq!(contradicted.expectation.outcomes, [Outcome::Fail]);
    assert_eq!(
        contradicted.expectation.reason.as_deref(),
        Some(
            "Rule INCOMPATIBLE_FLAGS_PER_VARIANT[\"jitless\"] in tools/testrunner/local/variants.py expected a flag \
             contradiction error with --opt."
        )
    );
    assert_eq!(contradicted.timeout.as_secs(), 480, "it is slow all the same");
    assert_eq!(cases["mjsunit/a.VariantProc-default-1"].expectation.reason, None);
    assert_eq!(
        cases["mjsunit/b.VariantProc-default-1"].expectation.reason.as_deref(),
        Some("Rule 'b' (ALWAYS) in test/mjsunit/mjsunit.status:1 says FAIL.")
    );
}

#[test]
fn test262_runs_in_both_modes_as_its_frontmatter_says() {
    let root = tree(&[
        ("test/test262/test262.status", "[[ALWAYS, {'phase': [FAIL_PHASE_ONLY], 'sloppy': [FAIL_SLOPPY]}]]"),
        (
            "test/test262/data/test/both.js",
            "/*---\nfeatures: [WeakRef]\nincludes: [a.js, detachArrayBuffer.js]\n---*/",
        ),
        ("test/test262/data/test/module.js", "/*---\nflags: [module, noStrict]\n---*/"),
        ("test/test262/data/test/phase.js", "/*---\nnegative:\n  phase: parse\n  type: SyntaxError\n---*/"),
        ("test/test262/data/test/sloppy.js", "/*---\n---*/"),
        ("test/test262/data/test/strict_FIXTURE.js", ""),
        ("test/test262/local-tests/test/both.js", "/*---\nflags: [onlyStrict]\n---*/"),
    ]);
    let found = open(&root, &["test262"]);
    let one = |name: &str| -> Vec<TestCase> {
        let all = found.entries().map(|entry| found.case(entry.id).unwrap());
        all.filter(|case| case.name.name == name).collect()
    };
    // The local file goes before the other of its name, which is listed all the same.
    let both = one("both");
    assert_eq!(
        both.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
        ["test262/both.VariantProc-default-strict-0"; 2]
    );
    assert!(both[0].relative_argv().contains(&"test/test262/local-tests/test/both.js".to_string()));
    assert_eq!(both[0].variant_flags, ["--use-strict"]);

    let module = one("module");
    assert_eq!(module.len(), 1);
    assert_eq!(
        module[0].relative_argv()[2..],
        [
            "--test",
            "test/test262/data/harness/sta.js",
            "test/test262/data/harness/assert.js",
            "test/test262/harness-adapt.js",
            "--module",
            "test/test262/data/test/module.js",
            "--random-seed=7",
            "--nohard-abort",
            "--testing-d8-test-runner",
            "--ignore-unhandled-promises",
            "--no-arguments"
        ]
    );

    let phase = one("phase");
    let ids: Vec<&str> =
        phase.iter().filter_map(|case| case.id.strip_prefix("test262/phase.VariantProc-")).collect();
    assert_eq!(ids, ["default-0", "default-strict-0", "default-0", "default-strict-0-fail-phase-reverse"]);
    let negative = |case: &TestCase| matches!(case.judge, Judge::Exception { negative: true, .. });
    assert_eq!(phase.iter().map(negative).collect::<Vec<_>>(), [false, false, false, true]);
    let adapts = |case: &TestCase| {
        case.relative_argv().contains(&"test/test262/harness-adapt-donotevaluate.js".to_string())
    };
    assert_eq!(phase.iter().map(adapts).collect::<Vec<_>>(), [true, true, true, false]);
    assert!(phase[0].relative_argv().contains(&"--throws".to_string()));

    let sloppy = one("sloppy");
    assert_eq!(sloppy[0].expectation.outcomes, [Outcome::Fail]);
    assert_eq!(sloppy[1].expectation.outcomes, [Outcome::Pass]);
    assert_eq!(sloppy[1].name.detail.as_deref(), Some("strict"));
}

#[test]
fn test262_features_bring_flags_and_includes_come_from_the_harness() {
    let root = tree(&[
        ("test/test262/test262.status", NO_RULES),
        (
            "test/test262/testcfg.py",
            "FEATURE_FLAGS = {'b': '--b', 'a': '--a'}\nSKIPPED_FEATURES = set(['no'])\n",
        ),
        (
            "test/test262/data/test/built-ins/Atomics/x.js",
            "/*---\nflags: [noStrict]\nfeatures: [a, b, IsHTMLDDA]\nincludes: [a.js, detachArrayBuffer.js]\n---*/",
        ),
        ("test/test262/data/test/skipped.js", "/*---\nfeatures: [no]\n---*/"),
    ]);
    let (_, argv) = only_case(&open(&root, &["test262"]));
    let from = argv.iter().position(|word| word.ends_with("harness-adapt.js")).unwrap() + 1;
    assert_eq!(
        argv[from..from + 5],
        [
            "test/test262/harness-agent.js",
            "test/test262/harness-ishtmldda.js",
            "test/test262/data/harness/a.js",
            "test/test262/detachArrayBuffer.js",
            "test/test262/data/test/built-ins/Atomics/x.js"
        ]
    );
    let flags = ["--ignore-unhandled-promises", "--allow-natives-syntax", "--b", "--a", "--no-arguments"];
    assert_eq!(argv[argv.len() - 5..], flags);
}

#[test]
fn a_test_that_cannot_be_read_is_that_tests_verdict() {
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/a.js", "// Flags: 'open\n"),
        ("test/mjsunit/b.js", ""),
        ("test/test262/test262.status", NO_RULES),
        ("test/test262/data/test/c.js", "/*---\nnonsense\n---*/"),
    ]);
    let found = open(&root, &["mjsunit", "test262"]);
    let results: Vec<_> = found.entries().map(|entry| found.case(entry.id)).collect();
    assert_eq!(results.len(), 3, "each is listed");
    let unrunnable = results[0].as_ref().unwrap_err();
    assert!(
        unrunnable.reason.starts_with("cannot split its flags ''open': a quotation mark is not closed (")
    );
    assert!(unrunnable.reason.ends_with("test/mjsunit/a.js)"), "{}", unrunnable.reason);
    assert_eq!(unrunnable.id, "mjsunit/a.VariantProc-default-0");
    assert!(results[1].is_ok());
    assert!(results[2].as_ref().unwrap_err().reason.contains("cannot be understood at 'nonsense'"));
    fs::remove_file(root.path().join("test/mjsunit/b.js")).unwrap();
    let other = open(&root, &["mjsunit/a"]);
    assert!(other.case(found.entries().nth(1).unwrap().id).is_err(), "an id of another run is no test");
}

#[test]
fn filters_leave_tests_out_and_say_so() {
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'a': SLOW, 'b': [PASS, FAIL], 'c': SKIP}]]"),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/b.js", ""),
        ("test/mjsunit/c.js", ""),
        ("test/mjsunit/d.js", ""),
    ]);
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = options(&root, &["mjsunit"]);
        change(&mut options);
        Tree::open(options).unwrap()
    };
    assert_eq!(running(&with(&|o| o.slow_tests = Filter::Skip)), ["mjsunit/b default", "mjsunit/d default"]);
    assert_eq!(running(&with(&|o| o.slow_tests = Filter::Run)), ["mjsunit/a default"]);
    assert_eq!(running(&with(&|o| o.pass_fail_tests = Filter::Run)), ["mjsunit/b default"]);
    assert_eq!(running(&with(&|o| o.run_skipped = true)).len(), 4);
    let rules: Vec<String> =
        with(&|o| o.slow_tests = Filter::Skip).listing().filter_map(|l| l.skipped).map(|s| s.rule).collect();
    assert_eq!(rules, ["--slow-tests=skip", "c"]);
}

#[test]
fn what_is_misspelt_is_named_with_what_may_have_been_meant() {
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/dir/foo.js", ""),
        ("test/message/message.status", NO_RULES),
    ]);
    for (typed, says) in [
        ("mjsunt", "unknown suite 'mjsunt'; did you mean 'mjsunit'?\n    suites here: message mjsunit"),
        ("test/mjsunit/dir/foo.js", "unknown suite 'test'; did you mean 'mjsunit/dir/foo'?\n"),
        ("zzz", "unknown suite 'zzz'\n"),
    ] {
        let error = refused(&root, &[typed]);
        assert!(error.to_string().starts_with(says), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
    let found =
        open(&root, &["mjsunit/dir/foo", "mjsunit/dir/foo.js", "mjsunit/dir/fo", "mjsunit/dir", "message"]);
    let unmatched: Vec<_> =
        found.unmatched().into_iter().map(|u| (u.selector, u.nearest.unwrap_or_default())).collect();
    let expected = [
        ("mjsunit/dir/foo.js", "mjsunit/dir/foo"),
        ("mjsunit/dir/fo", "mjsunit/dir/foo"),
        ("mjsunit/dir", "mjsunit/dir/*"),
        ("message", ""),
    ];
    assert_eq!(unmatched, expected.map(|(a, b)| (a.to_string(), b.to_string())));
    assert_eq!(running(&found), ["mjsunit/dir/foo default"]);
}

#[test]
fn a_broken_tree_is_refused_with_the_place() {
    let root = tree(&[("test/mjsunit/mjsunit.status", "[\n  [ALWAYS, {'a': PAS}],\n]")]);
    let error = refused(&root, &["mjsunit"]);
    let expected = "test/mjsunit/mjsunit.status:2:18: unknown outcome 'PAS'; did you mean 'PASS'?\n";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert_eq!(error.exit_code(), 5);

    let root = tree(&[("test/mjsunit/a.js", "")]);
    let error = refused(&root, &["mjsunit"]);
    assert!(error.to_string().contains("mjsunit.status"), "{error}");
    assert_eq!(error.exit_code(), 5);

    let root = tree(&[("readme", "")]);
    assert!(matches!(refused(&root, &[]), OpenError::NoTestRoot(_)));

    let root = tree(&[
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("out/v8_build_config.json", "{\"v8_target_cpu\": \"x64\"}"),
    ]);
    let error = refused(&root, &[]);
    assert!(error.to_string().ends_with("v8_build_config.json: lacks the key 'is_asan'"), "{error}");
    assert_eq!(error.exit_code(), 5);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let root = tree(&[("test/mjsunit/mjsunit.status", NO_RULES)]);
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = options(&root, &["mjsunit"]);
        change(&mut options);
        Tree::open(options).unwrap_err()
    };
    let error = with(&|o| o.extra_flags = vec!["--a 'b".into()]);
    assert_eq!(
        error.to_string(),
        "the value '--a 'b' of --extra-flags cannot be used: a quotation mark is not closed"
    );
    assert_eq!(error.exit_code(), 2);
    assert_eq!(with(&|o| o.variants = Some("nothing".into())).exit_code(), 2);
    assert_eq!(with(&|o| o.outdir = "elsewhere".into()).exit_code(), 5);
}

#[test]
fn shells_are_checked_before_anything_runs() {
    let root = tree(&[
        ("out/build/v8_build_config.json", CONFIG),
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/webkit/webkit.status", NO_RULES),
        ("test/inspector/inspector.status", NO_RULES),
        ("bin/qjs", ""),
    ]);
    let with = |tests: &[&str], shell: Shell| Tree::open(Options { shell, ..options(&root, tests) }).unwrap();
    let missing = with(&["mjsunit", "webkit"], Shell::FromTree).check_engines().unwrap_err();
    assert!(
        missing.to_string().ends_with("out/build/d8 does not exist; needed by mjsunit, webkit"),
        "{missing}"
    );
    assert!(with(&["mjsunit"], Shell::Builtin).check_engines().is_ok());
    assert!(
        with(&["inspector"], Shell::Builtin).check_engines().is_err(),
        "nothing stands in for inspector-test"
    );
    let qjs = with(&["mjsunit"], Shell::Path("bin/qjs".into()));
    assert!(qjs.check_engines().unwrap_err().to_string().contains("is not executable"));
    assert_eq!(qjs.description().engine, "bin/qjs");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(root.path().join("bin/qjs"), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(qjs.check_engines().is_ok());
    }
}

#[test]
fn rules_that_match_no_test_are_named() {
    let root = tree(&[
        (
            "test/mjsunit/mjsunit.status",
            "[\n[ALWAYS, {\n'a': SKIP,\n'b': SKIP,\n'd/*': SLOW,\n'e*': SLOW,\n}],\n\
             ['variant != default', {'x': FAIL}],\n['arch == nonsense or mode == debug', {'y': FAIL}],\n]"
                .replace("nonsense", "arm")
                .as_str(),
        ),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/d/z.js", ""),
    ]);
    let found =
        Tree::open(Options { variants: Some("stress,jitless".into()), ..options(&root, &["mjsunit/a"]) })
            .unwrap();
    assert_eq!(
        found.unused_rules(),
        [
            "test/mjsunit/mjsunit.status:4: 'b' (ALWAYS) matches no test",
            "test/mjsunit/mjsunit.status:6: 'e*' (ALWAYS) matches no test",
            "test/mjsunit/mjsunit.status:8: 'x' (variant != default) matches no test"
        ]
    );
}

#[test]
fn sources_are_shown_as_they_are() {
    let root = tree(&[("test/mjsunit/mjsunit.status", NO_RULES), ("test/mjsunit/a.js", "print(1);\n")]);
    let found = open(&root, &["mjsunit"]);
    let id = found.entries().next().unwrap().id;
    assert_eq!(found.source(id).unwrap(), b"print(1);\n");
    fs::remove_file(root.path().join("test/mjsunit/a.js")).unwrap();
    assert!(found.source(id).unwrap_err().to_string().contains("test/mjsunit/a.js"));
}

#[test]
fn intl_tests_do_not_see_lc_all() {
    let root =
        tree(&[("test/intl/intl.status", NO_RULES), ("test/intl/a.js", ""), ("test/intl/utils.js", "")]);
    let (case, argv) = only_case(&open(&root, &["intl"]));
    assert_eq!(case.unset_env, ["LC_ALL"]);
    assert_eq!(argv[3..6], ["test/intl/assert.js", "test/intl/utils.js", "test/intl/a.js"]);
}

#[test]
fn older_versions_have_their_own_order_and_directives() {
    let header = |major: u32, minor: u32| {
        format!("#define V8_MAJOR_VERSION {major}\n#define V8_MINOR_VERSION {minor}\n")
    };
    let files = |header: &str| {
        tree(&[
            ("include/v8-version.h", header),
            ("test/mjsunit/mjsunit.status", "[[ALWAYS, {'m': SLOW}]]"),
            ("test/mjsunit/m.js", "// MODULE\n// Flags: --f\n"),
            ("test/mjsunit/n.mjs", ""),
        ])
    };
    let command = |root: &TempDir| {
        let options = Options {
            extra_flags: vec!["--x".into()],
            variants: Some("stress".into()),
            ..options(root, &["mjsunit"])
        };
        let found = Tree::open(options).unwrap();
        let cases: Vec<TestCase> = found.entries().map(|entry| found.case(entry.id).unwrap()).collect();
        (
            cases.len(),
            cases[0].relative_argv()[3..].to_vec(),
            cases[0].timeout.as_secs(),
            found.description().dialect,
        )
    };
    let (tests, argv, seconds, dialect) = command(&files(&header(7, 0)));
    let stress =
        ["--stress-opt", "--no-liftoff", "--stress-lazy-source-positions", "--no-wasm-generic-wrapper"];
    let start = ["test/mjsunit/mjsunit.js", "--module", "test/mjsunit/m.js", "--random-seed=7", "--x"];
    assert_eq!(argv[..5], start);
    assert_eq!(argv[5..9], stress);
    assert_eq!(argv[9..], ["--nohard-abort", "--f"]);
    assert_eq!((tests, seconds, dialect.as_str()), (1, 480, "V8 7.0"));

    let (tests, argv, seconds, dialect) = command(&files(&header(8, 5)));
    assert_eq!(argv[1..4], ["test/mjsunit/m.js", "--random-seed=7", "--x"]);
    assert_eq!(argv[8..], ["--nohard-abort", "--testing-d8-test-runner", "--f"]);
    assert_eq!((tests, seconds, dialect.as_str()), (2, 960, "V8 8.4 (for 8.5)"));
}

#[test]
fn the_root_is_found_from_below() {
    let root = tree(&[("test/mjsunit/mjsunit.status", NO_RULES), ("test/mjsunit/a/b/c.js", "")]);
    assert_eq!(find_root(&root.path().join("test/mjsunit/a/b")).as_deref(), Some(root.path()));
    assert_eq!(find_root(root.path()).as_deref(), Some(root.path()));
    assert_eq!(find_root(Path::new("/nonexistent")), None);
}

#[test]
fn cases_can_be_made_by_several_threads() {
    let names: Vec<String> = (0..200).map(|n| format!("test/mjsunit/t{n:03}.js")).collect();
    let sources: Vec<String> = (0..200).map(|n| format!("// Flags: --n={n}\n")).collect();
    let mut files = vec![("test/mjsunit/mjsunit.status", NO_RULES)];
    files.extend(names.iter().map(String::as_str).zip(sources.iter().map(String::as_str)));
    let root = tree(&files);
    let found =
        Tree::open(Options { variants: Some("stress,default".into()), ..options(&root, &["mjsunit"]) })
            .unwrap();
    let ids: Vec<_> = found.entries().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), 400);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (found, ids) = (&found, &ids);
            scope.spawn(move || {
                for id in ids.iter().skip(thread).step_by(4) {
                    let case = found.case(*id).unwrap();
                    let n: usize = case.name.name[1..].parse().unwrap();
                    assert_eq!(case.relative_argv().last(), Some(&format!("--n={n}")));
                }
            });
        }
    });
}
