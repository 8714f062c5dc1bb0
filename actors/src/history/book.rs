//! The file of a build: what each test of it came to, and how long it takes, by configuration.

use std::path::{Path, PathBuf};

use flotilla_messages::{Outcome, history_key};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::database::{self, DatabaseError, Schema};
use super::mean::Mean;
use super::record::{Noted, Record, Verdict};

const SCHEMA: Schema = Schema {
    // "FLhi"
    application: 0x464c_6869,
    version: 1,
    create: "
        CREATE TABLE configurations (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE  -- architecture, mode, engine, and options that change what tests do
        ) STRICT;
        CREATE TABLE tests (
            key INTEGER PRIMARY KEY,   -- FNV-1a of the id
            id TEXT NOT NULL           -- the test's stable identity: suite, name, variant
        ) STRICT;
        CREATE TABLE results (
            configuration INTEGER NOT NULL,
            test INTEGER NOT NULL,
            millis REAL NOT NULL,          -- running mean of its durations
            samples INTEGER NOT NULL,      -- of so many, at most 100
            outcome TEXT NOT NULL,         -- of the last run: PASS, FAIL, CRASH, TIMEOUT
            as_expected INTEGER NOT NULL,
            previous_outcome TEXT,         -- of the run before
            previous_as_expected INTEGER,
            runs INTEGER NOT NULL,
            unexpected INTEGER NOT NULL,   -- of these runs
            changes INTEGER NOT NULL,      -- runs that came to something else than the one before
            last_run INTEGER NOT NULL,     -- seconds since 1970
            last_change INTEGER NOT NULL,  -- likewise; 0: never
            PRIMARY KEY (configuration, test)
        ) STRICT, WITHOUT ROWID;
    ",
};

const READ: &str = "SELECT millis, samples, outcome, as_expected, previous_outcome, previous_as_expected, runs, \
                    unexpected, changes, last_run, last_change FROM results WHERE configuration = ?1 AND test = ?2";
const WRITE: &str =
    "INSERT OR REPLACE INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

/// An open history, under one configuration.
#[derive(Debug)]
pub struct Book {
    path: PathBuf,
    connection: Connection,
    configuration: String,
    /// The configuration's number, once it has one.
    number: Option<i64>,
}

