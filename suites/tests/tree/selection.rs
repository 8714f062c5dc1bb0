//! Which tests run, and in which order.

use std::path::Path;

use flotilla_messages::{Cases, Outcome};
use flotilla_suites::{Filter, Listed, OpenError, Options, Tree, find_root};

use crate::trees::*;

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
    let variant = skip.variant.as_deref();
    assert_eq!((skip.rule.as_str(), skip.condition.as_str(), variant), ("b", "ALWAYS", Some("default")));
    let case = found.case(skipped[0].id).unwrap();
    assert_eq!(case.id, "mjsunit/b.VariantProc-default-0");
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
            "TEST_MAP = {'default': ['torque', 'mjsunit', 'gone', 'cctest'], 'all': ['webkit']}\n",
        ),
        ("test/torque/testcfg.py", ""),
        ("test/cctest/testcfg.py", ""),
        ("test/mjsunit/mjsunit.status", NO_RULES),
        ("test/mjsunit/b.js", ""),
        ("test/webkit/webkit.status", NO_RULES),
        ("test/webkit/a.js", ""),
    ]);
    let found = open(&root, &[]);
    assert_eq!(found.description().suites, ["mjsunit"]);
    for expected in [
        "without a known configuration and left out (a suite.toml would say how to run them): torque",
        "left out, since there is no build with their shell: cctest",
    ] {
        assert!(found.warnings().iter().any(|warning| warning == expected), "{:?}", found.warnings());
    }
    assert_eq!(open(&root, &["all"]).description().suites, ["webkit"]);
    let error = refused(&root, &["torque"]);
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
    assert_eq!(cases["mjsunit/c.VariantProc-jitless-1"].timeout.as_secs(), 120, "--jitless takes its time");
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
    for entry in &entries {
        // Results are kept under the id, and asked for under the key.
        let case = found.case(entry.id).unwrap();
        assert_eq!(flotilla_messages::history_key(&case.id), entry.history_key, "{}", case.id);
    }
    let mut keys: Vec<u64> = entries.iter().map(|entry| entry.history_key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3, "each test has a history of its own");
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
