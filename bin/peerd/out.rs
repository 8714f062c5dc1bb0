//! Standard output of the commands.

use std::io;

use crate::peerd::error::CommandError;

/// Prints and flushes the text.
pub fn print(text: &str) -> Result<(), CommandError> {
    use std::io::Write;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
