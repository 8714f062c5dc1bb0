//! Which tests were asked for: by path and by feature.

use std::fs;
use std::path::Path;

use flotilla_messages::case::normalize;

use super::frontmatter::Frontmatter;
use crate::files::select::{Pattern, Selector};
use crate::kit::error::OpenError;
use crate::syntax::read::read;
use crate::syntax::text::glob::Glob;
use crate::v8::dialect::TEST262 as SUITE;
use flotilla_messages::nearest::nearest;

/// The file that lists all features.
const FEATURES: &str = "features.txt";
/// What a person typed to select tests: a test's path with or without `test/`, `test262/` and `.js`, a directory's path
/// for all that is below it, or a pattern. What is a test's name as reports have it (`test262/...`) means the test, where a
/// directory is called so too.
///
/// `here` is the current directory, if paths are seen from one.
pub fn selector(root: &Path, here: Option<&Path>, text: &str) -> Selector {
    let path = Path::new(text).strip_prefix(root).ok().and_then(Path::to_str).unwrap_or(text);
    let path = path.strip_prefix("./").unwrap_or(path);
    let from_here = here.filter(|_| !root.join(path).exists() && !root.join("test").join(path).exists());
    let from_here = from_here.and_then(|here| {
        let seen = normalize(&here.join(path));
        let inside = seen.strip_prefix(root.join("test")).ok().filter(|_| seen.exists())?;
        inside.to_str().map(|inside| format!("test/{inside}"))
    });
    let path = from_here.as_deref().unwrap_or(path);
    let (path, is_name) = match path.strip_prefix("test262/") {
        Some(name) => (name, true),
        None => (if path == SUITE { "" } else { path }, false),
    };
    let path = if path == "test" { "" } else { path.strip_prefix("test/").unwrap_or(path) };
    let (path, is_file) = match path.strip_suffix(".js") {
        Some(path) => (path, true),
        None => (path.trim_end_matches('/'), is_name && is_test(root, path)),
    };
    let pattern = match path {
        "" | "*" | "**" => Pattern::All,
        path if path.contains('*') => Pattern::Glob(Glob::new(path)),
        path if !is_file && root.join("test").join(path).is_dir() => {
            Pattern::Glob(Glob::new(&format!("{path}/*")))
        }
        path => Pattern::Exact(path.to_owned()),
    };
    Selector { text: text.to_owned(), suite: SUITE.to_owned(), pattern, from_group: false }
}

/// Whether there is a test of this name, beside a directory perhaps: `built-ins/Array/length` is both.
fn is_test(root: &Path, name: &str) -> bool {
    root.join("test").join(format!("{name}.js")).is_file()
}

/// `--features`: which features' tests run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureFilter {
    /// Only tests that name one of these, if there are any.
    with: Vec<String>,
    /// No tests that name one of these.
    without: Vec<String>,
}

impl FeatureFilter {
    /// Reads lists such as `+Temporal,-Atomics`; a feature without a sign is one with `+`.
    ///
    /// # Errors
    /// A feature that the tree does not know.
    pub fn read(root: &Path, lists: &[String]) -> Result<Self, OpenError> {
        let mut filter = Self::default();
        let words =
            || lists.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|word| !word.is_empty());
        if words().next().is_none() {
            return Ok(filter);
        }
        let path = root.join(FEATURES);
        let text = read(&path).map_err(|source| OpenError::Read { path, source })?;
        let text = String::from_utf8_lossy(&text);
        let known: Vec<&str> = known_features(&text).collect();
        for word in words() {
            let (list, feature) = match word.strip_prefix('-') {
                Some(feature) => (&mut filter.without, feature),
                None => (&mut filter.with, word.strip_prefix('+').unwrap_or(word)),
            };
            if !known.contains(&feature) {
                let hint = nearest(feature, known.iter().copied());
                let hint = hint.map(|hint| format!("; did you mean '{hint}'?")).unwrap_or_default();
                return Err(OpenError::Option {
                    option: "--features",
                    value: feature.to_owned(),
                    reason: format!("{FEATURES} lists no such feature{hint}"),
                });
            }
            list.push(feature.to_owned());
        }
        Ok(filter)
    }

    /// What leaves a test out, as the option has it.
    pub fn refuses(&self, matter: &Frontmatter) -> Option<String> {
        if let Some(feature) = self.without.iter().find(|feature| matter.has_feature(feature)) {
            return Some(format!("--features=-{feature}"));
        }
        let wanted = self.with.is_empty() || self.with.iter().any(|feature| matter.has_feature(feature));
        (!wanted).then(|| format!("--features=+{}", self.with.join(",+")))
    }
}

