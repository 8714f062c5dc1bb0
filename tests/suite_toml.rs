//! Suites of one's own through the real binary: the worked examples in `conf/suites`, and all that can be wrong with one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use support::{Fixture, Ran};

/// A tree with what `conf/suites` holds, below `test`.
fn examples() -> Fixture {
    let fixture = Fixture::new();
    fixture.copy("conf/suites", "test");
    fixture
}

/// A tree with the suite `own`, whose `suite.toml` is this.
fn own(toml: &str) -> Fixture {
    let fixture = Fixture::new();
    fixture.file("test/own/suite.toml", toml);
    fixture
}

fn script(fixture: &Fixture, path: &str, text: &str) {
    fixture.file(path, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(fixture.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

fn listed(ran: &Ran) -> Vec<Value> {
    ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn says(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code(), Some(code), "{}", ran.all());
    for part in parts {
        assert!(ran.all().contains(part), "{part:?} is not in {}", ran.all());
    }
}

#[test]
fn files_are_run_by_the_built_in_shell_and_compared() {
    let tree = examples();
    let ran = tree.run(&["files", "--shell=builtin"]);
    says(&ran, 0, &["3 tests ran", "all as expected"]);
    let lines = listed(&tree.run(&["files", "--shell=builtin", "--list-format=json"]));
    let names: Vec<_> = lines.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["greet", "known-bug", "errors/status"], "lib is left out");
    assert_eq!(
        lines[0]["argv"],
        serde_json::json!(["runner", "shell", "test/files/lib/greeting.js", "test/files/greet.js"])
    );
    // Each part of the judge can fail.
    tree.file("test/files/greet.out", "hello, you\n");
    tree.file("test/files/known-bug.js", "print(0.3);\n");
    tree.file("test/files/errors/status.js", "print('before');\n// Exit-Code: 4\nquit(3);\n");
    says(
        &tree.run(&["files", "--shell=builtin"]),
        1,
        &[
            "line 1 of stdout is \"hello, world\", expected \"hello, you\"",
            "known-bug (default): expected FAIL, got PASS",
            "Reason: it is here to show how a known bug is written down",
            "ended with exit code 3, expected exit code 4",
        ],
    );
    fs::remove_file(tree.path("test/files/greet.out")).unwrap();
    says(&tree.run(&["files/greet", "--shell=builtin"]), 1, &["cannot read the expected output"]);
}

#[test]
fn a_gtest_binary_is_asked_for_its_tests() {
    let tree = examples();
    says(&tree.run(&["gtest"]), 0, &["4 tests ran", "all as expected"]);
    let lines = listed(&tree.run(&["gtest", "--list-format=json", "--random-seed=7"]));
    let disabled = lines.iter().find(|line| line["name"] == "Printer.DISABLED_Colours").unwrap();
    assert_eq!(disabled["skipped"]["rule"], "Printer.DISABLED_Colours");
    let deep = lines.iter().find(|line| line["name"] == "Levels/Scan.Deep/1").unwrap();
    assert_eq!(
        deep["argv"],
        serde_json::json!([
            "test/gtest/units",
            "--gtest_filter=Levels/Scan.Deep/1",
            "--gtest_random_seed=7",
            "--gtest_print_time=0"
        ])
    );
    assert_eq!((deep["timeout"].as_f64(), &deep["env"]["UNITS_LEVEL"]), (Some(120.0), &"3".into()));
    // It is run when asked for, and told to run it.
    says(
        &tree.run(&["gtest", "--run-skipped"]),
        1,
        &["5 tests ran", "Printer.DISABLED_Colours (default): expected PASS"],
    );
}

#[test]
fn a_command_names_tests_and_patterns_judge_them() {
    let tree = examples();
    says(&tree.run(&["list"]), 0, &["3 tests ran", "all as expected"]);
    assert_eq!(tree.run(&["list", "--list"]).stdout().lines().count(), 3);
    script(
        &tree,
        "test/list/cases",
        "case $1 in --list) echo a; echo b; echo c;; *) case $2 in a) echo 'ok - a';; b) echo 'ok - b'; echo 'Warning: x';; c) echo ok >&2;; esac;; esac",
    );
    says(
        &tree.run(&["list"]),
        1,
        &[
            "2 unexpected",
            "list/b (default): expected PASS, got FAIL: stdout says \"Warning:\", which \"(?i)warning:\" forbids",
            "list/c (default): expected PASS, got FAIL: stdout does not match",
        ],
    );
}

#[test]
fn own_suites_are_selected_listed_divided_and_shown_like_all_others() {
    let tree = examples();
    tree.test("a", "exit 0");
    // A tree without groups runs them all.
    assert_eq!(tree.run(&["--list"]).stdout().lines().count(), 1 + 3 + 4 + 3);
    assert_eq!(tree.run(&["--list", "list/arithmetic/*"]).stdout().lines().count(), 2);
    says(&tree.run(&["list/aritmetic/add"]), 2, &["did you mean 'list/arithmetic/add'?"]);
    let part = |run: &str| tree.run(&["--list", "--shard-count=2", run, "list", "files", "gtest"]).stdout();
    let (one, other) = (part("--shard-run=1"), part("--shard-run=2"));
    assert_eq!(one.lines().count() + other.lines().count(), 10, "{one}\n{other}");
    let cat = tree.run(&["--cat", "files/greet"]).stdout();
    assert!(cat.contains("print(greeting(\"world\"));"), "{cat}");
    let junit = tree.path("junit.xml");
    says(&tree.run(&["list", "--junitout", junit.to_str().unwrap()]), 0, &[]);
    assert!(fs::read_to_string(junit).unwrap().contains("list/strings/join"));
}

#[test]
fn a_tree_of_nothing_but_own_suites_is_found_from_within() {
    let dir = tempfile::tempdir().unwrap();
    support::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/suites"), &dir.path().join("test"));
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(support::RUNNER);
        command.args(args).args(["--no-config", "--no-history", "--no-network"]);
        Ran(command.current_dir(dir.path().join("test/files")).output().unwrap())
    };
    says(&run(&[]), 0, &["10 tests ran", "all as expected"]);
    says(&run(&["nothing"]), 2, &["unknown suite 'nothing'", "suites here: files gtest list"]);
}

#[test]
fn a_directory_of_suites_may_have_any_name() {
    let dir = tempfile::tempdir().unwrap();
    support::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/suites"), &dir.path().join("checks"));
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(support::RUNNER);
        command.args(args).args(["--no-config", "--no-history", "--no-network"]);
        Ran(command.current_dir(dir.path()).output().unwrap())
    };
    says(&run(&["--test-root=checks"]), 0, &["10 tests ran", "all as expected"]);
    says(&run(&[]), 2, &["looks like a test tree (test/SUITE/SUITE.status or suite.toml)"]);
}

