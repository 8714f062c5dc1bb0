//! Which suites and tests were asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::custom::{self, Config};
use crate::files::select::Selector;
use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::plan::open::{D8, DEFAULT};
use crate::plan::paths::Places;
use crate::test262;
use crate::v8::build::Build;
use crate::v8::dialect::TEST262;
use crate::v8::dialect::{Dialect, Layout, OWN, OWN_IN_VARIANTS, Property, SuiteRules};
use crate::v8::tables::Tables;
use flotilla_messages::nearest::nearest;

/// What was asked for.
pub struct Selected {
    /// The selectors, groups resolved.
    pub selectors: Vec<Selector>,
    /// The suites they select, in order of first mention.
    pub suites: Vec<Chosen>,
    /// All directories that may be suites.
    pub directories: BTreeSet<String>,
    /// Suites of groups of which nothing is known.
    pub unsupported: Vec<String>,
}

/// A suite that was asked for.
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its rules.
    pub rules: &'static SuiteRules,
    /// Its `suite.toml`, if it has one, with its text.
    pub own: Option<(Config, String)>,
}

impl Chosen {
    /// The suite of a directory. A `suite.toml` comes before what is known of a suite of that name.
    fn find(
        dialect: &'static Dialect,
        root: &Path,
        dir: &Path,
        name: &str,
    ) -> Result<Option<Self>, OpenError> {
        if dir.join(custom::FILE).is_file() {
            let (config, text) = custom::config(root, dir)?;
            let rules = if config.variants { &OWN_IN_VARIANTS } else { &OWN };
            return Ok(Some(Self { name: name.into(), rules, own: Some((config, text)) }));
        }
        Ok(rules_of(dialect, name).map(|rules| Self { name: name.into(), rules, own: None }))
    }

    /// Whether it cannot run without a build, where the engine may be any.
    fn needs_build(&self) -> bool {
        match &self.own {
            Some((config, _)) => config.needs_build(),
            None => self.rules.shell != D8,
        }
    }
}

/// The selectors, groups resolved, and the suites they select in order of first mention.
pub fn select(
    options: &Options,
    test_root: &Path,
    tables: &Tables,
    build: &Build,
    dialect: &'static Dialect,
    warnings: &mut Vec<String>,
) -> Result<Selected, OpenError> {
    let before = warnings.len();
    let directories = directories(test_root)?;
    let known = known(&directories, test_root, dialect);
    let groups: &[(String, Vec<String>)] = tables.groups.as_deref().unwrap_or_default();
    let mut selectors = Vec::new();
    if options.tests.is_empty() && !options.recalled.is_empty() {
        selectors.extend(options.recalled.iter().map(|name| Selector::exact(name)));
    } else if options.tests.is_empty() {
        match group(groups, DEFAULT, build) {
            Some(members) => selectors.extend(members.iter().map(|suite| Selector::new(suite, true))),
            None => selectors.extend(known.iter().map(|suite| Selector::new(suite, true))),
        }
    }
    selectors.extend(typed(options, test_root, groups, build, dialect, &known));
    if !options.recalled.is_empty() {
        let recalled = |suite: &str| {
            options
                .recalled
                .iter()
                .any(|name| name.strip_prefix(suite).is_some_and(|rest| rest.starts_with('/')))
        };
        selectors.retain(|selector| recalled(&selector.suite));
        if selectors.is_empty() {
            return Err(OpenError::NothingFailed);
        }
    }

    let mut suites: Vec<Chosen> = Vec::new();
    let mut unsupported: Vec<String> = Vec::new();
    let mut without_shell: Vec<&str> = Vec::new();
    // Without a build there is the built-in shell, or one that was named; either stands in for d8 alone.
    let only_d8 = build.dir.is_none() && options.shell_dir.is_none();
    for selector in &selectors {
        let exists = directories.contains(&selector.suite);
        if suites.iter().any(|suite| suite.name == selector.suite) {
            continue;
        }
        match Chosen::find(dialect, &options.root, &test_root.join(&selector.suite), &selector.suite)? {
            Some(suite) if exists && selector.from_group && only_d8 && suite.needs_build() => {
                without_shell.push(&selector.suite);
            }
            Some(suite) if exists => suites.push(suite),
            // A group names suites that a checkout need not have.
            _ if selector.from_group && !exists => {}
            None if selector.from_group => unsupported.push(selector.suite.clone()),
            None if exists => {
                return Err(OpenError::UnsupportedSuite { name: selector.suite.clone(), known });
            }
            _ => return Err(unknown_suite(selector, &directories, groups, known)),
        }
    }
    if !without_shell.is_empty() {
        warnings
            .push(format!("left out, since there is no build with their shell: {}", without_shell.join(" ")));
    }
    if suites.is_empty() {
        let mut why = warnings.split_off(before);
        why.extend(unsupported.iter().map(|suite| format!("nothing is known of the suite {suite}")));
        return Err(OpenError::NoSuites { why, known });
    }
    Ok(Selected { selectors, suites, directories, unsupported })
}

