//! A configuration file.

use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Table;

use super::ConfigError;

/// Reads a file both as `T`, which checks its keys, and as a plain table; `None` if there is no such file.
///
/// # Errors
/// [`ConfigError::Read`], and [`ConfigError::Content`] with the line and column of what `T` does not accept.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<(T, Table)>, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    // As `T` first: its errors have line and column.
    let read = toml::from_str::<T>(&text).and_then(|typed| Ok((typed, text.parse()?)));
    read.map(Some).map_err(|error| ConfigError::Content {
        path: path.to_owned(),
        detail: error.to_string().trim_end().to_owned(),
    })
}