#[test]
fn words_before_commands_list_binaries_but_not_what_knows_names() {
    let tree = examples();
    script(&tree, "wrap", "echo \"$*\" >> wrapped; exec \"$@\"");
    let wrap = format!("--command-prefix={}", tree.path("wrap").display());
    says(&tree.run(&[&wrap, "gtest", "list", "--list"]), 0, &[]);
    let wrapped = fs::read_to_string(tree.path("wrapped")).unwrap();
    assert_eq!(wrapped.lines().count(), 1, "{wrapped}");
    assert!(wrapped.trim_end().ends_with("test/gtest/units --gtest_list_tests"), "{wrapped}");
}

#[test]
fn tests_may_be_programs_and_programs_may_be_anywhere() {
    let tree = own(
        "kind = 'files'\nfiles = '*.sh'\ncommand = '{file} --name={name} {flags}'\n[judge]\nstdout = '^a --name=a --x$'\n",
    );
    script(&tree, "test/own/a.sh", "echo a \"$@\"");
    says(&tree.run(&["own", "--extra-flags=--x"]), 0, &["with programs of their own", "1 test ran"]);
    // From PATH, from the build, and an engine that another program runs.
    for command in
        ["['sh', '{file}']", "'{build}/run {file}'", "['sh', '-c', '\"$0\" \"$1\"', '{shell}', '{file}']"]
    {
        let tree = own(&format!("kind = 'files'\nfiles = '*.js'\ncommand = {command}\n"));
        script(&tree, "out/run", "exec /bin/sh \"$1\"");
        tree.file("test/own/good.js", "exit 0\n");
        tree.file("test/own/bad.js", "exit 1\n");
        says(&tree.run(&["own"]), 1, &["2 tests ran", "1 unexpected", "own/bad (default)"]);
    }
    let tree = own("kind = 'files'\nfiles = '*.js'\ncommand = 'no-such-program {file}'\n");
    tree.file("test/own/a.js", "");
    says(&tree.run(&["own"]), 5, &["the shell no-such-program is not found in PATH; needed by own"]);
}

#[test]
fn tests_run_in_variants_only_if_the_suite_says_so() {
    let with = |variants: bool| {
        let tree = own(&format!("kind = 'files'\nfiles = '*.js'\nvariants = {variants}\n"));
        tree.file("test/own/a.js", "");
        tree.run(&["own", "--list", "--variants=stress,default"]).stdout()
    };
    assert_eq!(with(false), "own/a default\n");
    assert_eq!(with(true), "own/a stress\nown/a default\n");
}