/// What TESTS mean by name alone, wherever the tree is one of V8's or of test262 by itself.
///
/// # Errors
/// The directory of suites cannot be read.
pub fn selectors(
    options: &Options,
    test_root: &Path,
    tables: &Tables,
    build: &Build,
    dialect: &'static Dialect,
) -> Result<Vec<Selector>, OpenError> {
    if options.tests.is_empty() {
        return Ok(Vec::new());
    }
    if dialect.layout == Layout::Bare {
        return Ok(select_bare(options, dialect).selectors);
    }
    let directories = directories(test_root)?;
    let known = known(&directories, test_root, dialect);
    let groups: &[(String, Vec<String>)] = tables.groups.as_deref().unwrap_or_default();
    Ok(typed(options, test_root, groups, build, dialect, &known))
}

/// The directories of which something is known.
fn known(directories: &BTreeSet<String>, test_root: &Path, dialect: &'static Dialect) -> Vec<String> {
    let is_known = |name: &&String| {
        rules_of(dialect, name).is_some() || test_root.join(name).join(custom::FILE).is_file()
    };
    directories.iter().filter(is_known).cloned().collect()
}

/// The selectors of what was typed, groups resolved.
fn typed(
    options: &Options,
    test_root: &Path,
    groups: &[(String, Vec<String>)],
    build: &Build,
    dialect: &'static Dialect,
    known: &[String],
) -> Vec<Selector> {
    let root = options.root.as_path();
    let places = Places { root, test_root, here: options.here.as_deref(), dialect };
    let of_suites = |suites: &[String]| -> Vec<Selector> {
        suites.iter().map(|suite| Selector::new(suite, true)).collect()
    };
    let mut selectors = Vec::new();
    for text in &options.tests {
        match group(groups, text, build) {
            Some(members) => selectors.extend(of_suites(&members)),
            None if places.is_all(text) => selectors.extend(of_suites(known)),
            None => selectors.push(
                places
                    .selector(text)
                    .or_else(|| missing_file(text, test_root, root, known))
                    .unwrap_or_else(|| Selector::new(text, false)),
            ),
        }
    }
    selectors
}

/// The same in a bare checkout of test262.
pub fn select_bare(options: &Options, dialect: &'static Dialect) -> Selected {
    let mut selectors: Vec<Selector> = options
        .tests
        .iter()
        .map(|text| test262::selector(&options.root, options.here.as_deref(), text))
        .collect();
    if selectors.is_empty() {
        selectors.extend(options.recalled.iter().map(|name| Selector::exact(name)));
    }
    if selectors.is_empty() {
        selectors.push(Selector::new(TEST262, true));
    }
    let suites =
        dialect.suites.own().iter().map(|rules| Chosen { name: rules.name.into(), rules, own: None });
    Selected {
        selectors,
        suites: suites.collect(),
        directories: BTreeSet::from([TEST262.into()]),
        unsupported: Vec::new(),
    }
}

fn rules_of(dialect: &'static Dialect, suite: &str) -> Option<&'static SuiteRules> {
    dialect.suites.find(suite)
}

/// The members of a group. Builds without internationalization lack `intl` in the groups that run by default.
fn group(groups: &[(String, Vec<String>)], name: &str, build: &Build) -> Option<Vec<String>> {
    let (_, members) = groups.iter().find(|(group, _)| group == name)?;
    let without_intl = build.has(Property::NoI18n) && matches!(name, "bot_default" | "default");
    Some(members.iter().filter(|suite| !(without_intl && *suite == "intl")).cloned().collect())
}

/// The directories of suites.
fn directories(test_root: &Path) -> Result<BTreeSet<String>, OpenError> {
    let entries = match fs::read_dir(test_root) {
        Ok(entries) => entries,
        Err(_) if !test_root.is_dir() => return Err(OpenError::NoTestRoot(test_root.into())),
        Err(source) => return Err(OpenError::Read { path: test_root.into(), source }),
    };
    Ok(entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect())
}

/// The selector of a file that is not there: `test/mjsunit/arra-sort.js`.
fn missing_file(text: &str, test_root: &Path, root: &Path, known: &[String]) -> Option<Selector> {
    let dir = test_root.strip_prefix(root).unwrap_or(test_root);
    let inside = Path::new(text).strip_prefix(dir).ok()?.to_str()?;
    let bare = inside.strip_suffix(".js").or_else(|| inside.strip_suffix(".mjs")).unwrap_or(inside);
    let found = Selector::new(bare, false);
    known.contains(&found.suite).then(|| Selector { text: text.to_owned(), ..found })
}

/// The error for a suite that is not there, with what may have been meant.
fn unknown_suite(
    selector: &Selector,
    directories: &BTreeSet<String>,
    groups: &[(String, Vec<String>)],
    known: Vec<String>,
) -> OpenError {
    // A path of a suite that is not there: test/mjsuint/a.js.
    let below = selector.text.strip_prefix("test/").and_then(|rest| rest.split('/').next());
    let name = below.filter(|name| !name.is_empty()).unwrap_or(&selector.suite);
    let candidates =
        directories.iter().map(String::as_str).chain(groups.iter().map(|(name, _)| name.as_str()));
    OpenError::UnknownSuite {
        name: name.to_owned(),
        nearest: nearest(name, candidates).map(String::from),
        known,
    }
}
