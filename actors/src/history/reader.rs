//! What earlier runs came to, for who asks. It is read only: no run waits for it, and nothing is mended.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row};

use super::database::{self, DatabaseError};
use super::db::{COLUMNS, MORE_COLUMNS, SCHEMA, record};
use super::record::Record;

/// A history that is read.
#[derive(Debug)]
pub struct HistoryReader {
    path: PathBuf,
    connection: Connection,
    /// Its format.
    version: i32,
}

/// What is kept of one test under one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptTest {
    /// Its stable identity, [`TestCase::id`](flotilla_messages::TestCase::id).
    pub id: String,
    /// What is kept.
    pub record: Record,
}

impl HistoryReader {
    /// Opens the history in this file. Nothing if there is none.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn open(path: &Path) -> Result<Option<Self>, DatabaseError> {
        let opened = database::read(path, &SCHEMA)?;
        Ok(opened.map(|(connection, version)| Self { path: path.to_owned(), connection, version }))
    }

    /// The names of the configurations, in their order.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn configurations(&self) -> Result<Vec<String>, DatabaseError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut names = self.connection.prepare("SELECT name FROM configurations ORDER BY name")?;
            names.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|source| DatabaseError::of(&self.path, source))
    }

    /// What is kept of this configuration's tests for which `wanted` holds, in no order.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub fn tests(
        &self,
        configuration: &str,
        mut wanted: impl FnMut(&str, &Record) -> bool,
    ) -> Result<Vec<KeptTest>, DatabaseError> {
        // What version 1 did not keep is as if it had never happened.
        let more = if self.version < 2 { "NULL, 0, 0, 0, 0, 0" } else { MORE_COLUMNS };
        let sql = format!(
            "SELECT {COLUMNS}, {more}, tests.id FROM results JOIN tests ON tests.key = results.test
             WHERE configuration = (SELECT c.id FROM configurations AS c WHERE c.name = ?1)"
        );
        let mut read = || {
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query([configuration])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let kept = kept(row)?;
                if wanted(&kept.id, &kept.record) {
                    all.push(kept);
                }
            }
            Ok(all)
        };
        read().map_err(|source| DatabaseError::of(&self.path, source))
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptTest> {
    Ok(KeptTest { record: record(row)?, id: row.get(17)? })
}
