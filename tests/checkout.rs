//! A checkout of today's V8 as people have it: builds where gm.py puts them, not all of them built, paths as the shell
//! completes them, and files that are newer than what is known.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::Path;

use support::{Fixture, Ran, json};

/// A tree of V8 13.8 with its own runner, two tests that say that they ran, and the build where gm.py puts it.
fn checkout() -> Fixture {
    let tree = Fixture::of_version((13, 8), &[("a", "echo a >>ran"), ("sub/b", "echo b >>ran")]);
    tree.file("tools/run-tests.py", "");
    tree.file("tools/testrunner/base_runner.py", "TEST_MAP = {'default': ['mjsunit', 'cctest']}\n");
    tree.file("test/cctest/cctest.status", "[]");
    fs::rename(tree.path("out"), tree.path("built")).unwrap();
    fs::create_dir(tree.path("out")).unwrap();
    fs::rename(tree.path("built"), tree.path("out/x64.release")).unwrap();
    tree
}

/// The tests that ran, in order of their names.
fn ran_tests(tree: &Fixture) -> Vec<String> {
    let text = fs::read_to_string(tree.path("ran")).unwrap_or_default();
    let _ = fs::remove_file(tree.path("ran"));
    let mut names: Vec<String> = text.lines().map(String::from).collect();
    names.sort();
    names
}

#[track_caller]
fn ends(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code(), Some(code), "{}", ran.all());
    for part in parts {
        assert!(ran.all().contains(part), "{part}: {}", ran.all());
    }
}

#[test]
fn the_build_of_gm_is_found_without_options() {
    let tree = checkout();
    ends(&tree.run(&["mjsunit"]), 0, &[]);
    assert_eq!(ran_tests(&tree), ["a", "b"]);
}

#[test]
fn of_several_builds_one_must_be_chosen() {
    let tree = checkout();
    for name in ["out/x64.debug", "out/x64.old"] {
        support::copy(&tree.path("out/x64.release"), &tree.path(name));
    }
    let ran = tree.run(&["mjsunit"]);
    ends(&ran, 2, &["out/x64.debug", "out/x64.old", "out/x64.release", "--outdir"]);
    assert!(ran_tests(&tree).is_empty(), "{}", ran.all());
    ends(&tree.run(&["--outdir=out/x64.old", "mjsunit"]), 0, &[]);
    assert_eq!(ran_tests(&tree), ["a", "b"]);
}

#[test]
fn without_a_build_no_other_engine_runs_the_trees_tests() {
    let tree = checkout();
    fs::remove_dir_all(tree.path("out")).unwrap();
    ends(&tree.run(&["mjsunit"]), 5, &["no build", "--shell builtin"]);
    ends(&tree.run(&["--shell=builtin", "--list", "mjsunit"]), 0, &["mjsunit/a", "mjsunit/sub/b"]);
}

#[test]
fn a_suite_whose_program_is_not_built_is_named_with_its_target_and_makes_exit_code_1() {
    let tree = checkout();
    ends(
        &tree.run(&[]),
        1,
        &["cctest: out/x64.release/cctest is not built (ninja -C out/x64.release cctest)"],
    );
    assert_eq!(ran_tests(&tree), ["a", "b"], "the suites that can run do");
    ends(&tree.run(&["--missing=skip"]), 0, &["ninja -C out/x64.release cctest"]);
    assert_eq!(ran_tests(&tree), ["a", "b"]);
    ends(&tree.run(&["mjsunit/a"]), 0, &[]);
    ends(&tree.run(&["cctest"]), 5, &["cctest"]);
}

#[test]
fn a_path_is_the_test_and_a_directory_all_below_it() {
    let tree = checkout();
    let absolute = tree.root().join("test/mjsunit/sub/b.js");
    for (directory, path, names) in [
        ("", "test/mjsunit/a.js", &["a"][..]),
        ("", absolute.to_str().unwrap(), &["b"]),
        ("test/mjsunit", "a.js", &["a"]),
        ("test/mjsunit/sub", "./b.js", &["b"]),
        ("test/mjsunit/sub", "../a.js", &["a"]),
        ("", "test/mjsunit/sub/", &["b"]),
        ("test", "mjsunit/sub", &["b"]),
        ("test/mjsunit", ".", &["a", "b"]),
    ] {
        let mut command = tree.command(&[path]);
        let ran = Ran(command.current_dir(tree.path(directory)).output().unwrap());
        ends(&ran, 0, &[]);
        assert_eq!(ran_tests(&tree), names, "{path} in {directory}: {}", ran.all());
    }
    let mut command = tree.command(&["nothing.js"]);
    ends(&Ran(command.current_dir(tree.path("test/mjsunit")).output().unwrap()), 2, &["nothing.js"]);
}

