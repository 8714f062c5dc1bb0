//! The command line: bad input gets a clear error with the place, and nothing runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{BUILD_CONFIG, Fixture, RUNNER, Ran};

/// A tree whose only test leaves a mark when it runs.
fn marking() -> Fixture {
    Fixture::with(&[("mark", "touch \"$FIXTURE/ran\"")])
}

/// The command fails with this code, says all of `parts` on standard error, and runs nothing.
fn refused(tree: &Fixture, args: &[&str], code: i32, parts: &[&str]) {
    let ran = tree.run(args);
    assert_eq!(ran.code(), Some(code), "{args:?}: {}", ran.all());
    for part in parts {
        assert!(ran.stderr().contains(part), "{args:?}: {part:?} is not in {}", ran.stderr());
    }
    assert!(!tree.path("ran").exists(), "{args:?}: nothing must run");
}

#[test]
fn unknown_names_come_with_the_nearest_match() {
    let tree = marking();
    refused(&tree, &["mjsunt"], 2, &["'mjsunt'", "'mjsunit'"]);
    refused(&tree, &["--variants=stres"], 5, &["'stres'", "'stress'"]);
    refused(&tree, &["mjsunit/marc"], 2, &["mjsunit/marc", "mjsunit/mark"]);
    refused(&tree, &["mjsunit/marc.js"], 2, &["mjsunit/marc.js", "mjsunit/mark"]);
    refused(&tree, &["mjsunit/x*"], 2, &["mjsunit/x*"]);
    refused(&tree, &["--no-such-option"], 2, &["--no-such-option"]);
    refused(&tree, &["-p", "fancy"], 2, &["fancy", "dots"]);
    refused(&tree, &["--timeout=0"], 2, &["0"]);
}

#[test]
fn a_status_file_error_shows_the_line_with_a_caret() {
    let tree = marking();
    tree.status("[\n[ALWAYS, {\n  'mark': [PASS,\n}],\n]\n");
    refused(&tree, &[], 5, &["mjsunit.status:4:1", "}],", "^"]);
    tree.status("[\n['arch == x64 and nonsense', {\n  'mark': [SKIP],\n}],\n]\n");
    refused(&tree, &[], 5, &["mjsunit.status:2:", "nonsense", "^"]);
    tree.status("[\n['arch', {\n  'mark': [SKIP],\n}],\n]\n");
    refused(&tree, &[], 5, &["mjsunit.status:2:"]);
}

#[test]
fn a_broken_build_configuration_names_the_key() {
    let tree = marking();
    tree.file("out/v8_build_config.json", BUILD_CONFIG.replace("\"is_tsan\": false,", ""));
    refused(&tree, &[], 5, &["v8_build_config.json", "is_tsan"]);
    tree.file(
        "out/v8_build_config.json",
        BUILD_CONFIG.replace("\"is_tsan\": false,", "\"is_tsan\": \"no\","),
    );
    refused(&tree, &[], 5, &["v8_build_config.json", "is_tsan"]);
    tree.file("out/v8_build_config.json", "{");
    refused(&tree, &[], 5, &["v8_build_config.json"]);
}

#[test]
fn a_missing_shell_is_said_before_anything_runs() {
    let tree = marking();
    std::fs::remove_file(tree.path("out/d8")).unwrap();
    refused(&tree, &[], 5, &["out/d8"]);
    refused(&tree, &["--shell=/no/such/shell"], 5, &["/no/such/shell"]);
}

#[test]
fn an_arch_that_is_not_the_builds_is_refused() {
    refused(&marking(), &["--arch=arm64"], 5, &["arm64", "x64"]);
}

#[test]
fn a_directory_without_a_tree_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(RUNNER).current_dir(empty.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--root"));
}

