//! Reading a status file, in either of its languages.

use std::path::Path;

use super::file::StatusFile;
use super::lines;
use super::reader::{Lines, Reader};
use super::reading::{Reading, Syntax};
use super::rules::Rules;
use crate::syntax::python::Diagnostic;

impl StatusFile {
    /// Reads a status file's text.
    ///
    /// Sections whose condition depends on the variant are evaluated for all variants of the tree, so that a broken
    /// one is found whatever is selected.
    ///
    /// # Errors
    /// The first syntax or evaluation error, with its position.
    pub fn read(path: &Path, text: &str, reading: Reading<'_>) -> Result<Self, Diagnostic> {
        let file = Self {
            path: path.into(),
            per_variant: vec![Rules::default(); reading.selected.len()],
            may: (Rules::default(), vec![Rules::default(); reading.selected.len()]),
            ..Self::default()
        };
        let result = match reading.syntax {
            Syntax::Python => {
                let mut reader = Reader { text, reading, lines: Lines::new(text), file };
                reader.read().map(|()| reader.file)
            }
            Syntax::Lines => lines::read(file, text, reading),
        };
        result.map_err(|problem| problem.located(path, text))
    }
}
