//! Files as they are found: none, ours, damaged, locked, newer, another program's, on a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::Duration;

use flotilla_messages::{Outcome, history_key};
use rusqlite::Connection;

use super::*;
use crate::history::{HistoryDb, HistoryReader, Noted, Verdict};
use crate::run::aggregator::Reporter;
use crate::run::scheduler::History;

const CONFIGURATION: &str = "x64.release with d8";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("deep/er/history.sqlite")
    }

    fn book(&self) -> HistoryDb {
        HistoryDb::open(&self.path(), CONFIGURATION, true).unwrap().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.path().parent().unwrap()).unwrap().flatten().map(name).collect();
        names.sort();
        names
    }

    fn sql(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

fn noted(id: &str, outcome: Outcome, millis: u32) -> Noted {
    let result = Verdict { outcome, as_expected: outcome == Outcome::Pass };
    Noted { id: id.into(), result, millis: Some(millis), flaky: false }
}

/// A run that notes this, from its start to its end.
fn run(path: &Path, noted: &[Noted]) -> Kept {
    let keeper = HistoryWriter::start(path.to_owned(), CONFIGURATION.into(), 1).unwrap();
    keeper.tell();
    let mut recorder = keeper.recorder();
    for noted in noted {
        recorder.event(&finished(noted));
    }
    let summary = flotilla_messages::Summary {
        counts: Default::default(),
        not_run: 0,
        listing_complete: true,
        stopped: None,
        elapsed: Duration::ZERO,
        flaky_fails: false,
    };
    let end = flotilla_messages::RunEnd::of(summary);
    recorder.event(&event(flotilla_messages::EventKind::RunFinished(Box::new(end))));
    keeper.end(Duration::from_secs(30))
}

fn finished(noted: &Noted) -> flotilla_messages::Event {
    let case = crate::run::fake::case(flotilla_messages::CaseId(1), &["true"]);
    event(flotilla_messages::EventKind::Finished(Box::new(flotilla_messages::TestReport {
        test: flotilla_messages::CaseId(1),
        name: case.name,
        id: noted.id.clone(),
        outcome: noted.result.outcome,
        as_expected: noted.result.as_expected,
        why: None,
        difference: None,
        case: None,
        output: noted.millis.map(|millis| flotilla_messages::Output {
            exit: flotilla_messages::Exit::Code(0),
            timed_out: false,
            stdout: Default::default(),
            stderr: Default::default(),
            duration: Duration::from_millis(millis.into()),
            memory: flotilla_messages::Memory::default(),
            started: None,
        }),
        place: flotilla_messages::Place::Local,
        attempt: 1,
        times: Default::default(),
        differs_on: None,
        earlier: Vec::new(),
    })))
}

fn event(kind: flotilla_messages::EventKind) -> flotilla_messages::Event {
    let (at, elapsed) = (std::time::SystemTime::UNIX_EPOCH, Duration::ZERO);
    flotilla_messages::Event { at, elapsed, stats: Default::default(), kind }
}

fn expected(path: &Path, id: &str) -> Option<Duration> {
    let keeper = HistoryWriter::start(path.to_owned(), CONFIGURATION.into(), 1).unwrap();
    let known = keeper.known();
    assert!(known.wait(Duration::from_secs(30)));
    known.expected(history_key(id))
}

#[test]
fn what_a_run_came_to_is_known_to_the_next() {
    let place = Place::new();
    let path = place.path();
    let first = run(&path, &[noted("a", Outcome::Pass, 100), noted("b", Outcome::Fail, 7)]);
    assert_eq!(first.notices, Vec::<String>::new());
    assert_eq!(first.durations.len(), 2);
    let second = run(&path, &[noted("a", Outcome::Crash, 300)]);
    assert_eq!(second.notices, Vec::<String>::new());
    assert_eq!(expected(&path, "a"), Some(Duration::from_millis(200)));
    assert_eq!(expected(&path, "c"), None);
    let a = place.book().record("a").unwrap().unwrap();
    assert_eq!((a.last.outcome, a.previous.map(|p| p.outcome)), (Outcome::Crash, Some(Outcome::Pass)));
    assert_eq!((a.runs, a.unexpected, a.changes), (2, 1, 1));
    assert!(a.last_run > 1_700_000_000 && a.last_change == a.last_run);
    // Another configuration knows nothing of it.
    let other = HistoryDb::open(&path, "x64.debug with d8", false).unwrap().unwrap();
    assert_eq!((other.means(&|| true).unwrap().len(), other.record("a").unwrap()), (0, None));
}

#[test]
fn reading_ends_when_nobody_asks_any_more() {
    let place = Place::new();
    let many: Vec<_> = (0..5000).map(|number| noted(&number.to_string(), Outcome::Pass, 1)).collect();
    place.book().write(&many, 1).unwrap();
    assert_eq!(place.book().means(&|| false).unwrap().len(), 1024);
    assert_eq!(place.book().means(&|| true).unwrap().len(), 5000);
}

#[test]
fn a_run_of_no_tests_makes_no_file() {
    let place = Place::new();
    assert_eq!(run(&place.path(), &[]).notices, Vec::<String>::new());
    assert!(!place.path().exists());
}

/// lit #59265: concurrent runs corrupted .lit_test_times.txt.
#[test]
fn two_writers_at_once_lose_nothing() {
    const EACH: u32 = 40;
    let place = Place::new();
    let path = place.path();
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (path, barrier) = (&path, &barrier);
            scope.spawn(move || {
                // Both make the file, or one of them.
                barrier.wait();
                for round in 0..EACH {
                    let own = format!("{writer}/{round}");
                    let noted = [noted("both", Outcome::Pass, 10), noted(&own, Outcome::Pass, 1)];
                    // Each of them may find the other one's lock: it is asked again, as a run does.
                    loop {
                        let book = HistoryDb::open(path, CONFIGURATION, true).map(Option::unwrap);
                        match book.and_then(|mut book| book.write(&noted, 1)) {
                            Ok(()) => break,
                            Err(error) => assert!(error.is_locked(), "{error}"),
                        }
                    }
                }
            });
        }
    });
    let book = place.book();
    assert_eq!(book.record("both").unwrap().unwrap().runs, 2 * EACH);
    assert_eq!(book.means(&|| true).unwrap().len(), 1 + 2 * EACH as usize);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_next_one_is_written() {
    let place = Place::new();
    let path = place.path();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for round in 1..=2 {
        // Else what it holds would be whole.
        let _ = fs::remove_file(path.with_file_name("history.sqlite-wal"));
        fs::write(&path, "no database at all, but long enough to be looked at as if it were one".repeat(99))
            .unwrap();
        let kept = run(&path, &[noted("a", Outcome::Pass, 100)]);
        assert_eq!(kept.notices.len(), 1, "{:?}", kept.notices);
        let said = &kept.notices[0];
        assert!(said.contains("history begins anew: ") && said.contains("is damaged"), "{said}");
        assert!(said.ends_with(&format!("it is now history.sqlite.damaged-{round}")), "{said}");
        assert_eq!(expected(&path, "a"), Some(Duration::from_millis(100)));
    }
    let names = place.names();
    assert!(names.contains(&"history.sqlite.damaged-2".to_owned()), "{names:?}");
}

