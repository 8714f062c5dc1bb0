//! The real `runner` says the same of a tree wherever its tests run: verdicts, exit code, JUnit, JSON.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quick_junit::{Report, TestCase, TestCaseStatus};
use serde_json::Value;

use crate::harness::Cluster;
use crate::run::tree;
use crate::support::{BUILD_CONFIG, Fixture, RUNNER, json};

/// What V8's JSON says of a run, but for its duration and the number of the attempt.
const FIELDS: [&str; 17] = [
    "name",
    "flags",
    "command",
    "exit_code",
    "expected",
    "random_seed",
    "target_name",
    "variant",
    "variant_flags",
    "framework_name",
    "result",
    "stdout",
    "stderr",
    "error_details",
    "shard_id",
    "shard_count",
    "why",
];

/// What a run amounts to, without what depends on where and when it was.
#[derive(Debug, PartialEq)]
struct Told {
    code: Option<i32>,
    /// By name: a test of test262 that runs sloppy and strict has two cases.
    junit: BTreeMap<String, Vec<String>>,
    failures: Vec<String>,
    total: u64,
    slowest: usize,
}

/// Runs a tree to the end, and where its tests ran.
async fn told(root: &Path, home: PathBuf, args: Vec<OsString>) -> (Told, BTreeMap<String, usize>) {
    let reports = tempfile::tempdir().unwrap();
    let (junit, results) = (reports.path().join("junit.xml"), reports.path().join("results.json"));
    let mut command = Command::new(RUNNER);
    command.arg("--root").arg(root).arg("--no-config").args(args);
    command.arg("--junitout").arg(&junit).arg("--json-test-results").arg(&results);
    command.args(["--random-seed=42", "--exit-after-n-failures=0"]);
    command
        .env("FLOTILLA_HOME", home)
        .env("FIXTURE", root)
        .env_remove("LD_LIBRARY_PATH")
        .stdin(Stdio::null());
    let output = actix_rt::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = || format!("{output:?}");
    let text = std::fs::read_to_string(&junit).unwrap_or_else(|error| panic!("{error}: {}", said()));
    let junit = Report::deserialize_from_str(&text).unwrap();
    let mut places = BTreeMap::new();
    let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in junit.test_suites.iter().flat_map(|suite| &suite.test_cases) {
        *places.entry(place(case)).or_default() += 1;
        cases.entry(case.name.as_str().to_owned()).or_default().push(words(case));
    }
    for cases in cases.values_mut() {
        cases.sort();
    }
    let results = json(&results);
    let record = |failure: &Value| {
        // Of the one that lives long enough.
        let measured = failure["name"] == "mjsunit/hang" && failure["max_rss"].as_u64().unwrap() > 0;
        let fields = FIELDS.map(|field| format!("{field}: {}", failure[field])).join("\n");
        format!("{fields}\nmeasured: {measured}")
    };
    let mut records: Vec<String> = results["results"].as_array().unwrap().iter().map(record).collect();
    records.sort();
    let told = Told {
        code: output.status.code(),
        junit: cases,
        failures: records,
        total: results["test_total"].as_u64().unwrap(),
        slowest: results["slowest_tests"].as_array().unwrap().len(),
    };
    (told, places)
}

fn place(case: &TestCase) -> String {
    let peer = case.properties.iter().find(|property| property.name.as_str() == "peer");
    peer.map_or("here", |property| property.value.as_str()).to_owned()
}

/// All that JUnit says of a case, but for place and time.
fn words(case: &TestCase) -> String {
    let status = match &case.status {
        TestCaseStatus::Success { .. } => "success".to_owned(),
        TestCaseStatus::NonSuccess { kind, message, ty, description, .. } => {
            format!("{kind:?} {ty:?} {message:?} {description:?}")
        }
        TestCaseStatus::Skipped { ty, .. } => format!("skipped {ty:?}"),
    };
    format!("{:?} {status} {:?} {:?}", case.classname, case.system_out, case.system_err)
}