#[test]
fn only_the_suites_of_selected_tests_are_read() {
    let tree = checkout();
    tree.test("failing", "exit 1");
    tree.status("[[ALWAYS, {'failing': [PASS]}]]");
    let results = tree.path("results.json");
    let name = format!("--json-test-results={}", results.display());
    ends(&tree.run(&[&name, "mjsunit"]), 1, &["mjsunit/failing"]);
    // A suite that cannot be read at all would end the run with 5.
    tree.file("test/webkit/webkit.status", "[");
    fs::write(
        tree.path("tools/testrunner/base_runner.py"),
        "TEST_MAP = {'default': ['mjsunit', 'cctest', 'webkit']}\n",
    )
    .unwrap();
    ends(&tree.run(&["--rerun-failed"]), 1, &["mjsunit/failing"]);
    ends(&tree.run(&["webkit"]), 5, &["webkit.status:1"]);
}

#[test]
fn a_tree_newer_than_what_is_known_says_so_once_and_hides_nothing() {
    let tree = Fixture::of_version(
        (14, 1),
        &[("a", "exit 1"), ("b", "exit 0"), ("c", "exit 1"), ("d", "exit 0"), ("e", "exit 1")],
    );
    tree.status(
        "[\n['has_new_thing', {'a': [FAIL], 'b': [FAIL]}],\n['has_new_thing or True', {'c': [FAIL]}],\n\
         ['has_new_thing and is_new', {'d': [SKIP]}],\n['has_new_thing and mode == debug', {'e': [SKIP]}],\n]",
    );
    let results = tree.path("results.json");
    let ran = tree.run(&["-t1", &format!("--json-test-results={}", results.display())]);
    let rule = "test/mjsunit/mjsunit.status:2";
    ends(&ran, 1, &["FAILED", rule, "1 of the unexpected outcomes is doubtful", "not understood"]);
    let all = ran.all();
    assert_eq!(
        all.matches("V8 14.1 is newer than what is known (13.8): 13.8's rules are used").count(),
        1,
        "{all}"
    );
    let value = json(Path::new(&results));
    let of = |name: &str| {
        let unexpected = value["results"].as_array().unwrap();
        unexpected.iter().find(|result| result["name"] == format!("mjsunit/{name}"))
    };
    assert!(of("a").unwrap()["doubt"].as_str().unwrap().contains(rule), "{all}");
    assert!(of("e").unwrap()["doubt"].is_null(), "nothing is in doubt about what failed by itself");
    let list = tree.run(&["--list-format=json", "mjsunit/b", "mjsunit/c"]).stdout();
    let doubts: Vec<bool> = list.lines().map(|line| line.contains("\"doubt\":\"Rule 'b'")).collect();
    assert_eq!(doubts, [true, false], "{list}");
    for expected in ["b", "c", "d"] {
        assert_eq!(of(expected), None, "{expected}: {all}");
    }
    tree.file("include/v8-version.h", "#define V8_MAJOR_VERSION 13\n#define V8_MINOR_VERSION 8\n");
    ends(&tree.run(&[]), 5, &["mjsunit.status:2", "unknown name 'has_new_thing'"]);
}

#[test]
fn a_broken_configuration_of_today_names_file_and_key() {
    let tree = checkout();
    let config = fs::read_to_string(tree.path("out/x64.release/v8_build_config.json")).unwrap();
    for (text, part) in [
        (config.replace("\"arch\": \"x64\", ", ""), "'arch'"),
        (config.replace("\"asan\"", "\"ALWAYS\": 1, \"asan\""), "'ALWAYS'"),
        ("[1]".into(), "object"),
        (config[..40].into(), "object"),
    ] {
        tree.file("out/x64.release/v8_build_config.json", &text);
        ends(&tree.run(&["mjsunit"]), 5, &["out/x64.release/v8_build_config.json", part]);
    }
}

#[test]
fn data_that_a_suite_lacks_is_named_with_the_command_and_nothing_is_taken_for_all_of_it() {
    let tree = checkout();
    for suite in ["test262", "mozilla"] {
        tree.file(&format!("test/{suite}/{suite}.status"), "[]");
        tree.file(&format!("test/{suite}/testcfg.py"), "");
    }
    tree.file("test/test262/local-tests/test/mine.js", "");
    for args in [&["test262"][..], &["test262", "mjsunit"], &["mjsunit", "test262/mine"]] {
        ends(&tree.run(args), 5, &["the suite test262 lacks test/test262/data; this fetches it: git clone"]);
        assert!(ran_tests(&tree).is_empty());
    }
    ends(&tree.run(&["mozilla"]), 2, &["no test matches 'mozilla'", "lacks test/mozilla/data"]);
}

#[test]
fn a_program_that_is_asked_for_and_not_built_comes_with_its_target() {
    let tree = checkout();
    tree.file("test/inspector/inspector.status", "[]");
    tree.file("test/inspector/a.js", "");
    for (suite, target) in [("cctest", "cctest"), ("inspector", "inspector-test")] {
        ends(&tree.run(&[suite]), 5, &[target, &format!("(ninja -C out/x64.release {target})")]);
    }
    ends(&tree.run(&["--outdir=out/x64.relase", "mjsunit"]), 5, &["builds here: out/x64.release"]);
}