#[test]
fn damage_within_a_file_is_found_when_it_is_read_or_written() {
    let place = Place::new();
    let path = place.path();
    let many: Vec<_> = (0..3000).map(|number| noted(&format!("a/{number}"), Outcome::Pass, 100)).collect();
    assert_eq!(run(&path, &many).notices, Vec::<String>::new());
    place.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    // All but the first pages.
    bytes[16_384..length].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let kept = run(&path, &many[..10]);
    assert_eq!(kept.notices.len(), 1, "{:?}", kept.notices);
    assert!(kept.notices[0].contains("history.sqlite.damaged-1"), "{:?}", kept.notices);
    assert_eq!(place.book().means(&|| true).unwrap().len(), 10);
}

#[test]
fn a_good_file_is_not_set_aside_by_one_who_saw_the_damaged_one() {
    let place = Place::new();
    place.book().write(&[noted("a", Outcome::Pass, 1)], 1).unwrap();
    assert_eq!(HistoryDb::set_aside(&place.path()).unwrap(), None);
    assert!(place.book().record("a").unwrap().is_some());
}

#[test]
fn a_newer_format_and_another_programs_file_are_left_alone() {
    for (sql, said) in [
        ("PRAGMA user_version = 3", "newer version"),
        ("PRAGMA application_id = 7", "another program's file"),
    ] {
        let place = Place::new();
        place.book().write(&[noted("a", Outcome::Pass, 1)], 1).unwrap();
        place.sql(sql);
        place.sql("PRAGMA wal_checkpoint(TRUNCATE)");
        let before = fs::read(place.path()).unwrap();
        let kept = run(&place.path(), &[noted("a", Outcome::Pass, 100)]);
        assert_eq!(kept.notices.len(), 1, "{:?}", kept.notices);
        assert!(kept.notices[0].contains(said), "{:?}", kept.notices);
        assert_eq!(fs::read(place.path()).unwrap(), before, "{said}");
        assert!(!place.names().iter().any(|name| name.contains("damaged")));
    }
}

