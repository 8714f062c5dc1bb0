//! What a run learns from those before it, through the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::PathBuf;

use flotilla_messages::for_tests::skipped;
use support::{Fixture, Ran, json};

/// Tests of these durations, in the order in which they are listed.
fn tree() -> Fixture {
    Fixture::with(&[("a", "exit 0"), ("b", "sleep 0.4"), ("c", "sleep 0.2"), ("d", "exit 0")])
}

fn file(tree: &Fixture) -> PathBuf {
    tree.path("out/.flotilla/history.sqlite")
}

fn run(tree: &Fixture, args: &[&str]) -> Ran {
    let ran = tree.run(&[&["-j1", "--variants=default", "--no-network"], args].concat());
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    ran
}

/// Tests in the order in which they were placed.
fn placed(ran: &Ran) -> Vec<String> {
    let lines = ran.stdout();
    let name = |line: &str| Some(line.strip_prefix("placed: mjsunit/")?.split(' ').next()?.to_owned());
    lines.lines().filter_map(name).collect()
}

#[test]
fn the_longest_of_the_last_run_come_first() {
    let tree = tree();
    let first = run(&tree, &["--explain"]);
    assert_eq!(placed(&first), ["a", "b", "c", "d"], "{}", first.all());
    assert!(first.stdout().contains("its length is not known"), "{}", first.all());
    assert_eq!(first.stderr(), "");
    assert!(file(&tree).exists());
    let second = run(&tree, &["--explain"]);
    assert_eq!(placed(&second)[..2], ["b", "c"], "{}", second.all());
    let line = "placed: mjsunit/b (default) on this machine: ";
    let said = second.stdout().lines().find(|said| said.starts_with(line)).unwrap().to_owned();
    assert!(said.contains("(about 0.4 s)") || said.contains("(about 0.5 s)"), "{said}");
    assert_eq!(second.stderr(), "");
    // Another configuration knows nothing of these.
    let other = run(&tree, &["--explain", "--extra-flags=--jitless"]);
    assert_eq!(placed(&other), ["a", "b", "c", "d"], "{}", other.all());
}

#[test]
fn nothing_is_read_or_kept_without_history_and_nothing_is_explained_unasked() {
    let tree = tree();
    let ran = run(&tree, &["--no-history"]);
    assert!(!tree.path("out/.flotilla").exists());
    assert!(!ran.stdout().contains("placed:"), "{}", ran.all());
    run(&tree, &[]);
    let ran = run(&tree, &["--no-history", "--explain"]);
    assert_eq!(placed(&ran), ["a", "b", "c", "d"], "{}", ran.all());
    // A list is no run.
    let fresh = self::tree();
    assert_eq!(fresh.run(&["--list"]).code(), Some(0));
    assert!(!fresh.path("out/.flotilla").exists());
}

#[test]
fn a_tree_without_a_build_is_left_as_it_is() {
    let tree = tree();
    fs::remove_file(tree.path("out/v8_build_config.json")).unwrap();
    let cache = tree.path("cache");
    let args = ["--shell=out/d8", "--no-network", "--variants=default", "mjsunit"];
    let ran =
        tree.command(&args).current_dir(tree.root()).env("XDG_CACHE_HOME", &cache).output().map(Ran).unwrap();
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(!tree.path("out/.flotilla").exists() && !tree.path(".flotilla").exists());
    let kept: Vec<_> = fs::read_dir(cache.join("flotilla/history")).unwrap().flatten().collect();
    assert!(kept.iter().any(|entry| entry.path().extension().is_some_and(|e| e == "sqlite")), "{kept:?}");
}

#[test]
fn a_damaged_history_is_set_aside_and_the_run_goes_on() {
    let tree = tree();
    tree.file("out/.flotilla/history.sqlite", "no database ".repeat(1000));
    let ran = run(&tree, &[]);
    assert_eq!(ran.stderr().lines().count(), 1, "{}", ran.all());
    assert!(ran.stderr().contains("history.sqlite.damaged-1"), "{}", ran.all());
    assert!(tree.path("out/.flotilla/history.sqlite.damaged-1").exists());
    let next = run(&tree, &["--explain"]);
    assert_eq!((placed(&next)[0].as_str(), next.stderr().as_str()), ("b", ""), "{}", next.all());
}

#[test]
fn a_history_that_cannot_be_written_costs_a_line() {
    let tree = tree();
    // Even root cannot make a directory of a file.
    tree.file("out/.flotilla", "");
    let ran = run(&tree, &[]);
    assert_eq!(ran.stderr().lines().count(), 1, "{}", ran.all());
    assert!(ran.stderr().contains("results are not kept in the history: cannot use "), "{}", ran.all());
}

