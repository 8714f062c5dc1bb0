//! Expectations files that were given for a run (`--expectations`), in any of their forms.

use std::path::Path;

use super::entries::{EntryFile, Naming};
use super::file::StatusFile;
use super::reading::Reading;
use super::{jsc, plain, table};
use crate::syntax::python::Diagnostic;

/// In which form a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A V8 status file.
    Status,
    /// `[[expect]]` tables.
    Table,
    /// A plain list.
    Plain,
    /// As JavaScriptCore's runner of test262 writes it.
    Jsc,
}

/// Its name's end says it, else how it begins.
fn form(path: &Path, text: &str) -> Form {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("status") => return Form::Status,
        Some("toml") => return Form::Table,
        Some("txt" | "list") => return Form::Plain,
        Some("yaml" | "yml") => return Form::Jsc,
        _ => {}
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !(line.is_empty() || line.starts_with('#')));
    match lines.next() {
        Some("---") => Form::Jsc,
        Some(line) if line.starts_with("[[expect") => Form::Table,
        Some(line) if line == "[" || line.starts_with("[[") || line.starts_with("[ALWAYS") => Form::Status,
        _ => Form::Plain,
    }
}

/// Reads a file. One that is called like a suite, `SUITE.status` or `SUITE.expect.toml`, holds names within that suite, as
/// the suites' own files do; in any other the names begin with the suite.
///
/// # Errors
/// What is wrong with it, with its position.
pub(crate) fn given(
    path: &Path,
    text: &str,
    suites: &[&str],
    reading: Reading<'_>,
) -> Result<EntryFile, Diagnostic> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let of_suite = [".status", ".expect.toml"].iter().find_map(|end| name.strip_suffix(end));
    let naming = match of_suite.filter(|suite| suites.contains(suite)) {
        Some(suite) => Naming::Within(suite.into()),
        None => Naming::Across,
    };
    match form(path, text) {
        Form::Status => StatusFile::read(path, text, reading).map(|file| EntryFile::of_status(&file, naming)),
        Form::Table => table::read(path, text, naming, reading),
        Form::Plain => plain::read(path, text, naming),
        Form::Jsc => jsc::read(path, text, naming),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Syntax, Variables, Vocabulary};
    use super::*;

    #[test]
    fn a_files_name_or_beginning_says_its_form() {
        let form = |name: &str, text: &str| form(Path::new(name), text);
        assert_eq!(form("a.status", "x"), Form::Status);
        assert_eq!(form("a.toml", "[\n"), Form::Table);
        assert_eq!(form("a.txt", "[a]*"), Form::Plain);
        assert_eq!(form("known", "# c\n\n[\n[ALWAYS, {"), Form::Status);
        assert_eq!(form("known", "[[ALWAYS, {}]]"), Form::Status);
        assert_eq!(form("known", "# c\n[[expect]]\n"), Form::Table);
        assert_eq!(form("known", "[ab]*/x FAIL"), Form::Plain);
        assert_eq!(form("expectations.yaml", "# c\n---\n"), Form::Jsc);
        assert_eq!(form("known", "# c\n---\n"), Form::Jsc);
        assert_eq!(form("known", ""), Form::Plain);
    }

    #[test]
    fn a_file_called_like_a_suite_is_about_it_alone() {
        let variables = Variables::default();
        let reading = Reading {
            variables: &variables,
            all_variants: &["default"],
            selected: &["default"],
            vocabulary: Vocabulary::Modern,
            syntax: Syntax::Python,
            keywords: None,
        };
        let naming =
            |name: &str, text: &str| given(Path::new(name), text, &["s", "t"], reading).unwrap().naming;
        assert_eq!(naming("x/s.status", "[]"), Naming::Within("s".into()));
        assert_eq!(naming("x/s.expect.toml", ""), Naming::Within("s".into()));
        assert_eq!(naming("x/u.status", "[]"), Naming::Across);
        assert_eq!(naming("x/s.txt", ""), Naming::Across);
    }
}
