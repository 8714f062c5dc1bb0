//! Running again what failed: flaky tests in every report, limits, rounds, and what failed the last time; through the
//! real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Fixture, Ran, json};

/// A test that fails until it has run so often, and says which time it is. It counts in a file beside it.
fn fails(times: u32) -> String {
    format!(
        "n=$(cat \"$0.count\" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >\"$0.count\"; echo \"time $n\"; [ $n -gt {times} ]"
    )
}

fn tree(tests: &[(&str, u32)]) -> Fixture {
    let tree = Fixture::new();
    for (name, times) in tests {
        tree.test(name, &fails(*times));
    }
    tree
}

/// How often a test ran.
fn count(tree: &Fixture, name: &str) -> u32 {
    let count = fs::read_to_string(tree.path(&format!("test/mjsunit/{name}.js.count")));
    count.map_or(0, |count| count.trim().parse().unwrap())
}

fn run(tree: &Fixture, args: &[&str]) -> Ran {
    tree.run(&[&["-j1", "--variants=default", "--no-network"], args].concat())
}

const TWICE: &str = "--rerun-failures-count=2";

#[test]
fn a_flaky_test_is_named_and_no_failure_and_one_that_always_fails_is() {
    let tree = tree(&[("a", 0), ("b", 1), ("c", 9)]);
    let ran = run(&tree, &[TWICE]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert_eq!((count(&tree, "a"), count(&tree, "b"), count(&tree, "c")), (1, 2, 3));
    let out = ran.stdout();
    assert!(out.contains("\n  mjsunit/b (default): flaky: FAIL, then PASS\n"), "{out}");
    assert!(
        out.contains("\n  mjsunit/c (default): expected PASS, got FAIL: ended with exit code 1 (FAIL, then FAIL, then FAIL)\n"),
        "{out}"
    );
    assert!(out.contains(": 1 unexpected, 1 flaky.\n"), "{out}");
    // Every attempt that failed is shown with what it printed.
    assert_eq!(out.matches("=== mjsunit/b (default) ===").count(), 1, "{out}");
    assert_eq!(out.matches("=== mjsunit/c (default) ===").count(), 3, "{out}");
    for time in ["time 1", "time 2", "time 3"] {
        assert!(out.contains(&format!("--- stdout ---\n{time}\n")), "{time}: {out}");
    }
    assert_eq!(out.matches("\nIt is run again.\n").count(), 3, "{out}");
}

#[test]
fn without_the_option_nothing_runs_twice() {
    let tree = tree(&[("a", 1)]);
    let ran = run(&tree, &[]);
    assert_eq!((ran.code(), count(&tree, "a")), (Some(1), 1), "{}", ran.all());
    assert!(!ran.stdout().contains("flaky") && !ran.stdout().contains("again"), "{}", ran.all());
}

#[test]
fn the_exit_code_for_flaky_tests_is_chosen() {
    for (option, code) in [("--flaky=pass", 0), ("--flaky=fail", 1)] {
        let ran = run(&tree(&[("a", 1)]), &[TWICE, option]);
        assert_eq!(ran.code(), Some(code), "{}", ran.all());
        assert!(
            ran.stdout().contains("1 test ran in ") && ran.stdout().contains(": all as expected, 1 flaky.")
        );
        assert_eq!(ran.stdout().contains("Flaky tests count as failures"), code == 1, "{}", ran.all());
    }
    let ran = run(&tree(&[("a", 1)]), &["--flaky=maybe"]);
    assert_eq!(ran.code(), Some(2), "{}", ran.all());
}

#[test]
fn a_failure_runs_again_when_all_others_have_run() {
    let tree = tree(&[("a", 1), ("b", 0), ("c", 0)]);
    let ran = run(&tree, &[TWICE, "-pverbose", "--explain", "--no-history"]);
    let out = ran.stdout();
    let lines: Vec<&str> = out.lines().filter(|line| line.starts_with("mjsunit/")).collect();
    let again = "mjsunit/a default: FAIL; it is run again";
    let others = ["mjsunit/b default: pass", "mjsunit/c default: pass"];
    assert_eq!(lines, [again, others[0], others[1], "mjsunit/a default: FAIL PASS"], "{}", ran.all());
    let why = "placed: mjsunit/a (default) on this machine (attempt 2): run again, since it was unexpected the last time\n";
    assert!(out.contains(why), "{out}");
}

#[test]
fn every_progress_names_flaky_tests_and_shows_what_failed() {
    for progress in ["bar", "plain", "mono", "color", "dots", "verbose", "ci", "stream"] {
        let ran = run(&tree(&[("a", 1)]), &[TWICE, "-p", progress]);
        let out = ran.stdout();
        assert_eq!(ran.code(), Some(0), "{progress}: {}", ran.all());
        assert!(out.contains("mjsunit/a (default): flaky: FAIL, then PASS\n"), "{progress}: {out}");
        assert_eq!(out.contains("time 1"), progress != "stream", "{progress}: {out}");
        assert!(!out.contains("time 2"), "{progress}: {out}");
        let at_the_end = ["dots", "verbose", "ci"].contains(&progress);
        assert_eq!(out.contains("=== mjsunit/a (default) (flaky) ===\n"), at_the_end, "{progress}: {out}");
    }
}

#[test]
fn json_has_every_run_as_v8s_does_and_says_which_tests_ran() {
    let tree = tree(&[("a", 0), ("b", 1), ("d/c", 9)]);
    let file = tree.path("r.json");
    run(&tree, &[TWICE, "--json-test-results", file.to_str().unwrap()]);
    let results = json(&file);
    let runs: Vec<(&str, u64, &str, &str, bool)> = results["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            let (run, flaky) = (one["run"].as_u64().unwrap(), one["flaky"] == Value::Bool(true));
            (text("name"), run, text("result"), text("stdout").trim_end(), flaky)
        })
        .collect();
    let of_b = [("mjsunit/b", 1, "FAIL", "time 1", true), ("mjsunit/b", 2, "PASS", "time 2", true)];
    let of_c = [1, 2, 3]
        .map(|run| ("mjsunit/d/c", run, "FAIL", ["time 1", "time 2", "time 3"][run as usize - 1], false));
    assert!(of_b.iter().chain(&of_c).all(|run| runs.contains(run)) && runs.len() == 5, "{runs:#?}");
    assert_eq!(results["test_total"], 6, "as in V8, runs are counted");
    assert_eq!(results["slowest_tests"].as_array().unwrap().len(), 6);
    assert_eq!(results["ran"].to_string(), r#"{"default":{"mjsunit":["a","b"],"mjsunit/d":["c"]}}"#);
}

#[test]
fn junit_is_as_surefires() {
    let tree = tree(&[("a", 0), ("b", 1), ("c", 9)]);
    let file = tree.path("r.xml");
    run(&tree, &[TWICE, "--junitout", file.to_str().unwrap()]);
    let xml = fs::read_to_string(&file).unwrap();
    assert!(
        xml.contains("tests=\"3\"") && xml.contains("failures=\"1\"") && xml.contains("errors=\"0\""),
        "{xml}"
    );
    assert_eq!((xml.matches("<flakyFailure ").count(), xml.matches("<failure ").count()), (1, 1), "{xml}");
    assert_eq!(xml.matches("<rerunFailure ").count(), 2, "{xml}");
    let flaky = xml.split("<flakyFailure ").nth(1).unwrap().split("</flakyFailure>").next().unwrap();
    assert!(flaky.contains("<stackTrace>expected PASS, got FAIL") && flaky.contains("time 1"), "{flaky}");
    assert!(flaky.contains("type=\"FAIL\"") && flaky.contains("Command: "), "{flaky}");
}

#[test]
fn flakiness_results_and_completion_tell_each_test_once() {
    let tree = tree(&[("a", 0), ("b", 1), ("c", 9)]);
    let (flakiness, completion) = (tree.path("f.json"), tree.path("done.txt"));
    fs::write(&completion, "from before\n").unwrap();
    let args = [
        "--flakiness-results",
        flakiness.to_str().unwrap(),
        "--ci-test-completion",
        completion.to_str().unwrap(),
    ];
    run(&tree, &[&args[..], &[TWICE]].concat());
    let results = json(&flakiness);
    let b = &results["tests"]["mjsunit/b default"];
    assert_eq!(
        (b["actual"].as_str(), b["expected"].as_str()),
        (Some("FAIL PASS"), Some("PASS")),
        "{results:#}"
    );
    assert_eq!((b["times"].as_array().unwrap().len(), &b["is_flaky"]), (2, &Value::Bool(true)));
    assert_eq!(results["tests"]["mjsunit/c default"]["actual"], "FAIL FAIL FAIL");
    assert_eq!(results["num_failures_by_type"].to_string(), r#"{"CRASH":0,"FAIL":1,"PASS":2,"TIMEOUT":0}"#);
    assert_eq!((&results["version"], &results["interrupted"]), (&Value::from(3), &Value::Bool(false)));
    let done = fs::read_to_string(&completion).unwrap();
    let mut lines: Vec<&str> = done.lines().collect();
    assert_eq!(lines.remove(0), "from before");
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["mjsunit/a default: pass", "mjsunit/b default: FAIL PASS", "mjsunit/c default: FAIL FAIL FAIL"]
    );
    let nowhere = run(&tree, &["--ci-test-completion=/no/such/directory/file"]);
    assert_eq!(nowhere.code(), Some(2), "{}", nowhere.all());
    assert!(nowhere.stderr().contains("cannot write /no/such/directory/file: "), "{}", nowhere.all());
}

#[test]
fn more_failures_than_the_limit_are_not_run_again() {
    let tree = tree(&[("a", 1), ("b", 1), ("c", 1), ("d", 0)]);
    let ran = run(&tree, &[TWICE, "--rerun-failures-max=2"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert_eq!(["a", "b", "c", "d"].map(|name| count(&tree, name)), [1, 1, 1, 1]);
    assert!(ran.stdout().contains("3 unexpected."), "{}", ran.all());
    assert!(ran.stdout().contains("no test is run again any more: 3 were unexpected (--rerun-failures-max)"));
}

#[test]
fn a_run_ends_at_failures_that_stayed_failures() {
    let tree = tree(&[("a", 1), ("p", 9)]);
    // Some of these have been handed out when one fails.
    for number in 100..200 {
        tree.test(&format!("b{number}"), "exit 0");
        tree.test(&format!("q{number}"), "exit 0");
    }
    let ran =
        run(&tree, &["--rerun-failures-count=1", "--exit-after-n-failures=1", "-pverbose", "--no-history"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert_eq!(["a", "p"].map(|name| count(&tree, name)), [2, 2], "{}", ran.all());
    assert!(ran.stdout().contains("The run ended early: "), "{}", ran.all());
    assert!(ran.stdout().contains("mjsunit/a (default): flaky: FAIL, then PASS"), "{}", ran.all());
}

#[test]
fn rounds_go_on_until_a_test_fails() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    let script =
        "n=$(cat \"$0.count\" 2>/dev/null || echo 0); n=$((n + 1)); echo $n >\"$0.count\"; [ $n -lt 3 ]";
    tree.test("b", script);
    let ran = run(&tree, &["--until-fail"]);
    assert_eq!((ran.code(), count(&tree, "b")), (Some(1), 3), "{}", ran.all());
    let out = ran.stdout();
    for line in ["Round 1:\n", "Round 2:\n", "Round 3:\n", "3 rounds: the last one was not as expected.\n"] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert_eq!(out.matches("Running tests for ").count(), 1, "{out}");
    assert!(!out.contains("Round 4"), "{out}");
    let none = run(&tree, &["--until-fail", "--slow-tests=run"]);
    assert_eq!(none.code(), Some(2), "{}", none.all());
}

#[test]
fn rounds_end_with_the_time_for_all_of_them_and_with_an_interrupt() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    let ran = run(&tree, &["--until-fail", "--total-timeout-sec=2"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.stdout().contains("Round 2:"), "{}", ran.all());
    assert!(ran.stdout().contains(" rounds: nothing was unexpected until --total-timeout-sec was over."));
    let running = tree.start(&["-j1", "--variants=default", "--no-network", "--until-fail", "--no-history"]);
    let pid = rustix::process::Pid::from_child(&running);
    // Whenever it comes, in a round or between two.
    support::until("a test runs", || tree.processes().len() > 1);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = Ran(running.wait_with_output().unwrap());
    assert_eq!(ran.code(), Some(3), "{}", ran.all());
    assert!(ran.stdout().trim_end().ends_with(": interrupted."), "{}", ran.all());
}

#[test]
fn what_failed_the_last_time_runs_again_alone() {
    let tree = tree(&[("a", 0), ("b", 1), ("c", 2), ("d", 9)]);
    let unknown = run(&tree, &["--rerun-failed"]);
    assert_eq!(unknown.code(), Some(2), "{}", unknown.all());
    assert!(unknown.stderr().contains("no earlier run is known of this configuration (x64.release with d8 "));
    // b is flaky, c and d fail.
    run(&tree, &["--rerun-failures-count=1"]);
    assert_eq!(["a", "b", "c", "d"].map(|name| count(&tree, name)), [1, 2, 2, 2]);
    let listed = run(&tree, &["--rerun-failed", "--list"]);
    let names: Vec<String> = listed.stdout().lines().map(str::to_owned).collect();
    assert_eq!(names, ["mjsunit/b default", "mjsunit/c default", "mjsunit/d default"], "{}", listed.all());
    let again = run(&tree, &["--rerun-failed"]);
    assert_eq!(again.code(), Some(1), "{}", again.all());
    assert_eq!(["a", "b", "c", "d"].map(|name| count(&tree, name)), [1, 3, 3, 3]);
    assert!(again.stdout().contains("3 tests failed or were flaky the last time; no others run.\n"));
    let again = run(&tree, &["--rerun-failed"]);
    assert_eq!((again.code(), count(&tree, "c"), count(&tree, "d")), (Some(1), 3, 4), "{}", again.all());
    // Another configuration knows nothing of these.
    assert_eq!(run(&tree, &["--rerun-failed", "--extra-flags=--jitless"]).code(), Some(2));
    tree.test("d", "exit 0");
    assert_eq!(run(&tree, &["--rerun-failed"]).code(), Some(0));
    let nothing = run(&tree, &["--rerun-failed"]);
    assert_eq!(nothing.code(), Some(0), "{}", nothing.all());
    assert_eq!(nothing.stdout(), "Nothing failed the last time: there is nothing to run.\n");
    assert_eq!(run(&tree, &["--rerun-failed", "--no-history"]).code(), Some(2));
}

#[test]
fn a_run_ends_when_its_time_is_over_and_says_what_did_not_run() {
    let tree = Fixture::with(&[("a", "exit 0"), ("b", "exec sleep 60"), ("c", "exit 0")]);
    let ran = run(&tree, &["--total-timeout-sec=3", "--no-history"]);
    // As in V8: what ran was as expected.
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    let out = ran.stdout();
    assert!(out.contains("Total timeout reached (--total-timeout-sec)"), "{out}");
    assert!(
        out.contains("1 test ran in ") && out.contains("The run ended early: 2 tests have no verdict."),
        "{out}"
    );
    support::until("nothing is left behind", || tree.processes().is_empty());
}

#[test]
fn the_slowest_tests_are_cut_off_where_one_says() {
    let tree = Fixture::with(&[("a", "exit 0"), ("b", "exit 0"), ("c", "exit 0")]);
    let file = tree.path("r.json");
    for (cutoff, kept) in [("2", 2), ("0", 0), ("100", 3)] {
        let ran = run(
            &tree,
            &["--time", "--slow-tests-cutoff", cutoff, "--json-test-results", file.to_str().unwrap()],
        );
        assert_eq!(ran.code(), Some(0), "{}", ran.all());
        assert_eq!(json(&file)["slowest_tests"].as_array().unwrap().len(), kept);
        assert_eq!(ran.stdout().matches("Duration: ").count(), kept, "{}", ran.all());
    }
}

#[test]
fn tests_start_in_the_order_of_the_tree_without_sorting() {
    let tree = Fixture::with(&[("a", "exit 0"), ("b", "exit 0"), ("c", "sleep 0.3"), ("d", "exit 0")]);
    tree.status("[[ALWAYS, {'d': [PASS, SLOW]}]]\n");
    let order = |args: &[&str]| {
        let ran = run(&tree, &[args, &["--explain"]].concat());
        let name = |line: &str| Some(line.strip_prefix("placed: mjsunit/")?.split(' ').next()?.to_owned());
        ran.stdout().lines().filter_map(name).collect::<Vec<_>>()
    };
    assert_eq!(order(&["--no-history"])[0], "d", "the slow one");
    order(&[]);
    assert_eq!(order(&[])[0], "c", "the longest of the last time");
    for option in ["--no-sorting", "--nosorting"] {
        assert_eq!(order(&[option]), ["a", "b", "c", "d"]);
    }
}
