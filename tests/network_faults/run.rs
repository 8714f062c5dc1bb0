//! A runner on its way, and what came of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use quick_junit::{Report, TestCaseStatus};
use rustix::process::{Pid, Signal, kill_process};

use crate::bridge::{Host, inside};
use crate::support::json;
use crate::trees::Known;

/// How long a run may say nothing at all. The longest of its silences is that of a peer which is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runner that was started.
pub struct Run {
    child: Child,
    lines: Receiver<String>,
    /// What it has printed so far.
    pub seen: Vec<String>,
    complaints: Option<JoinHandle<String>>,
    reports: tempfile::TempDir,
}

/// A runner's end.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub out: Vec<String>,
    pub complaints: String,
    /// What each test came to, if there are reports.
    pub verdicts: BTreeMap<String, String>,
    /// How many ran where; `here` is the runner's machine.
    pub places: BTreeMap<String, usize>,
}

impl Run {
    /// Starts one on this machine, of this tree, with one job there unless `args` say otherwise.
    pub fn start(on: &Host, known: &Known, args: &[&str]) -> Self {
        let reports = tempfile::tempdir().unwrap();
        let mut command = known.tree.command(&["-t60", "--variants=default", "--progress=stream"]);
        command
            .args(["--env=FIXTURE", "--network", "--network-min-seconds=0", "--local-jobs=1"])
            .arg("--junitout")
            .arg(reports.path().join("junit.xml"))
            .arg("--json-test-results")
            .arg(reports.path().join("results.json"))
            .args(args)
            .env("FLOTILLA_HOME", on.machine.path(""))
            .env("TMPDIR", known.tree.path("out"))
            .env_remove("LD_LIBRARY_PATH");
        let mut command = inside(&on.namespace, &command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (say, lines) = channel();
        // It ends with the pipe, or when nobody listens.
        std::thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n') {
                let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let complaints = std::thread::spawn(move || {
            let mut said = Vec::new();
            err.read_to_end(&mut said).unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        Self { child, lines, seen: Vec::new(), complaints: Some(complaints), reports }
    }

    /// Waits until what was printed is so; whether that came before its end.
    pub fn reaches(&mut self, holds: impl Fn(&Self) -> bool) -> bool {
        loop {
            if holds(self) {
                return true;
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("nothing is said for {PATIENCE:?} after {:#?}", self.seen)
                }
            }
        }
    }

    /// Waits until these peers take part and so many tests have their verdicts.
    pub fn amid(&mut self, peers: &[&Host], verdicts: usize) {
        let there = self.reaches(|run| {
            run.verdicts() >= verdicts && peers.iter().all(|peer| run.says(&[&peer.address, "takes part"]))
        });
        let told: Vec<&String> = self.seen.iter().filter(|line| !line.starts_with("PASS: ")).collect();
        let complaints = if there { None } else { self.complaints.take() };
        let complaints = complaints.map(|complaints| complaints.join().unwrap());
        assert!(there, "it ended before: {told:#?} {complaints:?}");
    }

    /// Verdicts so far.
    pub fn verdicts(&self) -> usize {
        let verdict =
            |line: &&String| line.split_once(": ").is_some_and(|(_, name)| name.starts_with("mjsunit/"));
        self.seen.iter().filter(verdict).count()
    }

    /// Whether a line has all of this.
    pub fn says(&self, parts: &[&str]) -> bool {
        self.seen.iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    /// Ends it as nothing can be done against.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Stops it, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, if frozen { Signal::STOP } else { Signal::CONT }).unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        self.reaches(|_| false);
        let status = self.child.wait().unwrap();
        let complaints = self.complaints.take().unwrap().join().unwrap();
        let mut ended = Ended {
            status,
            out: std::mem::take(&mut self.seen),
            complaints,
            verdicts: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        self.read(&mut ended);
        ended
    }

    /// Reads the reports; what is in one is in the other.
    fn read(&self, ended: &mut Ended) {
        let Ok(junit) = std::fs::read_to_string(self.reports.path().join("junit.xml")) else { return };
        let report = Report::deserialize_from_str(&junit).unwrap();
        let mut failed = Vec::new();
        for case in report.test_suites.iter().flat_map(|suite| &suite.test_cases) {
            let name = case.name.as_str().trim_end_matches(" (default)").to_owned();
            let verdict = match &case.status {
                TestCaseStatus::Success { .. } => "PASS".to_owned(),
                TestCaseStatus::NonSuccess { ty, .. } => {
                    failed.push(name.clone());
                    ty.as_ref().map(|ty| ty.as_str().to_owned()).unwrap_or_default()
                }
                TestCaseStatus::Skipped { .. } => "skipped".to_owned(),
            };
            let peer = case.properties.iter().find(|property| property.name.as_str() == "peer");
            let place = peer.map_or("here", |property| property.value.as_str());
            *ended.places.entry(place.to_owned()).or_default() += 1;
            let before = ended.verdicts.insert(name, verdict);
            assert_eq!(before, None, "{} has two verdicts", case.name.as_str());
        }
        let results = json(&self.reports.path().join("results.json"));
        let names = |result: &serde_json::Value| result["name"].as_str().unwrap().to_owned();
        let mut told: Vec<String> = results["results"].as_array().unwrap().iter().map(names).collect();
        told.sort();
        failed.sort();
        assert_eq!(told, failed);
        assert_eq!(results["test_total"], ended.verdicts.len());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The exit code is right, and every test has the one verdict it should have.
    pub fn is_right(&self, known: &Known) {
        let wrong = || {
            let of = |(name, verdict): (&String, &String)| {
                let got = self.verdicts.get(name);
                (got != Some(verdict)).then(|| format!("{name}: {got:?} instead of {verdict}"))
            };
            let wrong: Vec<String> = known.verdicts.iter().filter_map(of).collect();
            format!("{wrong:#?}\n{:#?}\n{}", self.told(), self.complaints)
        };
        assert_eq!(self.verdicts, known.verdicts, "{}", wrong());
        assert_eq!(self.status.code(), Some(known.code()), "{}", wrong());
    }

    /// What was printed besides tests that passed.
    pub fn told(&self) -> Vec<&String> {
        self.out.iter().filter(|line| !line.starts_with("PASS: ")).collect()
    }

    /// Whether a line has all of this.
    pub fn says(&self, parts: &[&str]) -> bool {
        self.out.iter().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    /// A line has all of this.
    pub fn said(&self, parts: &[&str]) {
        assert!(self.says(parts), "{parts:?} is in no line of {:#?}\n{}", self.told(), self.complaints);
    }
}
