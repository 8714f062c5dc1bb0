//! The thread of a run that reads and writes its history, and the reporter that feeds it.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use flotilla_messages::port::local::TestDuration;
use flotilla_messages::{Event, EventKind, RunStatus, history_key};

use super::estimates::{DurationEstimates, Means};
use crate::history::{DatabaseError, HistoryDb, Noted};
use crate::kit::unix_seconds;
use crate::run::aggregator::Reporter;

/// Verdicts are handed on when there are this many ...
const BATCH: usize = 4096;
/// ... or the first of them has waited this long.
const WAIT: Duration = Duration::from_secs(3);
/// Maximum wait for the history thread's messages if no test ran.
const NOTHING_NOTED: Duration = Duration::from_millis(10);
/// Verdicts that wait for a locked file; what comes on top of them is lost.
const MOST_WAITING: usize = 100_000;
/// Durations that are kept for the daemon.
const MOST_TOLD: usize = 1_000_000;

enum WriterRequest {
    Note(Vec<Noted>),
    /// Keep durations for the daemon.
    Tell,
    End,
}

/// What a run leaves behind.
#[derive(Debug, Default)]
pub struct Kept {
    /// What a person should know: at most one line about reading, one about writing.
    pub notices: Vec<String>,
    /// How long the tests of this run took, each in its last run.
    pub durations: Vec<TestDuration>,
}

/// Keeps the history of one run, on a thread of its own.
#[derive(Debug)]
pub struct HistoryWriter {
    known: DurationEstimates,
    jobs: Sender<WriterRequest>,
    kept: Receiver<Kept>,
    /// Whether there is anything to be written.
    noted: Rc<Cell<bool>>,
}

impl HistoryWriter {
    /// Begins to read the history in this file under this configuration. `build` tells builds of the engine apart, 0 does
    /// not.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start(path: PathBuf, configuration: String, build: u64) -> io::Result<Self> {
        let known = DurationEstimates::default();
        let (jobs, taken) = channel();
        let (gives, kept) = channel();
        let of_thread = known.clone();
        let life = move || {
            let _ = gives.send(Life::new(path, configuration, build).live(&of_thread, &taken));
        };
        std::thread::Builder::new().name("history".into()).spawn(life)?;
        Ok(Self { known, jobs, kept, noted: Rc::default() })
    }

    /// What is known of the tests' durations, now and later.
    pub fn known(&self) -> DurationEstimates {
        self.known.clone()
    }

    /// From now on durations are kept for the daemon as well, 16 bytes a test.
    pub fn tell(&self) {
        let _ = self.jobs.send(WriterRequest::Tell);
    }

    /// The reporter that notes what tests come to.
    pub fn recorder(&self) -> Recorder {
        Recorder {
            jobs: self.jobs.clone(),
            known: self.known.clone(),
            any: Rc::clone(&self.noted),
            noted: Vec::new(),
            since: None,
            all: 0,
        }
    }

    /// Waits until all that was noted is written, but not for longer than `most`: then it is written as far as the
    /// process lives.
    pub fn end(self, most: Duration) -> Kept {
        // It is of no use any more.
        self.known.stop_reading();
        // The thread may have died: then there is nothing to wait for.
        let _ = self.jobs.send(WriterRequest::End);
        if !self.noted.get() {
            return self.kept.recv_timeout(NOTHING_NOTED).unwrap_or_default();
        }
        self.kept.recv_timeout(most).unwrap_or_else(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => "its file takes too long to be written",
                RecvTimeoutError::Disconnected => "internal error: its thread has died",
            };
            Kept {
                notices: vec![format!("results are not kept in the history: {why}")],
                durations: Vec::new(),
            }
        })
    }
}

/// Notes what tests come to, and hands it on in batches. It waits for nothing.
pub struct Recorder {
    jobs: Sender<WriterRequest>,
    known: DurationEstimates,
    any: Rc<Cell<bool>>,
    noted: Vec<Noted>,
    /// When the first of them came, since the run's start.
    since: Option<Duration>,
    all: u64,
}

impl Recorder {
    fn hand_on(&mut self) {
        self.since = None;
        if !self.noted.is_empty() {
            // A thread that has died keeps nothing, and says so.
            let _ = self.jobs.send(WriterRequest::Note(std::mem::take(&mut self.noted)));
        }
    }
}

impl Reporter for Recorder {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Finished(report) => {
                self.all += 1;
                self.any.set(true);
                self.noted.push(Noted::of(report));
                let since = *self.since.get_or_insert(event.elapsed);
                if self.noted.len() >= BATCH
                    || (self.all.is_multiple_of(64) && event.elapsed.saturating_sub(since) >= WAIT)
                {
                    self.hand_on();
                }
            }
            EventKind::RunFinished(_) => {
                self.known.stop_reading();
                self.hand_on();
            }
            _ => {}
        }
    }

    fn wants_ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, status: &RunStatus) {
        if self.since.is_some_and(|since| status.elapsed.saturating_sub(since) >= WAIT) {
            self.hand_on();
        }
    }
}

