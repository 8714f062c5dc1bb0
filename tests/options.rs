//! V8's options through the real command: several builds, repeats, sanitizers, expected files, old spellings.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use flotilla_messages::for_tests::skipped;
use support::{BUILD_CONFIG, Fixture, Ran, json};

/// An engine that runs the test's file as a shell script, and knows what build it is.
fn engine(build: &str) -> String {
    format!(
        "#!/bin/sh\nBUILD={build}; export BUILD\nfor arg; do case $arg in *.js) test=$arg;; esac; done\n\
         [ -n \"$test\" ] || exit 0\n. \"$test\"\n"
    )
}

/// A tree of V8 5 with these builds.
fn classic(builds: &[&str]) -> Fixture {
    let tree = Fixture::new();
    fs::remove_dir_all(tree.path("out")).unwrap();
    tree.file("tools/testrunner/local/execution.py", "");
    tree.file("tools/run-tests.py", "VARIANTS = ['default']\nTEST_MAP = {'default': ['mjsunit']}\n");
    for build in builds {
        let d8 = format!("out/{build}/d8");
        tree.file(&d8, engine(build));
        fs::set_permissions(tree.path(&d8), fs::Permissions::from_mode(0o755)).unwrap();
    }
    tree
}

/// The lines that begin so.
fn lines(ran: &Ran, with: &str) -> Vec<String> {
    ran.stdout().lines().filter(|line| line.starts_with(with)).map(String::from).collect()
}

