//! Plain lists of tests: one a line, as engines' developers keep them.
//!
//! A line is a test's name or a pattern, and behind it words that say what is expected; without any, that it fails.
//! Lines that `run-test262` of QuickJS writes (`test262/test/x.js:12: strict mode: Error`) are understood as well.

use std::path::Path;

use super::entries::{Entry, EntryFile, Half, Naming};
use super::outcomes::Outcomes;
use crate::syntax::python::{Diagnostic, Problem};
use flotilla_messages::nearest::{hint, nearest};

/// The words that say more than an outcome.
const MODES: [(&str, Half); 3] =
    [("strict", Half::Strict), ("sloppy", Half::Sloppy), ("default", Half::Sloppy)];

/// The set that a word of a list or a table stands for, in any case of letters; whichever version knows it.
pub(super) fn word(word: &str) -> Option<Outcomes> {
    match word.to_ascii_uppercase().as_str() {
        "PASS_OR_FAIL" | "FLAKY" => Some(Outcomes::PASS | Outcomes::FAIL),
        word => Outcomes::word(word),
    }
}

/// The word that may have been meant, and all there are.
pub(super) fn unknown_word(word: &str) -> String {
    let known: Vec<&str> = Outcomes::words().chain(["PASS_OR_FAIL"]).collect();
    let near = nearest(word, known.iter().copied());
    format!("unknown outcome '{word}'{} (outcomes: {})", hint(near), known.join(", "))
}

/// Reads a plain list.
///
/// # Errors
/// A word behind a name that is no outcome, with its position.
pub fn read(path: &Path, text: &str, naming: Naming) -> Result<EntryFile, Diagnostic> {
    let mut file = EntryFile::new(path, naming);
    let mut start = 0;
    for (number, line) in (1..).zip(text.split('\n')) {
        let entry = entry(line, number)
            .map_err(|problem| Problem::new(start + problem.at, problem.message).located(path, text))?;
        file.entries.extend(entry);
        start += line.len() + 1;
    }
    Ok(file)
}

/// The words of a line with their offsets, up to a comment: a `#` at its start or behind a blank.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let words = line.split_whitespace().map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word));
    words.take_while(|(_, word)| !word.starts_with('#'))
}

fn entry(line: &str, number: usize) -> Result<Option<Entry>, Problem> {
    let mut words = words(line);
    let Some((_, name)) = words.next() else { return Ok(None) };
    if let Some(name) = reported(name) {
        let strict = words.next().is_some_and(|(_, word)| word == "strict")
            && words.next().is_some_and(|(_, word)| word == "mode:");
        let half = if strict { Half::Strict } else { Half::Sloppy };
        return Ok(Some(Entry { half: Some(half), ..Entry::new(name, number, Outcomes::FAIL) }));
    }
    let mut entry = Entry::new(name, number, Outcomes::default());
    let mut strict = false;
    for (at, word_text) in words {
        for part in word_text.split(',').filter(|part| !part.is_empty()) {
            let mode = MODES.iter().find(|(mode, _)| part.eq_ignore_ascii_case(mode)).map(|(_, half)| *half);
            match (word(part), mode) {
                (Some(outcome), _) => entry.outcomes |= outcome,
                (None, Some(half)) => {
                    strict = half == Half::Strict;
                    entry.half = Some(half);
                }
                // test262-harness says `strict mode`.
                (None, None) if strict && part == "mode" => {}
                (None, None) => return Err(Problem::new(at, unknown_word(part))),
            }
        }
    }
    if entry.outcomes.is_empty() {
        entry.outcomes = Outcomes::FAIL;
    }
    Ok(Some(entry))
}

/// The file of `FILE.js:LINE:`.
fn reported(word: &str) -> Option<&str> {
    let (file, line) = word.strip_suffix(':')?.rsplit_once(':')?;
    let is_line = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    (is_line && file.ends_with(".js")).then_some(file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> Result<EntryFile, String> {
        read(Path::new("list.txt"), text, Naming::Across).map_err(|e| e.to_string())
    }

    fn shown(text: &str) -> Vec<String> {
        let shown =
            |entry: &Entry| format!("{} {} {} {:?}", entry.line, entry.text, entry.outcomes, entry.half);
        list(text).unwrap().entries.iter().map(shown).collect()
    }

    #[test]
    fn a_name_alone_is_expected_to_fail() {
        assert_eq!(
            shown("# known\n\nmjsunit/a\n  webkit/b*  CRASH # why\r\ns/c pass,fail SLOW\ns/d#e flaky"),
            [
                "3 mjsunit/a FAIL None",
                "4 webkit/b* CRASH None",
                "5 s/c PASS, FAIL, SLOW None",
                "6 s/d#e PASS, FAIL None"
            ]
        );
    }

    #[test]
    fn modes_are_those_of_test262() {
        assert_eq!(
            shown("test/x.js strict\ntest/x.js default SKIP\ntest/y.js strict mode\ntest/z.js sloppy FAIL"),
            [
                "1 test/x.js FAIL Some(Strict)",
                "2 test/x.js SKIP Some(Sloppy)",
                "3 test/y.js FAIL Some(Strict)",
                "4 test/z.js FAIL Some(Sloppy)"
            ]
        );
    }

    #[test]
    fn lines_of_quickjs_are_understood() {
        assert_eq!(
            shown(
                "test262/test/a.js:33: strict mode: Test262Error: x #1\ntest262/test/b.js:7: SyntaxError: y"
            ),
            ["1 test262/test/a.js FAIL Some(Strict)", "2 test262/test/b.js FAIL Some(Sloppy)"]
        );
    }

    #[test]
    fn an_unknown_word_is_refused_with_its_place() {
        let error = list("a\nb  FIAL\n").unwrap_err();
        assert!(
            error.starts_with("list.txt:2:4: unknown outcome 'FIAL'; did you mean 'FAIL'? (outcomes: PASS"),
            "{error}"
        );
        assert!(error.ends_with("    b  FIAL\n       ^"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(file) = list(&text) {
                let lines = text.split('\n').count();
                prop_assert!(file.entries.iter().all(|entry| entry.line <= lines && !entry.outcomes.is_empty()));
            }
        }

        #[test]
        fn names_come_back(names in prop::collection::vec("[a-z][a-z/*.-]{0,20}", 0..6)) {
            let file = list(&names.join("\n")).unwrap();
            let read: Vec<&str> = file.entries.iter().map(|entry| entry.text.as_str()).collect();
            prop_assert_eq!(read, names);
        }
    }
}
