//! Running tests through the real binary: verdicts, reports, output, deadlines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use serde_json::json;
use support::{Fixture, json};

#[test]
fn outcomes_become_verdicts_and_an_exit_code() {
    let tree = Fixture::with(&[("pass", "exit 0"), ("fail", "exit 1"), ("crash", "kill -SEGV $$")]);
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let out = ran.stdout();
    assert!(out.contains("3 tests ran"), "{out}");
    assert!(out.contains("2 unexpected (1 crashed)"), "{out}");
    assert!(out.contains("mjsunit/crash (default): expected PASS, got CRASH"), "{out}");

    tree.status("[[ALWAYS, {'fail': [FAIL], 'crash': [CRASH]}]]");
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
}

#[test]
fn a_test_expected_to_fail_that_passes_is_unexpected() {
    let tree = Fixture::with(&[("pass", "exit 0")]);
    tree.status("[[ALWAYS, {'pass': [FAIL]}]]");
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stdout().contains("UNEXPECTED PASS"), "{}", ran.stdout());
}

#[test]
fn a_failure_shows_streams_outcomes_and_a_command_to_paste() {
    let tree = Fixture::with(&[("it's", "echo to stdout; echo to stderr >&2; pwd; echo $TZ; exit 3")]);
    tree.file("test/mjsunit/env.js", ": // Environment Variables: TZ=Asia/Tokyo\necho \"[$TZ]\"; exit 1\n");
    let ran = tree.run(&["mjsunit/it's"]);
    let out = ran.stdout();
    for part in [
        "=== mjsunit/it's (default) ===",
        "expected PASS, got FAIL: ended with exit code 3",
        "--- stdout ---\nto stdout",
        "--- stderr ---\nto stderr",
    ] {
        assert!(out.contains(part), "{part:?} is not in {out}");
    }
    let out = tree.run(&["mjsunit/env"]).stdout();
    let command = out.lines().find_map(|line| line.strip_prefix("Command: ")).unwrap();
    let pasted =
        std::process::Command::new("/bin/sh").arg("-c").arg(command).current_dir("/").output().unwrap();
    assert_eq!(pasted.status.code(), Some(1), "{command}");
    assert_eq!(String::from_utf8_lossy(&pasted.stdout), "[Asia/Tokyo]\n");
}

#[test]
fn a_deadline_ends_the_whole_group() {
    let tree = Fixture::with(&[("hang", "sleep 1000 & sleep 1000")]);
    let ran = tree.run(&["-t1"]);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stdout().contains("--- TIMEOUT after 1 s ---"), "{}", ran.stdout());
    assert!(tree.processes().is_empty());
}