/// lit #59265: concurrent runs corrupted .lit_test_times.txt.
#[test]
fn two_runners_at_once_on_one_tree_both_keep_what_they_saw() {
    let tree = tree();
    let start = || tree.start(&["-j2", "--variants=default", "--no-network"]);
    for _ in 0..2 {
        let both = [start(), start()];
        for child in both {
            let ran = Ran(child.wait_with_output().unwrap());
            assert_eq!((ran.code(), ran.stderr().as_str()), (Some(0), ""), "{}", ran.all());
        }
    }
    let next = run(&tree, &["--explain"]);
    assert_eq!(placed(&next)[..2], ["b", "c"], "{}", next.all());
    let names: Vec<_> =
        fs::read_dir(tree.path("out/.flotilla")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("damaged")), "{names:?}");
}

#[test]
fn reports_say_where_the_time_went_and_agree_with_the_exit_code() {
    let tree = tree();
    for (failing, code) in [(false, 0), (true, 1)] {
        if failing {
            tree.test("z", "sleep 0.1; exit 1");
        }
        let (results, junit) = (tree.path("r.json"), tree.path("r.xml"));
        let ran = tree.run(&[
            "-j1",
            "--variants=default",
            "--no-network",
            "--json-test-results",
            results.to_str().unwrap(),
            "--junitout",
            junit.to_str().unwrap(),
        ]);
        assert_eq!(ran.code(), Some(code), "{}", ran.all());
        let results = json(&results);
        // With one job, the last ones wait for those before.
        assert_eq!(results["results"].as_array().unwrap().len(), usize::from(failing));
        let slowest = results["slowest_tests"].as_array().unwrap();
        assert!(slowest.iter().all(|test| test["transfer"] == 0.0), "{slowest:#?}");
        let waited = slowest.iter().map(|test| test["queued"].as_f64().unwrap()).fold(0.0, f64::max);
        assert!((0.4..60.0).contains(&waited), "{slowest:#?}");
        let xml = fs::read_to_string(&junit).unwrap();
        let tests = 4 + usize::from(failing);
        for property in ["attempt", "queued", "transfer"] {
            assert_eq!(xml.matches(&format!("<property name=\"{property}\"")).count(), tests, "{xml}");
        }
        assert!(xml.contains(&format!("failures=\"{}\"", usize::from(failing))), "{xml}");
    }
}

/// Runs with this file system where the history belongs. Nothing without the right to mount one.
fn mounted(tree: &Fixture, options: &str) -> Option<Ran> {
    if !rustix::process::geteuid().is_root() {
        skipped("root, to mount a file system");
        return None;
    }
    if which::which("unshare").is_err() {
        skipped("unshare, to mount a file system");
        return None;
    }
    let place = tree.path("out/.flotilla");
    fs::create_dir_all(&place).unwrap();
    let runner = tree.command(&["-j2", "--variants=default", "--no-network"]);
    let mut command = std::process::Command::new("unshare");
    command
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o \"$1\" none \"$2\" || exit 99; shift 2; exec \"$@\"",
            "sh",
        ])
        .args([options.as_ref(), place.as_os_str(), runner.get_program()])
        .args(runner.get_args());
    let ran = command.output().map(Ran).unwrap();
    if ran.code() == Some(99) {
        skipped(&format!("a file system that can be mounted: {}", ran.stderr()));
        return None;
    }
    Some(ran)
}

#[test]
fn a_full_disk_costs_a_line() {
    let tree = tree();
    let Some(ran) = mounted(&tree, "size=16k") else { return };
    assert_eq!((ran.code(), ran.stderr().lines().count()), (Some(0), 1), "{}", ran.all());
    assert!(ran.stderr().contains("results are not kept in the history: "), "{}", ran.all());
}

#[test]
fn a_read_only_disk_costs_a_line() {
    let tree = tree();
    let Some(ran) = mounted(&tree, "ro") else { return };
    assert_eq!((ran.code(), ran.stderr().lines().count()), (Some(0), 1), "{}", ran.all());
    assert!(ran.stderr().contains("results are not kept in the history: "), "{}", ran.all());
}

/// What a run of such a tree is kept under.
const CONFIGURATION: &str =
    "x64.release with d8 pointer_compression pointer_compression_shared_cage webassembly";

/// `runner history` on this tree, with its own options first.
fn recall(tree: &Fixture, args: &[&str]) -> Ran {
    let root = tree.root();
    let all = [&["history"], args, &["--root", root.to_str().unwrap(), "--no-config"]].concat();
    Ran(std::process::Command::new(support::RUNNER).args(all).output().unwrap())
}

/// The names in the lines of a list.
fn told(ran: &Ran) -> Vec<String> {
    let name = |line: &str| {
        let at = line.find("mjsunit/")?;
        Some(line[at + "mjsunit/".len()..].split(' ').next()?.to_owned())
    };
    ran.stdout().lines().filter_map(name).collect()
}

