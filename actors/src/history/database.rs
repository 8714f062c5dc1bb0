//! Files of SQLite's: made where there is none, left alone where they are not ours, set aside where they are damaged.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use rustix::fs::{FlockOperation, flock};

/// What a file of ours holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    /// Tells our kinds of file from each other and from others' (PRAGMA application_id).
    pub application: i32,
    /// The version that this program writes (PRAGMA user_version).
    pub version: i32,
    /// Makes its tables, as version 1 had them.
    pub create: &'static str,
    /// What makes version 2 of version 1, and so on.
    pub upgrades: &'static [&'static str],
}

/// How long another process may hold a lock.
#[cfg(not(test))]
const PATIENCE: Duration = Duration::from_secs(1);
#[cfg(test)]
const PATIENCE: Duration = Duration::from_millis(100);
/// The most damaged files that are kept beside a good one.
const MOST_DAMAGED: u32 = 9;

/// Why a database is of no use now. Reads well after "the history is not kept: ".
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A later version of this program made it.
    #[error("{} was written by a newer version of this program (it has format {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i32,
        /// The newest that is known here.
        known: i32,
    },
    /// Another program made it.
    #[error("{} is another program's file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds it.
    #[error("another process has locked {}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is no database, or a broken one.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Anything else: a full disk, a directory that cannot be written.
    #[error("cannot use {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The directory cannot be made, or the damaged file not be set aside.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DatabaseError {
    /// What SQLite said of this file.
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match &source {
            // A row that holds what its column does not is no row of ours.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Damaged { path, source },
            rusqlite::Error::SqliteFailure(error, _) => match error.code {
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Damaged { path, source },
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed => Self::Locked { path },
                _ => Self::Sqlite { path, source },
            },
            _ => Self::Sqlite { path, source },
        }
    }

    /// Whether waiting may help.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether the file is of no use to anybody.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// Opens the file. Nothing where there is none and `create` does not ask for one.
///
/// # Errors
/// [`DatabaseError`].
pub(super) fn open(path: &Path, schema: &Schema, create: bool) -> Result<Option<Connection>, DatabaseError> {
    if !create && !path.exists() {
        return Ok(None);
    }
    if let (true, Some(directory)) = (create, path.parent()) {
        fs::create_dir_all(directory)
            .map_err(|source| DatabaseError::Io { path: directory.to_owned(), source })?;
    }
    let failed = |source| DatabaseError::of(path, source);
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    // While it is made there is nothing to lose, and a disk may take its time.
    connection.pragma_update(None, "synchronous", "off").map_err(failed)?;
    let mut state = snapshot(&connection).map_err(failed)?;
    if state.is_empty && create {
        // In WAL mode readers never wait for writers. It stays with the file.
        patiently(|| connection.pragma_update(None, "journal_mode", "wal")).map_err(failed)?;
        make(&mut connection, schema).map_err(failed)?;
        state = snapshot(&connection).map_err(failed)?;
    }
    match state {
        DatabaseState { is_empty: true, .. } => Ok(None),
        DatabaseState { application, .. } if application != schema.application => {
            Err(DatabaseError::Foreign { path: path.to_owned() })
        }
        DatabaseState { version, .. } if version > schema.version => {
            Err(DatabaseError::Newer { path: path.to_owned(), found: version, known: schema.version })
        }
        DatabaseState { version, .. } => {
            if version < schema.version {
                upgrade(&mut connection, schema).map_err(failed)?;
            }
            // A power cut may cost the last results, never the file. What was written stays in its -wal until there are
            // 4 MB of it: a run is not to wait for the disk at its end.
            connection.pragma_update(None, "synchronous", "normal").map_err(failed)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
            Ok(Some(connection))
        }
    }
}

#[derive(Clone, Copy)]
struct DatabaseState {
    application: i32,
    version: i32,
    is_empty: bool,
}

/// The state at one moment: another process may be making the tables.
fn snapshot(connection: &Connection) -> rusqlite::Result<DatabaseState> {
    let transaction = connection.unchecked_transaction()?;
    let state = state(&transaction)?;
    transaction.commit()?;
    Ok(state)
}