/// The thread's own.
struct Life {
    path: PathBuf,
    configuration: String,
    build: u64,
    tell: bool,
    book: Option<HistoryDb>,
    waiting: Vec<Noted>,
    /// How many did not fit there.
    lost: u64,
    /// When it was found locked last.
    locked: Option<Instant>,
    /// Nothing more is written.
    given_up: bool,
    kept: Kept,
}

impl Life {
    fn new(path: PathBuf, configuration: String, build: u64) -> Self {
        Self {
            path,
            configuration,
            build,
            tell: false,
            book: None,
            waiting: Vec::new(),
            lost: 0,
            locked: None,
            given_up: false,
            kept: Kept::default(),
        }
    }

    fn live(mut self, known: &DurationEstimates, jobs: &Receiver<WriterRequest>) -> Kept {
        let means = self.read(known);
        known.set_own(Means::new(means));
        loop {
            match jobs.recv() {
                Ok(WriterRequest::Note(noted)) => self.note(noted),
                Ok(WriterRequest::Tell) => self.tell = true,
                Ok(WriterRequest::End) | Err(_) => break,
            }
        }
        if let Err(error) = self.write() {
            self.say(format!("results are not kept in the history: {error}"));
        }
        self.prune();
        if self.lost > 0 {
            let lost = self.lost;
            self.say(format!("{lost} results are not kept in the history: its file was locked for too long"));
        }
        self.kept
    }

    /// What earlier runs took. If that cannot be read, it is as if there had been none.
    fn read(&mut self, known: &DurationEstimates) -> Vec<(u64, f32)> {
        match self.try_read(known) {
            Err(error) if error.is_damaged() => {
                self.set_aside(&error);
                Vec::new()
            }
            Err(error) => {
                // A locked one may be open to writing later; what is not ours, or newer, never.
                self.given_up = !error.is_locked();
                self.say(format!("the history is not used: {error}"));
                Vec::new()
            }
            Ok(means) => means,
        }
    }

    fn try_read(&mut self, known: &DurationEstimates) -> Result<Vec<(u64, f32)>, DatabaseError> {
        let book = HistoryDb::open(&self.path, &self.configuration, false)?;
        self.book = book.map(|book| book.of_build(self.build));
        self.book.as_ref().map_or(Ok(Vec::new()), |book| book.means(&|| !known.reading_stopped()))
    }

    /// It was damaged: the next one begins anew.
    fn set_aside(&mut self, error: &DatabaseError) {
        self.book = None;
        match HistoryDb::set_aside(&self.path) {
            Ok(Some(aside)) => {
                let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.say(format!("the history begins anew: {error}; it is now {name}"));
            }
            // Another runner has done that.
            Ok(None) => {}
            Err(stays) => {
                self.given_up = true;
                self.say(format!("the history is not used: {error}, and cannot be set aside: {stays}"));
            }
        }
    }

    fn note(&mut self, noted: Vec<Noted>) {
        if self.tell {
            let told = noted.iter().filter_map(|noted| {
                Some(TestDuration { test: history_key(&noted.id), millis: noted.millis? })
            });
            let room = MOST_TOLD.saturating_sub(self.kept.durations.len());
            self.kept.durations.extend(told.take(room));
        }
        if self.given_up {
            return;
        }
        let room = MOST_WAITING.saturating_sub(self.waiting.len());
        self.lost += noted.len().saturating_sub(room.max(BATCH)) as u64;
        self.waiting.extend(noted.into_iter().take(room.max(BATCH)));
        // Not at each batch: finding it locked takes a while.
        if self.locked.is_some_and(|since| since.elapsed() < WAIT) {
            return;
        }
        match self.write() {
            Ok(()) => self.locked = None,
            Err(error) if error.is_locked() => self.locked = Some(Instant::now()),
            Err(error) => {
                self.given_up = true;
                self.say(format!("results are not kept in the history: {error}"));
            }
        }
    }

    /// Writes what waits. A damaged file is set aside once, and the new one is written.
    fn write(&mut self) -> Result<(), DatabaseError> {
        if self.waiting.is_empty() || self.given_up {
            return Ok(());
        }
        match self.try_write() {
            Err(error) if error.is_damaged() => {
                self.set_aside(&error);
                if self.given_up { Ok(()) } else { self.try_write() }
            }
            written => written,
        }
    }

    fn try_write(&mut self) -> Result<(), DatabaseError> {
        let book = match &mut self.book {
            Some(book) => book,
            none => none.insert(created(&self.path, &self.configuration)?.of_build(self.build)),
        };
        book.write(&self.waiting, unix_seconds())?;
        self.waiting.clear();
        Ok(())
    }

    /// It can wait for another run: whatever is wrong will be said when something is to be written.
    fn prune(&mut self) {
        if let Some(book) = self.book.as_mut().filter(|_| !self.given_up && self.locked.is_none())
            && let Err(error) = book.prune(unix_seconds())
        {
            log::info!("the history is not looked through: {error}");
        }
    }

    fn say(&mut self, notice: String) {
        self.kept.notices.push(notice);
    }
}

fn created(path: &Path, configuration: &str) -> Result<HistoryDb, DatabaseError> {
    let book = HistoryDb::open(path, configuration, true)?;
    // Only where nothing may be created is there nothing.
    book.ok_or_else(|| DatabaseError::Foreign { path: path.to_owned() })
}
