//! Words and constants of status files, from `local/statusfile.py`.

use std::path::Path;

use super::source::{between, text, tokens};
use crate::syntax::python::token::Token;
use crate::syntax::python::{Module, ModuleValue};

/// Where they stand.
pub const FILE: &str = "tools/testrunner/local/statusfile.py";

/// What a tree's status files can say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusWords {
    /// The outcomes and modifiers, `ALWAYS` among them.
    pub keywords: Vec<String>,
    /// The constants of conditions that are no variants: architectures, systems, modes.
    pub constants: Vec<String>,
}

/// The words of a tree. `None` if its runner does not say both as V8 6.6 to 13.8 do.
pub fn status_words(root: &Path) -> Option<StatusWords> {
    read(&text(root, FILE)?)
}

/// `for key in [NAME, ...]:`, names that the module assigns, and `for var in ["CONSTANT", ...]:`.
fn read(source: &str) -> Option<StatusWords> {
    let module = Module::read(Path::new(FILE), source).ok()?;
    let tokens = tokens(source);
    let each = |variable| {
        between(&tokens, &[Token::Name("for"), Token::Name(variable), Token::Name("in"), Token::Op("[")])
    };
    let word = |token: &Token<'_>| match token {
        Token::Str(text) => Some(Some(text.clone())),
        Token::Name(name) => match module.get(name) {
            Ok(Some(ModuleValue::Str(text))) => Some(Some(text.clone())),
            _ => None,
        },
        Token::Op(",") => Some(None),
        _ => None,
    };
    let words = |list: &[Token<'_>]| -> Option<Vec<String>> {
        let found: Option<Vec<Option<String>>> = list.iter().map(word).collect();
        Some(found?.into_iter().flatten().collect())
    };
    Some(StatusWords { keywords: words(each("key")?)?, constants: words(each("var")?)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_constants_are_read_from_their_loops() {
        let source = "GOOD = \"GOOD\"\nBAD = 'BAD'\nALWAYS = 'ALWAYS'\nKEYWORDS = {}\nfor key in [\n    GOOD, BAD,\n    \
            ALWAYS\n]:\n  KEYWORDS[key] = key\nfor var in [\"debug\", \"x64\",]:\n  V[var] = var\n\
            for var in ALL_VARIANTS:\n  V[var] = var\n";
        let found = read(source).unwrap();
        assert_eq!(found.keywords, ["GOOD", "BAD", "ALWAYS"]);
        assert_eq!(found.constants, ["debug", "x64"]);
    }

    #[test]
    fn what_cannot_be_read_whole_is_not_read() {
        assert_eq!(read("for key in [A]: pass\nfor var in ['a']: pass\n"), None, "A has no value");
        assert_eq!(read("A = 'A'\nfor key in [A]: pass\n"), None, "no constants");
        assert_eq!(read("A = 'A'\nfor key in [A] + x: pass\nfor var in [f()]: pass\n"), None);
        assert_eq!(read("'"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "(for|key|var| |in|\\[|\\]|:|'a'|A|=|,|\\n|.)*") {
            let _ = read(&text);
        }
    }
}
