//! Expectations as TOML: `[[expect]]` tables, in a file of their own or in a `suite.toml`.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::condition::Truth;
use super::entries::{Entry, EntryFile, Naming};
use super::outcomes::Outcomes;
use super::plain::{unknown_word, word};
use super::reading::Reading;
use crate::syntax::python::{Diagnostic, Problem, parse};

/// A table `[[expect]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expect {
    /// The tests: names or patterns as on the command line.
    tests: OneOrMany,
    /// The condition under which it holds, in the language of status files.
    #[serde(default)]
    when: Option<Spanned<String>>,
    /// What is expected; FAIL if nothing is said, unless there are flags.
    #[serde(default)]
    outcomes: Option<OneOrMany>,
    /// Why.
    #[serde(default)]
    reason: Option<String>,
    /// Flags for the tests.
    #[serde(default)]
    flags: Vec<String>,
}

/// A file of nothing but such tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    expect: Vec<Expect>,
}

/// A text or a list of texts, each with its place.
#[derive(Clone, Debug, Default)]
pub struct OneOrMany {
    /// The texts.
    pub texts: Vec<Spanned<String>>,
    /// Whether they were written as a list.
    pub is_list: bool,
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = (Vec<Spanned<String>>, bool);

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                // Its place is known once the whole value is.
                Ok((vec![Spanned::new(0..0, text.to_owned())], false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok((texts, true))
            }
        }
        struct TableValue((Vec<Spanned<String>>, bool));
        impl<'de> Deserialize<'de> for TableValue {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Texts).map(Self)
            }
        }
        let value = Spanned::<TableValue>::deserialize(deserializer)?;
        let span = value.span();
        let TableValue((mut texts, is_list)) = value.into_inner();
        if !is_list {
            texts = texts.into_iter().map(|text| Spanned::new(span.clone(), text.into_inner())).collect();
        }
        Ok(Self { texts, is_list })
    }
}

/// What a TOML reader says, with its place in the file.
pub fn toml_problem(error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |span| span.start);
    Problem::new(at, error.message().lines().collect::<Vec<_>>().join(", "))
}

/// The offset of a part of a value that is written as a plain string: it stands in the file as it is. Of any other the
/// value's start has to do.
pub fn place_in(text: &str, span: &Range<usize>, part: &str) -> usize {
    let written = text.get(span.clone()).unwrap_or_default();
    span.start + written.find(part).unwrap_or_default()
}

/// Reads a file of `[[expect]]` tables.
///
/// # Errors
/// What is no such file, with its position.
pub fn read(path: &Path, text: &str, naming: Naming, reading: Reading<'_>) -> Result<EntryFile, Diagnostic> {
    let tables = toml::from_str::<File>(text).map_err(|error| toml_problem(&error));
    let read = tables.and_then(|file| entries(path, text, naming, &file.expect, reading));
    read.map_err(|problem| problem.located(path, text))
}

/// What the tables of the file `text` come to in a run.
///
/// # Errors
/// An unknown outcome, or a condition that is none.
pub fn entries(
    path: &Path,
    text: &str,
    naming: Naming,
    tables: &[Expect],
    reading: Reading<'_>,
) -> Result<EntryFile, Problem> {
    let lines: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let line_of = |at: usize| lines.partition_point(|end| *end < at) + 1;
    let mut file = EntryFile::new(path, naming);
    for table in tables {
        let mut outcomes = Outcomes::default();
        for said in table.outcomes.iter().flat_map(|outcomes| &outcomes.texts) {
            let unknown = || Problem::new(said.span().start, unknown_word(said.get_ref()));
            outcomes |= word(said.get_ref()).ok_or_else(unknown)?;
        }
        if outcomes.is_empty() && table.flags.is_empty() {
            outcomes = Outcomes::FAIL;
        }
        let variants = match &table.when {
            None => Some(vec![None]),
            Some(when) => holds(text, when, reading)?,
        };
        for (test, variant) in table
            .tests
            .texts
            .iter()
            .flat_map(|test| variants.iter().flatten().map(move |variant| (test, *variant)))
        {
            file.entries.push(Entry {
                condition: table.when.as_ref().map(|when| when.get_ref().clone()).unwrap_or_default(),
                flags: table.flags.clone(),
                reason: table.reason.clone(),
                variant,
                ..Entry::new(test.get_ref(), line_of(test.span().start), outcomes)
            });
        }
    }
    Ok(file)
}

/// The selected variants for which a condition holds, `None` standing for all of them; nothing if it does not hold.
type Held = Option<Vec<Option<usize>>>;

