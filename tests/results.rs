//! What reports say of each run, through the real binary: how a deadline ends a test, differences, memory, shards, logs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::{Value, json};
use support::{Fixture, Ran, json};

/// Runs and reads the JSON results.
fn results(tree: &Fixture, args: &[&str]) -> (Ran, Value) {
    let file = tree.path("r.json");
    let ran = tree.run(&[&["--no-network", "--json-test-results", file.to_str().unwrap()], args].concat());
    assert!(file.exists(), "{}", ran.all());
    (ran, json(&file))
}

/// A suite of one's own whose tests are shell scripts.
fn own_suite(tree: &Fixture, judge: &str) {
    tree.file(
        "test/mine/suite.toml",
        format!("kind = \"files\"\ncommand = [\"/bin/sh\", \"{{file}}\"]\nfiles = [\"*.sh\"]\n{judge}"),
    );
}

#[test]
fn a_test_of_ones_own_suite_may_say_something_at_its_deadline() {
    let tree = Fixture::new();
    own_suite(&tree, "");
    tree.file(
        "test/mine/a.sh",
        "trap 'echo got TERM; exit 0' TERM\necho started\nwhile :; do sleep 0.01; done\n",
    );
    tree.file("test/mine/b.sh", "exec sleep 60\n");
    tree.file("test/mine/c.sh", "trap '' TERM\nwhile :; do sleep 0.01; done\n");
    let (ran, value) = results(&tree, &["-t1", "mine"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let of = |name: &str| {
        let records = value["results"].as_array().unwrap();
        records.iter().find(|record| record["name"] == name).cloned().unwrap()
    };
    for (name, exit_code) in [("mine/a", 0), ("mine/b", -15), ("mine/c", -9)] {
        let record = of(name);
        assert_eq!(
            (&record["result"], &record["exit_code"]),
            (&json!("TIMEOUT"), &json!(exit_code)),
            "{record}"
        );
    }
    assert_eq!(of("mine/a")["stdout"], "started\ngot TERM\n");
    assert!(ran.stdout().contains("--- stdout ---\nstarted\ngot TERM\n"), "{}", ran.all());
    support::until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn an_old_tree_kills_at_the_deadline() {
    let tree = Fixture::with(&[(
        "a",
        "trap 'echo got TERM; exit' TERM; echo started; while :; do sleep 0.01; done",
    )]);
    let (ran, value) = results(&tree, &["-t1"]);
    let record = &value["results"][0];
    assert_eq!((&record["exit_code"], &record["stdout"]), (&json!(-9), &json!("started\n")), "{}", ran.all());
}

#[test]
fn a_difference_from_the_expected_file_is_told() {
    let tree = Fixture::new();
    tree.file("test/message/message.status", "[]");
    for (name, script, expected) in [
        ("many", "echo one; echo x; echo y; echo 4", "# what it prints\none\ntwo\nthree\n{NUMBER}\n"),
        ("one", "echo a; echo c", "a\nb\n"),
        ("code", "echo a; exit 1", "a\n"),
    ] {
        tree.file(&format!("test/message/{name}.js"), script);
        tree.file(&format!("test/message/{name}.out"), expected);
    }
    let (ran, value) = results(&tree, &["message"]);
    let details = |name: &str| {
        let records = value["results"].as_array().unwrap();
        records.iter().find(|record| record["name"] == name).unwrap()["error_details"].clone()
    };
    let many = "Output does not match expectation:\n--- test/message/many.out\n+++ <actual>\n\
                @@ -1,4 +1,4 @@\n one\n-two\n-three\n+x\n+y\n 4\n";
    assert_eq!(details("message/many"), many);
    assert!(details("message/one").as_str().unwrap().ends_with("@@ -1,2 +1,2 @@\n a\n-b\n+c\n"));
    assert_eq!(details("message/code"), Value::Null, "nothing differs but the exit code");
    // What one line says already is not said twice.
    let out = ran.stdout();
    let shown = "--- difference ---\n--- test/message/many.out\n+++ <actual>\n@@ -1,4 +1,4 @@\n one\n-two\n-three\n+x\n+y\n 4\nCommand: ";
    assert!(out.contains(shown), "{out}");
    assert_eq!(out.matches("--- difference ---").count(), 1, "{out}");
}

#[test]
fn a_long_difference_is_shown_in_part() {
    let tree = Fixture::new();
    own_suite(&tree, "[judge]\nexpected = \"{dir}/{name}.txt\"\n");
    tree.file("test/mine/a.sh", "seq 1000 1100\n");
    tree.file("test/mine/a.txt", (0..101).map(|n| format!("{n}\n")).collect::<String>());
    let (ran, value) = results(&tree, &["mine"]);
    let details = value["results"][0]["error_details"].as_str().unwrap();
    assert!(details.contains("\n-100\n+1000\n") && details.ends_with("+1100\n"), "{details}");
    let out = ran.stdout();
    assert!(
        out.contains("\n-38\n[... 163 more lines: see error_details of --json-test-results]\nCommand: "),
        "{out}"
    );
}

#[test]
fn json_has_memory_shard_and_marks_of_each_run() {
    let tree = Fixture::with(&[
        (
            "large",
            "exec perl -e '$x = \"x\" x (48 << 20); $| = 1; print 1; select(undef, undef, undef, 0.3); exit 1'",
        ),
        ("small", "sleep 0.1"),
    ]);
    tree.status("[[ALWAYS, {'small': [PASS, HEAVY]}]]\n");
    let (ran, value) = results(&tree, &[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let record = &value["results"][0];
    let bytes = |record: &Value, key: &str| record[key].as_u64().unwrap();
    assert!(bytes(record, "max_rss") >= 48 << 20, "{record}");
    assert!(bytes(record, "max_vms") >= bytes(record, "max_rss"), "{record}");
    assert_eq!((&record["shard_id"], &record["shard_count"]), (&json!(0), &json!(1)));
    assert_eq!(record["error_details"], Value::Null);
    for (list, marked) in [("max_rss_tests", true), ("max_vms_tests", true), ("slowest_tests", true)] {
        let records = value[list].as_array().unwrap();
        assert_eq!(records.len(), 2, "{list}");
        let heavy: Vec<bool> = records
            .iter()
            .map(|record| {
                assert_eq!(record["marked_slow"], false);
                record["marked_heavy"].as_bool().unwrap()
            })
            .collect();
        assert_eq!(heavy, [false, marked], "{list}: the large one first");
    }
}

#[test]
fn json_says_which_shard_it_is_of() {
    let tree = Fixture::with(&[("a", "exit 1"), ("b", "exit 1"), ("c", "exit 1"), ("d", "exit 1")]);
    for shard in [1, 2] {
        let (_, value) = results(&tree, &["--shard-count=2", &format!("--shard-run={shard}")]);
        for record in value["results"].as_array().unwrap() {
            // As V8: from 0.
            assert_eq!((&record["shard_id"], &record["shard_count"]), (&json!(shard - 1), &json!(2)));
        }
    }
}

#[test]
fn the_framework_is_named_in_the_results() {
    let tree = Fixture::with(&[("a", "exit 1")]);
    for (option, name) in [
        ("--framework=default", "standard_runner"),
        ("--framework=standard_runner", "standard_runner"),
        ("--framework=num_fuzzer", "num_fuzzer"),
    ] {
        let (_, value) = results(&tree, &[option]);
        assert_eq!(value["results"][0]["framework_name"], name, "{option}");
    }
    assert_eq!(tree.run(&["--framework=other"]).code(), Some(2));
}

/// Whether a number of seconds since 1970 is one of the last minutes.
fn is_now(seconds: &str) -> bool {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    seconds.parse::<f64>().is_ok_and(|seconds| (now - 300.0..=now).contains(&seconds))
}

#[test]
fn the_schedule_has_a_line_for_each_run() {
    let tree = Fixture::with(&[
        ("fine", "exit 0"),
        ("crash", "kill -SEGV $$"),
        (
            "flaky",
            "n=$(cat \"$0.count\" 2>/dev/null || echo 0); echo 1 >\"$0.count\"; sleep 0.1; exit $((1 - n))",
        ),
    ]);
    let log = tree.path("schedule.log");
    tree.file("schedule.log", "from before\n");
    let ran =
        tree.run(&["--no-network", "--rerun-failures-count=1", "--log-test-schedule", log.to_str().unwrap()]);
    let text = std::fs::read_to_string(&log).unwrap();
    let mut lines = Vec::new();
    for line in text.lines() {
        let (said, times) = line.split_once(" (").unwrap_or_else(|| panic!("{line}"));
        let (start, end) = times.strip_suffix(')').unwrap().split_once(':').unwrap();
        assert!(is_now(start) && is_now(end) && start <= end, "{line}");
        let (start, end): (f64, f64) = (start.parse().unwrap(), end.parse().unwrap());
        assert!(!said.contains("flaky") || end - start >= 0.1, "{line}");
        lines.push(said);
    }
    lines.sort_unstable();
    let wanted = [
        "mjsunit/crash default: CRASH",
        "mjsunit/crash default: CRASH",
        "mjsunit/fine default: PASS",
        "mjsunit/flaky default: FAIL",
        "mjsunit/flaky default: PASS",
    ];
    assert_eq!(lines, wanted, "{}", ran.all());
    let nowhere = tree.run(&["--log-test-schedule=/no/such/file"]);
    assert_eq!(nowhere.code(), Some(2), "{}", nowhere.all());
}

#[cfg(target_os = "linux")]
#[test]
fn the_memory_log_tells_how_much_is_in_use_during_the_run() {
    let tree = Fixture::with(&[("a", "sleep 0.5")]);
    let log = tree.path("memory.log");
    tree.run(&["--no-network", "--log-system-memory", log.to_str().unwrap()]);
    let text = std::fs::read_to_string(&log).unwrap();
    let (time, looks) = text.lines().next().unwrap().split_once(" - ").unwrap();
    assert_eq!(time.len(), "2026-11-30 18:07:00.123456".len(), "{text}");
    let looks: Vec<f64> =
        looks.split(", ").map(|look| look.strip_suffix('%').unwrap().parse().unwrap()).collect();
    assert!(looks.len() >= 2 && looks.iter().all(|used| (0.0..=100.0).contains(used)), "{text}");
}

#[test]
fn an_old_tree_has_no_logs_beside_its_results() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    results(&tree, &[]);
    assert!(!tree.path("test_schedule.log").exists() && !tree.path("memory_stats.log").exists());
}

const FLAKY: &str = "n=$(cat \"$0.count\" 2>/dev/null || echo 0); echo 1 >\"$0.count\"; exit $((1 - n))";

#[test]
fn a_tree_of_today_ends_tests_by_sigterm_and_counts_flaky_ones_and_has_logs() {
    let late = "trap 'echo got TERM; exit 0' TERM; echo started; while :; do sleep 0.01; done";
    let tree = Fixture::of_version((12, 0), &[("late", late), ("flaky", FLAKY)]);
    let (ran, value) = results(&tree, &["-t1", "--rerun-failures-count=1", "mjsunit/flaky"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert!(ran.stdout().contains("1 flaky.\nFlaky tests count as failures"), "{}", ran.all());
    assert_eq!(value["test_total"], 2);
    for log in ["test_schedule.log", "memory_stats.log"] {
        assert!(tree.path(log).is_file(), "{log}");
    }
    std::fs::remove_file(tree.path("test/mjsunit/flaky.js.count")).unwrap();
    let ran = tree.run(&["--rerun-failures-count=1", "--flaky=pass", "--no-network", "mjsunit/flaky"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    let (ran, value) = results(&tree, &["-t1", "mjsunit/late"]);
    assert_eq!(value["results"][0]["stdout"], "started\ngot TERM\n", "{}", ran.all());
}