impl Book {
    /// Opens the history in this file; with `create`, a new one if there is none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn open(path: &Path, configuration: &str, create: bool) -> Result<Option<Self>, DatabaseError> {
        let Some(connection) = database::open(path, &SCHEMA, create)? else { return Ok(None) };
        let number = "SELECT id FROM configurations WHERE name = ?1";
        let number = connection
            .query_row(number, [configuration], |row| row.get(0))
            .optional()
            .map_err(|source| DatabaseError::of(path, source))?;
        let (path, configuration) = (path.to_owned(), configuration.to_owned());
        Ok(Some(Self { path, connection, configuration, number }))
    }

    /// Renames a damaged history, unless another process has done so since. Where it is now.
    ///
    /// # Errors
    /// [`DatabaseError`]: it stays, and is of no use.
    pub fn set_aside(path: &Path) -> Result<Option<PathBuf>, DatabaseError> {
        database::set_aside(path, &SCHEMA)
    }

    /// The mean duration in milliseconds of each test that has one, by history key, in no order. Those read so far, as
    /// soon as `go_on` says no: a history of half a million tests takes a while.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn means(&self, go_on: &dyn Fn() -> bool) -> Result<Vec<(u64, f32)>, DatabaseError> {
        let Some(number) = self.number else { return Ok(Vec::new()) };
        let read = || {
            let sql = "SELECT test, millis, samples FROM results WHERE configuration = ?1";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([number])?;
            let mut means = Vec::new();
            while let Some(row) = rows.next()? {
                let key: i64 = row.get(0)?;
                if let Some(millis) = Mean::of(row.get(1)?, row.get(2)?).millis() {
                    means.push((key.cast_unsigned(), millis));
                }
                if means.len().is_multiple_of(1024) && !go_on() {
                    break;
                }
            }
            Ok(means)
        };
        read().map_err(|source| DatabaseError::of(&self.path, source))
    }

    /// What is kept of this test, by its stable identity.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn record(&self, id: &str) -> Result<Option<Record>, DatabaseError> {
        let Some(number) = self.number else { return Ok(None) };
        let key = history_key(id).cast_signed();
        let found = self.connection.query_row(READ, [number, key], record).optional();
        found.map_err(|source| DatabaseError::of(&self.path, source))
    }

    /// Keeps these verdicts, at `now` in seconds since 1970: all of them or, after an error, none. What other processes
    /// have written counts.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn write(&mut self, noted: &[Noted], now: u64) -> Result<(), DatabaseError> {
        let Self { path, connection, configuration, number } = self;
        // Neighbours in the file one after the other; of one test, in their order.
        let mut ordered: Vec<(i64, &Noted)> =
            noted.iter().map(|noted| (history_key(&noted.id).cast_signed(), noted)).collect();
        ordered.sort_by_key(|(key, _)| *key);
        let mut write = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let configuration: i64 = match number {
                Some(number) => *number,
                None => transaction.query_row(
                    "INSERT INTO configurations (name) VALUES (?1) ON CONFLICT DO UPDATE SET name = name RETURNING id",
                    [&*configuration],
                    |row| row.get(0),
                )?,
            };
            {
                let mut read = transaction.prepare(READ)?;
                let mut write = transaction.prepare(WRITE)?;
                let mut name =
                    transaction.prepare("INSERT OR IGNORE INTO tests (key, id) VALUES (?1, ?2)")?;
                for &(key, noted) in &ordered {
                    let before = read.query_row([configuration, key], record).optional()?;
                    if before.is_none() {
                        name.execute(params![key, noted.id])?;
                    }
                    let Record { mean, last, previous, runs, unexpected, changes, last_run, last_change } =
                        Record::after(before, noted, now);
                    write.execute(params![
                        configuration,
                        key,
                        mean.millis().unwrap_or_default(),
                        mean.samples(),
                        last.outcome.as_str(),
                        last.as_expected,
                        previous.map(|previous| previous.outcome.as_str()),
                        previous.map(|previous| previous.as_expected),
                        runs,
                        unexpected,
                        changes,
                        last_run.cast_signed(),
                        last_change.cast_signed(),
                    ])?;
                }
            }
            transaction.commit()?;
            *number = Some(configuration);
            Ok(())
        };
        write().map_err(|source| DatabaseError::of(path, source))
    }

    /// For tests: makes SQLite refuse to let the file grow.
    #[cfg(test)]
    pub(super) fn fill_disk(&self) {
        self.connection.pragma_update(None, "max_page_count", 1).unwrap();
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let time = |at| row.get::<_, i64>(at).map(|time| u64::try_from(time).unwrap_or_default());
    let previous: Option<String> = row.get(4)?;
    let expected: Option<bool> = row.get(5)?;
    let previous = match (previous, expected) {
        (Some(text), Some(as_expected)) => Some(Verdict { outcome: outcome(4, &text)?, as_expected }),
        _ => None,
    };
    Ok(Record {
        mean: Mean::of(row.get(0)?, row.get(1)?),
        last: Verdict { outcome: outcome(2, &row.get::<_, String>(2)?)?, as_expected: row.get(3)? },
        previous,
        runs: row.get(6)?,
        unexpected: row.get(7)?,
        changes: row.get(8)?,
        last_run: time(9)?,
        last_change: time(10)?,
    })
}

fn outcome(column: usize, text: &str) -> rusqlite::Result<Outcome> {
    let all = [Outcome::Pass, Outcome::Fail, Outcome::Crash, Outcome::Timeout];
    all.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| {
        let error = format!("'{text}' is no outcome").into();
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    })
}
