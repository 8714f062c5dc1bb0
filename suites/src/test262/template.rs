//! Texts of host files with places to fill: `%{harness}`.

use flotilla_messages::case::{COMPILED, HARNESS};
use flotilla_messages::recipe::quoted;
use flotilla_messages::{Arg, Part};

/// What a compiled file is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(String),
    /// The host's prelude.
    Prelude,
    /// The directive of strict halves, or nothing.
    Strict,
    /// The harness files that the test needs.
    Harness,
    /// The test's source.
    Test,
    /// The absolute path of the test's file, for JavaScript's double quotes.
    Path,
    /// One of the others, for JavaScript's double quotes.
    Quoted(Box<Piece>),
}

/// The words that fill places of compiled files, as they are written.
const PLACES: &str = "%{prelude} %{strict} %{harness} %{test}, each also as %{quoted-...}, %{quoted-path}";
/// The same of arguments.
const WORDS: &str = "%{compiled}, %{compiled-harness} and %{test}";
/// What makes a test strict (INTERPRETING.md, "Strict Mode").
const DIRECTIVE: &str = "\"use strict\";\n";

/// Reads the text of a compiled file.
///
/// # Errors
/// A place that nothing fills.
pub fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("%{") {
        if !before.is_empty() {
            found.push(Piece::Text(before.to_owned()));
        }
        let (name, behind) = after.split_once('}').ok_or("a place '%{' has no end")?;
        found.push(piece(name).ok_or_else(|| format!("nothing fills '%{{{name}}}'; there are {PLACES}"))?);
        rest = behind;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest.to_owned()));
    }
    Ok(found)
}

fn piece(name: &str) -> Option<Piece> {
    Some(match name {
        "prelude" => Piece::Prelude,
        "strict" => Piece::Strict,
        "harness" => Piece::Harness,
        "test" => Piece::Test,
        "quoted-path" => Piece::Path,
        name => {
            let inner = name.strip_prefix("quoted-").filter(|inner| !inner.starts_with("quoted-"))?;
            Piece::Quoted(Box::new(piece(inner)?))
        }
    })
}

/// An argument as host files write it: `%{compiled}`, `%{compiled-harness}` and `%{test}` alone, the latter also within
/// other text.
///
/// # Errors
/// A place that nothing fills.
pub fn argument(word: &str) -> Result<Arg, String> {
    const TEST: &str = "%{test}";
    let arg = match word.split_once(TEST) {
        _ if word == COMPILED => Arg::Compiled,
        _ if word == HARNESS => Arg::Harness,
        Some(("", "")) => Arg::Path(String::new()),
        Some((before, after)) => {
            Arg::Embedded { before: before.to_owned(), path: String::new(), after: after.to_owned() }
        }
        None => Arg::Text(word.to_owned()),
    };
    let texts: [&str; 2] = match &arg {
        Arg::Text(text) => [text, ""],
        Arg::Embedded { before, after, .. } => [before, after],
        _ => ["", ""],
    };
    match texts.iter().any(|text| text.contains("%{")) {
        true => Err(format!("nothing fills a place in the argument '{word}'; there are {WORDS}")),
        false => Ok(arg),
    }
}

/// What fills the places.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The host's prelude.
    pub prelude: &'a str,
    /// Whether the half is the strict one.
    pub strict: bool,
    /// Harness files, paths below the root.
    pub harness: &'a [String],
    /// The test's file, the same.
    pub test: &'a str,
}

