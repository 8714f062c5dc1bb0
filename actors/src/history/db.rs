//! The file of a build: what each test of it came to, and how long it takes, by configuration.

use std::path::{Path, PathBuf};

use flotilla_messages::{Outcome, history_key};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::database::{self, DatabaseError, Schema};
use super::mean::Mean;
use super::record::{Noted, Record, Verdict};

pub(super) const SCHEMA: Schema = Schema {
    // "FLhi"
    application: 0x464c_6869,
    version: 2,
    upgrades: &["
        ALTER TABLE results ADD COLUMN changed_from TEXT;   -- what it came to before the last change
        ALTER TABLE results ADD COLUMN flaky INTEGER NOT NULL DEFAULT 0;        -- runs in which it failed and then passed
        ALTER TABLE results ADD COLUMN last_flaky INTEGER NOT NULL DEFAULT 0;   -- as last_change
        ALTER TABLE results ADD COLUMN flaky_last INTEGER NOT NULL DEFAULT 0;   -- whether in the last run
        ALTER TABLE results ADD COLUMN build INTEGER NOT NULL DEFAULT 0;        -- tells builds of the engine apart
        ALTER TABLE results ADD COLUMN unexplained INTEGER NOT NULL DEFAULT 0;  -- changes on one and the same build
        CREATE TABLE upkeep (pruned INTEGER NOT NULL) STRICT;                   -- when, as last_run
        INSERT INTO upkeep VALUES (0);
    "],
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

/// What makes a [`Record`], in the order in which [`record`] takes it; the first of all columns come from version 1.
pub(super) const COLUMNS: &str = "millis, samples, outcome, as_expected, previous_outcome, previous_as_expected, runs, \
                                  unexpected, changes, last_run, last_change";
pub(super) const MORE_COLUMNS: &str = "changed_from, flaky, last_flaky, flaky_last, build, unexplained";
const WRITE: &str = "INSERT OR REPLACE INTO results VALUES \
                     (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
/// Results are kept for this many seconds after the test's last run: what is older says little of the test of today.
const KEPT: u64 = 90 * 24 * 60 * 60;
/// They are looked through at most once in this many seconds: a day.
const UPKEEP: u64 = 24 * 60 * 60;

fn read() -> String {
    format!("SELECT {COLUMNS}, {MORE_COLUMNS} FROM results WHERE configuration = ?1 AND test = ?2")
}

/// An open history, under one configuration.
#[derive(Debug)]
pub struct HistoryDb {
    path: PathBuf,
    connection: Connection,
    configuration: String,
    /// The configuration's number, once it has one.
    number: Option<i64>,
    /// Tells builds of the engine apart.
    build: u64,
}

impl HistoryDb {
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
        Ok(Some(Self { path, connection, configuration, number, build: 0 }))
    }

    /// For results of this build of the engine, whatever tells builds apart; 0: not known.
    #[must_use]
    pub fn of_build(mut self, build: u64) -> Self {
        self.build = build;
        self
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
        let found = self.connection.query_row(&read(), [number, key], record).optional();
        found.map_err(|source| DatabaseError::of(&self.path, source))
    }

    /// Keeps these verdicts, at `now` in seconds since 1970: all of them or, after an error, none. What other processes
    /// have written counts.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn write(&mut self, noted: &[Noted], now: u64) -> Result<(), DatabaseError> {
        let Self { path, connection, configuration, number, build } = self;
        // Neighbours in the file one after the other; of one test, in their order.
        let mut ordered: Vec<(i64, &Noted)> =
            noted.iter().map(|noted| (history_key(&noted.id).cast_signed(), noted)).collect();
        ordered.sort_by_key(|(key, _)| *key);
        let mut write = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Each time: another run may have forgotten it, if all of its tests were old.
            let configuration: i64 = transaction.query_row(
                "INSERT INTO configurations (name) VALUES (?1) ON CONFLICT DO UPDATE SET name = name RETURNING id",
                [&*configuration],
                |row| row.get(0),
            )?;
            {
                let mut read = transaction.prepare(&read())?;
                let mut write = transaction.prepare(WRITE)?;
                let mut name =
                    transaction.prepare("INSERT OR IGNORE INTO tests (key, id) VALUES (?1, ?2)")?;
                for &(key, noted) in &ordered {
                    let before = read.query_row([configuration, key], record).optional()?;
                    if before.is_none() {
                        name.execute(params![key, noted.id])?;
                    }
                    let after = Record::after(before, noted, now, *build);
                    write.execute(params![
                        configuration,
                        key,
                        after.mean.millis().unwrap_or_default(),
                        after.mean.samples(),
                        after.last.outcome.as_str(),
                        after.last.as_expected,
                        after.previous.map(|previous| previous.outcome.as_str()),
                        after.previous.map(|previous| previous.as_expected),
                        after.runs,
                        after.unexpected,
                        after.changes,
                        after.last_run.cast_signed(),
                        after.last_change.cast_signed(),
                        after.changed_from.map(Outcome::as_str),
                        after.flaky,
                        after.last_flaky.cast_signed(),
                        after.flaky_last,
                        after.build.cast_signed(),
                        after.unexplained,
                    ])?;
                }
            }
            transaction.commit()?;
            *number = Some(configuration);
            Ok(())
        };
        write().map_err(|source| DatabaseError::of(path, source))
    }

    /// Forgets tests that have not run for ninety days, in all configurations; at most once a day. Whether it looked.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn prune(&mut self, now: u64) -> Result<bool, DatabaseError> {
        let Self { path, connection, .. } = self;
        let mut prune = || {
            let due: i64 = now.saturating_sub(UPKEEP).cast_signed();
            let pruned: i64 = connection.query_row("SELECT pruned FROM upkeep", [], |row| row.get(0))?;
            // A clock that was ahead for a while must not put it off for ever.
            if pruned > due && pruned <= now.cast_signed() {
                return Ok(false);
            }
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let oldest = now.saturating_sub(KEPT).cast_signed();
            let gone = transaction.execute("DELETE FROM results WHERE last_run < ?1", [oldest])?;
            if gone > 0 {
                transaction.execute("DELETE FROM tests WHERE key NOT IN (SELECT test FROM results)", [])?;
                transaction.execute(
                    "DELETE FROM configurations WHERE id NOT IN (SELECT configuration FROM results)",
                    [],
                )?;
                log::info!("{gone} results are forgotten: their tests have not run for 90 days");
            }
            transaction.execute("UPDATE upkeep SET pruned = ?1", [now.cast_signed()])?;
            transaction.commit()?;
            Ok(true)
        };
        prune().map_err(|source| DatabaseError::of(path, source))
    }

    /// For tests: makes SQLite refuse to let the file grow.
    #[cfg(test)]
    pub(crate) fn fill_disk(&self) {
        self.connection.pragma_update(None, "max_page_count", 1).unwrap();
    }
}

/// Of a row that begins with [`COLUMNS`] and [`MORE_COLUMNS`].
pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
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
        changed_from: row.get::<_, Option<String>>(11)?.map(|text| outcome(11, &text)).transpose()?,
        flaky: row.get(12)?,
        last_flaky: time(13)?,
        flaky_last: row.get(14)?,
        build: row.get::<_, i64>(15)?.cast_unsigned(),
        unexplained: row.get(16)?,
    })
}

fn outcome(column: usize, text: &str) -> rusqlite::Result<Outcome> {
    let all = [Outcome::Pass, Outcome::Fail, Outcome::Crash, Outcome::Timeout];
    all.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| {
        let error = format!("'{text}' is no outcome").into();
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    })
}
