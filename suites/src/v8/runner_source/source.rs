//! The text of a file of the tree, as Python tokens.

use std::path::Path;

use crate::syntax::python::token::{Spanned, Token, tokenize};
use crate::syntax::read::read;

/// A file's text; `None` if it is not there or is not UTF-8.
pub fn text(root: &Path, file: &str) -> Option<String> {
    read(&root.join(file)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The tokens of a text, without ends of lines; none if it is no Python.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let spanned: Vec<Spanned<'_>> = tokenize(text).unwrap_or_default();
    spanned.into_iter().map(|spanned| spanned.token).filter(|token| *token != Token::Newline).collect()
}

/// What stands between the tokens `opening`, which end with a bracket, and the bracket that closes it.
pub fn between<'t, 'a>(tokens: &'t [Token<'a>], opening: &[Token<'_>]) -> Option<&'t [Token<'a>]> {
    let start = tokens.windows(opening.len()).position(|window| window == opening)? + opening.len();
    let mut depth = 1;
    let end = tokens[start..].iter().position(|token| {
        match token {
            Token::Op("[" | "{" | "(") => depth += 1,
            Token::Op("]" | "}" | ")") => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some(&tokens[start..start + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brackets_enclose_is_found_with_the_brackets_within() {
        let found = |text: &'static str| {
            let tokens = tokens(text);
            let opening = [Token::Name("in"), Token::Op("[")];
            between(&tokens, &opening).map(<[_]>::len)
        };
        assert_eq!(found("for x in [\n 'a', [1, (2)],\n]:\n  pass\n"), Some(10));
        assert_eq!(found("for x in []: pass\n"), Some(0));
        assert_eq!(found("for x in range(3): pass\n"), None);
        assert_eq!(found("for x in ["), None, "what is not closed is no Python");
    }
}
