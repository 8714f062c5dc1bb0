//! `runner diff`, through the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Fixture, RUNNER, Ran};

fn diff(args: &[&Path], more: &[&str]) -> Ran {
    Ran(Command::new(RUNNER).arg("diff").args(args).args(more).output().unwrap())
}

#[test]
fn two_runs_of_a_tree_are_compared() {
    let tree =
        Fixture::with(&[("same", "exit 1"), ("worse", "exit 0"), ("better", "exit 1"), ("gone", "exit 0")]);
    let (old, new) = (tree.path("old.json"), tree.path("new.json"));
    let run = |file: &Path| {
        tree.run(&[
            "-j2",
            "--variants=default",
            "--no-network",
            "--json-test-results",
            file.to_str().unwrap(),
        ])
    };
    assert_eq!(run(&old).code(), Some(1));
    tree.test("worse", "kill -SEGV $$");
    tree.test("better", "exit 0");
    fs::remove_file(tree.path("test/mjsunit/gone.js")).unwrap();
    tree.test("fresh", "exit 0");
    tree.test("freshly-broken", "exit 1");
    assert_eq!(run(&new).code(), Some(1));
    let ran = diff(&[&old, &new], &[]);
    let expected = "\
2 newly failing:
  mjsunit/freshly-broken (default): FAIL (it did not run)
  mjsunit/worse (default): CRASH (it passed)
1 newly passing:
  mjsunit/better (default): it was FAIL
1 still failing.
1 not run any more:
  mjsunit/gone (default)
2 new:
  mjsunit/fresh (default)
  mjsunit/freshly-broken (default)
";
    assert_eq!((ran.code(), ran.stdout().as_str(), ran.stderr().as_str()), (Some(1), expected, ""));
    let ran = diff(&[&old, &new], &["--json"]);
    let value: serde_json::Value = serde_json::from_slice(&ran.0.stdout).unwrap();
    let first = r#"{"before":"not-run","name":"mjsunit/freshly-broken","now":"FAIL","variant":"default"}"#;
    assert_eq!((ran.code(), value["newly_failing"][0].to_string().as_str()), (Some(1), first));
    assert_eq!(
        (&value["newly_passing"][0]["name"], &value["unknown"]),
        (&"mjsunit/better".into(), &serde_json::json!([]))
    );
    let same = diff(&[&old, &old], &[]);
    assert_eq!((same.code(), same.stdout().as_str()), (Some(0), "2 still failing.\n"));
}

/// What V8's own runners write: 9.2 an object, those before a list.
#[test]
fn v8s_own_files_are_compared_and_what_they_do_not_tell_is_said() {
    let tree = Fixture::new();
    let record = |name: &str, result: &str| {
        format!(
            r#"{{"name": "mjsunit/{name}", "flags": ["a"], "command": "d8 a", "run": 1, "exit_code": 1, "expected": ["PASS"],
                "duration": 0.1, "random_seed": 1, "target_name": "d8", "variant": "default", "variant_flags": [],
                "framework_name": "standard_runner", "result": "{result}", "stdout": "", "stderr": ""}}"#
        )
    };
    let tail = r#""slowest_tests": [], "duration_mean": 0.5, "test_total": 10"#;
    let old = format!(
        "[{{\"arch\": \"x64\", \"mode\": \"release\", \"results\": [{}], {tail}}}]",
        record("a", "FAIL")
    );
    let new = format!("{{\"results\": [{}], {tail}}}", record("b", "TIMEOUT"));
    tree.file("old.json", old);
    tree.file("new.json", new);
    let ran = diff(&[&tree.path("old.json"), &tree.path("new.json")], &[]);
    let expected = "\
1 newly failing:
  mjsunit/b (default): TIMEOUT (it passed or did not run)
1 passing or not run any more:
  mjsunit/a (default): it was FAIL
Note: the older file does not say which tests ran: a newly failing one may be a new one.
Note: the newer file does not say which tests ran: one that failed may pass, or not have run.
Note: which tests are new, and which of those that passed do not run any more, is not known.
";
    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(1), expected), "{}", ran.all());
}

#[test]
fn files_that_are_of_no_use_are_named_with_what_is_wrong() {
    let tree = Fixture::new();
    tree.file("good.json", "{\"results\": [], \"ran\": {}}");
    tree.file("bad.json", "no json");
    tree.file("shape.json", "{\"results\": {\"a\": 1}}");
    tree.file("ran.json", "{\"results\": [], \"ran\": [1]}");
    let good = tree.path("good.json");
    for (name, said) in [
        ("missing.json", "cannot read "),
        ("bad.json", "it holds no results of tests: expected ident at line 1 column 2"),
        ("shape.json", "invalid type: map, expected a sequence at line 1 column 12"),
        ("ran.json", "invalid type: sequence, expected a map at line 1 column "),
    ] {
        for files in [[&tree.path(name), &good], [&good, &tree.path(name)]] {
            let ran = diff(&[files[0], files[1]], &[]);
            assert_eq!((ran.code(), ran.stdout().as_str()), (Some(2), ""), "{}", ran.all());
            assert!(ran.stderr().contains(said) && ran.stderr().contains(name), "{}", ran.all());
        }
    }
    assert_eq!(diff(&[&good], &[]).code(), Some(2), "one file is no difference");
    let same = diff(&[&good, &good], &[]);
    assert_eq!((same.code(), same.stdout().as_str()), (Some(0), "No difference.\n"));
}
