//! The file of a daemon: what this host's runners said of their tests' durations, over its restarts.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use actix::{Message, Recipient};
use rusqlite::{Connection, params};

use super::database::{self, DatabaseError, Schema};
use super::mean::Mean;

const SCHEMA: Schema = Schema {
    // "FLdu"
    application: 0x464c_6475,
    version: 1,
    create: "
        CREATE TABLE configurations (
            id INTEGER PRIMARY KEY,    -- the higher, the later it was told of
            name TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE durations (
            configuration TEXT NOT NULL,
            test INTEGER NOT NULL,     -- its history key
            millis REAL NOT NULL,      -- running mean
            samples INTEGER NOT NULL,  -- of so many, at most 100
            PRIMARY KEY (configuration, test)
        ) STRICT, WITHOUT ROWID;
    ",
};

/// How long the daemon's end may wait for the disk.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The means of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name.
    pub configuration: String,
    /// By history key, in no order.
    pub means: Vec<(u64, Mean)>,
}

/// What the file held: configurations in the order in which they were last told of.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Restored(pub Vec<Stored>);

enum Job {
    Keep(Stored),
    Forget(String),
}

/// A file of durations, and the thread that reads and writes it. Dropped, it waits for the last words to be written.
#[derive(Debug)]
pub struct DurationStore {
    /// None when it is being dropped.
    jobs: Option<Sender<Job>>,
    ended: Receiver<()>,
}

impl DurationStore {
    /// Begins to read the file; `to` gets what it holds. Where it cannot be read or written, the log says why, and
    /// durations last as long as the daemon.
    pub fn start(path: PathBuf, to: Recipient<Restored>) -> Self {
        let (jobs, taken) = channel();
        let (ends, ended) = channel();
        let life = move || {
            live(&path, &to, &taken);
            let _ = ends.send(());
        };
        if let Err(error) = std::thread::Builder::new().name("durations".into()).spawn(life) {
            log::warn!(target: "local", "durations will be forgotten: no thread is left: {error}");
        }
        Self { jobs: Some(jobs), ended }
    }

    /// These are the means now.
    pub fn keep(&self, stored: Stored) {
        self.send(Job::Keep(stored));
    }

    /// All of this configuration are of no interest any more.
    pub fn forget(&self, configuration: String) {
        self.send(Job::Forget(configuration));
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // A thread that has ended has said why.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for DurationStore {
    fn drop(&mut self) {
        self.jobs = None;
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }
}

fn live(path: &Path, to: &Recipient<Restored>, jobs: &Receiver<Job>) {
    let mut file = match opened(path) {
        Ok(file) => file,
        Err(error) => {
            log::warn!(target: "local", "durations of tests will be forgotten when this daemon ends: {error}");
            return;
        }
    };
    match file.read() {
        Ok(stored) => to.do_send(Restored(stored)),
        Err(error) => {
            log::warn!(target: "local", "durations of tests are not known: {error}");
            if !error.is_damaged() {
                return;
            }
            drop(file);
            match anew(path, &error) {
                Ok(new) => file = new,
                Err(error) => return log::warn!(target: "local", "durations will be forgotten: {error}"),
            }
        }
    }
    while let Ok(job) = jobs.recv() {
        let done = match job {
            Job::Keep(stored) => file.keep(&stored),
            Job::Forget(configuration) => file.forget(&configuration),
        };
        if let Err(error) = done {
            // The disk may have room again at the next time.
            log::warn!(target: "local", "some durations of tests will be forgotten: {error}");
        }
    }
}

fn opened(path: &Path) -> Result<File, DatabaseError> {
    match File::open(path) {
        Err(error) if error.is_damaged() => anew(path, &error),
        opened => opened,
    }
}

fn anew(path: &Path, error: &DatabaseError) -> Result<File, DatabaseError> {
    if let Some(aside) = database::set_aside(path, &SCHEMA)? {
        log::warn!(target: "local", "{error}; it is now {}", aside.display());
    }
    File::open(path)
}

struct File {
    path: PathBuf,
    connection: Connection,
}

impl File {
    fn open(path: &Path) -> Result<Self, DatabaseError> {
        let connection = database::open(path, &SCHEMA, true)?;
        let path = path.to_owned();
        match connection {
            Some(connection) => Ok(Self { path, connection }),
            None => Err(DatabaseError::Foreign { path }),
        }
    }

    fn read(&self) -> Result<Vec<Stored>, DatabaseError> {
        let read = || {
            let mut names = self.connection.prepare("SELECT name FROM configurations ORDER BY id")?;
            let mut statement =
                self.connection.prepare("SELECT test, millis, samples FROM durations WHERE configuration = ?1")?;
            let mut all = Vec::new();
            for name in names.query_map([], |row| row.get::<_, String>(0))? {
                let configuration = name?;
                let mut rows = statement.query([&configuration])?;
                let mut means = Vec::new();
                while let Some(row) = rows.next()? {
                    let key: i64 = row.get(0)?;
                    means.push((key.cast_unsigned(), Mean::of(row.get(1)?, row.get(2)?)));
                }
                all.push(Stored { configuration, means });
            }
            Ok(all)
        };
        read().map_err(|source| DatabaseError::of(&self.path, source))
    }

    fn keep(&mut self, Stored { configuration, means }: &Stored) -> Result<(), DatabaseError> {
        let mut keep = || {
            let transaction = self.connection.transaction()?;
            // Replaced, it gets a new number: the order in which they were told of.
            transaction.execute(
                "INSERT OR REPLACE INTO configurations (id, name)
                 VALUES ((SELECT ifnull(max(id), 0) + 1 FROM configurations), ?1)",
                [configuration],
            )?;
            {
                let mut insert =
                    transaction.prepare("INSERT OR REPLACE INTO durations VALUES (?1, ?2, ?3, ?4)")?;
                for (key, mean) in means {
                    let Some(millis) = mean.millis() else { continue };
                    insert.execute(params![configuration, key.cast_signed(), millis, mean.samples()])?;
                }
            }
            transaction.commit()
        };
        keep().map_err(|source| DatabaseError::of(&self.path, source))
    }

    fn forget(&mut self, configuration: &str) -> Result<(), DatabaseError> {
        let mut forget = || {
            let transaction = self.connection.transaction()?;
            transaction.execute("DELETE FROM durations WHERE configuration = ?1", [configuration])?;
            transaction.execute("DELETE FROM configurations WHERE name = ?1", [configuration])?;
            transaction.commit()
        };
        forget().map_err(|source| DatabaseError::of(&self.path, source))
    }
}
