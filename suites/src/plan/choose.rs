//! Which suites and tests were asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::files::select::Selector;
use crate::kind::opening::Typed;
use crate::kind::{Candidate, Loader};
use crate::kit::error::OpenError;
use crate::plan::paths::Places;
use crate::v8::build::Build;
use crate::v8::dialect::Property;
use crate::v8::facts::RunFacts;
use crate::v8::tables::DEFAULT;
use flotilla_messages::nearest::nearest;

/// What was asked for.
pub struct Selected<'a> {
    /// The selectors, groups resolved.
    pub selectors: Vec<Selector>,
    /// The suites they select, in order of first mention.
    pub suites: Vec<Candidate<'a>>,
    /// All directories that may be suites.
    pub directories: BTreeSet<String>,
    /// Suites of groups of which nothing is known.
    pub unsupported: Vec<String>,
}

/// Among what is selected.
#[derive(Clone, Copy)]
pub struct Among<'a> {
    /// What all tests of the run share.
    pub run: &'a RunFacts,
    /// The directory of the suites.
    pub test_root: &'a Path,
    /// The kinds of suites.
    pub kinds: &'a [Box<dyn Loader>],
}

/// Suites that groups name and that are left out.
#[derive(Default)]
struct LeftOut {
    /// Nothing is known of them.
    unsupported: Vec<String>,
    /// There is no build with their shell.
    without_shell: Vec<String>,
}

