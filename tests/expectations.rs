//! `--expectations`: files above the suites' own status files, in three forms.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use support::{Fixture, Ran};

fn tree() -> Fixture {
    let tree = Fixture::with(&[
        ("good", "exit 0"),
        ("bad", "exit 1"),
        ("crash", "kill -SEGV $$"),
        ("d/bad", "exit 1"),
    ]);
    tree.status("[[ALWAYS, {'good': [FAIL], 'd/*': [SKIP]}]]");
    tree
}

fn run(tree: &Fixture, files: &[&str], more: &[&str]) -> Ran {
    let files = files.iter().map(|file| format!("--expectations={}", tree.path(file).display()));
    let args: Vec<String> = files.chain(more.iter().map(|arg| (*arg).to_owned())).collect();
    tree.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn says(ran: &Ran, code: i32, parts: &[&str]) {
    assert_eq!(ran.code(), Some(code), "{}", ran.all());
    for part in parts {
        assert!(ran.all().contains(part), "{part:?} is not in {}", ran.all());
    }
}

/// All three say the same: each test as it is.
const LIST: &str = "# what is known\nmjsunit/good.js PASS\nmjsunit/bad\ntest/mjsunit/crash.js CRASH # bug 7\nmjsunit/d/ FAIL\n";
const TABLES: &str = "[[expect]]\ntests = ['mjsunit/good']\noutcomes = 'PASS'\n[[expect]]\ntests = ['mjsunit/bad', 'mjsunit/d/*']\n\
                      [[expect]]\ntests = 'mjsunit/crash'\noutcomes = ['CRASH']\nreason = 'bug 7'\n";
const STATUS: &str = "[[ALWAYS, {'mjsunit/good': [PASS], 'mjsunit/bad': [FAIL], 'mjsunit/crash': [CRASH], 'mjsunit/d/*': [FAIL]}]]";

#[test]
fn three_forms_say_the_same_and_stand_above_the_status_file() {
    let tree = tree();
    says(&run(&tree, &[], &[]), 1, &["3 tests ran", "3 unexpected"]);
    for (name, text) in [
        ("known.txt", LIST),
        ("known", LIST),
        ("known.toml", TABLES),
        ("tables", TABLES),
        ("known.status", STATUS),
        ("status", STATUS),
        ("mjsunit.status", &STATUS.replace("mjsunit/", "")),
        ("mjsunit.expect.toml", &TABLES.replace("mjsunit/", "")),
    ] {
        tree.file(name, text);
        says(&run(&tree, &[name], &["--warn-unused"]), 0, &["4 tests ran", "all as expected"]);
    }
}

#[test]
fn later_files_come_before_earlier_ones_and_modifiers_are_added() {
    let tree = tree();
    tree.file("known.txt", LIST);
    tree.file("more.txt", "mjsunit/bad PASS SLOW\nmjsunit/good SLOW\n");
    says(
        &run(&tree, &["known.txt", "more.txt"], &[]),
        1,
        &["1 unexpected", "mjsunit/bad (default): expected PASS, got FAIL"],
    );
    says(&run(&tree, &["more.txt", "known.txt"], &[]), 0, &["all as expected"]);
    let slow = run(&tree, &["known.txt", "more.txt"], &["--slow-tests=run", "--list"]).stdout();
    assert_eq!(slow, "mjsunit/bad default\nmjsunit/good default\n");
}

#[test]
fn the_place_that_is_no_longer_true_is_named() {
    let tree = tree();
    tree.test("bad", "exit 0");
    tree.file(
        "known.toml",
        format!(
            "{}\nreason = 'bug 8'\n",
            TABLES
                .replace(
                    "\n[[expect]]\ntests = 'mjsunit/crash'",
                    "\nreason = 'bug 3'\n[[expect]]\ntests = 'mjsunit/crash'"
                )
                .trim_end()
                .trim_end_matches("reason = 'bug 7'")
        ),
    );
    says(
        &run(&tree, &["known.toml"], &["mjsunit/bad"]),
        1,
        &["Rule 'mjsunit/bad' in known.toml:5 says FAIL. Reason: bug 3"],
    );
}

#[test]
fn entries_that_match_nothing_are_named() {
    let tree = tree();
    tree.file("test/webkit/webkit.status", "[]");
    tree.file(
        "known.txt",
        "mjsunit/good PASS\nmjsunit/god\nmjsunit/x/*\nwebkit/any\nmjsnit/bad\nmjsunit/*/bad SKIP\n",
    );
    let ran = run(&tree, &["known.txt"], &["--warn-unused", "mjsunit/good"]);
    says(
        &ran,
        0,
        &[
            "Unused rule: known.txt:2: 'mjsunit/god' matches no test",
            "Unused rule: known.txt:3: 'mjsunit/x/*' matches no test",
            "Unused rule: known.txt:5: 'mjsnit/bad' matches no test",
        ],
    );
    assert!(!ran.all().contains("webkit"), "a suite that was not asked for: {}", ran.all());
    // Its own file, too, is for it alone.
    tree.file("more/webkit.status", "[[ALWAYS, {'any': [FAIL], 'good': [FAIL]}]]");
    let own = run(&tree, &["more/webkit.status"], &["--warn-unused", "mjsunit/good", "--run-skipped"]);
    says(&own, 1, &["mjsunit/good (default): expected FAIL, got PASS"]);
    assert!(!own.all().contains("Unused"), "{}", own.all());
    assert!(!ran.all().contains("known.txt:6") && !ran.all().contains("known.txt:1:"), "{}", ran.all());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let tree = tree();
    tree.file("known.txt", "mjsunit/good\nmjsunit/bad FIAL\n");
    says(
        &run(&tree, &["known.txt"], &[]),
        5,
        &["known.txt:2:13: unknown outcome 'FIAL'; did you mean 'FAIL'?"],
    );
    tree.file("known.toml", "[[expect]]\ntest = 'a'\n");
    says(&run(&tree, &["known.toml"], &[]), 5, &["known.toml:2:1: unknown field `test`"]);
    tree.file("known.status", "[[ALWAYS, {'a': [FIAL]}]]");
    says(&run(&tree, &["known.status"], &[]), 5, &["known.status:1:"]);
    says(
        &run(&tree, &["no-such-file"], &[]),
        2,
        &["no-such-file' of --expectations cannot be used: cannot read it"],
    );
}

#[test]
fn test262s_modes_are_told_apart() {
    let tree = Fixture::new();
    tree.file("test/test262/test262.status", "[]");
    tree.file("test/test262/testcfg.py", "");
    // The engine fails in strict mode alone.
    let script = "case $* in *--use-strict*) exit 1;; esac; exit 0\n";
    tree.file("test/test262/data/test/built-ins/a.js", script);
    for known in [
        "test/built-ins/a.js strict\n",
        "test262/test/built-ins/a.js:12: strict mode: Test262Error: x\n",
        "test262/built-ins/a strict mode FAIL\n",
        "# of JavaScriptCore\n---\ntest/built-ins/a.js:\n  strict mode: 3\n",
        "built-ins/a.js FAIL\nbuilt-ins/b default\n",
    ] {
        tree.file("known", known);
        let ran = run(&tree, &["known"], &["test262"]);
        let (code, part) = match known.starts_with("built-ins") {
            false => (0, "2 tests ran"),
            true => (1, "test262/built-ins/a (default): expected FAIL, got PASS"),
        };
        says(&ran, code, &[part]);
    }
}

#[test]
fn what_did_not_pass_is_written_as_a_list_that_makes_the_next_run_good() {
    let tree = tree();
    tree.status("[]");
    tree.test("slow", "sleep 1000");
    tree.test("sometimes", "case $* in *--jitless*) exit 1;; esac");
    tree.file("test/message/fail/x.js", "exit 1\n");
    tree.file("test/message/message.status", "[]");
    let list = tree.path("known.txt").display().to_string();
    let write = ["-t1", "--variants=default,jitless", "--write-expectations", list.as_str()];
    says(&run(&tree, &[], &[&write[..], &["mjsunit", "message"]].concat()), 1, &["unexpected"]);
    let text = std::fs::read_to_string(&list).unwrap();
    assert_eq!(
        text,
        "# What did not pass, by runner --write-expectations.\nmjsunit/bad FAIL\nmjsunit/crash CRASH\n\
         mjsunit/d/bad FAIL\nmjsunit/slow TIMEOUT\nmjsunit/sometimes PASS FAIL\n# cannot be run: message/fail/x\n"
    );
    // A run that reads the list may write it again.
    says(&run(&tree, &["known.txt"], &[&write[..], &["mjsunit"]].concat()), 0, &["all as expected"]);
    assert_eq!(
        std::fs::read_to_string(&list).unwrap(),
        text.replace("# cannot be run: message/fail/x\n", "")
    );
    let ended = run(
        &tree,
        &[],
        &["--exit-after-n-failures=1", "-j1", "--variants=default", "--write-expectations", &list, "mjsunit"],
    );
    says(&ended, 1, &[]);
    assert!(std::fs::read_to_string(&list).unwrap().contains("# The run ended early"));
}

#[test]
fn modes_are_written_apart_where_they_differ() {
    let tree = Fixture::new();
    tree.file("test/test262/test262.status", "[]");
    tree.file("test/test262/data/test/built-ins/a.js", "case $* in *--use-strict*) exit 1;; esac; exit 0\n");
    tree.file("test/test262/data/test/built-ins/b.js", "exit 1\n");
    let list = tree.path("known.txt").display().to_string();
    says(
        &run(&tree, &[], &["test262", "--variants=default", "--write-expectations", &list]),
        1,
        &["3 unexpected"],
    );
    let text = std::fs::read_to_string(&list).unwrap();
    assert!(text.ends_with("\ntest262/built-ins/a strict FAIL\ntest262/built-ins/b FAIL\n"), "{text}");
    says(&run(&tree, &["known.txt"], &["test262", "--variants=default"]), 0, &["all as expected"]);
}