#[test]
fn the_root_is_found_above_the_current_directory() {
    let tree = marking();
    let output = std::process::Command::new(RUNNER)
        .args(["--no-config", "--list"])
        .current_dir(tree.path("test/mjsunit"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "mjsunit/mark default\n");
}

#[test]
fn paths_on_the_command_line_are_seen_from_here() {
    let tree = marking();
    tree.file("elsewhere/d8", std::fs::read(tree.path("out/d8")).unwrap());
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(tree.path("elsewhere/d8"), executable).unwrap();
    std::fs::remove_file(tree.path("out/d8")).unwrap();
    let run = |args: &[&str], path: &str| {
        let mut command = tree.command(args);
        Ran(command.current_dir(tree.path("elsewhere")).env("PATH", path).output().unwrap())
    };
    let path = std::env::var("PATH").unwrap();
    for args in [["--shell=./d8"], ["--shell=d8"], ["--shell-dir=."], ["--shell-dir=../elsewhere"]] {
        let ran = run(&args, &path);
        assert_eq!(ran.code(), Some(0), "{args:?}: {}", ran.all());
        std::fs::remove_file(tree.path("ran")).unwrap();
    }
    std::fs::rename(tree.path("elsewhere/d8"), tree.path("elsewhere/my-engine")).unwrap();
    std::fs::create_dir(tree.path("bin")).unwrap();
    std::fs::rename(tree.path("elsewhere/my-engine"), tree.path("bin/my-engine")).unwrap();
    let ran = run(&["--shell=my-engine"], &format!("{}:{path}", tree.path("bin").display()));
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
}

#[test]
fn a_group_leaves_out_suites_whose_shell_no_build_has() {
    let tree = marking();
    std::fs::remove_dir_all(tree.path("out")).unwrap();
    tree.file("tools/testrunner/base_runner.py", "TEST_MAP = {'default': ['mjsunit', 'inspector']}\n");
    tree.file("test/inspector/inspector.status", "[]");
    tree.file("test/inspector/a.js", "");
    let ran = tree.run(&["--list"]);
    assert_eq!(ran.stdout(), "mjsunit/mark default\n", "{}", ran.all());
    assert!(ran.stderr().contains("left out") && ran.stderr().contains("inspector"), "{}", ran.stderr());
    refused(&tree, &["inspector"], 5, &["inspector-test"]);
}

#[test]
fn no_tests_to_run_is_exit_code_2() {
    let tree = marking();
    tree.status("[[ALWAYS, {'mark': [SKIP]}]]");
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(2), "{}", ran.all());
    assert!(!tree.path("ran").exists());
    assert_eq!(tree.run(&["--run-skipped"]).code(), Some(0));
    assert!(tree.path("ran").exists());
}

#[test]
fn the_list_is_json_lines_with_the_rule_that_skips() {
    let tree = Fixture::with(&[("a", "exit 0 // Flags: --foo"), ("b", ""), ("c", "")]);
    tree.status("[['arch == x64', {'b': [SKIP], 'c': [PASS, FAIL, SLOW]}]]");
    let out = tree.run(&["--list-format=json", "--random-seed=42"]).stdout();
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let by_name = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    let a = by_name("a");
    let wanted = serde_json::json!({
        "suite": "mjsunit", "name": "a", "variant": "default",
        "argv": ["out/d8", "--test", "test/mjsunit/mjsunit.js", "test/mjsunit/a.js", "--random-seed=42",
                 "--nohard-abort", "--testing-d8-test-runner", "--foo"],
        "env": {}, "timeout": 60.0, "expected": ["PASS"], "slow": false, "heavy": false, "skipped": false,
        "id": "mjsunit/a.VariantProc-default-0", "reason": null, "expected_file": null,
        "judge": {"kind": "exit code", "fails": null, "exception": null, "negative": null, "async": null},
    });
    assert_eq!(*a, wanted);
    let b = by_name("b");
    assert_eq!(b["skipped"], serde_json::json!({"rule": "b", "condition": "arch == x64"}));
    assert!(b["variant"].is_null());
    let c = by_name("c");
    assert_eq!((&c["slow"], &c["timeout"]), (&serde_json::json!(true), &serde_json::json!(240.0)));
    assert_eq!(c["expected"], serde_json::json!(["FAIL", "PASS"]));
    assert_eq!(lines[0]["name"], "c", "slow tests come first");
    assert_eq!(tree.run(&["--list"]).stdout(), "mjsunit/c default\nmjsunit/a default\n");
}

#[test]
fn sources_are_printed_once_each() {
    let tree = Fixture::with(&[("a", "echo one"), ("b", "echo two")]);
    let out = tree.run(&["--cat", "--variants=exhaustive"]).stdout();
    assert_eq!(out.matches("echo one").count(), 1, "{out}");
    assert!(out.contains("mjsunit/b"));
}