#[test]
fn status_files_and_tables_say_what_is_expected() {
    let tree = own("kind = 'files'\nfiles = '*.js'\n[[expect]]\ntests = ['b', 'c']\noutcomes = 'SKIP'\n\
         [[expect]]\ntests = 'd'\nwhen = 'arch == arm'\noutcomes = 'SKIP'\n[[expect]]\ntests = 'no'\n");
    for (name, code) in [("a", 1), ("b", 1), ("c", 1), ("d", 0)] {
        tree.file(&format!("test/own/{name}.js"), format!("exit {code}\n"));
    }
    tree.file("test/own/own.status", "[[ALWAYS, {'a': [FAIL], 'e': [SKIP]}]]");
    tree.file("test/own/own.expect.toml", "[[expect]]\ntests = 'c'\noutcomes = 'FAIL'\nreason = 'known'\n");
    let ran = tree.run(&["own", "--warn-unused"]);
    says(
        &ran,
        0,
        &[
            "3 tests ran",
            "Unused rule: test/own/own.status:1: 'e' (ALWAYS) matches no test",
            "Unused rule: test/own/suite.toml:11: 'no' matches no test",
        ],
    );
    assert!(!ran.all().contains("'b'"), "{}", ran.all());
}

#[test]
fn test262s_frontmatter_says_which_error_must_end_a_test() {
    let tree = own("kind = 'files'\nfiles = '*.js'\n[judge]\ntest262 = true\n");
    let negative = "/*---\nnegative:\n  phase: parse\n  type: SyntaxError\n---*/\n";
    tree.file("test/own/syntax.js", format!("{negative}var 1;\n"));
    tree.file("test/own/wrong.js", format!("{negative}throw new TypeError('SyntaxErrors');\n"));
    tree.file("test/own/none.js", negative);
    tree.file("test/own/plain.js", "print(1);\n");
    says(
        &tree.run(&["own", "--shell=builtin"]),
        1,
        &[
            "4 tests ran",
            "2 unexpected",
            "own/wrong (default): expected PASS, got FAIL: the output names no SyntaxError",
            "own/none",
        ],
    );
}

#[test]
fn what_is_wrong_with_a_suite_toml_is_told_with_its_place() {
    for (toml, parts) in [
        (
            "kind = 'fils'\n",
            &["test/own/suite.toml:1:8: unknown variant `fils`, expected one of `files`, `gtest`, `list`"][..],
        ),
        (
            "kind = 'files'\nfiels = '*'\n",
            &["test/own/suite.toml:2:1: unknown field `fiels`, expected one of `kind`, `files`"],
        ),
        (
            "kind = 'files'\nfiles = '*'\n[judge]\nregex = 'x'\n",
            &["suite.toml:4:1: unknown field `regex`, expected one of `exit-code`, `expected`"],
        ),
        ("kind = 'files'\n", &["needs the key `files`"]),
        ("kind = 'gtest'\n", &["needs the key `program`"]),
        ("kind = 'list'\nlist = 'x'\n", &["needs the key `command`"]),
        (
            "kind = 'gtest'\nprogram = 'x'\nfiles = '*'\n",
            &["suite.toml:3:9: the key `files` is for suites of the kind files"],
        ),
        (
            "kind = 'files'\nfiles = '*'\ncommand = ['{shell}', '-x', '{fiel}']\n",
            &[
                "suite.toml:3:30: {fiel} is no placeholder; did you mean 'file'? (placeholders: {shell} {file}",
            ],
        ),
        (
            "kind = 'files'\nfiles = '*'\ncommand = \"{shell} -I{dir} {seeds}\"\n",
            &["suite.toml:3:28: {seeds} is no placeholder; did you mean 'seed'?"],
        ),
        ("kind = 'files'\nfiles = '*'\ncommand = 'x'\n", &["suite.toml:3:11: without {file} in its command"]),
        (
            "kind = 'files'\nfiles = '*'\ncommand = \"x 'y\"\n",
            &["suite.toml:3:11: a quotation mark is not closed"],
        ),
        ("kind = 'files'\nfiles = '{a'\n", &["suite.toml:2:9: "]),
        (
            "kind = 'files'\nfiles = '*'\ninputs = ['../x']\n",
            &["suite.toml:3:11: inputs are paths relative to the tree's root"],
        ),
        (
            "kind = 'files'\nfiles = '*'\ntimeout-factor = 0.0\n",
            &["suite.toml:3:18: the factor must be more than 0"],
        ),
        (
            "kind = 'files'\nfiles = '*'\n[judge]\nstdout = '('\n",
            &["suite.toml:4:10: no regular expression: unclosed group"],
        ),
        (
            "kind = 'files'\nfiles = '*'\n[judge]\nexit-code = 300\n",
            &["suite.toml:4:13: invalid value: integer `300`, expected an exit code from 0 to 255"],
        ),
        (
            "kind = 'files'\nfiles = '*'\n[[expect]]\ntests = 'a'\noutcomes = 'FIAL'\n",
            &["suite.toml:5:12: unknown outcome 'FIAL'; did you mean 'FAIL'?"],
        ),
        ("kind = 'files'\nfiles = '*.none'\n", &["test/own/suite.toml: none of the files in", "is a test"]),
        ("kind = 'files'\nfiles = '*'\ndir = 'no'\n", &["test/own/suite.toml: there is no directory"]),
        (
            "kind = 'files'\nfiles = '**/*'\n",
            &["a.js and a.mjs would both be the test 'a': exclude one of them, or set keep-extensions"],
        ),
        ("kind = \n", &["suite.toml:1:8: "]),
    ] {
        let tree = own(toml);
        tree.file("test/own/a.js", "");
        tree.file("test/own/a.mjs", "");
        says(&tree.run(&["own"]), 5, parts);
    }
}

