//! What a test is about.

use super::frontmatter::Frontmatter;
use crate::kind::Labels;

/// The first two directories of a test's name; the first one alone where there is no second.
pub fn area(name: &str) -> &str {
    let Some((dirs, _)) = name.rsplit_once('/') else { return "" };
    match dirs.match_indices('/').nth(1) {
        Some((end, _)) => &dirs[..end],
        None => dirs,
    }
}

/// What a test of this name with this frontmatter is about.
pub fn labels(name: &str, matter: &Frontmatter) -> Labels {
    let Frontmatter { features, esid, es5id, es6id, .. } = matter.clone();
    Labels { area: area(name).to_owned(), features, esid, es5id, es6id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_the_first_two_directories() {
        assert_eq!(area("built-ins/Array/prototype/map/a"), "built-ins/Array");
        assert_eq!(area("built-ins/Array/length"), "built-ins/Array");
        assert_eq!(area("harness/assert"), "harness");
        assert_eq!(area("a"), "");
    }
}