#[test]
fn expectations_and_unused_rules_are_told_on_request() {
    let tree = Fixture::with(&[("a", ""), ("b", ""), ("c", "exit 1")]);
    tree.status("[\n[ALWAYS, {\n'a': [SKIP],\n'c': [FAIL],\n'nobody': [SKIP],\n}],\n]");
    let ran = tree.run(&["--report", "--warn-unused"]);
    let out = ran.stdout();
    assert_eq!(ran.code(), Some(0));
    assert!(out.contains("Total: 3 tests"), "{out}");
    assert!(out.contains("1 tests will be skipped"), "{out}");
    assert!(out.contains("1 tests are expected to fail"), "{out}");
    assert!(out.contains("nobody") && out.contains("mjsunit.status:5"), "{out}");
}

#[test]
fn the_configuration_file_gives_defaults_and_is_checked() {
    let tree = marking();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(RUNNER);
        command.arg("--root").arg(tree.root()).args(args).env("FIXTURE", tree.root());
        command.env("XDG_CONFIG_HOME", tree.path("config"));
        Ran(command.output().unwrap())
    };
    tree.file("config/flotilla/runner.toml", "variants = \"stress\"\n");
    assert_eq!(run(&["--list"]).stdout(), "mjsunit/mark stress\n", "the user's file");
    tree.file("runner.toml", "variants = \"jitless\"\n");
    assert_eq!(run(&["--list"]).stdout(), "mjsunit/mark jitless\n", "the root's comes first");
    assert_eq!(run(&["--list", "--variants=default"]).stdout(), "mjsunit/mark default\n");
    assert_eq!(run(&["--list", "--no-config"]).stdout(), "mjsunit/mark default\n");
    assert_eq!(run(&["--list", "--profile=none"]).code(), Some(2), "there is no such profile");
    tree.file("runner.toml", "variants = \"jitless\"\n[profile.long]\nvariants = \"stress\"\n");
    assert_eq!(run(&["--list"]).stdout(), "mjsunit/mark jitless\n", "a profile counts where it is asked for");
    assert_eq!(run(&["--list", "--profile=long"]).stdout(), "mjsunit/mark stress\n");
    tree.file("runner.toml", "jobs = 2\nvariant = \"stress\"\n");
    let ran = run(&[]);
    assert_eq!(ran.code(), Some(2));
    for part in ["runner.toml", "line 2, column 1", "variant"] {
        assert!(ran.stderr().contains(part), "{}", ran.stderr());
    }
    assert!(!tree.path("ran").exists());
}

#[test]
fn a_variable_of_the_environment_comes_between_the_file_and_the_options() {
    let tree = marking();
    tree.file("runner.toml", "variants = \"jitless\"\n");
    let run = |name: &str, value: &str, args: &[&str]| {
        let mut command = std::process::Command::new(RUNNER);
        command.arg("--root").arg(tree.root()).arg("--list").args(args).env("FIXTURE", tree.root());
        Ran(command.env(name, value).output().unwrap())
    };
    let variants = "FLOTILLA_RUNNER__VARIANTS";
    assert_eq!(run(variants, "stress", &[]).stdout(), "mjsunit/mark stress\n");
    assert_eq!(run(variants, "stress", &["--variants=default"]).stdout(), "mjsunit/mark default\n");
    assert_eq!(run(variants, "", &[]).stdout(), "mjsunit/mark jitless\n", "an empty one says nothing");
    let wrong = run("FLOTILLA_RUNNER__TIMEOUT", "soon", &[]);
    assert_eq!(wrong.code(), Some(2));
    assert!(wrong.stderr().contains("the variable FLOTILLA_RUNNER__TIMEOUT='soon'"), "{}", wrong.stderr());
    let unknown = run("FLOTILLA_RUNNER__VARIANT", "stress", &[]);
    assert_eq!(unknown.stdout(), "mjsunit/mark jitless\n");
    assert!(unknown.stderr().contains("did you mean 'FLOTILLA_RUNNER__VARIANTS'?"), "{}", unknown.stderr());
}

#[test]
fn a_list_whose_reader_goes_away_ends_quietly() {
    let names: Vec<String> = (0..3000).map(|i| format!("a-long-name-that-fills-the-pipe-{i:08}")).collect();
    let tree = Fixture::with(&names.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    let mut child = tree.start(&["--list-format=json"]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn subcommands_are_first_words_only() {
    let tree = marking();
    refused(&tree, &["shell"], 2, &["'shell'"]);
    refused(&tree, &["history"], 2, &["'history'"]);
    for word in ["history", "diff"] {
        let ran = std::process::Command::new(RUNNER).arg(word).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(
            (ran.status.code(), said.contains(&format!("Usage: runner {word} "))),
            (Some(2), true),
            "{said}"
        );
    }
}
