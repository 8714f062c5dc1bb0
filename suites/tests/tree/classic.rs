//! Trees of V8 3 to 5.

use std::fs;

use flotilla_messages::{Cases, Judge, Outcome, Program, TestCase};
use flotilla_suites::{OpenError, Options, Tree};
use tempfile::TempDir;

use super::trees::{NO_RULES, options, running, tree};

const RUNNER: &str = r#"
VARIANTS = ["default", "turbofan"]
MORE_VARIANTS = ["stress"]
EXHAUSTIVE_VARIANTS = VARIANTS + MORE_VARIANTS
VARIANT_ALIASES = {"dev": VARIANTS, "more": MORE_VARIANTS}
DEBUG_FLAGS = ["--hard", "--enable-slow-asserts"]
RELEASE_FLAGS = ["--soft"]
SLOW_ARCHS = ["arm"]
TEST_MAP = {"default": ["mjsunit", "preparser"]}
"#;

const VARIANTS: &str = r#"
ALL_VARIANT_FLAGS = {
  "default": [[]], "stress": [["--stress-opt", "--always-opt"]], "turbofan": [["--turbo"]],
  "preparser": [["--min-preparse-length=0"]],
}
FAST_VARIANT_FLAGS = {
  "default": [[]], "stress": [["--stress-opt"]], "turbofan": [["--fast-turbo"]],
}
"#;

/// A tree of V8 5 with these files, and builds of these names.
fn classic(files: &[(&str, &str)], builds: &[&str]) -> TempDir {
    let mut all = vec![
        ("tools/run-tests.py", RUNNER),
        ("tools/testrunner/local/execution.py", ""),
        ("tools/testrunner/local/variants.py", VARIANTS),
    ];
    all.extend(files);
    let root = tree(&all);
    for build in builds {
        fs::create_dir_all(root.path().join("out").join(build)).unwrap();
    }
    root
}

fn cases(tree: &Tree) -> Vec<TestCase> {
    tree.entries().map(|entry| tree.case(entry.id).unwrap()).collect()
}

fn argv(case: &TestCase) -> String {
    case.relative_argv().join(" ")
}

fn case<'a>(cases: &'a [TestCase], name: &str, variant: &str) -> &'a TestCase {
    cases.iter().find(|case| case.name.name == name && case.name.variant == variant).unwrap()
}

#[test]
fn command_lines_have_the_order_of_their_time() {
    let root = classic(
        &[
            (
                "test/mjsunit/mjsunit.status",
                "[[ALWAYS, {'b': [PASS, SLOW], 'c': [PASS, FAST_VARIANTS], 'd': [PASS, NO_VARIANTS]}]]",
            ),
            ("test/mjsunit/a.js", "// Flags: --flag 'x y'\n// MODULE\n"),
            ("test/mjsunit/b.js", "// Flags: --stress-opt\n"),
            ("test/mjsunit/c.js", ""),
            ("test/mjsunit/d.mjs", ""),
            ("test/mjsunit/d.js", ""),
        ],
        &["x64.debug"],
    );
    let found = Tree::open(Options {
        variants: Some("dev,more".into()),
        extra_flags: vec!["--extra".into()],
        ..options(&root, &["mjsunit"])
    })
    .unwrap();
    let description = found.description();
    assert_eq!((description.arch.as_str(), description.mode.as_str()), ("x64", "debug"));
    assert_eq!(
        running(&found),
        [
            "mjsunit/b stress",
            "mjsunit/b turbofan",
            "mjsunit/b default",
            "mjsunit/a stress",
            "mjsunit/a turbofan",
            "mjsunit/a default",
            "mjsunit/c turbofan",
            "mjsunit/c default",
            "mjsunit/d default",
        ]
    );
    let cases = cases(&found);
    assert_eq!(
        argv(case(&cases, "a", "stress")),
        "out/x64.debug/d8 --test --random-seed=7 --stress-opt --always-opt --hard --enable-slow-asserts --flag 'x y' \
         test/mjsunit/mjsunit.js --module test/mjsunit/a.js --extra"
    );
    assert!(argv(case(&cases, "c", "turbofan")).contains(" --fast-turbo "));
    let seconds = |name: &str, variant: &str| case(&cases, name, variant).timeout.as_secs();
    assert_eq!(seconds("a", "default"), 240);
    assert_eq!(seconds("a", "stress"), 960);
    assert_eq!(seconds("b", "default"), 480, "what the source says does not lengthen it");
    assert_eq!(seconds("b", "stress"), 1920);
}