fn state(connection: &Connection) -> rusqlite::Result<DatabaseState> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    Ok(DatabaseState { application, version, is_empty: tables == 0 && application == 0 && version == 0 })
}

/// Makes the tables, unless another process has just done so.
fn make(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if state(&transaction)?.is_empty {
        transaction.execute_batch(schema.create)?;
        transaction.pragma_update(None, "application_id", schema.application)?;
        bring_up(&transaction, schema, 1)?;
    }
    transaction.commit()
}

/// Brings an older file up to date, unless another process has just done so.
fn upgrade(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let DatabaseState { version, .. } = state(&transaction)?;
    bring_up(&transaction, schema, version)?;
    transaction.commit()
}

fn bring_up(transaction: &Connection, schema: &Schema, from: i32) -> rusqlite::Result<()> {
    for upgrade in schema.upgrades.iter().skip(usize::try_from(from).unwrap_or(1).saturating_sub(1)) {
        transaction.execute_batch(upgrade)?;
    }
    transaction.pragma_update(None, "user_version", schema.version)
}

/// Opens the file to read it, and nothing else: nobody waits for that. With its version. Nothing where there is none.
///
/// # Errors
/// [`DatabaseError`].
pub(super) fn read(path: &Path, schema: &Schema) -> Result<Option<(Connection, i32)>, DatabaseError> {
    if !path.exists() {
        return Ok(None);
    }
    let failed = |source| DatabaseError::of(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    match snapshot(&connection).map_err(failed)? {
        DatabaseState { is_empty: true, .. } => Ok(None),
        DatabaseState { application, .. } if application != schema.application => {
            Err(DatabaseError::Foreign { path: path.to_owned() })
        }
        DatabaseState { version, .. } if version > schema.version => {
            Err(DatabaseError::Newer { path: path.to_owned(), found: version, known: schema.version })
        }
        DatabaseState { version, .. } => Ok(Some((connection, version))),
    }
}

/// SQLite does not wait by itself where waiting might be in vain, as in a change of the journal's mode.
fn patiently(mut attempt: impl FnMut() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    const ATTEMPTS: u32 = 20;
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::park_timeout(PATIENCE / ATTEMPTS);
            }
            done => return done,
        }
    }
    attempt()
}

/// Renames a damaged file to `NAME.damaged-N`, unless another process has done so since. Where it is now.
///
/// # Errors
/// [`DatabaseError`]: it stays, and is of no use.
pub(super) fn set_aside(path: &Path, schema: &Schema) -> Result<Option<PathBuf>, DatabaseError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| DatabaseError::Io { path, source }
    };
    // Two processes may have found the damage. The second one is not to set aside what the first one has made since.
    let guard = with(path, ".lock");
    let lock = File::create(&guard).map_err(io(&guard))?;
    patient_lock(&lock).map_err(io(&guard))?;
    if is_whole(path, schema) {
        return Ok(None);
    }
    let aside = (1..MOST_DAMAGED).map(|number| with(path, &format!(".damaged-{number}")));
    let aside = aside
        .into_iter()
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| with(path, &format!(".damaged-{MOST_DAMAGED}")));
    fs::rename(path, &aside).map_err(io(path))?;
    // They belong to it; without it they would spoil the next one. There may be none.
    let _ = fs::rename(with(path, "-wal"), with(&aside, "-wal"));
    let _ = fs::remove_file(with(path, "-shm"));
    Ok(Some(aside))
}

/// Not for ever: the holder of the lock renames a file.
fn patient_lock(lock: &File) -> io::Result<()> {
    const ATTEMPTS: u32 = 20;
    for _ in 0..ATTEMPTS {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::park_timeout(PATIENCE / ATTEMPTS),
            done => return done.map_err(io::Error::from),
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Whether it is a database in order, ours or not.
fn is_whole(path: &Path, schema: &Schema) -> bool {
    let check = |connection: Connection| {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).ok()
    };
    match open(path, schema, false) {
        Ok(Some(connection)) => check(connection).is_some_and(|said| said == "ok"),
        Ok(None) => true,
        Err(error) => !error.is_damaged(),
    }
}

fn with(path: &Path, more: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(more);
    path.with_file_name(name)
}