#[test]
fn a_locked_file_is_read_and_what_cannot_be_written_is_said() {
    let place = Place::new();
    let path = place.path();
    place.book().write(&[noted("a", Outcome::Pass, 100)], 1).unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(expected(&path, "a"), Some(Duration::from_millis(100)));
    let kept = run(&path, &[noted("a", Outcome::Pass, 300)]);
    assert_eq!(kept.notices.len(), 1, "{:?}", kept.notices);
    assert!(kept.notices[0].contains("another process has locked"), "{:?}", kept.notices);
    assert_eq!(kept.durations.len(), 1, "the daemon is told all the same");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(run(&path, &[noted("a", Outcome::Pass, 300)]).notices, Vec::<String>::new());
    assert_eq!(expected(&path, "a"), Some(Duration::from_millis(200)));
}

#[test]
fn a_full_disk_loses_the_last_results_and_nothing_else() {
    let place = Place::new();
    let mut book = place.book();
    book.write(&[noted("a", Outcome::Pass, 100)], 1).unwrap();
    book.fill_disk();
    let many: Vec<_> = (0..5000).map(|number| noted(&format!("a/{number}"), Outcome::Pass, 100)).collect();
    let error = book.write(&many, 2).unwrap_err();
    assert!(!error.is_damaged() && !error.is_locked() && error.to_string().contains("full"), "{error}");
    assert_eq!(place.book().means(&|| true).unwrap().len(), 1);
}

#[test]
fn a_place_that_cannot_be_made_is_said_once() {
    let place = Place::new();
    let file = place.0.path().join("file");
    fs::write(&file, "").unwrap();
    let kept = run(&file.join("history.sqlite"), &[noted("a", Outcome::Pass, 100)]);
    assert_eq!(kept.notices.len(), 1, "{:?}", kept.notices);
}

