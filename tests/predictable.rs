//! Predictable builds through the real command: each test runs three times, and allocates the same each time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{BUILD_CONFIG, Fixture, json};

/// Prints a hash; each run counts in a file of its own.
const COUNTED: &str = "n=$(cat $FIXTURE/$0.runs 2>/dev/null || echo 0); echo $((n + 1)) > $FIXTURE/$0.runs";

fn predictable() -> Fixture {
    let tree = Fixture::new();
    let config = BUILD_CONFIG
        .replace("\"v8_enable_verify_predictable\": false", "\"v8_enable_verify_predictable\": true");
    assert_ne!(config, BUILD_CONFIG);
    tree.file("out/v8_build_config.json", config);
    let counted = |name: &str| COUNTED.replace("$0", name);
    tree.test("same", &format!("{}\necho '### Allocations = 1'; exit 1", counted("same")));
    tree.test("other", &format!("{}\necho \"### Allocations = $((n / 2))\"", counted("other")));
    tree.test("silent", &counted("silent"));
    tree.test("fails", &counted("fails"));
    tree.status("[[ALWAYS, {'fails': [FAIL]}]]");
    tree
}

#[test]
fn a_test_that_allocates_otherwise_the_third_time_fails_with_both_hashes() {
    let tree = predictable();
    let report = tree.path("report.json");
    let ran = tree.run(&["mjsunit", "--json-test-results", &report.to_string_lossy()]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let runs =
        |name: &str| std::fs::read_to_string(tree.path(&format!("{name}.runs"))).map(|n| n.trim().to_owned());
    assert_eq!(runs("same").unwrap(), "3", "what fails each time in the same way is predictable");
    assert_eq!(runs("other").unwrap(), "3");
    assert_eq!(runs("silent").unwrap(), "1");
    assert!(runs("fails").is_err(), "what is expected to fail is left out");
    let results = json(&report);
    let mut names: Vec<&str> = results["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["mjsunit/other", "mjsunit/silent"]);
    assert!(
        ran.stdout()
            .contains("run 3 printed \"### Allocations = 1\", the one before \"### Allocations = 0\"")
    );
    assert!(!ran.all().contains("not checked"));
}

#[test]
fn all_runs_of_a_test_have_its_time_together() {
    let tree = predictable();
    tree.test("slow", "echo '### Allocations = 1'; sleep 2");
    // Predictable builds get four times the time: four seconds, in which two runs end.
    let ran = tree.run(&["mjsunit/slow", "-t", "1"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert!(ran.stdout().contains("the deadline passed in run "), "{}", ran.stdout());
}
