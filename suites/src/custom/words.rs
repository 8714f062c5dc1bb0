//! Values of a `suite.toml` that are words or patterns.

use flotilla_messages::Patterns;
use flotilla_messages::judge::pattern_problem;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::expectations::table::{OneOrMany, place_in};
use crate::syntax::python::Problem;
use crate::syntax::text::shlex;

use super::template::{Allowed, Template};

/// A command: a string that is split as by a shell, or a list of words.
///
/// # Errors
/// An open quote, a placeholder that is none, nothing at all.
pub fn command(text: &str, value: &OneOrMany, allowed: Allowed) -> Result<Template, Problem> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for item in &value.texts {
        let (start, whole) = (item.span().start, item.get_ref());
        if value.is_list {
            words.push((start, whole.clone()));
        } else {
            let split = shlex::split(whole).map_err(|error| Problem::new(start, error.to_string()))?;
            words.extend(split.into_iter().map(|word| (place_in(text, &item.span(), &word), word)));
        }
    }
    if words.is_empty() {
        let at = value.texts.first().map_or(0, |item| item.span().start);
        return Err(Problem::new(at, "a command has at least one word"));
    }
    Template::read(text, &words, allowed)
}

/// A path with placeholders.
///
/// # Errors
/// A placeholder that is none.
pub fn path(text: &str, value: &toml::Spanned<String>, allowed: Allowed) -> Result<Template, Problem> {
    Template::read(text, &[(value.span().start, value.get_ref().clone())], allowed)
}

/// Patterns of files, as in `.gitignore`: `*` stays within a directory, `**` does not.
///
/// # Errors
/// A pattern that is none.
pub fn globs(value: &OneOrMany) -> Result<GlobSet, Problem> {
    let mut set = GlobSetBuilder::new();
    for item in &value.texts {
        let glob = GlobBuilder::new(item.get_ref()).literal_separator(true).build();
        set.add(glob.map_err(|error| Problem::new(item.span().start, error.kind().to_string()))?);
    }
    set.build().map_err(|error| Problem::new(0, error.to_string()))
}

/// Regular expressions that must and must not match.
///
/// # Errors
/// An invalid regular expression, with its position.
pub fn patterns(required: &OneOrMany, forbidden: &OneOrMany) -> Result<Patterns, Problem> {
    let read = |value: &OneOrMany| {
        let texts = value.texts.iter().map(|item| match pattern_problem(item.get_ref()) {
            None => Ok(item.get_ref().clone()),
            Some(why) => Err(Problem::new(item.span().start, format!("no regular expression: {why}"))),
        });
        texts.collect::<Result<Vec<_>, _>>()
    };
    Ok(Patterns { required: read(required)?, forbidden: read(forbidden)? })
}