impl<'a> Among<'a> {
    /// The selectors, groups resolved, and the suites they select in order of first mention.
    ///
    /// # Errors
    /// A suite that is not there or of which nothing is known, a broken `suite.toml`, or no suite at all.
    pub fn select(self, warnings: &mut Vec<String>) -> Result<Selected<'a>, OpenError> {
        if let Some((kind, name)) = self.whole_tree() {
            return Ok(Selected {
                selectors: self.selectors_of_whole_tree(kind, name),
                suites: kind.choose(self.run.root().to_owned(), name)?.into_iter().collect(),
                directories: BTreeSet::from([name.to_owned()]),
                unsupported: Vec::new(),
            });
        }
        let directories = self.directories()?;
        let known = self.known(&directories);
        let selectors = self.asked(&known)?;
        let mut left_out = LeftOut::default();
        let suites = self.suites(&selectors, &directories, &known, &mut left_out)?;
        let LeftOut { unsupported, without_shell } = left_out;
        let without_shell = (!without_shell.is_empty()).then(|| {
            format!("left out, since there is no build with their shell: {}", without_shell.join(" "))
        });
        if suites.is_empty() {
            let mut why: Vec<String> = without_shell.into_iter().collect();
            why.extend(unsupported.iter().map(|suite| format!("nothing is known of the suite {suite}")));
            return Err(OpenError::NoSuites { why, known });
        }
        warnings.extend(without_shell);
        Ok(Selected { selectors, suites, directories, unsupported })
    }

    /// What TESTS mean by name alone.
    ///
    /// # Errors
    /// The directory of suites cannot be read.
    pub fn selectors(self) -> Result<Vec<Selector>, OpenError> {
        if self.run.options.tests.is_empty() {
            return Ok(Vec::new());
        }
        if let Some((kind, name)) = self.whole_tree() {
            return Ok(self.selectors_of_whole_tree(kind, name));
        }
        Ok(self.typed(&self.known(&self.directories()?)))
    }

    /// The kind of a tree that is one suite, and the suite's name.
    fn whole_tree(self) -> Option<(&'a dyn Loader, &'static str)> {
        self.kinds.iter().find_map(|kind| Some((&**kind, kind.whole_tree()?)))
    }

    fn selectors_of_whole_tree(self, kind: &dyn Loader, name: &str) -> Vec<Selector> {
        let options = &self.run.options;
        let typed = |text: &String| {
            let typed = Typed { path: Path::new(text), inside: text, is_dir: text.ends_with('/') };
            let pattern = kind.pattern(self.run.root(), name, typed)?;
            Some(Selector { text: text.clone(), suite: name.to_owned(), pattern, from_group: false })
        };
        let mut selectors: Vec<Selector> = options.tests.iter().filter_map(typed).collect();
        if selectors.is_empty() {
            selectors.extend(options.recalled.iter().map(|name| Selector::exact(name)));
        }
        if selectors.is_empty() {
            selectors.push(Selector::new(name, true));
        }
        selectors
    }

    /// The selectors of what was asked for: the group `default` or all suites if nothing was, and of tests that are
    /// recalled from an earlier run those that are among it.
    fn asked(self, known: &[String]) -> Result<Vec<Selector>, OpenError> {
        let options = &self.run.options;
        let mut selectors = Vec::new();
        if options.tests.is_empty() && !options.recalled.is_empty() {
            selectors.extend(options.recalled.iter().map(|name| Selector::exact(name)));
        } else if options.tests.is_empty() {
            match self.group(DEFAULT) {
                Some(members) => selectors.extend(members.iter().map(|suite| Selector::new(suite, true))),
                None => selectors.extend(known.iter().map(|suite| Selector::new(suite, true))),
            }
        }
        selectors.extend(self.typed(known));
        if !options.recalled.is_empty() {
            let recalled = |suite: &str| {
                let below =
                    |name: &String| name.strip_prefix(suite).is_some_and(|rest| rest.starts_with('/'));
                options.recalled.iter().any(below)
            };
            selectors.retain(|selector| recalled(&selector.suite));
            if selectors.is_empty() {
                return Err(OpenError::NothingFailed);
            }
        }
        Ok(selectors)
    }

    /// The suites that these select, in order of first mention.
    fn suites(
        self,
        selectors: &[Selector],
        directories: &BTreeSet<String>,
        known: &[String],
        left_out: &mut LeftOut,
    ) -> Result<Vec<Candidate<'a>>, OpenError> {
        let mut suites: Vec<Candidate<'a>> = Vec::new();
        // Without a build there is the built-in shell, or one that was named; either stands in for d8 alone.
        let only_d8 = self.run.build.dir.is_none() && self.run.options.shell_dir.is_none();
        for selector in selectors {
            let exists = directories.contains(&selector.suite);
            if suites.iter().any(|suite| suite.name == selector.suite) {
                continue;
            }
            match self.candidate(&selector.suite)? {
                Some(suite) if exists && selector.from_group && only_d8 && suite.needs_build => {
                    left_out.without_shell.push(selector.suite.clone());
                }
                Some(suite) if exists => suites.push(suite),
                // A group names suites that a checkout need not have.
                _ if selector.from_group && !exists => {}
                None if selector.from_group => left_out.unsupported.push(selector.suite.clone()),
                None if exists => {
                    let (name, known) = (selector.suite.clone(), known.to_vec());
                    return Err(OpenError::UnsupportedSuite { name, known });
                }
                _ => {
                    let groups = self.run.tables.groups.as_deref().unwrap_or_default();
                    return Err(unknown_suite(selector, directories, groups, known.to_vec()));
                }
            }
        }
        Ok(suites)
    }

    /// The suite of this name, of the first kind that knows it.
    fn candidate(self, name: &str) -> Result<Option<Candidate<'a>>, OpenError> {
        for kind in self.kinds {
            if let Some(candidate) = kind.choose(self.test_root.join(name), name)? {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// The directories of suites.
    fn directories(self) -> Result<BTreeSet<String>, OpenError> {
        let test_root = self.test_root;
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

    /// The directories of which something is known.
    fn known(self, directories: &BTreeSet<String>) -> Vec<String> {
        let is_known =
            |name: &&String| self.kinds.iter().any(|kind| kind.recognizes(&self.test_root.join(name), name));
        directories.iter().filter(is_known).cloned().collect()
    }

    /// The selectors of what was typed, groups resolved.
    fn typed(self, known: &[String]) -> Vec<Selector> {
        let (root, test_root) = (self.run.root(), self.test_root);
        let options = &self.run.options;
        let places = Places { root, test_root, here: options.here.as_deref(), kinds: self.kinds };
        let of_suites = |suites: &[String]| -> Vec<Selector> {
            suites.iter().map(|suite| Selector::new(suite, true)).collect()
        };
        let mut selectors = Vec::new();
        for text in &options.tests {
            match self.group(text) {
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

    /// The members of a group, if there is one of this name.
    fn group(self, name: &str) -> Option<Vec<String>> {
        group(self.run.tables.groups.as_deref().unwrap_or_default(), name, &self.run.build)
    }
}

/// The members of a group. Builds without internationalization lack `intl` in the groups that run by default.
fn group(groups: &[(String, Vec<String>)], name: &str, build: &Build) -> Option<Vec<String>> {
    let (_, members) = groups.iter().find(|(group, _)| group == name)?;
    let without_intl = build.has(Property::NoI18n) && matches!(name, "bot_default" | "default");
    Some(members.iter().filter(|suite| !(without_intl && *suite == "intl")).cloned().collect())
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