impl Filling<'_> {
    /// The parts of a file made of these pieces.
    pub fn parts(&self, pieces: &[Piece]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::with_capacity(pieces.len() + 2 * self.harness.len());
        for piece in pieces {
            self.add(piece, false, &mut parts);
        }
        parts
    }

    fn add(&self, piece: &Piece, in_quotes: bool, parts: &mut Vec<Part>) {
        let mut text = |text: &str| {
            if text.is_empty() {
                return;
            }
            let text = match in_quotes {
                true => String::from_utf8_lossy(&quoted(text.as_bytes())).into_owned(),
                false => text.to_owned(),
            };
            match parts.last_mut() {
                Some(Part::Text(before)) => before.push_str(&text),
                _ => parts.push(Part::Text(text)),
            }
        };
        match piece {
            Piece::Text(own) => text(own),
            Piece::Prelude => text(self.prelude),
            Piece::Strict if self.strict => text(DIRECTIVE),
            Piece::Strict => {}
            Piece::Harness => {
                for file in self.harness {
                    self.file(file, in_quotes, parts);
                    // Its last line may have no end.
                    self.add(&Piece::Text("\n".to_owned()), in_quotes, parts);
                }
            }
            Piece::Test => self.file(self.test, in_quotes, parts),
            Piece::Path => parts.push(Part::QuotedPath(self.test.to_owned())),
            Piece::Quoted(inner) => self.add(inner, true, parts),
        }
    }

    fn file(&self, path: &str, in_quotes: bool, parts: &mut Vec<Part>) {
        let path = path.to_owned();
        parts.push(if in_quotes { Part::QuotedFile(path) } else { Part::File(path) });
    }
}

/// The argument for this test.
pub fn filled(arg: &Arg, test: &str) -> Arg {
    match arg {
        Arg::Path(_) => Arg::Path(test.to_owned()),
        Arg::Embedded { before, after, .. } => {
            Arg::Embedded { before: before.clone(), path: test.to_owned(), after: after.clone() }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filling<'a>(strict: bool, harness: &'a [String]) -> Filling<'a> {
        Filling { prelude: "p();", strict, harness, test: "test/a.js" }
    }

    #[test]
    fn places_are_filled_in_order() {
        let harness = ["harness/assert.js".to_owned()];
        let pieces = pieces("%{strict}%{prelude}\n%{harness}%{test}").unwrap();
        assert_eq!(
            filling(true, &harness).parts(&pieces),
            [
                Part::Text("\"use strict\";\np();\n".into()),
                Part::File("harness/assert.js".into()),
                Part::Text("\n".into()),
                Part::File("test/a.js".into()),
            ]
        );
        assert_eq!(filling(false, &[]).parts(&pieces)[0], Part::Text("p();\n".into()));
    }

    #[test]
    fn quoted_places_are_filled_for_a_string() {
        let pieces =
            pieces("run(\"%{quoted-strict}%{quoted-harness}%{quoted-test}\", \"%{quoted-path}\")").unwrap();
        let harness = ["h.js".to_owned()];
        assert_eq!(
            filling(true, &harness).parts(&pieces),
            [
                Part::Text("run(\"\\\"use strict\\\";\\n".into()),
                Part::QuotedFile("h.js".into()),
                Part::Text("\\n".into()),
                Part::QuotedFile("test/a.js".into()),
                Part::Text("\", \"".into()),
                Part::QuotedPath("test/a.js".into()),
                Part::Text("\")".into()),
            ]
        );
    }

    #[test]
    fn places_that_nothing_fills_are_refused() {
        assert!(pieces("%{tset}").unwrap_err().starts_with("nothing fills '%{tset}'; there are %{prelude}"));
        assert!(pieces("%{quoted-quoted-path}").is_err() && pieces("%{path}").is_err());
        assert_eq!(pieces("%{test").unwrap_err(), "a place '%{' has no end");
        assert!(argument("%{prelude}").is_err() && argument("-f=%{compiled}").is_err());
    }

    #[test]
    fn arguments_name_files() {
        assert_eq!(argument("%{compiled}"), Ok(Arg::Compiled));
        assert_eq!(argument("%{compiled-harness}"), Ok(Arg::Harness));
        assert_eq!(argument("-m"), Ok(Arg::Text("-m".into())));
        let module = argument("--module-file=%{test}").unwrap();
        assert_eq!(filled(&module, "test/a.js").relative(), "--module-file=test/a.js");
        assert_eq!(filled(&argument("%{test}").unwrap(), "t.js"), Arg::Path("t.js".into()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z%{}-]{0,60}") {
            let _ = pieces(&text);
            let _ = argument(&text);
        }
    }
}