#[test]
fn the_directory_of_all_suites_is_all_of_them() {
    let tree = checkout();
    for (directory, path) in [("", "test"), ("", "."), ("test", "."), ("test/mjsunit", "..")] {
        let mut command = tree.command(&["--missing=skip", path]);
        ends(&Ran(command.current_dir(tree.path(directory)).output().unwrap()), 0, &[]);
        assert_eq!(ran_tests(&tree), ["a", "b"], "{path} in {directory}");
    }
}

#[test]
fn nothing_among_the_selected_tests_that_failed_is_said() {
    let tree = checkout();
    tree.test("failing", "exit 1");
    ends(&tree.run(&["mjsunit"]), 1, &["mjsunit/failing"]);
    tree.file("test/message/message.status", "[]");
    ends(&tree.run(&["--rerun-failed", "message"]), 2, &["none of the tests that were asked for failed"]);
}

#[test]
fn options_may_be_shortened_as_for_v8() {
    let tree = checkout();
    ends(&tree.run(&["--variant=default", "--timeo=5", "mjsunit/a"]), 0, &[]);
    let ran = tree.run(&["--varia", "default", "mjsunit/a"]);
    ends(&ran, 0, &["variants: default"]);
}

#[test]
fn a_standard_error_that_cannot_be_written_to_changes_no_exit_code() {
    let tree = checkout();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for (args, code) in [
        (&["--list", "mjsunit"][..], 0),
        (&["--missing=skip"], 0),
        (&["mjsunit/a", "mjsunit/nothing"], 2),
        (&["nothing"], 2),
        (&["history", "slowest", "mjsunit"], 0),
    ] {
        let mut command = match args[0] {
            "history" => {
                let mut command = std::process::Command::new(support::RUNNER);
                command.arg(args[0]).arg("--root").arg(tree.root()).args(&args[1..]);
                command
            }
            _ => tree.command(args),
        };
        let ran = Ran(command.env("FLOTILLA_LOG", "trace").stderr(full()).output().unwrap());
        assert_eq!(ran.code(), Some(code), "{args:?}: {}", ran.all());
    }
}

#[test]
fn a_suite_of_the_default_group_that_is_not_known_makes_exit_code_1() {
    let tree = checkout();
    tree.file("tools/testrunner/base_runner.py", "TEST_MAP = {'default': ['brand-new', 'mjsunit']}\n");
    tree.file("test/brand-new/brand-new.status", "[]");
    ends(&tree.run(&[]), 1, &["nothing is known of brand-new", "exit code 1"]);
    assert_eq!(ran_tests(&tree), ["a", "b"]);
    ends(&tree.run(&["--missing=skip"]), 0, &["brand-new"]);
}

#[test]
fn the_history_takes_paths_and_says_what_it_does_not_know() {
    let tree = checkout();
    ends(&tree.run(&["mjsunit"]), 0, &[]);
    let history = |test: &str| {
        let mut command = std::process::Command::new(support::RUNNER);
        command.args(["history", "slowest", "--root"]).arg(tree.root()).arg(test);
        Ran(command.current_dir(tree.root()).output().unwrap())
    };
    let absolute = tree.root().join("test/mjsunit/a.js");
    for test in
        ["test/mjsunit/a.js", "./test/mjsunit/a.js", absolute.to_str().unwrap(), "mjsunit/a", "mjsunit/a*"]
    {
        let told = history(test);
        ends(&told, 0, &["mjsunit/a"]);
        assert!(!told.stdout().contains("mjsunit/sub/b"), "{test}: {}", told.all());
    }
    for test in ["mjsunit", "test/mjsunit/", "default", "test/mjsunit/sub"] {
        ends(&history(test), 0, &["mjsunit/sub/b"]);
    }
    ends(&history("mjsunit/gone"), 2, &["no earlier run of a test is known that is meant by mjsunit/gone"]);
    ends(&history("mjsunitt"), 2, &["meant by mjsunitt"]);
    fs::remove_file(tree.path("test/mjsunit/a.js")).unwrap();
    ends(&history("test/mjsunit/a.js"), 0, &["mjsunit/a"]);
}

#[test]
fn a_test_that_failed_the_last_time_and_is_gone_is_named() {
    let tree = checkout();
    tree.test("failing", "exit 1");
    tree.test("gone", "exit 1");
    ends(&tree.run(&["mjsunit"]), 1, &["mjsunit/failing", "mjsunit/gone"]);
    fs::remove_file(tree.path("test/mjsunit/gone.js")).unwrap();
    ends(
        &tree.run(&["--rerun-failed"]),
        1,
        &["warning: mjsunit/gone failed the last time and is not among the tests now"],
    );
}

#[test]
fn a_predictable_build_says_why_suites_of_ones_own_do_not_run() {
    let tree = checkout();
    let config = fs::read_to_string(tree.path("out/x64.release/v8_build_config.json")).unwrap();
    let predictable = config.replace("\"verify_predictable\": false", "\"verify_predictable\": true");
    tree.file("out/x64.release/v8_build_config.json", predictable);
    tree.file("test/mine/suite.toml", "kind = 'files'\nfiles = '*.js'\ncommand = ['{shell}', '{file}']\n");
    tree.file("test/mine/a.js", "");
    ends(&tree.run(&["mine"]), 2, &["left out: 1 test: a predictable build"]);
}