/// Daemons that trust the first, and have the built-in shell.
pub async fn cluster(peers: usize) -> Cluster {
    let mut cluster = Cluster::new(peers);
    for number in 0..peers {
        cluster.peers[number].settings.work_settings.builtin = vec![RUNNER.into(), "shell".into()];
        cluster.up(number).await;
    }
    for other in 1..peers {
        cluster.approve(0, other).await;
        cluster.approve(other, 0).await;
    }
    cluster
}

/// A run over the peers from 1 to this one, and with this many local jobs, says what a local run says.
async fn same_over(root: &Path, args: &[&str], tests: usize) {
    let cluster = cluster(9).await;
    let home = cluster.peers[0].home().path().to_owned();
    let args = || args.iter().map(OsString::from);
    let local = args().chain(["--no-network".into(), "-j2".into()]).collect();
    let (here, places) = told(root, home.clone(), local).await;
    assert_eq!(places, BTreeMap::from([("here".to_owned(), tests)]));
    for (peers, jobs) in [(1, 0), (3, 0), (8, 0), (3, 1)] {
        let mut args: Vec<OsString> = args().chain([format!("--local-jobs={jobs}").into()]).collect();
        for number in 1..=peers {
            args.extend(["--peer".into(), cluster.daemon(number).addresses().work.to_string().into()]);
        }
        let (there, places) = told(root, home.clone(), args).await;
        let of = format!("{peers} peers and {jobs} jobs here: {places:?}");
        for (name, words) in &here.junit {
            assert_eq!(there.junit.get(name), Some(words), "{name} over {of}");
        }
        assert_eq!(there, here, "{of}");
        assert_eq!(places.contains_key("here"), jobs > 0, "{of}");
        assert!(places.len() > 1 || peers == 1, "{of}");
    }
    cluster.end().await;
}

#[actix_rt::test]
async fn the_demo_tree_is_the_same_on_one_three_and_eight_peers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
    let text = Command::new(RUNNER)
        .args(["--list", "--no-config", "--no-network", "--run-skipped", "--root"])
        .arg(&root)
        .output()
        .unwrap();
    let tests = String::from_utf8_lossy(&text.stdout).lines().filter(|line| line.contains('/')).count();
    // With those that fail.
    same_over(&root, &["--run-skipped"], tests).await;
}

#[actix_rt::test]
async fn failing_crashing_hanging_and_flooding_tests_are_the_same_on_one_three_and_eight_peers() {
    let fixture = tree();
    fixture.file("test/message/message.status", "[]");
    fixture.file("test/message/differs.js", "pwd; echo same; echo \"$1\"\n");
    fixture.file("test/message/differs.out", "another place\nsame\n");
    same_over(&fixture.root(), &["-t3", "--variants=default", "--max-output=10000", "--env=FIXTURE"], 28)
        .await;
    assert!(fixture.processes().is_empty());
}

#[actix_rt::test]
async fn several_builds_and_repeats_are_the_same_on_one_three_and_eight_peers() {
    let fixture = Fixture::new();
    std::fs::remove_dir_all(fixture.path("out")).unwrap();
    for build in ["release", "debug"] {
        let is = |key: &str| format!("\"{key}\": {}", build == "debug");
        let config = BUILD_CONFIG.replace("\"is_debug\": false", &is("is_debug"));
        let config = config.replace("\"is_asan\": false", &is("is_asan"));
        fixture.file(&format!("out/x64.{build}/v8_build_config.json"), config);
        let engine = format!(
            "#!/bin/sh\nfor arg; do case $arg in *.js) test=$arg;; esac; done\n[ -n \"$test\" ] || exit 0\n\
             BUILD={build} exec /bin/sh \"$test\" \"$@\"\n"
        );
        let d8 = fixture.path(&format!("out/x64.{build}/d8"));
        fixture.file(&format!("out/x64.{build}/d8"), engine);
        std::fs::set_permissions(d8, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    // Long enough for no peer to run them all.
    fixture.test("fine", "sleep 0.2");
    fixture.test("build", "echo $BUILD; exit 1");
    fixture.test("sanitizer", "echo \"[$ASAN_OPTIONS]\"; exit 1");
    fixture.status("[['mode == debug', {'build': [FAIL]}]]");
    let args = ["--arch=x64", "--mode=release,debug", "--stress=8", "--confirm-failures=off"];
    same_over(&fixture.root(), &args, 48).await;
}
