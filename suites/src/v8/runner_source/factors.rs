//! Factors for the time that tests may take, by status variable.

use std::path::Path;

use super::source::{between, text, tokens};
use crate::syntax::python::token::Token;

/// Where trees keep them, newer ones first.
/// Where they can stand.
pub const FILES: [&str; 2] = ["tools/testrunner/build_config.py", "tools/testrunner/base_runner.py"];

/// The factors of builds for which a variable is true: from V8 11.5 on the table SCALE_FACTOR, from 10.5 on `factors` in
/// `timeout_scalefactor`, before that the statements of `_timeout_scalefactor`. `None` if there is nothing of the kind.
pub fn factors(root: &Path) -> Option<Vec<(String, f64)>> {
    FILES.iter().find_map(|file| {
        let text = text(root, file)?;
        let tokens = tokens(&text);
        table(&tokens).or_else(|| statements(&tokens))
    })
}

/// `SCALE_FACTOR = dict(NAME=NUMBER, ...)`
fn table(tokens: &[Token<'_>]) -> Option<Vec<(String, f64)>> {
    let of =
        |name| between(tokens, &[Token::Name(name), Token::Op("="), Token::Name("dict"), Token::Op("(")]);
    let entries = of("SCALE_FACTOR").or_else(|| of("factors"))?;
    let entries = entries.split(|token| *token == Token::Op(",")).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| match entry {
            [Token::Name(name), Token::Op("="), Token::Number(number)] => {
                Some(((*name).to_owned(), number.parse().ok()?))
            }
            _ => None,
        })
        .collect()
}

/// `if self.build_config.NAME: factor *= NUMBER`
fn statements(tokens: &[Token<'_>]) -> Option<Vec<(String, f64)>> {
    let start =
        tokens.windows(2).position(|two| two == [Token::Name("def"), Token::Name("_timeout_scalefactor")])?;
    let body = &tokens[start + 2..];
    let end = body.iter().position(|token| *token == Token::Name("def")).unwrap_or(body.len());
    let mut found = Vec::new();
    for statement in body[..end].windows(10) {
        if let [
            Token::Name("if"),
            Token::Name("self"),
            Token::Op("."),
            Token::Name("build_config"),
            Token::Op("."),
            Token::Name(name),
            Token::Op(":"),
            Token::Name("factor"),
            Token::Op("*="),
            Token::Number(number),
        ] = statement
        {
            found.push(((*name).to_owned(), number.parse().ok()?));
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn found(file: &str, text: &str) -> Option<Vec<(String, f64)>> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("tools/testrunner")).unwrap();
        fs::write(root.path().join(file), text).unwrap();
        factors(root.path())
    }

    fn is(found: Option<Vec<(String, f64)>>, expected: &[(&str, f64)]) {
        let expected: Vec<(String, f64)> = expected.iter().map(|(name, f)| ((*name).into(), *f)).collect();
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn each_era_says_them_in_its_own_way() {
        let table = "X = 1\nSCALE_FACTOR = dict(\n    slow_mode=4,\n    checked=1.5,\n)\n";
        is(found(FILES[0], table), &[("slow_mode", 4.0), ("checked", 1.5)]);
        let local = "class C:\n  def timeout_scalefactor(self, f):\n    factors = dict(a=2)\n    return f\n";
        is(found(FILES[0], local), &[("a", 2.0)]);
        let code = "class R:\n  def _timeout_scalefactor(self, options):\n    factor = 1\n    \
            if self.build_config.arch in SLOW:\n      factor *= 4.5\n    if self.build_config.small:\n      \
            factor *= 2\n    if self.build_config.odd:\n      factor *= 1.5\n    return factor\n\n  def x(self):\n    \
            if self.build_config.no:\n      factor *= 9\n";
        is(found(FILES[1], code), &[("small", 2.0), ("odd", 1.5)]);
    }

    #[test]
    fn what_is_no_such_table_is_not_guessed_at() {
        assert_eq!(found(FILES[0], "SCALE_FACTOR = dict(a=f())\n"), None);
        assert_eq!(found(FILES[0], "SCALE_FACTOR = 3\n"), None);
        assert_eq!(found(FILES[0], "'"), None);
    }

    const WORDS: [&str; 16] = [
        "SCALE_FACTOR",
        "factors",
        "=",
        "dict",
        "(",
        ")",
        "a",
        "2",
        "1.5",
        ",",
        "def",
        "_timeout_scalefactor",
        "if",
        "self.build_config.x:",
        "factor *= 3",
        "\n",
    ];

    proptest! {
        #[test]
        fn any_text_is_read_or_not(words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..40)) {
            let text = words.join(" ");
            let tokens = tokens(&text);
            let _ = (table(&tokens), statements(&tokens));
        }
    }
}
