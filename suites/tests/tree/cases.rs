//! How a test is run and judged.

use std::collections::BTreeMap;

use flotilla_messages::{Arg, Cases, Judge, Outcome, Program, TemplateRules, TestCase};
use flotilla_suites::{Options, Tree};
use tempfile::TempDir;

use crate::trees::*;

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
    assert_eq!(
        case.judge,
        Judge::Template {
            fails: true,
            basename: "a.mjs".into(),
            exit_code_counts: true,
            rules: TemplateRules { skip_linker_warnings: true, ..TemplateRules::default() },
        }
    );
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
    assert_eq!((tests, seconds, dialect.as_str()), (2, 960, "V8 8.6 (for 8.5)"));
}