#[test]
fn each_architecture_is_run_in_each_mode_and_reports_tell_them_apart() {
    let tree = classic(&["x64.release", "x64.debug", "ia32.release", "ia32.debug"]);
    tree.test("fine", "exit 0");
    tree.test("odd", "[ $BUILD != x64.debug ]");
    tree.test("known", "[ $BUILD = x64.release ] || [ $BUILD = ia32.release ]");
    tree.status("[['mode == debug', {'known': [FAIL]}]]");
    let (results, junit) = (tree.path("r.json"), tree.path("r.xml"));
    let ran = tree.run(&[
        "--arch=ia32,x64",
        "--mode=release,debug",
        "--json-test-results",
        results.to_str().unwrap(),
        "--junitout",
        junit.to_str().unwrap(),
    ]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let headers = lines(&ran, "Running tests for ");
    let order: Vec<&str> = headers.iter().map(|line| line.split(' ').nth(3).unwrap()).collect();
    assert_eq!(order, ["ia32.release", "ia32.debug", "x64.release", "x64.debug"], "V8's order");
    assert!(ran.stdout().contains("12 tests ran"), "{}", ran.stdout());
    assert!(ran.stdout().contains("=== mjsunit/odd (default, x64.debug) ==="), "{}", ran.stdout());
    let results = json(&results);
    assert_eq!(results["results"].as_array().unwrap().len(), 1, "{results}");
    assert_eq!(results["results"][0]["subtest"], "x64.debug");
    assert_eq!(
        results["results"][0]["command"].as_str().unwrap().split(' ').next(),
        Some("out/x64.debug/d8")
    );
    let junit = fs::read_to_string(junit).unwrap();
    let names: Vec<&str> =
        junit.split("<testcase name=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 12, "{names:?}");
    assert!(tree.path("out/.flotilla/history.sqlite").is_file());
}

#[test]
fn pairs_choose_builds_one_by_one_and_lists_name_them() {
    let tree = classic(&["x64.release", "ia32.debug"]);
    tree.test("a", "exit 0");
    let ran = tree.run(&["--list", "--arch-and-mode=x64.release,ia32.debug"]);
    assert_eq!(
        ran.stdout(),
        "mjsunit/a default x64.release\nmjsunit/a default ia32.debug\n",
        "{}",
        ran.all()
    );
    let alone = tree.run(&["--list", "--arch-and-mode=ia32.debug"]);
    assert_eq!(alone.stdout(), "mjsunit/a default\n", "{}", alone.all());
}

#[test]
fn a_build_that_is_missing_is_named_and_nothing_runs() {
    let tree = classic(&["x64.release", "x64.debug", "ia32.release"]);
    tree.test("a", "exit 0");
    let ran = tree.run(&["--arch=ia32,x64", "--mode=release,debug"]);
    assert_eq!(ran.code(), Some(5), "{}", ran.all());
    assert!(ran.stderr().contains("cannot test ia32.debug: there is no build"), "{}", ran.stderr());
    assert!(ran.stderr().contains("builds here: ia32.release x64.debug x64.release"), "{}", ran.stderr());
    assert!(ran.stdout().is_empty());
    let none = classic(&[]);
    none.test("a", "exit 0");
    let ran = none.run(&["--arch-and-mode=x64.release,x64.debug"]);
    assert_eq!(ran.code(), Some(5), "the built-in shell stands in for no product: {}", ran.all());
    assert!(ran.stderr().contains("there is no build for x64.release"), "{}", ran.stderr());
    let twice = tree.run(&["--arch=x64,x64", "--mode=release"]);
    assert_eq!(twice.code(), Some(2));
    assert!(twice.stderr().contains("x64.release out/x64.release is named twice"), "{}", twice.stderr());
}

#[test]
fn a_modern_tree_has_products_where_gm_puts_them() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    fs::remove_dir_all(tree.path("out")).unwrap();
    for (build, debug) in [("x64.release", false), ("x64.debug", true)] {
        let config = BUILD_CONFIG.replace("\"is_debug\": false", &format!("\"is_debug\": {debug}"));
        tree.file(&format!("out/{build}/v8_build_config.json"), config);
        tree.file(&format!("out/{build}/d8"), engine(build));
        let d8 = tree.path(&format!("out/{build}/d8"));
        fs::set_permissions(d8, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let ran = tree.run(&["--arch=x64", "--mode=debug,release"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert_eq!(lines(&ran, "Build found: ").len(), 2, "{}", ran.stdout());
    assert!(ran.stdout().contains("2 tests ran"), "{}", ran.stdout());
}

#[test]
fn builds_in_directories_of_their_own_run_together_and_have_them_in_their_names() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    for build in ["one", "two"] {
        fs::create_dir_all(tree.path(&format!("out.gn/{build}"))).unwrap();
        for file in ["d8", "v8_build_config.json"] {
            fs::copy(tree.path("out").join(file), tree.path(&format!("out.gn/{build}/{file}"))).unwrap();
        }
    }
    let ran = tree.run(&["--list", "--outdir=out.gn/one,out.gn/two"]);
    let expected = "mjsunit/a default x64.release out.gn/one\nmjsunit/a default x64.release out.gn/two\n";
    assert_eq!(ran.stdout(), expected, "{}", ran.all());
    assert_eq!(tree.run(&["--outdir=out.gn/one,out.gn/two"]).code(), Some(0));
    let missing = tree.run(&["--outdir=out.gn/one,out.gn/three"]);
    assert_eq!(missing.code(), Some(5), "{}", missing.all());
    assert!(missing.stderr().contains("cannot test out.gn/three: there is no"), "{}", missing.stderr());
}

#[test]
fn gn_takes_the_build_that_was_made_last() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    let none = tree.run(&["--gn"]);
    assert_eq!(none.code(), Some(2), "{}", none.all());
    assert!(none.stderr().contains("out.gn (--gn)"), "{}", none.stderr());
    for (build, age) in [("new", 5), ("old", 500)] {
        let dir = tree.path(&format!("out.gn/{build}"));
        fs::create_dir_all(&dir).unwrap();
        for file in ["d8", "v8_build_config.json"] {
            fs::copy(tree.path("out").join(file), dir.join(file)).unwrap();
        }
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        fs::File::open(&dir).unwrap().set_modified(then).unwrap();
    }
    let ran = tree.run(&["--gn"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(lines(&ran, "Build found: ")[0].contains("/out.gn/new "), "{}", ran.stdout());
}

#[test]
fn bots_name_the_directory_by_the_mode() {
    let tree = classic(&["Release"]);
    tree.test("a", "[ $BUILD = Release ]");
    let ran = tree.run(&["--buildbot", "--arch=x64", "--mode=Release", "--swarming", "--no-presubmit"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(lines(&ran, "Running tests for x64.release")[0].contains("out/Release/d8"), "{}", ran.stdout());
    assert!(ran.stderr().contains("--swarming has no effect"), "{}", ran.stderr());
    assert!(ran.stderr().contains("--no-presubmit has no effect"), "{}", ran.stderr());
}

#[test]
fn a_test_that_runs_a_thousand_times_says_how_often_it_failed_in_one_line() {
    let tree = Fixture::new();
    tree.test("always", "exit 0");
    // One in four, told by a directory of marks.
    tree.test(
        "often",
        "n=1; while ! mkdir \"$FIXTURE/mark$n\" 2>/dev/null; do n=$((n + 1)); done; [ $((n % 4)) != 0 ]",
    );
    let ran = tree.run(&["--stress=40", "-j2"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let out = ran.stdout();
    assert!(out.contains("  mjsunit/often (default): 10 of 40 unexpected: 10 FAIL\n"), "{out}");
    assert!(out.contains("  1 test ended as expected each time.\n"), "{out}");
    assert!(out.contains("80 tests ran"), "{out}");
    assert_eq!(out.matches("=== mjsunit/often").count(), 1, "one failure of a kind is enough: {out}");
    assert_eq!(out.matches("got FAIL").count(), 2, "told, and listed at the end: {out}");
}

#[test]
fn a_hundred_failures_do_not_end_a_count_unless_told_so() {
    let tree = Fixture::with(&[("fails", "exit 1")]);
    let ran = tree.run(&["--stress=120"]);
    assert!(ran.stdout().contains("120 of 120 unexpected"), "{}", ran.stdout());
    let ran = tree.run(&["--stress=120", "--exit-after-n-failures=3", "-j1"]);
    assert!(ran.stdout().contains("Too many failures"), "{}", ran.stdout());
}

#[test]
fn seeds_differ_from_run_to_run_unless_one_is_given() {
    let tree = Fixture::new();
    tree.test(
        "seed",
        "for arg; do case $arg in --random-seed=*) echo $arg >> \"$FIXTURE/seeds\";; esac; done",
    );
    let seeds = |args: &[&str]| -> BTreeSet<String> {
        let _ = fs::remove_file(tree.path("seeds"));
        let ran = tree.run(args);
        assert_eq!(ran.code(), Some(0), "{}", ran.all());
        fs::read_to_string(tree.path("seeds")).unwrap().lines().map(String::from).collect()
    };
    let some = seeds(&["--random-seed-stress-count=5"]);
    assert_eq!(some.len(), 5);
    assert_ne!(seeds(&["--random-seed-stress-count=5", "--random-seed=0"]), some);
    let seven = BTreeSet::from(["--random-seed=7".to_owned()]);
    assert_eq!(seeds(&["--random-seed=7", "--random-seed-stress-count=5"]), seven);
    let times = fs::read_to_string(tree.path("seeds")).unwrap().lines().count();
    assert_eq!(times, 5, "each time the same, as in V8");
    assert_eq!(seeds(&["--random-seed=7", "--stress=5"]), seven);
}

#[test]
fn a_failure_under_seeds_names_them() {
    let tree = Fixture::new();
    // The second one of three fails.
    tree.test(
        "seed",
        "echo x >>\"$FIXTURE/count\"; [ $(wc -l <\"$FIXTURE/count\") = 2 ] || exit 0
         for arg; do case $arg in --random-seed=*) echo ${arg#*=} >\"$FIXTURE/seed\";; esac; done; exit 1",
    );
    let ran = tree.run(&["--random-seed-stress-count=3", "-j1"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.all());
    let seed = fs::read_to_string(tree.path("seed")).unwrap();
    let said = format!("(default): 1 of 3 unexpected: 1 FAIL; with --random-seed {seed}");
    assert!(ran.stdout().contains(&said), "{said}: {}", ran.stdout());
}

#[test]
fn sanitizers_are_told_what_v8_tells_them() {
    let tree = Fixture::new();
    tree.file("out/v8_build_config.json", BUILD_CONFIG.replace("\"is_asan\": false", "\"is_asan\": true"));
    tree.file("third_party/llvm-build/Release+Asserts/bin/llvm-symbolizer", "");
    tree.test("asan", "echo \"[$ASAN_OPTIONS]\"; exit 1");
    let output = tree.command(&[]).env("ASAN_OPTIONS", "verbosity=1").output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let symbolizer = "external_symbolizer_path=third_party/llvm-build/Release+Asserts/bin/llvm-symbolizer";
    let expected = format!(
        "\n[{symbolizer}:allow_user_segv_handler=1:allocator_may_return_null=1:detect_leaks=1:verbosity=1]\n"
    );
    assert!(out.contains(&expected), "{out}");
    let plain = Fixture::with(&[("none", "[ \"$ASAN_OPTIONS\" = verbosity=1 ]")]);
    let output = plain.command(&[]).env("ASAN_OPTIONS", "verbosity=1").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "a plain build's tests see what the caller sees");
}

#[test]
fn coverage_goes_to_a_directory_that_is_there() {
    let tree = Fixture::with(&[(
        "a",
        "case $ASAN_OPTIONS in coverage=1:coverage_dir=/*/cov:*) exit 0;; esac; exit 1",
    )]);
    let cov = tree.path("cov");
    let missing = tree.run(&["--sancov-dir", cov.to_str().unwrap()]);
    assert_eq!(missing.code(), Some(2), "{}", missing.all());
    fs::create_dir(&cov).unwrap();
    let ran = tree.run(&["--sancov-dir", cov.to_str().unwrap()]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.stderr().contains("sancov_merger.py"), "{}", ran.stderr());
}

#[test]
fn random_stress_of_the_collector_is_flags_and_variables() {
    let tree = Fixture::new();
    tree.test("flags", "for arg; do [ $arg = --random-gc-interval=5000 ] && exit 0; done; exit 1");
    tree.test("skipped", "exit 1");
    tree.status("[['gc_fuzzer and gc_stress', {'skipped': [SKIP]}]]");
    let ran = tree.run(&["--random-gc-stress"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    assert!(ran.stdout().contains("1 test ran"), "{}", ran.stdout());
}

#[test]
fn valgrind_goes_before_the_command_where_the_tree_has_its_script() {
    let tree = Fixture::with(&[("a", "[ \"$UNDER\" = valgrind ]")]);
    let missing = tree.run(&["--valgrind"]);
    assert_eq!(missing.code(), Some(2), "{}", missing.all());
    assert!(missing.stderr().contains("--command-prefix="), "{}", missing.stderr());
    let script = "import os, sys\nos.environ['UNDER'] = 'valgrind'\nos.execv(sys.argv[1], sys.argv[1:])\n";
    tree.file("tools/run-valgrind.py", script);
    let ran = tree.run(&["--valgrind"]);
    if ran.stderr().contains("no Python in PATH") {
        skipped("Python");
        return;
    }
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
}

#[test]
fn expected_files_become_what_tests_print() {
    let tree = Fixture::new();
    tree.file("test/message/message.status", "[]");
    for (name, script, out) in [
        ("same", "echo one", "one\n"),
        ("new", "echo \"$5:3: 50% new\"", "# Copyright\n\nold\n"),
        ("crash", "echo x; kill -SEGV $$", "old\n"),
    ] {
        // The path of the test is the last word.
        let script =
            script.replace("$5", &tree.root().join(format!("test/message/{name}.js")).to_string_lossy());
        tree.file(&format!("test/message/{name}.js"), script + "\n");
        tree.file(&format!("test/message/{name}.out"), out);
    }
    let expected = |name: &str| fs::read_to_string(tree.path(&format!("test/message/{name}.out"))).unwrap();
    let plain = tree.run(&["message"]);
    assert_eq!((plain.code(), expected("new").as_str()), (Some(1), "# Copyright\n\nold\n"));
    let ran = tree.run(&["message", "--regenerate-expected-files"]);
    let out = ran.stdout();
    assert!(out.contains("Regenerated test/message/new.out\n"), "{}", ran.all());
    assert!(out.contains("Not regenerated for message/crash (default): it crashed.\n"), "{out}");
    assert_eq!(lines(&ran, "Regenerated ").len(), 1, "{out}");
    assert_eq!(expected("new"), "# Copyright\n\n*%(basename)s:3: 50%% new\n");
    assert_eq!((expected("same"), expected("crash")), ("one\n".into(), "old\n".into()));
    let again = tree.run(&["message/new", "--regenerate-expected-files"]);
    assert_eq!(again.code(), Some(0), "{}", again.all());
    assert!(again.stdout().contains("No expected file was changed."), "{}", again.stdout());
}

#[test]
fn data_that_is_missing_is_named_with_the_command_that_fetches_it() {
    let tree = Fixture::with(&[("a", "exit 1")]);
    tree.file("test/test262/test262.status", "[]");
    let ran = tree.run(&["--download-data-only"]);
    assert_eq!(ran.code(), Some(0), "nothing runs: {}", ran.all());
    assert!(ran.stderr().contains("git clone https://github.com/tc39/test262.git"), "{}", ran.stderr());
    let ran = tree.run(&["mjsunit", "--download-data"]);
    assert_eq!(ran.code(), Some(1), "the tests run: {}", ran.all());
}

#[test]
fn old_names_of_variants_mean_what_they_meant() {
    let tree = classic(&["x64.release"]);
    tree.test("a", "exit 0");
    let variants = |option: &str| {
        let ran = tree.run(&["--list", option]);
        assert_eq!(ran.code(), Some(0), "{}", ran.all());
        ran.stdout().lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(variants("--stress-only"), ["stress"]);
    assert_eq!(variants("--nostress"), ["nocrankshaft", "default"]);
}

#[test]
fn an_option_that_nobody_knows_ends_with_2_and_the_nearest() {
    let ran = Fixture::new().run(&["--no-varinats"]);
    assert_eq!(ran.code(), Some(2));
    assert!(ran.stderr().contains("'--no-variants'"), "{}", ran.stderr());
}

#[test]
fn behind_a_prefix_the_engine_need_not_be_executable_but_must_be_there() {
    let tree = Fixture::with(&[("a", "exit 0")]);
    let d8 = tree.path("out/d8");
    fs::set_permissions(&d8, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = tree.run(&[]);
    assert_eq!(ran.code(), Some(5), "{}", ran.all());
    assert!(ran.stderr().contains("d8 is not executable"), "{}", ran.all());
    let ran = tree.run(&["--command-prefix=/bin/sh"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.all());
    fs::remove_file(&d8).unwrap();
    let ran = tree.run(&["--command-prefix=/bin/sh", "--shell", d8.to_str().unwrap()]);
    assert_eq!(ran.code(), Some(5), "{}", ran.all());
    assert!(ran.stderr().contains("out/d8 "), "{}", ran.all());
}
