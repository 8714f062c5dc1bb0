//! What a suite's `testcfg.py` says of it.

use std::path::Path;

use super::source::{between, text, tokens};
use crate::syntax::python::token::Token;
use crate::syntax::python::{Module, ModuleValue};

const FILE: &str = "testcfg.py";

/// What could be read of a suite's `testcfg.py`; what is `None` it does not say as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuiteConfig {
    /// Files that are no tests, by name, at any depth (`excluded_files`).
    pub excluded_files: Option<Vec<String>>,
    /// Directories that are not walked, by name, at any depth (`excluded_dirs`).
    pub excluded_dirs: Option<Vec<String>>,
    /// The directories of a fuzzer's data (SUB_TESTS).
    pub sub_tests: Option<Vec<String>>,
    /// The variants that tests run in besides `default` (ADDITIONAL_VARIANTS).
    pub additional_variants: Option<Vec<String>>,
    /// The flags of tests of no proposal (`default_flags`).
    pub default_flags: Option<Vec<String>>,
}

impl SuiteConfig {
    /// Reads the file of the suite in `dir`. Also what in it was not understood, with the place as seen from `root`.
    pub fn read(dir: &Path, root: &Path) -> (Self, Vec<String>) {
        let file = dir.join(FILE);
        let shown = file.strip_prefix(root).unwrap_or(&file);
        text(dir, FILE).map(|source| Self::of(&source, shown)).unwrap_or_default()
    }

    fn of(source: &str, file: &Path) -> (Self, Vec<String>) {
        let module = match Module::read(file, source) {
            Ok(module) => module,
            Err(problem) => return (Self::default(), vec![format!("{problem}: not looked at")]),
        };
        let tokens = tokens(source);
        let mut problems = Vec::new();
        let mut table = |name| match module.get(name) {
            Ok(None) => None,
            Ok(Some(value)) => {
                let strings = value.strings();
                if strings.is_none() {
                    problems.push(format!("{}: {name} is no list of strings: not looked at", file.display()));
                }
                strings
            }
            Err(problem) => {
                problems.push(format!("{problem}: not looked at"));
                None
            }
        };
        let sub_tests = table("SUB_TESTS");
        let additional_variants = table("ADDITIONAL_VARIANTS");
        let default_flags = table("default_flags");
        let mut excluded = |name| {
            let found = returned(&tokens, name, &module);
            if found.is_none() && tokens.windows(2).any(|two| two == [Token::Name("def"), Token::Name(name)])
            {
                problems.push(format!(
                    "{}: what {name} returns is not understood: not looked at",
                    file.display()
                ));
            }
            found
        };
        let excluded_files = excluded("excluded_files");
        let excluded_dirs = excluded("excluded_dirs");
        (Self { excluded_files, excluded_dirs, sub_tests, additional_variants, default_flags }, problems)
    }
}

/// `def NAME(self): return {"a", B}` or `return set(B)`, where the module assigns B.
fn returned(tokens: &[Token<'_>], name: &str, module: &Module) -> Option<Vec<String>> {
    let head = [
        Token::Name("def"),
        Token::Name(name),
        Token::Op("("),
        Token::Name("self"),
        Token::Op(")"),
        Token::Op(":"),
    ];
    let start = tokens.windows(head.len()).position(|window| window == head)? + head.len();
    let body = &tokens[start..];
    let (elements, set) = match body {
        [Token::Name("return"), Token::Op("{"), ..] => {
            (between(body, &[Token::Name("return"), Token::Op("{")])?, 2)
        }
        [Token::Name("return"), Token::Name("set"), Token::Op("("), ..] => {
            (between(body, &[Token::Name("return"), Token::Name("set"), Token::Op("(")])?, 3)
        }
        _ => return None,
    };
    // What follows may be a condition.
    let ends = match body.get(set + elements.len() + 1) {
        None | Some(Token::End | Token::Op("@")) => true,
        Some(Token::Name(word)) => matches!(*word, "def" | "class"),
        Some(_) => false,
    };
    let mut found = Vec::new();
    for token in elements {
        match token {
            Token::Str(text) => found.push(text.clone()),
            Token::Op("," | "[" | "]") => {}
            Token::Name(name) => match module.get(name).ok()?? {
                ModuleValue::Str(text) => found.push(text.clone()),
                list => found.extend(list.strings()?),
            },
            _ => return None,
        }
    }
    ends.then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strings(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn what_is_left_out_is_read_with_its_names() {
        let source = "A = 'a.js'\nMORE = ['x', 'y']\nclass L(B):\n  @property\n  def excluded_files(self):\n    \
            return {A, \"b.js\",}\n\n  @property\n  def excluded_dirs(self):\n    return set(MORE)\n\nclass S: pass\n";
        let config = SuiteConfig::of(source, Path::new(FILE)).0;
        assert_eq!(config.excluded_files, strings(&["a.js", "b.js"]));
        assert_eq!(config.excluded_dirs, strings(&["x", "y"]));
    }

    #[test]
    fn what_depends_on_something_is_not_read() {
        let of = |body: &str| {
            let text = format!("class L:\n  def excluded_dirs(self):\n    {body}\n");
            SuiteConfig::of(&text, Path::new(FILE)).0.excluded_dirs
        };
        assert_eq!(of("return {'a'} if self.x else set()"), None);
        assert_eq!(of("return {B}"), None);
        assert_eq!(of("return self.dirs"), None);
        assert_eq!(of("return {f(1)}"), None);
        assert_eq!(of("return set()"), strings(&[]));
    }

    #[test]
    fn tables_of_suites_are_read() {
        let source = "SUB_TESTS = ['json', 'wasm/async']\nADDITIONAL_VARIANTS = set([\n  'a',\n])\ndefault_flags = ['--x']\n";
        let config = SuiteConfig::of(source, Path::new(FILE)).0;
        assert_eq!(config.sub_tests, strings(&["json", "wasm/async"]));
        assert_eq!(config.additional_variants, strings(&["a"]));
        assert_eq!(config.default_flags, strings(&["--x"]));
        let (config, problems) = SuiteConfig::of("SUB_TESTS = f()\n", Path::new("test/fuzzer/testcfg.py"));
        assert_eq!(config, SuiteConfig::default());
        assert!(
            problems[0].starts_with("test/fuzzer/testcfg.py:1:13: calls are not evaluated"),
            "{problems:?}"
        );
        assert_eq!(SuiteConfig::of("'", Path::new(FILE)).0, SuiteConfig::default());
    }

    const WORDS: [&str; 14] =
        ["def", "excluded_files", "(self)", ":", "return", "{", "}", "set", "(", ")", "'a'", "B", ",", "\n"];

    proptest! {
        #[test]
        fn any_text_is_read_or_not(words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..30)) {
            let _ = SuiteConfig::of(&words.join(" "), Path::new(FILE));
        }
    }
}