#[test]
fn message_tests_run_in_preparser_too_and_their_exit_code_does_not_count() {
    let files = [
        ("test/message/message.status", "[[ALWAYS, {'n': [PASS, NO_VARIANTS]}]]"),
        ("test/message/testcfg.py", "variants + [\"preparser\"]"),
        ("test/message/fail/m.js", "// Flags: --flag\n"),
        ("test/message/n.js", ""),
    ];
    let root = classic(&files, &["x64.debug"]);
    let found =
        Tree::open(Options { variants: Some("default".into()), ..options(&root, &["message"]) }).unwrap();
    assert_eq!(found.description().variants, ["default"]);
    assert_eq!(running(&found), ["message/n default", "message/fail/m default", "message/fail/m preparser"]);
    let cases = cases(&found);
    assert_eq!(
        argv(case(&cases, "fail/m", "preparser")),
        "out/x64.debug/d8 --test --random-seed=7 --min-preparse-length=0 --flag --hard test/message/fail/m.js"
    );
    let Judge::Template { fails, exit_code_counts, .. } = &cases[1].judge else {
        panic!("{:?}", cases[1].judge)
    };
    assert!(!*fails && !*exit_code_counts);
}

#[test]
fn the_preparser_suite_is_generated() {
    let files = [
        ("test/preparser/preparser.status", "[[ALWAYS, {'t/*': [FAIL_OK], 't/b': [TIMEOUT]}]]"),
        ("test/preparser/t.pyt", "for x in ['a', 'b']:\n  Template('$x', 'var $x;\\n')({'x': x}, 'error')\n"),
    ];
    let root = classic(&files, &["x64.release"]);
    let found = Tree::open(options(&root, &["preparser"])).unwrap();
    assert_eq!(running(&found), ["preparser/t/a default", "preparser/t/b default"]);
    let cases = cases(&found);
    assert_eq!(argv(&cases[0]), "out/x64.release/d8 --test --random-seed=7 -e var a;  --throws");
    assert_eq!(cases[0].expectation.outcomes, [Outcome::Fail]);
    assert_eq!(cases[1].expectation.outcomes, [Outcome::Fail, Outcome::Timeout]);
    let first = found.entries().next().unwrap();
    assert_eq!(found.source(first.id).unwrap(), b"var a;\n");
    assert!(found.unmatched().is_empty() && found.unused_rules().is_empty(), "{:?}", found.unused_rules());
    let only = Tree::open(options(&root, &["preparser/t/b"])).unwrap();
    assert_eq!(running(&only), ["preparser/t/b default"]);
}

#[test]
fn a_tree_of_2012_has_status_files_in_lines_and_skips_what_is_slow() {
    let files = [
        (
            "tools/run-tests.py",
            "VARIANT_FLAGS = [[], ['--stress-opt', '--always-opt'], ['--nocrankshaft']]\n",
        ),
        ("tools/testrunner/local/execution.py", ""),
        ("tools/testrunner/local/old_statusfile.py", ""),
        ("test/mjsunit/mjsunit.status", "prefix mjsunit\nb: SLOW\n[ $arch == x64 ]\na: FAIL || TIMEOUT\n"),
        ("test/mjsunit/a.js", "// Flags: --flag\n"),
        ("test/mjsunit/b.js", ""),
        ("test/preparser/preparser.status", "prefix preparser\n"),
        ("test/preparser/t.pyt", "Test('c', 'var c', None)\n"),
    ];
    let root = tree(&files);
    fs::create_dir_all(root.path().join("out/x64.release")).unwrap();
    let only = Options { variants: Some("stress".into()), ..options(&root, &["mjsunit", "preparser"]) };
    assert_eq!(running(&Tree::open(only).unwrap()), ["mjsunit/a stress", "preparser/t/c default"]);
    let found = Tree::open(options(&root, &["mjsunit"])).unwrap();
    assert_eq!(running(&found), ["mjsunit/a stress", "mjsunit/a nocrankshaft", "mjsunit/a default"]);
    let first = found.entries().next().and_then(|entry| found.case(entry.id).ok()).unwrap();
    assert_eq!(
        argv(&first),
        "out/x64.release/d8 --test --stress-opt --always-opt --flag --nobreak-on-abort --nodead-code-elimination \
         test/mjsunit/mjsunit.js test/mjsunit/a.js"
    );
    assert_eq!(first.expectation.outcomes, [Outcome::Fail, Outcome::Timeout]);
    let skipped = found.listing().find_map(|listed| listed.skipped).unwrap();
    assert_eq!(skipped.rule, "b");
}

