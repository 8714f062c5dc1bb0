//! Trees of V8 3 to 5 through the real command, and the options that go with them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use support::{Fixture, Ran};

/// A tree of V8 5 on the built-in shell.
fn classic() -> Fixture {
    let tree = Fixture::new();
    std::fs::remove_dir_all(tree.path("out")).unwrap();
    tree.file("tools/testrunner/local/execution.py", "");
    tree.file(
        "tools/run-tests.py",
        "VARIANTS = ['default']\nTEST_MAP = {'default': ['mjsunit', 'message', 'preparser']}\n",
    );
    tree.status("[[ALWAYS, {'fails': [FAIL_OK], 'flaky': [PASS_OR_FAIL]}], ['no_i18n', {'i18n': [SKIP]}]]");
    tree.file("test/mjsunit/mjsunit.js", "function assertTrue(x) { if (!x) throw new Error('no'); }");
    tree.test("fails", "assertTrue(false);");
    tree.test("flaky", "assertTrue(true);");
    tree.test("i18n", "assertTrue(true);");
    tree.file("test/message/message.status", "[]");
    tree.file("test/message/throws.js", "print('said'); quit(3);");
    tree.file("test/message/throws.out", "# The exit code does not count.\nsaid\n");
    tree.file("test/preparser/preparser.status", "[]");
    tree.file("test/preparser/t.pyt", "for ok in ['1', '2']:\n  Test('right-' + ok, 'var x = ' + ok, None)\nTest('wrong', 'var =', 'error')\n");
    tree
}

fn listed(ran: &Ran) -> BTreeSet<String> {
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    ran.stdout().lines().map(String::from).collect()
}

#[test]
fn a_classic_tree_runs_green_on_the_built_in_shell() {
    let ran = classic().run(&["-p", "verbose", "--shell", "builtin"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    for name in ["mjsunit/fails", "message/throws", "preparser/t/right-2", "preparser/t/wrong"] {
        assert!(ran.stdout().contains(name), "{name} is not in {}", ran.stdout());
    }
}

#[test]
fn what_a_build_was_made_with_reaches_status_files() {
    let tree = classic();
    assert!(listed(&tree.run(&["--list"])).iter().any(|line| line.contains("mjsunit/i18n")));
    let without = listed(&tree.run(&["--list", "--noi18n"]));
    let line = without.iter().find(|line| line.contains("mjsunit/i18n"));
    assert!(line.is_none_or(|line| line.contains("no_i18n")), "{line:?}");
}

#[test]
fn architecture_and_mode_choose_a_build_in_one_option() {
    let tree = classic();
    std::fs::create_dir_all(tree.path("out/x64.debug")).unwrap();
    std::fs::create_dir_all(tree.path("out/ia32.release")).unwrap();
    let refused = tree.run(&["--list"]);
    assert_eq!(refused.code(), Some(5), "{}", refused.all());
    assert!(refused.stderr().contains("builds here: ia32.release x64.debug"), "{}", refused.stderr());
    assert!(listed(&tree.run(&["--list", "--arch-and-mode=x64.debug"])).len() > 4);
    let odd = tree.run(&["--list", "--arch-and-mode=x64"]);
    assert_eq!(odd.code(), Some(2));
    assert!(odd.stderr().contains("--arch-and-mode"), "{}", odd.stderr());
}

#[test]
fn shards_divide_the_tests_and_lose_none() {
    let tree = Fixture::with(&[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]);
    let all = listed(&tree.run(&["--list"]));
    let mut together = BTreeSet::new();
    let mut count = 0;
    for run in ["1", "2", "3"] {
        let some = listed(&tree.run(&["--list", "--shard-count=3", "--shard-run", run]));
        count += some.len();
        together.extend(some);
    }
    assert_eq!((together, count), (all.clone(), all.len()));
    for args in [["--shard-count=3", "--shard-run=4"], ["--shard-count=3", "--shard-run=0"]] {
        let refused = tree.run(&args);
        assert_eq!(refused.code(), Some(2), "{}", refused.all());
        assert!(refused.stderr().contains("of 3"), "{}", refused.stderr());
    }
    assert_eq!(tree.run(&["--shard-count=3"]).code(), Some(2), "one without the other");
}

#[test]
fn a_bots_environment_chooses_the_shard_before_the_options_do() {
    let tree = Fixture::with(&[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]);
    let by_option = listed(&tree.run(&["--list", "--shard-count=2", "--shard-run=2"]));
    let output = tree
        .command(&["--list", "--shard-count=2", "--shard-run=1"])
        .env("GTEST_TOTAL_SHARDS", "2")
        .env("GTEST_SHARD_INDEX", "1")
        .output()
        .unwrap();
    let by_environment: BTreeSet<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect();
    assert_eq!(by_environment, by_option);
}