/// The features of `features.txt`: a line each, with comments.
fn known_features(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

/// Files that tests import lie beside them and are called so.
const FIXTURE: &str = "_FIXTURE";

/// What a test may import: the fixtures of its directory, and itself. Paths below the root.
pub(crate) fn imports(root: &Path, test: &str) -> Vec<String> {
    let Some((dir, _)) = test.rsplit_once('/') else { return Vec::new() };
    let entries = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<String> =
        names.filter(|name| name.contains(FIXTURE)).map(|name| format!("{dir}/{name}")).collect();
    found.push(test.to_owned());
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v8::dialect::{has_harness, looks_like_test262 as looks_like};

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("harness/assert.js", ""),
            ("test/language/a.js", ""),
            ("test/built-ins/Array/length.js", ""),
            ("test/built-ins/Array/length/a.js", ""),
            ("test/built-ins/Array/b_FIXTURE.js", ""),
            ("features.txt", "# Proposals\nTemporal\nAtomics # why\n\nclass\n"),
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn tests_are_named_in_many_ways() {
        let root = tree();
        let pattern = |text: &str| selector(root.path(), None, text).pattern;
        let below = Pattern::Glob(Glob::new("built-ins/Array/*"));
        for text in [
            "test/built-ins/Array",
            "built-ins/Array/",
            "./test/built-ins/Array",
            "test262/built-ins/Array/*",
        ] {
            assert_eq!(pattern(text), below, "{text}");
        }
        let exact = Pattern::Exact("built-ins/Array/length".into());
        let absolute = root.path().join("test/built-ins/Array/length.js");
        for text in
            ["test262/built-ins/Array/length", "test/built-ins/Array/length.js", absolute.to_str().unwrap()]
        {
            assert_eq!(pattern(text), exact, "{text}");
        }
        assert_eq!(pattern("language/a"), Pattern::Exact("language/a".into()));
        assert_eq!(pattern("built-ins/Array/length"), Pattern::Glob(Glob::new("built-ins/Array/length/*")));
        for text in ["test262", "test", "test/", "*"] {
            assert_eq!(pattern(text), Pattern::All, "{text}");
        }
    }

    #[test]
    fn a_checkout_is_known_by_its_directories() {
        let root = tree();
        assert!(looks_like(root.path()) && has_harness(root.path()));
        fs::remove_dir_all(root.path().join("harness")).unwrap();
        assert!(looks_like(root.path()) && !has_harness(root.path()));
        fs::create_dir_all(root.path().join("tools/testrunner")).unwrap();
        assert!(!looks_like(root.path()));
    }

    #[test]
    fn features_choose_tests() {
        let root = tree();
        let filter = |lists: &[&str]| {
            let lists: Vec<String> = lists.iter().map(|list| (*list).to_owned()).collect();
            FeatureFilter::read(root.path(), &lists)
        };
        let refuses = |filter: &FeatureFilter, features: &[&str]| {
            let features = features.iter().map(|feature| (*feature).to_owned()).collect();
            filter.refuses(&Frontmatter { features, ..Frontmatter::default() })
        };
        let both = filter(&["+Temporal, class", "-Atomics"]).unwrap();
        assert_eq!(refuses(&both, &["class"]), None);
        assert_eq!(refuses(&both, &["class", "Atomics"]).as_deref(), Some("--features=-Atomics"));
        assert_eq!(refuses(&both, &[]).as_deref(), Some("--features=+Temporal,+class"));
        assert_eq!(refuses(&filter(&[]).unwrap(), &["x"]), None);
        let error = filter(&["Atomic"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().ends_with("lists no such feature; did you mean 'Atomics'?"), "{error}");
    }

    #[test]
    fn a_test_may_import_fixtures_and_itself() {
        let root = tree();
        assert_eq!(
            imports(root.path(), "test/built-ins/Array/length.js"),
            ["test/built-ins/Array/b_FIXTURE.js", "test/built-ins/Array/length.js"]
        );
    }
}