#[test]
fn a_grandchild_that_holds_the_pipes_does_not_hold_the_test() {
    let tree =
        Fixture::with(&[("daemon", "sleep 1000 &\nexit 0"), ("session", "setsid sleep 1000 &\nexit 0")]);
    let start = std::time::Instant::now();
    let ran = tree.run(&["-t60"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(start.elapsed().as_secs() < 30, "the verdict comes from the leader's exit");
    support::until("nothing is left", || tree.processes().is_empty());
}

#[test]
fn output_is_capped_and_says_so() {
    let tree = Fixture::with(&[("flood", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1")]);
    let ran = tree.run(&["--max-output=1000"]);
    let out = ran.stdout();
    assert!(
        out.contains("[... 2999000 of 3000000 bytes left out: --max-output keeps 1000]"),
        "{}",
        &out[..2000]
    );
    assert!(out.len() < 10_000);
}

#[test]
fn output_that_is_no_utf8_survives() {
    let tree = Fixture::with(&[("bytes", "printf 'a\\377b\\n'; exit 1")]);
    let results = tree.path("results.json");
    let junit = tree.path("results.xml");
    let ran = tree.run(&[
        &format!("--json-test-results={}", results.display()),
        &format!("--junitout={}", junit.display()),
    ]);
    assert!(ran.0.stdout.windows(3).any(|bytes| bytes == b"a\xffb"), "{}", ran.all());
    assert_eq!(json(&results)["results"][0]["stdout"], "a\u{fffd}b\n");
    assert!(std::fs::read_to_string(junit).unwrap().contains("a\u{fffd}b"));
}

#[test]
fn reports_hold_what_v8s_hold() {
    let tree = Fixture::with(&[("pass", "exit 0"), ("fail", "echo out; echo err >&2; exit 1")]);
    let results = tree.path("results.json");
    let junit = tree.path("results.xml");
    let ran = tree.run(&[
        "--random-seed=42",
        &format!("--json-test-results={}", results.display()),
        &format!("--junitout={}", junit.display()),
        "--junittestsuite=mine",
    ]);
    assert_eq!(ran.code(), Some(1), "a written report does not change the exit code");
    let value = json(&results);
    assert_eq!(value["test_total"], 2);
    let record = &value["results"][0];
    for (key, wanted) in [
        ("name", json!("mjsunit/fail")),
        ("result", json!("FAIL")),
        ("expected", json!(["PASS"])),
        ("exit_code", json!(1)),
        ("run", json!(1)),
        ("variant", json!("default")),
        ("variant_flags", json!([])),
        ("random_seed", json!(42)),
        ("target_name", json!("d8")),
        ("framework_name", json!("standard_runner")),
        ("stdout", json!("out\n")),
        ("stderr", json!("err\n")),
    ] {
        assert_eq!(record[key], wanted, "{key}");
    }
    assert_eq!(record["flags"][0], "--test");
    assert_eq!(value["slowest_tests"].as_array().unwrap().len(), 2);
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains(r#"<testsuite name="mine" tests="2""#), "{xml}");
    assert!(xml.contains(r#"failures="1""#), "{xml}");
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_runs() {
    let tree = Fixture::with(&[("mark", "touch \"$FIXTURE/ran\"")]);
    for option in ["--json-test-results", "--junitout"] {
        let ran = tree.run(&[&format!("{option}={}/no/such/file", tree.root().display())]);
        assert_eq!(ran.code(), Some(2), "{}", ran.all());
        assert!(ran.stderr().contains("cannot write "), "{}", ran.stderr());
        assert!(!tree.path("ran").exists());
    }
}

#[test]
fn a_missing_expected_file_fails_that_test_and_the_run_goes_on() {
    let tree = Fixture::with(&[("pass", "exit 0")]);
    tree.file("test/message/message.status", "[]");
    for i in 0..10 {
        tree.file(&format!("test/message/missing{i}.js"), "exit 0\n");
    }
    tree.file("test/message/there.js", "echo hello\n");
    tree.file("test/message/there.out", "hello\n");
    // V8 loses four tests of a -j2 run here and ends early.
    let ran = tree.run(&["-j2", "message", "mjsunit"]);
    assert_eq!(ran.code(), Some(1));
    let out = ran.stdout();
    assert!(out.contains("12 tests ran"), "{out}");
    assert!(out.contains("10 unexpected"), "{out}");
    assert!(out.contains("missing3.out"), "{out}");
}

#[test]
fn an_unreadable_source_fails_that_test_and_the_run_goes_on() {
    let tree = Fixture::with(&[("pass", "exit 0")]);
    std::os::unix::fs::symlink("no-such-file.js", tree.path("test/mjsunit/dangling.js")).unwrap();
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert!(ran.stdout().contains("2 tests ran"), "{}", ran.stdout());
    assert!(ran.stdout().contains("dangling.js"), "{}", ran.stdout());
}

#[test]
fn a_pipe_in_the_tree_fails_its_test_and_holds_nobody() {
    let tree = Fixture::with(&[("pass", "exit 0")]);
    tree.file("test/message/message.status", "[]");
    tree.file("test/message/piped.js", "exit 0\n");
    for name in ["test/mjsunit/pipe.js", "test/message/piped.out"] {
        let made = std::process::Command::new("mkfifo").arg(tree.path(name)).status().unwrap();
        assert!(made.success());
    }
    let ran = tree.run(&["mjsunit", "message"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let out = ran.stdout();
    assert!(out.contains("3 tests ran") && out.contains("2 unexpected"), "{out}");
    assert!(out.contains("pipe.js: it is no regular file"), "{out}");
    assert!(out.contains("piped.out: it is no regular file"), "{out}");
}

#[test]
fn too_many_failures_end_the_run() {
    let names: Vec<String> = (0..50).map(|i| format!("fail{i:02}")).collect();
    let tests: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "exit 1")).collect();
    let tree = Fixture::with(&tests);
    let ran = tree.run(&["-j1", "--exit-after-n-failures=3"]);
    assert_eq!(ran.code(), Some(1));
    let out = ran.stdout();
    assert!(out.contains("Too many failures"), "{out}");
    assert!(out.contains("tests have no verdict"), "{out}");
    let ran = tree.run(&["--exit-after-n-failures=0"]);
    assert!(ran.stdout().contains("50 tests ran"), "{}", ran.stdout());
}

#[test]
fn heavy_tests_run_one_at_a_time() {
    // Each heavy test fails if it finds another one's directory.
    let script = "mkdir \"$FIXTURE/heavy\" || exit 1; sleep 0.05; rmdir \"$FIXTURE/heavy\"";
    let names: Vec<String> = (0..8).map(|i| format!("heavy{i}")).collect();
    let mut tests: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), script)).collect();
    tests.push(("light", "exit 0"));
    let tree = Fixture::with(&tests);
    tree.status("[[ALWAYS, {'heavy*': [PASS, HEAVY]}]]");
    let ran = tree.run(&["-j4"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.stdout().contains("9 tests ran"), "{}", ran.stdout());
    let ran = tree.run(&["-j4", "--max-heavy-tests=4"]);
    assert_eq!(ran.code(), Some(1), "four at once get into one another's way: {}", ran.all());
}

#[test]
fn every_progress_style_tells_the_same_verdicts() {
    let tree = Fixture::with(&[("pass", "exit 0"), ("fail", "exit 1"), ("crash", "kill -SEGV $$")]);
    for (style, parts) in [
        ("bar", &["3 tests ran"][..]),
        ("plain", &["mjsunit/fail (default): expected PASS, got FAIL"]),
        ("mono", &["=== mjsunit/fail (default) ===", "+   1|-   2]: Done"]),
        ("color", &["\x1b[32m+   1\x1b[0m"]),
        ("dots", &[".", "F", "C", "=== mjsunit/crash (default) ==="]),
        (
            "verbose",
            &["mjsunit/pass default: pass", "mjsunit/fail default: FAIL", "mjsunit/crash default: CRASH"],
        ),
        ("ci", &["=== mjsunit/fail (default) ==="]),
        ("stream", &["PASS: mjsunit/pass\n", "FAIL: mjsunit/fail\n", "CRASH: mjsunit/crash\n"]),
    ] {
        let ran = tree.run(&["-p", style]);
        assert_eq!(ran.code(), Some(1), "{style}");
        for part in parts {
            assert!(ran.stdout().contains(part), "{style}: {part:?} is not in {}", ran.stdout());
        }
    }
}

#[test]
fn the_slowest_tests_are_printed_on_request() {
    let tree = Fixture::with(&[("quick", "exit 0"), ("slow", "sleep 0.3")]);
    let out = tree.run(&["--time"]).stdout();
    let slow = out.find("mjsunit/slow default *").unwrap();
    let quick = out.find("mjsunit/quick default *").unwrap();
    assert!(slow < quick, "{out}");
}

#[test]
fn commands_are_printed_on_request() {
    let tree = Fixture::with(&[("pass", "exit 0")]);
    let out = tree.run(&["-v", "--command-prefix=env A=1"]).stdout();
    assert!(out.lines().any(|line| line.starts_with("# (cd ") && line.contains("env A=1 ")), "{out}");
}

#[test]
fn tests_see_english_no_shards_and_an_empty_stdin() {
    let script = "cat; echo \"$LANG,$GTEST_TOTAL_SHARDS,$GTEST_SHARD_INDEX,\"; exit 1";
    let tree = Fixture::with(&[("env", script)]);
    let mut command = tree.command(&[]);
    command.env("GTEST_TOTAL_SHARDS", "1").env("GTEST_SHARD_INDEX", "0").env("LANG", "de_DE.UTF-8");
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nen_US.UTF-8,,,\n"));
}

#[test]
fn few_descriptors_mean_fewer_jobs_and_no_lost_test() {
    let names: Vec<String> = (0..100).map(|i| format!("pass{i:02}")).collect();
    let tests: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "exit 0")).collect();
    let tree = Fixture::with(&tests);
    let limited = |limit: &str| {
        let runner = tree.command(&["-j40"]);
        let words: Vec<_> = runner.get_args().collect();
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(format!("ulimit {limit}; exec \"$0\" \"$@\"")).arg(support::RUNNER).args(words);
        support::Ran(shell.output().unwrap())
    };
    let hard = limited("-n 128");
    assert_eq!(hard.code(), Some(0), "{}", hard.all());
    assert!(hard.stderr().contains("128 open files (ulimit -n) are too few for 40"), "{}", hard.stderr());
    let none = limited("-n 40");
    assert_eq!(none.code(), Some(5), "{}", none.all());
    assert!(none.stderr().contains("cannot run tests with 40 open files"), "{}", none.stderr());
    let soft = limited("-S -n 128");
    assert_eq!(soft.code(), Some(0), "{}", soft.all());
    assert!(soft.stderr().is_empty(), "the soft limit can be raised: {}", soft.stderr());
}

#[test]
fn a_full_disk_under_stdout_does_not_lose_the_run() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let tree = Fixture::with(&[("fail", "exit 1"), ("mark", "touch \"$FIXTURE/ran\"")]);
    let results = tree.path("results.json");
    let mut command = tree.command(&[&format!("--json-test-results={}", results.display())]);
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
    assert!(tree.path("ran").exists());
    assert_eq!(json(&results)["test_total"], 2);
}
