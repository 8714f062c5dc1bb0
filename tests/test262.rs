//! test262 by itself through the real command: verdicts, selection, hosts, files kept and files left behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use flotilla_messages::for_tests::skipped;
use support::test262::{LEFT_OUT, checkout, verdicts};
use support::{Fixture, Ran, json, until};

/// Each half's verdict of a run, by name.
fn outcomes(tree: &Fixture, args: &[&str]) -> (Ran, BTreeMap<String, bool>) {
    let mut all = vec!["-p", "verbose", "--no-history", "--exit-after-n-failures=0"];
    all.extend_from_slice(args);
    let ran = tree.run(&all);
    let out = ran.stdout();
    // `test262/NAME default strict: pass`
    let lines =
        out.lines().filter(|line| line.starts_with("test262/")).filter_map(|line| line.rsplit_once(": "));
    let found = lines.map(|(name, verdict)| (name.to_owned(), verdict == "pass")).collect();
    (ran, found)
}

fn fake_shell(tree: &Fixture) -> PathBuf {
    let shell = tree.path("fake");
    // It runs nothing: what a test's file says decides.
    fs::write(&shell, "#!/bin/sh\n[ \"$1\" = --run ] || exit 0\ngrep -q sameValue.1,.2 \"$2\" && { echo 'Oops TypeError: no' >&2; exit 3; }\nexit 0\n").unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    tree.file(
        "fake.toml",
        "prelude = \"fake.js\"\ncan-block = true\nerror = '(?m)^Oops (?P<type>\\w+)'\n\
         [script]\nargs = [\"--run\", \"%{compiled}\"]\nfile = \"%{strict}%{prelude}%{harness}%{test}\"\n",
    );
    tree.file("fake.js", "// the prelude\n");
    shell
}