#[test]
fn a_file_that_is_locked_for_too_long_costs_bounded_memory() {
    let place = Place::new();
    place.book();
    let holder = Connection::open(place.path()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let many: Vec<_> = (0..110_000).map(|number| noted(&number.to_string(), Outcome::Pass, 1)).collect();
    let kept = run(&place.path(), &many);
    assert!(kept.notices.iter().any(|notice| notice.contains("results are not kept")), "{:?}", kept.notices);
    assert_eq!(kept.durations.len(), many.len());
}

/// As version 1 had it, with one result.
fn version_one(place: &Place) {
    place.book().write(&[noted("a", Outcome::Pass, 100)], 50).unwrap();
    let mut sql = String::from("DROP TABLE upkeep; PRAGMA user_version = 1;");
    for column in ["changed_from", "flaky", "last_flaky", "flaky_last", "build", "unexplained"] {
        sql.push_str(&format!("ALTER TABLE results DROP COLUMN {column};"));
    }
    place.sql(&sql);
}

#[test]
fn a_file_of_version_one_is_read_as_it_is_and_brought_up_to_date_by_the_next_run() {
    let place = Place::new();
    version_one(&place);
    let past = HistoryReader::open(&place.path()).unwrap().unwrap();
    let kept = past.tests(CONFIGURATION, |_, _| true).unwrap();
    assert_eq!((kept.len(), kept[0].id.as_str(), kept[0].record.flaky), (1, "a", 0));
    assert_eq!(run(&place.path(), &[noted("a", Outcome::Fail, 300)]).notices, Vec::<String>::new());
    let a = place.book().record("a").unwrap().unwrap();
    assert_eq!((a.runs, a.changed_from, a.build, a.unexplained), (2, Some(Outcome::Pass), 1, 0));
    assert_eq!(expected(&place.path(), "a"), Some(Duration::from_millis(200)));
    // The one that looks was there all the time.
    assert_eq!(past.tests(CONFIGURATION, |_, _| true).unwrap().len(), 1);
}

#[test]
fn what_is_kept_can_be_looked_at_while_a_run_writes() {
    let place = Place::new();
    assert!(HistoryReader::open(&place.path()).unwrap().is_none());
    let flaky = Noted { flaky: true, ..noted("b", Outcome::Pass, 5) };
    place.book().write(&[noted("a", Outcome::Fail, 100), flaky], 7).unwrap();
    let writer = Connection::open(place.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM results").unwrap();
    let past = HistoryReader::open(&place.path()).unwrap().unwrap();
    assert_eq!(past.configurations().unwrap(), [CONFIGURATION]);
    let mut failed = past.tests(CONFIGURATION, |_, record| record.failed_last()).unwrap();
    failed.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(failed.iter().map(|kept| kept.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(failed[1].record, place.book().record("b").unwrap().unwrap());
    assert!(past.tests("another", |_, _| true).unwrap().is_empty());
    writer.execute_batch("COMMIT").unwrap();
    assert!(past.tests(CONFIGURATION, |_, _| true).unwrap().is_empty());
}

#[test]
fn tests_that_have_not_run_for_ninety_days_are_forgotten() {
    const DAY: u64 = 24 * 60 * 60;
    let place = Place::new();
    let mut book = place.book();
    book.write(&[noted("old", Outcome::Pass, 1)], 1000 * DAY).unwrap();
    book.write(&[noted("new", Outcome::Pass, 1)], 1050 * DAY).unwrap();
    let mut other = HistoryDb::open(&place.path(), "another", false).unwrap().unwrap();
    other.write(&[noted("old", Outcome::Pass, 1)], 1000 * DAY).unwrap();
    let names = || HistoryReader::open(&place.path()).unwrap().unwrap().configurations().unwrap();
    assert!(book.prune(1090 * DAY).unwrap());
    assert!(book.record("old").unwrap().is_some() && names().len() == 2);
    assert!(!book.prune(1091 * DAY - 1).unwrap(), "once a day is enough");
    assert!(book.prune(1091 * DAY).unwrap());
    assert_eq!((book.record("old").unwrap(), names()), (None, vec![CONFIGURATION.to_owned()]));
    let past = HistoryReader::open(&place.path()).unwrap().unwrap();
    let left = past.tests(CONFIGURATION, |_, _| true).unwrap();
    assert_eq!(left.iter().map(|kept| kept.id.as_str()).collect::<Vec<_>>(), ["new"]);
    // What is written on goes to where it belongs.
    book.write(&[noted("old", Outcome::Fail, 1)], 1092 * DAY).unwrap();
    other.write(&[noted("old", Outcome::Fail, 1)], 1092 * DAY).unwrap();
    assert_eq!((book.record("old").unwrap().unwrap().runs, names().len()), (1, 2));
}
