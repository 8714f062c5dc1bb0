//! Tests that every option of V8's runners is accepted, in each of its spellings.
//!
//! Collected from `tools/run-tests.py` of V8 3.14 to 6 in all its versions, and from `base_runner.py`,
//! `standard_runner.py` and `num_fuzzer.py` of V8 7.0, 8.4, 9.2, of 2023, and of each version from 9.3 to 13.8.

use clap::{CommandFactory, Parser};

use crate::runner::cli::Cli;

/// The versions that have an option: one character for each of V8 3.14, 5.4, 7.0, 8.4, 9.2 and 2023; `b`: between 3.14
/// and 5.4 or 5.4 and 7.0 only; `f`: the number fuzzer; `n`: since 9.3 and still in 13.8.
type Since = &'static str;

/// The spellings of each option, a value (empty: it takes none), and the versions that have it.
const OPTIONS: &[(&[&str], &str, Since)] = &[
    (&["--allocation-offset"], "3", "f"),
    (&["--arch"], "x64", "357892"),
    (&["--arch"], "ia32,x64,arm", "35"),
    (&["--arch"], "native", "35"),
    (&["--arch-and-mode"], "x64.release", "357"),
    (&["--asan"], "", "5"),
    (&["--buildbot"], "", "357"),
    (&["--buildername"], "V8 Linux", "7892"),
    (&["--cat"], "", "357892"),
    (&["--cfi-vptr"], "", "57892"),
    (&["--ci-test-completion"], "ci.log", "892"),
    (&["--combine-max"], "10", "f"),
    (&["--combine-min"], "2", "f"),
    (&["--combine-tests"], "", "f"),
    (&["--command-prefix"], "nice -n 5", "357892"),
    (&["--dcheck-always-on"], "", "5"),
    (&["-d", "--device"], "0123456789", "892"),
    (&["--dont-skip-slow-simulator-tests"], "", "57892"),
    (&["--download-data"], "", "35"),
    (&["--download-data-only"], "", "5"),
    (&["--enable-inspector"], "", "b"),
    (&["--exhaustive-variants"], "", "57892"),
    (&["--exit-after-n-failures"], "0", "892"),
    (&["--extra-flags"], "--jitless --x=1", "357892"),
    (&["--flakiness-results"], "flaky.json", "7892"),
    (&["--flaky-tests"], "dontcare", "b"),
    (&["--framework"], "default", "n"),
    (&["--framework"], "num_fuzzer", "n"),
    (&["--framework"], "standard_runner", "n"),
    (&["--fuzzer-random-seed"], "17", "f"),
    (&["--gc-stress"], "", "57892"),
    (&["--gcov-coverage"], "", "5"),
    (&["--gn"], "", "7892"),
    (&["--ignition"], "", "b"),
    (&["--ignition-turbofan"], "", "b"),
    (&["--infra-staging"], "", "7892"),
    (&["--isolates"], "", "357892"),
    (&["-j"], "4", "357892"),
    (&["--json-test-results"], "out.json", "57892"),
    (&["--junitout"], "out.xml", "57"),
    (&["--junittestsuite"], "v8tests", "57"),
    (&["--log-system-memory"], "memory.log", "n"),
    (&["--log-test-schedule"], "schedule.log", "n"),
    (&["--mastername"], "client.v8", "7892"),
    (&["--max-heavy-tests"], "2", "n"),
    (&["-m", "--mode"], "release", "3578"),
    (&["-m", "--mode"], "release,debug", "35"),
    (&["--msan"], "", "5"),
    (&["--network"], "", "b"),
    (&["--no-harness", "--noharness"], "", "57892"),
    (&["--no-i18n", "--noi18n"], "", "5"),
    (&["--no-infra-staging"], "", "7892"),
    (&["--no-network", "--nonetwork"], "", "35"),
    (&["--no-presubmit", "--nopresubmit"], "", "357892"),
    (&["--no-snap", "--nosnap"], "", "5"),
    (&["--no-sorting", "--nosorting"], "", "57892"),
    (&["--no-stress", "--nostress"], "", "3"),
    (&["--no-variants", "--novariants"], "", "57892"),
    (&["--novfp3"], "", "57892"),
    (&["--outdir"], "out.gn/x64.release", "357892"),
    (&["--pass-fail-tests"], "skip", "57892"),
    (&["--predictable"], "", "5"),
    (&["-p", "--progress"], "color", "357892"),
    (&["-p", "--progress"], "dots", "357892"),
    (&["-p", "--progress"], "mono", "357892"),
    (&["-p", "--progress"], "verbose", "357892"),
    (&["-p", "--progress"], "ci", "892"),
    (&["-p", "--progress"], "stream", "92"),
    (&["--quickcheck"], "", "57892"),
    (&["--random-gc-stress"], "", "7892"),
    (&["--random-seed"], "-1234567890", "57892"),
    (&["--random-seed-stress-count"], "100", "57892"),
    (&["--regenerate-expected-files"], "", "892"),
    (&["--report"], "", "357892"),
    (&["--rerun-failures-count"], "2", "57892"),
    (&["--rerun-failures-max"], "50", "57892"),
    (&["--run-skipped"], "", "892"),
    (&["--sancov-dir"], "coverage", "57892"),
    (&["--shard-count"], "3", "357892"),
    (&["--shard-run"], "2", "357892"),
    (&["--shell"], "out/d8", "35"),
    (&["--shell-dir"], "out", "357892"),
    (&["--skip-rare-tests-prob"], "0.75", "f"),
    (&["--slow-tests"], "run", "57892"),
    (&["--slow-tests-cutoff"], "20", "892"),
    (&["--stress-compaction"], "3", "f"),
    (&["--stress-delay-tasks"], "3", "f"),
    (&["--stress-deopt"], "3", "f"),
    (&["--stress-deopt-min"], "10", "f"),
    (&["--stress-gc"], "3", "f"),
    (&["--stress-interrupt-budget"], "3", "f"),
    (&["--stress-marking"], "3", "f"),
    (&["--stress-only"], "", "3"),
    (&["--stress-scavenge"], "3", "f"),
    (&["--stress-stack-size"], "3", "f"),
    (&["--stress-thread-pool-size"], "3", "f"),
    (&["--swarming"], "", "57892"),
    (&["--test-root"], "test", "7892"),
    (&["--tests-count"], "5", "f"),
    (&["--time"], "", "357892"),
    (&["-t", "--timeout"], "120", "357892"),
    (&["--total-timeout-sec"], "600", "7892"),
    (&["--tsan"], "", "5"),
    (&["--ubsan-vptr"], "", "b"),
    (&["--valgrind"], "", "35"),
    (&["--variants"], "stress,default", "57892"),
    (&["-v", "--verbose"], "", "357892"),
    (&["--warn-unused"], "", "357892"),
];