fn holds(text: &str, when: &Spanned<String>, reading: Reading<'_>) -> Result<Held, Problem> {
    let condition = when.get_ref();
    let start = place_in(text, &when.span(), condition);
    let evaluate = |variant| {
        let result = parse(condition).and_then(|expr| reading.variables.evaluate(&expr, variant));
        result.map_err(|problem| Problem::new(start + problem.at, problem.message))
    };
    match evaluate(None)? {
        Truth::Known(holds) => Ok(holds.then(|| vec![None])),
        // Files of one's own are held to what is known, whatever the tree.
        Truth::Unknown(problem) => Err(Problem::new(start + problem.at, problem.message)),
        Truth::NeedsVariant => {
            let mut held = Vec::new();
            for variant in reading.all_variants {
                let selected = reading.selected.iter().position(|selected| selected == variant);
                if evaluate(Some(variant))? == Truth::Known(true)
                    && let Some(selected) = selected
                {
                    held.push(Some(selected));
                }
            }
            Ok(Some(held))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Syntax, Variables, Vocabulary};
    use super::*;

    fn file(text: &str) -> Result<EntryFile, String> {
        let mut variables = Variables::default();
        variables.constants(["stress", "default", "x64"]);
        variables.set("arch", "x64");
        let reading = Reading {
            variables: &variables,
            all_variants: &["stress", "jitless", "default"],
            selected: &["stress", "default"],
            vocabulary: Vocabulary::Modern,
            syntax: Syntax::Python,
            keywords: None,
        };
        read(Path::new("e.toml"), text, Naming::Across, reading).map_err(|e| e.to_string())
    }

    fn shown(text: &str) -> Vec<String> {
        let shown =
            |entry: &Entry| format!("{} {} {} {:?}", entry.line, entry.text, entry.outcomes, entry.variant);
        file(text).unwrap().entries.iter().map(shown).collect()
    }

    #[test]
    fn tables_are_entries() {
        assert_eq!(
            shown(
                "[[expect]]\ntests = [\"s/a\",\n  \"s/b*\"]\noutcomes = [\"FAIL\", \"slow\"]\n[[expect]]\ntests = 's/c'\n"
            ),
            ["2 s/a FAIL, SLOW None", "3 s/b* FAIL, SLOW None", "6 s/c FAIL None"]
        );
        let with = file("[[expect]]\ntests = 'a'\nflags = ['--x']\nreason = 'why'\n").unwrap();
        let entry = with.entries.first().unwrap();
        assert!(
            entry.outcomes.is_empty() && entry.flags == ["--x"] && entry.reason.as_deref() == Some("why")
        );
    }

    #[test]
    fn conditions_choose_tables_and_variants() {
        let with = |when: &str| shown(&format!("[[expect]]\ntests = 'a'\nwhen = \"{when}\"\n"));
        assert_eq!(with("arch == x64"), ["2 a FAIL None"]);
        assert!(with("arch != x64").is_empty());
        assert_eq!(with("variant == default"), ["2 a FAIL Some(1)"]);
        assert_eq!(with("variant != default"), ["2 a FAIL Some(0)"]);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, start) in [
            (
                "[[expect]]\ntests = 'a'\noutcomes = 'FIAL'\n",
                "e.toml:3:12: unknown outcome 'FIAL'; did you mean 'FAIL'?",
            ),
            ("[[expect]]\ntests = 'a'\noutcomes = ['PASS', 'x']\n", "e.toml:3:21: unknown outcome 'x'"),
            (
                "[[expect]]\ntests = 'a'\nwhen = 'ach == x64'\n",
                "e.toml:3:9: unknown name 'ach'; did you mean 'arch'?",
            ),
            ("[[expect]]\ntest = 'a'\n", "e.toml:2:1: unknown field `test`, expected one of `tests`, `when`"),
            ("[[expects]]\n", "e.toml:1:3: unknown field `expects`, expected `expect`"),
            ("[[expect]]\noutcomes = 'FAIL'\n", "e.toml:1:1: missing field `tests`"),
            (
                "[[expect]]\ntests = 3\n",
                "e.toml:2:9: invalid type: integer `3`, expected a string or a list of strings",
            ),
            ("x = ", "e.toml:1:5: "),
        ] {
            let error = file(text).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = file(&text);
        }

        #[test]
        fn any_condition_holds_or_is_refused(when in "[a-z64()\\[\\] =!,]{0,30}") {
            let _ = file(&format!("[[expect]]\ntests = ['a', 'b']\nwhen = '{when}'\n"));
        }
    }
}