#[test]
fn the_slowest_tests_are_told_in_order() {
    let tree = tree();
    let none = recall(&tree, &["slowest"]);
    assert_eq!(none.code(), Some(2), "{}", none.all());
    assert!(
        none.stderr().contains("there is no history: no run of this tree was noted in "),
        "{}",
        none.all()
    );
    run(&tree, &[]);
    let all = recall(&tree, &["slowest"]);
    assert_eq!((all.code(), told(&all).len()), (Some(0), 4), "{}", all.all());
    assert_eq!(told(&all)[..2], ["b", "c"]);
    assert!(all.stdout().starts_with(&format!("{CONFIGURATION}:\n")), "{}", all.all());
    assert!(all.stdout().contains("0.4") && all.stdout().contains(" s  mjsunit/b (default): PASS (1 run)"));
    let two = recall(&tree, &["slowest", "-n", "2"]);
    assert_eq!(
        (told(&two).len(), two.stdout().contains("... and 2 more (-n 0: all)")),
        (2, true),
        "{}",
        two.all()
    );
    assert_eq!(told(&recall(&tree, &["slowest", "mjsunit/c", "mjsunit/d*"])), ["c", "d"]);
    assert_eq!(told(&recall(&tree, &["slowest", "webkit"])), [] as [&str; 0]);
}

#[test]
fn configurations_are_told_of_one_by_one_or_chosen() {
    let tree = tree();
    run(&tree, &[]);
    run(&tree, &["--extra-flags=--jitless", "mjsunit/a"]);
    let all = recall(&tree, &["slowest"]);
    let headings: Vec<String> =
        all.stdout().lines().filter(|line| line.ends_with(':')).map(str::to_owned).collect();
    assert_eq!(
        headings,
        [format!("{CONFIGURATION}:"), format!("{CONFIGURATION} --jitless:")],
        "{}",
        all.all()
    );
    let one = recall(&tree, &["slowest", "--extra-flags=--jitless"]);
    assert_eq!((told(&one), one.stdout().lines().count()), (vec!["a".to_owned()], 2), "{}", one.all());
    let other = recall(&tree, &["slowest", "--gc-stress"]);
    assert_eq!(other.code(), Some(2), "{}", other.all());
    let said = format!(
        "nothing is known of this configuration ({CONFIGURATION} --gc-stress); known: {CONFIGURATION}; {CONFIGURATION} --jitless"
    );
    assert!(other.stderr().contains(&said), "{}", other.all());
}

#[test]
fn outcomes_that_changed_and_tests_that_are_flaky_are_told() {
    let tree = Fixture::with(&[("a", "exit 0"), ("b", "exit 0")]);
    let run =
        |tree: &Fixture| tree.run(&["-j1", "--variants=default", "--no-network", "--rerun-failures-count=1"]);
    run(&tree);
    let none = recall(&tree, &["changed"]);
    assert!(none.stdout().contains("no outcome has changed"), "{}", none.all());
    tree.test("a", "exit 1");
    // It fails, and then it passes.
    tree.test("b", "[ -e \"$0.ran\" ] || { : >\"$0.ran\"; exit 1; }");
    let ran = run(&tree);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let changed = recall(&tree, &["changed"]);
    assert_eq!(told(&changed), ["a"], "{}", changed.all());
    assert!(
        changed.stdout().contains("mjsunit/a (default): PASS -> FAIL, unexpected\n"),
        "{}",
        changed.all()
    );
    let flaky = recall(&tree, &["flaky"]);
    assert_eq!(told(&flaky), ["b"], "{}", flaky.all());
    let said = "mjsunit/b (default): failed and then passed within a run once; 2 runs, 0 unexpected\n";
    assert!(flaky.stdout().contains(said), "{}", flaky.all());
    // There and back on the same engine.
    tree.test("a", "exit 0");
    run(&tree);
    let flaky = recall(&tree, &["flaky", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&flaky.0.stdout).unwrap();
    let a = value.as_array().unwrap().iter().find(|test| test["name"] == "mjsunit/a").unwrap();
    assert_eq!(
        (&a["changes_on_the_same_engine"], &a["runs"], &a["outcome"]),
        (&2.into(), &3.into(), &"PASS".into())
    );
    assert_eq!(
        (&a["changed_from"], &a["unexpected"], &a["configuration"]),
        (&"FAIL".into(), &1.into(), &CONFIGURATION.into())
    );
    assert!(a["last_change"].as_str().unwrap().ends_with('Z'), "{a}");
}

#[test]
fn a_history_that_cannot_be_read_is_said() {
    let tree = tree();
    tree.file("out/.flotilla/history.sqlite", "no database ".repeat(1000));
    let ran = recall(&tree, &["slowest"]);
    assert_eq!((ran.code(), ran.stdout().as_str()), (Some(5), ""), "{}", ran.all());
    assert!(ran.stderr().contains("history.sqlite is damaged: "), "{}", ran.all());
    assert!(!tree.path("out/.flotilla/history.sqlite.damaged-1").exists(), "it was only looked at");
    assert_eq!(recall(&tree, &["fastest"]).code(), Some(2));
}