/// Options that must be given together with this one. V8 accepts it alone, and then runs all tests.
fn required_with(option: &str) -> &'static [&'static str] {
    match option {
        "--shard-count" => &["--shard-run=1"],
        "--shard-run" => &["--shard-count=3"],
        _ => &[],
    }
}

fn accepts(words: &[&str]) -> bool {
    Cli::try_parse_from(std::iter::once("runner").chain(words.iter().copied())).is_ok()
}

#[test]
fn every_option_of_v8_is_taken_in_each_of_its_spellings() {
    let mut refused = Vec::new();
    for (spellings, value, since) in OPTIONS {
        for spelling in *spellings {
            let long = spelling.starts_with("--");
            let ways: Vec<Vec<String>> = match (value.is_empty(), long) {
                (true, _) => vec![vec![(*spelling).into()]],
                (false, true) => {
                    vec![vec![format!("{spelling}={value}")], vec![(*spelling).into(), (*value).into()]]
                }
                (false, false) => {
                    vec![vec![format!("{spelling}{value}")], vec![(*spelling).into(), (*value).into()]]
                }
            };
            for way in ways {
                let words: Vec<&str> =
                    way.iter().map(String::as_str).chain(required_with(spelling).iter().copied()).collect();
                // Options stand before tests, behind them, and twice, as bots put them.
                let before = [&words[..], &["mjsunit"]].concat();
                let behind = [&["mjsunit"], &words[..]].concat();
                let twice = [&words[..], &words[..]].concat();
                if !accepts(&before) || !accepts(&behind) || !accepts(&twice) {
                    refused.push(format!("{words:?} (of {since})"));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_bots_whole_command_line_is_taken() {
    // V8 5.4, 7.0 and 9.2, as their bots called them.
    let lines = [
        "--progress=verbose --outdir=out --buildbot --arch=x64 --mode=Release --swarming --variants=more \
         --random-seed-stress-count=1 --no-presubmit --json-test-results out.json --junitout=j.xml mjsunit webkit",
        "--progress=verbose --mastername=client.v8 --buildername=V8 --mode=Debug --outdir=out/build \
         --infra-staging --swarming --variants more mjsunit/*",
        "--progress=ci --outdir=out/build --swarming --shard-count=2 --shard-run=1 --quickcheck \
         --exit-after-n-failures=50 -j 8 -t 90 bot_default",
    ];
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(accepts(&words), "{line}");
    }
}

#[test]
fn an_unknown_option_is_refused_with_the_nearest() {
    let refused = |word: &str| Cli::try_parse_from(["runner", word]).unwrap_err();
    let error = refused("--varaints=stress");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("'--variants'"), "{error}");
    assert!(refused("--randm-seed=1").to_string().contains("'--random-seed'"));
}

#[test]
fn help_has_every_option_under_a_task_and_the_old_ones_last() {
    let command = Cli::command();
    let mut headings: Vec<&str> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set()) {
        let name = arg.get_id().as_str();
        if matches!(name, "help" | "version") {
            continue;
        }
        let heading = arg.get_help_heading().unwrap_or_else(|| panic!("{name} has no heading"));
        assert!(arg.get_help().is_some(), "{name} is not explained");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    assert_eq!(headings.last(), Some(&"Accepted from V8's runners"), "{headings:?}");
}