#[test]
fn what_the_build_was_made_with_can_be_said() {
    let files = [
        ("test/mjsunit/mjsunit.status", "[['no_i18n and not predictable', {'a': [SKIP]}]]"),
        ("test/mjsunit/a.js", ""),
    ];
    let root = classic(&files, &["x64.release"]);
    let count = |build_with: &[&str]| {
        let build_with = build_with.iter().map(|with| (*with).into()).collect();
        let found = Tree::open(Options {
            build_with,
            variants: Some("default".into()),
            ..options(&root, &["mjsunit"])
        });
        running(&found.unwrap()).len()
    };
    assert_eq!((count(&[]), count(&["no_i18n"]), count(&["no_i18n", "predictable"])), (1, 0, 1));
}

#[test]
fn options_say_what_a_configuration_of_their_time_does_not() {
    let config = r#"{"v8_target_cpu": "x64", "is_asan": true, "dcheck_always_on": false, "is_debug": false,
        "is_msan": false, "v8_enable_i18n_support": true, "v8_use_snapshot": true, "is_tsan": false}"#;
    let files = [
        ("out/v8_build_config.json", config),
        ("test/mjsunit/mjsunit.status", "[['predictable and asan', {'a': [SKIP]}]]"),
        ("test/mjsunit/a.js", ""),
    ];
    let root = classic(&files, &[]);
    let open = |with: &[&str]| {
        let build_with = with.iter().map(|with| (*with).into()).collect();
        let only = Some("default".into());
        Tree::open(Options { build_with, variants: only, ..options(&root, &["mjsunit"]) }).unwrap()
    };
    assert_eq!(running(&open(&["asan"])).len(), 1);
    assert!(open(&["asan"]).warnings().is_empty(), "it agrees");
    assert!(running(&open(&["predictable"])).is_empty());
    let warnings = open(&["msan", "gcov_coverage"]).warnings();
    assert!(warnings.iter().any(|warning| warning.ends_with("not looked at: msan")), "{warnings:?}");
}

#[test]
fn builds_that_run_one_variant_leave_named_ones_and_those_of_suites() {
    let files = [
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/a.js", ""),
        ("test/message/message.status", NO_RULES),
        ("test/message/testcfg.py", "CreateVariantGenerator(variants + [\"preparser\"])"),
        ("test/message/b.js", ""),
    ];
    let root = classic(&files, &["x64.release"]);
    let variants = |with: &str, variants: Option<&str>| {
        let found = Tree::open(Options {
            build_with: vec![with.into()],
            variants: variants.map(Into::into),
            ..options(&root, &["mjsunit", "message"])
        });
        running(&found.unwrap()).join(", ")
    };
    let one = "mjsunit/a default, message/b default, message/b preparser";
    for (with, asked) in
        [("msan", None), ("tsan", None), ("tsan", Some("exhaustive")), ("predictable", Some("stress"))]
    {
        assert_eq!(variants(with, asked), one, "{with} {asked:?}");
    }
    let stress = "mjsunit/a stress, message/b stress, message/b preparser";
    assert_eq!(
        (variants("msan", Some("stress")), variants("tsan", Some("stress"))),
        (stress.into(), stress.into())
    );
}

#[test]
fn several_builds_need_a_choice() {
    let root = classic(&[("test/mjsunit/mjsunit.status", NO_RULES)], &["x64.release", "ia32.debug"]);
    let error = Tree::open(options(&root, &["mjsunit"])).unwrap_err();
    assert!(matches!(error, OpenError::NoBuildOf { .. }), "{error}");
    assert!(error.to_string().ends_with("builds here: ia32.debug x64.release"), "{error}");
    let chosen = Tree::open(Options { arch: Some("ia32".into()), ..options(&root, &["mjsunit"]) }).unwrap();
    assert_eq!(chosen.description().mode, "debug");
}

#[test]
fn without_a_build_the_built_in_shell_runs_them() {
    let root = classic(&[("test/mjsunit/mjsunit.status", NO_RULES), ("test/mjsunit/a.js", "")], &[]);
    let found = Tree::open(options(&root, &["mjsunit"])).unwrap();
    assert!(cases(&found).iter().all(|case| case.program == Program::Builtin));
}