#[test]
fn every_kind_of_test_has_its_verdict_on_the_built_in_shell() {
    let tree = checkout();
    let (ran, found) = outcomes(&tree, &[]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    for (name, passes) in verdicts() {
        let halves: Vec<_> =
            found.iter().filter(|(half, _)| half.starts_with(&format!("test262/{name} "))).collect();
        assert!(!halves.is_empty(), "{name} did not run: {}", ran.all());
        assert!(halves.iter().all(|(_, passed)| **passed == passes), "{name}: {halves:?}\n{}", ran.all());
    }
    let halves = |name: &str| {
        let prefix = format!("test262/{name} ");
        found.keys().filter_map(|half| half.strip_prefix(&prefix)).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(halves("built-ins/Array/pass"), ["default", "default strict"]);
    assert_eq!(halves("built-ins/Array/raw"), ["default"]);
    assert_eq!(halves("built-ins/Array/only-strict"), ["default strict"]);
    assert_eq!(halves("language/module/imports"), ["default module"]);
    let out = ran.stdout();
    for part in [
        "test/built-ins/Array/not-yaml.js:3: the frontmatter: ",
        "it never printed \"Test262:AsyncTestComplete\"",
        "Test262:AsyncTestFailure:Error: on purpose",
        "uncaught TypeError: ",
        "uncaught Test262Error: 1 is not 2",
        "cannot put the test together: cannot read ",
        "although a SyntaxError must come (phase parse)",
    ] {
        assert!(out.contains(part), "{part:?} is not in {}", ran.all());
    }
    for _ in LEFT_OUT {
        assert!(ran.stderr().contains("left out: 1 test: "), "{}", ran.stderr());
    }
}

#[test]
fn node_runs_scripts_and_modules_as_the_built_in_shell_does() {
    let Ok(node) = which::which("node") else {
        skipped("node");
        return;
    };
    let tree = checkout();
    let tests = [
        "language/module",
        "language/import",
        "language/parse",
        "language/runtime",
        "language/directive",
        "built-ins/Array/realm",
    ];
    let (ran, found) = outcomes(&tree, &[&["--shell", node.to_str().unwrap()], &tests[..]].concat());
    let mut compared = 0;
    for (name, passes) in verdicts().filter(|(name, _)| tests.iter().any(|test| name.starts_with(test))) {
        for (half, passed) in found.iter().filter(|(half, _)| half.starts_with(&format!("test262/{name} "))) {
            assert_eq!(*passed, passes, "{half}\n{}", ran.all());
            compared += 1;
        }
    }
    assert_eq!(compared, 3 + 2 + 2 * 4, "{}", ran.all());
}

#[test]
fn a_run_is_summed_up_by_area_and_edition() {
    let tree = checkout();
    tree.file(
        "features.txt",
        "## Proposed language features\n# why\ncross-realm\n\n## Standard language features\nclass\ndynamic-import\n",
    );
    let (markdown, file) = (tree.path("summary.md"), tree.path("summary.json"));
    let ran = tree.run(&["--conformance", markdown.to_str().unwrap()]);
    // A test that passes in one half only does not pass; one whose frontmatter cannot be read counts.
    for row in [
        "| built-ins |      8 |     13 |  61.5 % |",
        "| language  |      7 |      9 |  77.7 % |",
        "| all       |     15 |     22 |  68.1 % |",
        "| ES2020    |      1 |      1 | 100.0 % |",
        "| proposals |      1 |      1 | 100.0 % |",
    ] {
        assert!(ran.stdout().contains(row), "{row} is not in {}", ran.all());
    }
    let written = fs::read_to_string(markdown).unwrap();
    assert!(written.contains("| language/module |      3 |      3 | 100.0 % |"), "{written}");
    tree.run(&["--conformance", file.to_str().unwrap(), "built-ins"]);
    let summary = json(&file);
    assert_eq!(summary["areas"]["built-ins/Array"]["passed"], 8);
    assert_eq!(summary["total"]["tests"], 13);
}

#[test]
fn nothing_is_left_behind() {
    let tree = checkout();
    let tmp = tree.path("tmp");
    fs::create_dir(&tmp).unwrap();
    let output = tree.command(&["--no-history", "language"]).env("TMPDIR", &tmp).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

/// The reaper removes what a killed runner cannot.
#[test]
fn nothing_is_left_behind_by_a_runner_that_was_killed() {
    let tree = checkout();
    let (tmp, shell) = (tree.path("tmp"), tree.path("qjs"));
    fs::create_dir(&tmp).unwrap();
    fs::write(&shell, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let args = ["--no-history", "--shell", shell.to_str().unwrap(), "built-ins/Array/pass"];
    let mut runner = tree.command(&args).env("TMPDIR", &tmp).stdout(Stdio::null()).spawn().unwrap();
    let files = || fs::read_dir(&tmp).unwrap().count();
    until("a file is put together", || files() > 0);
    runner.kill().unwrap();
    runner.wait().unwrap();
    until("it is gone", || files() == 0 && tree.processes().is_empty());
}

#[test]
fn a_place_that_cannot_be_written_is_each_tests_failure() {
    let tree = checkout();
    let tmp = tree.path("tmp");
    fs::write(&tmp, "a file").unwrap();
    let output =
        tree.command(&["--no-history", "built-ins/Array/pass"]).env("TMPDIR", &tmp).output().unwrap();
    let ran = Ran(output);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert!(ran.stdout().contains("cannot put the test together: cannot write "), "{}", ran.all());
    assert!(ran.stdout().contains("2 tests ran"), "{}", ran.all());
}

#[test]
fn tests_are_chosen_by_path_and_by_feature() {
    let tree = checkout();
    let count = |args: &[&str]| {
        let ran = tree.run(&[&["--list"], args].concat());
        assert_eq!(ran.code(), Some(0), "{}", ran.all());
        ran.stdout().lines().count()
    };
    let all = count(&[]);
    assert_eq!(count(&["test"]), all);
    assert_eq!(count(&["test/language", "built-ins"]), all);
    assert_eq!(count(&["test262/built-ins/Array/*"]), count(&["test/built-ins/Array/"]));
    assert_eq!(count(&["test/built-ins/Array/pass.js"]), 2);
    // What cannot be read is nobody's to leave out: it fails.
    assert_eq!(count(&["--features=class"]), 2 + 1);
    assert_eq!(count(&["--features=+class,-class"]), 1);
    assert_eq!(count(&["--features", "-class"]), all - 2);
    let unknown = tree.run(&["--features=+klass"]);
    assert_eq!(unknown.code(), Some(2), "{}", unknown.all());
    assert!(unknown.stderr().contains("did you mean 'class'?"), "{}", unknown.stderr());
    let nothing = tree.run(&["test/built-ins/Aray"]);
    assert_eq!(nothing.code(), Some(2), "{}", nothing.all());
    assert!(nothing.stderr().contains("no test matches 'test/built-ins/Aray'"), "{}", nothing.stderr());
}

#[test]
fn listings_say_what_is_left_out_and_why() {
    let tree = checkout();
    let ran = tree.run(&["--list-format=json", "language"]);
    let lines: Vec<serde_json::Value> =
        ran.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert!(of("language/agent")["skipped"]["rule"].as_str().unwrap().contains("no agents"));
    assert_eq!(of("language/module/imports")["skipped"], false);
    let argv = of("language/module/imports")["argv"].as_array().unwrap();
    let words: Vec<&str> = argv.iter().filter_map(|word| word.as_str()).collect();
    assert_eq!(
        words,
        ["runner", "shell", "--test262", "%{compiled}", "--module", "test/language/module/imports.js"]
    );
    assert_eq!(of("language/runtime")["timeout"], 10.0);
}

#[test]
fn a_status_file_in_the_root_says_what_is_expected() {
    let tree = checkout();
    tree.file(
        "test262.status",
        "[[ALWAYS, {'built-ins/Array/fail': [FAIL], 'built-ins/Array/no-such': [FAIL]}]]",
    );
    let ran = tree.run(&["--no-history", "--warn-unused", "built-ins/Array/fail", "built-ins/Array/pass"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.all().contains("'built-ins/Array/no-such' (ALWAYS) matches no test"), "{}", ran.all());
}

#[test]
fn a_checkout_without_its_harness_is_refused() {
    let tree = checkout();
    fs::remove_dir_all(tree.path("harness")).unwrap();
    let ran = tree.run(&["--list"]);
    assert_eq!(ran.code(), Some(5), "{}", ran.all());
    assert!(ran.stderr().contains("looks like test262, but has no harness/assert.js"), "{}", ran.stderr());
}

#[test]
fn an_unknown_shell_needs_its_kind() {
    let tree = checkout();
    let shell = fake_shell(&tree);
    let shell = shell.to_str().unwrap();
    let ran = tree.run(&["--shell", shell]);
    assert_eq!(ran.code(), Some(2), "{}", ran.all());
    assert!(ran.stderr().contains("what kind of shell fake is: say so with --host"), "{}", ran.stderr());
    assert!(ran.stderr().contains("boa builtin d8 hermes jsc node qjs sm"), "{}", ran.stderr());
    let odd = tree.run(&["--shell", shell, "--host", "nodejs"]);
    assert_eq!(odd.code(), Some(2));
    assert!(odd.stderr().contains("there is no host 'nodejs'"), "{}", odd.stderr());
    tree.file("broken.toml", "can-block = 3\n");
    let broken = tree.path("broken.toml");
    let broken = tree.run(&["--shell", shell, "--host", broken.to_str().unwrap()]);
    assert_eq!(broken.code(), Some(2));
    assert!(
        broken.stderr().contains("broken.toml: ") && broken.stderr().contains("line 1"),
        "{}",
        broken.stderr()
    );
    fs::set_permissions(shell, fs::Permissions::from_mode(0o644)).unwrap();
    let unusable = tree.run(&["--shell", shell, "--host", "d8"]);
    assert_eq!(unusable.code(), Some(5), "{}", unusable.all());
    assert!(unusable.stderr().contains("is not executable"), "{}", unusable.stderr());
}

#[test]
fn a_host_file_is_all_that_another_shell_takes() {
    let tree = checkout();
    let shell = fake_shell(&tree);
    let (host, kept) = (tree.path("fake.toml"), tree.path("kept"));
    let args = [
        "--shell",
        shell.to_str().unwrap(),
        "--host",
        host.to_str().unwrap(),
        "--keep-compiled",
        kept.to_str().unwrap(),
        "built-ins/Array/pass",
        "built-ins/Array/fail",
        "language/module/imports",
    ];
    let (ran, found) = outcomes(&tree, &args);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    assert_eq!(found.values().filter(|passed| **passed).count(), 2, "{}", ran.all());
    assert!(ran.stdout().contains("uncaught TypeError: no (ended with exit code 3)"), "{}", ran.all());
    assert!(ran.stderr().contains("left out: 1 test: the host runs no modules"), "{}", ran.stderr());
    let file = fs::read_to_string(kept.join("built-ins/Array/pass.strict.js")).unwrap();
    assert!(file.starts_with("\"use strict\";\n// the prelude\nfunction assert("), "{file}");
    assert!(file.ends_with("assert.sameValue(1, 1);\n"), "{file}");
    let sloppy = fs::read_to_string(kept.join("built-ins/Array/pass.default.js")).unwrap();
    assert_eq!(file.strip_prefix("\"use strict\";\n"), Some(sloppy.as_str()));
}

/// A failure's command is one that fails in the same way.
#[test]
fn what_failed_can_be_run_again() {
    let tree = checkout();
    let commands = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("Command: ")).map(String::from).collect()
    };
    let again = |command: &str| {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command);
        for (variable, dir) in [("FLOTILLA_HOME", "home"), ("XDG_CACHE_HOME", "cache"), ("TMPDIR", "tmp")] {
            fs::create_dir_all(tree.path(dir)).unwrap();
            shell.env(variable, tree.path(dir));
        }
        Ran(shell.output().unwrap())
    };
    let ran = tree.run(&["--no-history", "built-ins/Array/fail"]);
    let shown = commands(&ran.stdout());
    assert_eq!(shown.len(), 2, "{}", ran.all());
    let rerun = again(&shown[0]);
    assert_eq!(rerun.code(), Some(1), "{}", rerun.all());
    // It has kept the files; the command of the failure that it shows is the shell's own.
    let direct = commands(&rerun.stdout());
    assert!(direct[0].contains("/built-ins/Array/fail."), "{direct:?}");
    let direct = again(&direct[0]);
    assert_eq!(direct.code(), Some(1), "{}", direct.all());
    assert!(direct.stdout().contains("Test262:Uncaught:Test262Error: 1 is not 2"), "{}", direct.all());
}

#[test]
fn what_a_kept_test_imports_lies_beside_it() {
    let tree = checkout();
    let kept = tree.path("kept");
    let ran = tree.run(&["--no-history", "--keep-compiled", kept.to_str().unwrap(), "language/import", "-v"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    let shown = ran.stdout();
    let command = shown.lines().find_map(|line| line.strip_prefix("# ")).unwrap();
    let output = Command::new("/bin/sh").arg("-c").arg(command).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Test262:AsyncTestComplete\n");
}

#[test]
fn reports_name_halves() {
    let tree = checkout();
    let report = tree.path("report.json");
    tree.run(&["--no-history", "--json-test-results", report.to_str().unwrap(), "built-ins/Array/fail"]);
    let report = json(&report);
    let text = report.to_string();
    assert!(text.contains("test262/built-ins/Array/fail"), "{text}");
}
