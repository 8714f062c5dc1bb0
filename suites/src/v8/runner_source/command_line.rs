//! The order in which a tree's runner puts a command line together.

use std::path::Path;

use super::source::{text, tokens};
use crate::syntax::python::token::Token;
use crate::v8::dialect::Part;

/// Where it stands.
pub const FILE: &str = "tools/testrunner/objects/testcase.py";

/// The order of a command line's parts, if the tree has a runner that can be read.
pub fn order(root: &Path) -> Option<Vec<Part>> {
    let text = text(root, FILE)?;
    let tokens = tokens(&text);
    // In V8 13 the flags have a method of their own, which the parameters' calls behind the files..
    parts(&tokens, "_get_cmd_params").or_else(|| {
        let mut parts = parts(&tokens, "get_flags")?;
        parts.retain(|part| *part != Part::Files);
        parts.insert(0, Part::Files);
        Some(parts)
    })
}

/// What a method adds up.
fn parts(tokens: &[Token<'_>], method: &str) -> Option<Vec<Part>> {
    let start = tokens.windows(2).position(|two| two == [Token::Name("def"), Token::Name(method)])?;
    let body = &tokens[start + 2..];
    let end = body.iter().position(|token| *token == Token::Name("def")).unwrap_or(body.len());
    let known = |token: &Token<'_>| match token {
        Token::Name("_get_files_params") => Some(Some(Part::Files)),
        Token::Name("_get_random_seed_flags") => Some(Some(Part::Seed)),
        Token::Name("_get_mode_flags") => Some(Some(Part::Mode)),
        Token::Name("_get_extra_flags") => Some(Some(Part::Extra)),
        Token::Name("_get_variant_flags") => Some(Some(Part::Variant)),
        Token::Name("_get_source_flags") => Some(Some(Part::Source)),
        Token::Name("_get_suite_flags") => Some(Some(Part::Suite)),
        Token::Name("_get_statusfile_flags") => Some(Some(Part::Status)),
        Token::Name(name) if name.starts_with("_get_") => Some(None),
        _ => None,
    };
    // With a part that is not known here, the order is not either.
    let mut parts: Vec<Part> = body[..end].iter().filter_map(known).collect::<Option<_>>()?;
    // Until V8 6.6 the seed was one of the shell's own flags.
    if !parts.contains(&Part::Seed) {
        parts.insert(0, Part::Seed);
    }
    let once = (1..parts.len()).all(|at| !parts[..at].contains(&parts[at]));
    (parts.len() > 6 && once).then_some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Vec<Part>> {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("tools/testrunner/objects")).unwrap();
        std::fs::write(root.path().join(FILE), text).unwrap();
        order(root.path())
    }

    #[test]
    fn the_order_of_a_command_line_is_read_from_the_runner() {
        let body = |parts: &[&str]| {
            let calls: Vec<String> = parts.iter().map(|part| format!("self._get_{part}()")).collect();
            format!(
                "class TestCase:\n  def get_command(self):\n    self._get_cmd_env()\n  def _get_cmd_params(self):\n    \
                \"\"\"text\"\"\"\n    return (\n        {}\n    )\n  def _get_other(self):\n    pass\n",
                calls.join(" +\n        ")
            )
        };
        let six = [
            "files_params",
            "extra_flags",
            "variant_flags",
            "statusfile_flags",
            "mode_flags",
            "source_flags",
        ];
        let found = read(&body(&six)).unwrap();
        assert_eq!(
            found,
            [Part::Seed, Part::Files, Part::Extra, Part::Variant, Part::Status, Part::Mode, Part::Source]
        );
        assert_eq!(read(&body(&six[..3])), None);
        let unknown: Vec<&str> = six.into_iter().chain(["new_flags"]).collect();
        assert_eq!(read(&body(&unknown)), None, "a part that nothing is known of");
        assert_eq!(read("x = 1\n"), None);
        assert_eq!(read("x = '"), None);
    }

    #[test]
    fn flags_with_a_method_of_their_own_stand_behind_the_files() {
        let parts = ["random_seed", "mode", "extra", "variant", "source", "suite", "statusfile"];
        let calls: Vec<String> = parts.iter().map(|part| format!("self._get_{part}_flags()")).collect();
        let found = read(&format!(
            "class T:\n  def _get_cmd_params(self):\n    return (self._get_files_params() + self.get_flags())\n  \
            def get_flags(self):\n    return ({})\n",
            calls.join(" + ")
        ));
        let expected = [
            Part::Files,
            Part::Seed,
            Part::Mode,
            Part::Extra,
            Part::Variant,
            Part::Source,
            Part::Suite,
            Part::Status,
        ];
        assert_eq!(found.as_deref(), Some(expected.as_slice()));
    }

    const WORDS: [&str; 9] =
        ["def", "_get_cmd_params", "get_flags", "_get_files_params", "_get_new_flags", "(", ")", "\n", "'"];

    proptest! {
        #[test]
        fn any_text_is_read_or_not(words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..40)) {
            let text = words.join(" ");
            for method in ["_get_cmd_params", "get_flags"] {
                if let Some(parts) = parts(&tokens(&text), method) {
                    prop_assert!(parts.contains(&Part::Seed) && parts.len() > 6);
                }
            }
        }
    }
}