#[test]
fn a_list_that_fails_or_says_nothing_is_no_smaller_run() {
    let list = |text: &str| {
        let tree = own("kind = 'list'\nlist = '{suite}/cases --all'\ncommand = 'sh {name}'\n");
        script(&tree, "test/own/cases", text);
        tree.run(&["own"])
    };
    let begin = "cannot list the tests of the suite 'own' with '";
    says(
        &list("echo some; echo why >&2; exit 3"),
        5,
        &[begin, "cases --all': it ended with exit code 3\n    stdout: some\n    stderr: why"],
    );
    says(
        &list("echo; echo no cases here >&2"),
        5,
        &[begin, "cases --all': it names none\n    stderr: no cases here"],
    );
    says(&list("echo a; echo a"), 5, &["test/own/suite.toml: the test 'a' is listed twice"]);
    let long = list("yes | head -c 100000; exit 1");
    assert!(long.stderr().len() < 30_000, "the output is shown in part");
    let tree = own("kind = 'gtest'\nprogram = '{suite}/units'\n");
    script(&tree, "test/own/units", "echo 'A.'; echo oops >&2; kill -SEGV $$");
    says(
        &tree.run(&["own"]),
        5,
        &["units --gtest_list_tests': it was ended by signal 11\n    stdout: A.\n    stderr: oops"],
    );
    let tree = own("kind = 'gtest'\nprogram = '{suite}/none'\n");
    says(&tree.run(&["own"]), 5, &["No such file"]);
}

#[test]
fn sharding_variables_do_not_reach_the_listing() {
    let tree = own("kind = 'gtest'\nprogram = '{suite}/units'\n");
    script(
        &tree,
        "test/own/units",
        "[ -z \"$GTEST_TOTAL_SHARDS$GTEST_SHARD_INDEX\" ] || exit 9\n[ \"$1\" = --gtest_list_tests ] && printf 'A.\\n  a\\n'\nexit 0",
    );
    let mut command = tree.command(&["own"]);
    command.env("GTEST_TOTAL_SHARDS", "1").env("GTEST_SHARD_INDEX", "0");
    says(&Ran(command.output().unwrap()), 0, &["1 test ran"]);
}

#[test]
fn what_needs_a_build_or_an_engine_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("test/own/suite.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let run = |toml: &str, args: &[&str]| {
        fs::write(&file, toml).unwrap();
        fs::write(dir.path().join("test/own/a.js"), "").unwrap();
        let mut command = std::process::Command::new(support::RUNNER);
        command.arg("--root").arg(dir.path()).args(args).args([
            "--no-config",
            "--no-history",
            "--no-network",
        ]);
        Ran(command.output().unwrap())
    };
    let build = "kind = 'gtest'\nprogram = '{build}/units'\n";
    says(&run(build, &["own"]), 5, &["own/suite.toml: {build} stands for nothing: there is no build"]);
    says(
        &run(build, &[]),
        2,
        &[
            "no suite is selected\n    left out, since there is no build with their shell: own\n    suites here: own",
        ],
    );
    let engine = "kind = 'files'\nfiles = '*.js'\ncommand = 'sh {shell} {file}'\n";
    says(&run(engine, &["own"]), 5, &["{shell} stands for nothing: the built-in shell is no file"]);
}

#[test]
fn a_directory_without_any_description_names_the_remedy() {
    let tree = Fixture::new();
    tree.file("test/odd/testcfg.py", "");
    says(
        &tree.run(&["odd"]),
        2,
        &["nothing is known of a suite 'odd': a suite.toml in its directory says how its tests are run"],
    );
}
