//! What is said when something is wrong.

use std::fs;

use flotilla_messages::Cases;
use flotilla_suites::{OpenError, Options, Shell, Tree};

use crate::trees::*;

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
fn what_is_misspelt_is_named_with_what_may_have_been_meant() {
    let root = tree(&[
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/dir/foo.js", ""),
        ("test/message/message.status", NO_RULES),
    ]);
    for (typed, says) in [
        ("mjsunt", "unknown suite 'mjsunt'; did you mean 'mjsunit'?\n    suites here: message mjsunit"),
        ("test/mjsuint/dir/foo.js", "unknown suite 'mjsuint'; did you mean 'mjsunit'?\n"),
        ("zzz", "unknown suite 'zzz'\n"),
    ] {
        let error = refused(&root, &[typed]);
        assert!(error.to_string().starts_with(says), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
    let typed = [
        "mjsunit/dir/foo",
        "mjsunit/dir/fo.js",
        "mjsunit/dir/fo",
        "mjsunit/di",
        "message",
        "test/mjsunit/dir/fo.js",
    ];
    let found = open(&root, &typed);
    let unmatched: Vec<_> =
        found.unmatched().into_iter().map(|u| (u.selector, u.nearest.unwrap_or_default())).collect();
    let expected = [
        ("mjsunit/dir/fo.js", "mjsunit/dir/foo"),
        ("mjsunit/dir/fo", "mjsunit/dir/foo"),
        ("mjsunit/di", ""),
        ("message", ""),
        ("test/mjsunit/dir/fo.js", "mjsunit/dir/foo"),
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
    assert_eq!(with(&|o| o.variants = Some("nothing".into())).exit_code(), 5);
    assert_eq!(with(&|o| o.outdir = "elsewhere".into()).exit_code(), 5);
}

#[test]
fn shells_are_checked_before_anything_runs() {
    let root = tree(&[
        ("out/build/v8_build_config.json", CONFIG),
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/a.js", ""),
        ("test/webkit/webkit.status", NO_RULES),
        ("test/webkit/a.js", ""),
        ("test/inspector/inspector.status", NO_RULES),
        ("test/inspector/a.js", ""),
        ("bin/qjs", ""),
    ]);
    let with = |tests: &[&str], shell: Shell| Tree::open(Options { shell, ..options(&root, tests) }).unwrap();
    let missing = with(&["mjsunit", "webkit"], Shell::FromTree).check_engines().unwrap_err();
    assert!(
        missing
            .to_string()
            .ends_with("out/build/d8 does not exist (ninja -C out/build d8); needed by mjsunit, webkit"),
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
