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
    upgrades: &[],
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

enum StoreRequest {
    Keep(Stored),
    Forget(String),
}

/// A file of durations, and the thread that reads and writes it. Dropped, it waits for the last words to be written.
#[derive(Debug)]
pub struct DurationStore {
    /// None when it is being dropped.
    jobs: Option<Sender<StoreRequest>>,
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
        self.send(StoreRequest::Keep(stored));
    }

    /// All of this configuration are of no interest any more.
    pub fn forget(&self, configuration: String) {
        self.send(StoreRequest::Forget(configuration));
    }

    fn send(&self, job: StoreRequest) {
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

fn live(path: &Path, to: &Recipient<Restored>, jobs: &Receiver<StoreRequest>) {
    let mut file = match restored(path) {
        Ok((file, stored)) => {
            to.do_send(Restored(stored));
            file
        }
        Err(error) => {
            log::warn!(target: "local", "durations of tests will be forgotten when this daemon ends: {error}");
            return;
        }
    };
    while let Ok(job) = jobs.recv() {
        if let Err(error) = done(path, &mut file, &job) {
            log::warn!(target: "local", "some durations of tests will be forgotten: {error}");
            if error.is_damaged() {
                file = None;
                if let Err(error) = put_aside(path, &error) {
                    log::warn!(target: "local", "durations of tests are not kept: {error}");
                    return;
                }
            }
        }
    }
}

/// What the file holds, if there is one. A damaged one is set aside.
fn restored(path: &Path) -> Result<(Option<File>, Vec<Stored>), DatabaseError> {
    let read = || match File::open(path, false)? {
        Some(file) => file.read().map(|stored| (Some(file), stored)),
        None => Ok((None, Vec::new())),
    };
    match read() {
        Err(error) if error.is_damaged() => put_aside(path, &error).map(|()| (None, Vec::new())),
        read => read,
    }
}

fn put_aside(path: &Path, error: &DatabaseError) -> Result<(), DatabaseError> {
    if let Some(aside) = database::set_aside(path, &SCHEMA)? {
        log::warn!(target: "local", "{error}; it is now {}", aside.display());
    }
    Ok(())
}

/// The file is made when there is something to be kept.
fn done(path: &Path, file: &mut Option<File>, job: &StoreRequest) -> Result<(), DatabaseError> {
    if file.is_none() {
        *file = File::open(path, true)?;
    }
    let Some(file) = file else { return Err(DatabaseError::Foreign { path: path.to_owned() }) };
    match job {
        StoreRequest::Keep(stored) => file.keep(stored),
        StoreRequest::Forget(configuration) => file.forget(configuration),
    }
}

struct File {
    path: PathBuf,
    connection: Connection,
}

impl File {
    fn open(path: &Path, create: bool) -> Result<Option<Self>, DatabaseError> {
        let connection = database::open(path, &SCHEMA, create)?;
        Ok(connection.map(|connection| Self { path: path.to_owned(), connection }))
    }

    fn read(&self) -> Result<Vec<Stored>, DatabaseError> {
        let read = || {
            let mut names = self.connection.prepare("SELECT name FROM configurations ORDER BY id")?;
            let mut statement = self
                .connection
                .prepare("SELECT test, millis, samples FROM durations WHERE configuration = ?1")?;
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
