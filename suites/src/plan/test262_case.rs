//! Cases of a bare checkout, and what their tests are about.

use flotilla_messages::{Arg, CaseId, Judge, Recipe};

use crate::plan::instances::TestInstance;
use crate::plan::prepare::{Prepared, Strictness};
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;
use crate::test262::choice::imports;
use crate::test262::frontmatter::Frontmatter;
use crate::test262::host::Host;

/// Harness files for every test but raw ones, for asynchronous ones too, and where includes are.
const BEFORE_ALL: [&str; 2] = ["assert.js", "sta.js"];
const BEFORE_ASYNC: &str = "doneprintHandle.js";

/// What a test's source says, ready for its halves.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its frontmatter.
    pub matter: Frontmatter,
    /// Its file, below the root.
    pub file: String,
    /// Whether it may import anything.
    pub imports: bool,
}

/// What a test is about: for summaries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The first two directories of its path, such as `built-ins/Array`; see [`area`].
    pub area: String,
    /// The features that it names: those of `features.txt`.
    pub features: Vec<String>,
    /// Its place in the specification: `sec-array.from`.
    pub esid: Option<String>,
    /// Its place in the fifth edition (2009), if it is as old as that.
    pub es5id: Option<String>,
    /// Its place in the sixth (2015).
    pub es6id: Option<String>,
}

/// The first two directories of a test's name; the first one alone where there is no second.
pub fn area(name: &str) -> &str {
    let Some((dirs, _)) = name.rsplit_once('/') else { return "" };
    match dirs.match_indices('/').nth(1) {
        Some((end, _)) => &dirs[..end],
        None => dirs,
    }
}

/// A half of a test: its arguments, the file made for it, and how it is judged.
pub struct Half {
    /// What its shell is given.
    pub args: Vec<Arg>,
    /// The file.
    pub recipe: Recipe,
    /// The judge.
    pub judge: Judge,
}

impl Source {
    /// Which halves there are (INTERPRETING.md, "Strict Mode").
    fn strictness(&self) -> Strictness {
        let has = |flag| self.matter.has_flag(flag);
        if has("module") {
            Strictness::Module
        } else if has("raw") || has("noStrict") {
            Strictness::Sloppy
        } else if has("onlyStrict") {
            Strictness::Strict
        } else {
            Strictness::Both
        }
    }

    /// The harness files that the test needs, in order.
    fn harness(&self) -> Vec<String> {
        if self.matter.has_flag("raw") {
            return Vec::new();
        }
        let of_async = self.matter.has_flag("async").then_some(BEFORE_ASYNC);
        let includes = self.matter.includes.iter().map(String::as_str);
        let names = BEFORE_ALL.into_iter().chain(of_async).chain(includes);
        names.map(|name| format!("harness/{name}")).collect()
    }

    /// One half on this host; `None` if it runs no such tests.
    pub fn half(&self, host: &Host, strict: bool, root: &std::path::Path) -> Option<Half> {
        let goal = host.goal(&self.matter)?;
        let harness = self.harness();
        let filling = host.filling(strict, &harness, &self.file);
        let beside = match self.imports && goal.imports_beside {
            true => imports(root, &self.file),
            false => Vec::new(),
        };
        Some(Half {
            args: goal.args(&self.file),
            recipe: Recipe {
                parts: filling.parts(goal.file()),
                harness: goal.harness().map(|pieces| filling.parts(pieces)),
                beside,
            },
            judge: Judge::Test262 {
                negative: self.matter.negative.clone(),
                asynchronous: self.matter.has_flag("async"),
                uncaught: host.uncaught().clone(),
            },
        })
    }
}

impl Tree {
    /// What a test's source says, in a bare checkout.
    pub(crate) fn prepare_bare(
        &self,
        suite: &Suite,
        host: &Host,
        base: &TestFile,
        source: &[u8],
    ) -> crate::plan::prepare::Result {
        let name = self.bases().name(base);
        let file = format!("test/{}", suite.file_name(name, base));
        let matter = Frontmatter::read(source).map_err(|error| format!("{file}:{}: {error}", error.line))?;
        let withheld = match suite.features.refuses(&matter) {
            Some(option) => Some(SkippedByHost { reason: option, by_host: false }),
            None => host
                .refuses(name, &matter, source)
                .map(|reason| SkippedByHost { reason: reason.to_owned(), by_host: true }),
        };
        let mentions = |text: &str| memchr::memmem::find(source, text.as_bytes()).is_some();
        // `import` in the source, or a specifier that something else imports (ShadowRealm).
        let imports = mentions("import") || mentions("_FIXTURE");
        let source = Source { matter, file, imports };
        Ok(Prepared { strictness: source.strictness(), withheld, bare: Some(source), ..Prepared::default() })
    }

    /// Whether this is a checkout of test262, and no part of V8's tree.
    pub fn is_bare_test262(&self) -> bool {
        self.suites.iter().any(|suite| suite.host.is_some())
    }

    /// What a test is about; `None` for tests of other suites than a bare test262, and for those that cannot be read.
    /// Reads the test's source unless that was done lately.
    pub fn labels(&self, id: CaseId) -> Option<Labels> {
        let (index, _) = TestInstance::from_id(id)?;
        let base = self.bases().get(index)?;
        let prepared = self.prepared(index, base);
        let bare = prepared.as_ref().as_ref().ok()?.bare.as_ref()?;
        let Frontmatter { features, esid, es5id, es6id, .. } = bare.matter.clone();
        Some(Labels { area: area(self.bases().name(base)).to_owned(), features, esid, es5id, es6id })
    }
}

/// Why a test is left out, of a bare test262.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedByHost {
    /// In words, or the option.
    pub reason: String,
    /// Whether the host cannot run it, rather than nobody wanting it.
    pub by_host: bool,
}

#[cfg(test)]
mod tests {
    use flotilla_messages::Part;

    use super::*;

    #[test]
    fn an_area_is_the_first_two_directories() {
        assert_eq!(area("built-ins/Array/prototype/map/a"), "built-ins/Array");
        assert_eq!(area("built-ins/Array/length"), "built-ins/Array");
        assert_eq!(area("harness/assert"), "harness");
        assert_eq!(area("a"), "");
    }

    fn source(flags: &[&str]) -> Source {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let includes = vec!["compareArray.js".to_owned()];
        Source {
            matter: Frontmatter { flags, includes, ..Frontmatter::default() },
            file: "test/a.js".into(),
            imports: false,
        }
    }

    #[test]
    fn flags_choose_halves_and_harness() {
        assert_eq!(source(&[]).strictness(), Strictness::Both);
        assert_eq!(source(&["raw"]).strictness(), Strictness::Sloppy);
        assert_eq!(source(&["module", "raw"]).strictness(), Strictness::Module);
        assert_eq!(source(&["onlyStrict"]).strictness(), Strictness::Strict);
        assert_eq!(
            source(&["async"]).harness(),
            ["assert.js", "sta.js", "doneprintHandle.js", "compareArray.js"]
                .map(|name| format!("harness/{name}"))
        );
        assert!(source(&["raw", "async"]).harness().is_empty());
    }

    #[test]
    fn raw_tests_stay_as_they_are() {
        let host = Host::named("d8").unwrap();
        let half = source(&["raw"]).half(&host, false, std::path::Path::new("/")).unwrap();
        assert_eq!(half.recipe.parts, [Part::File("test/a.js".into())]);
        let strict = source(&[]).half(&host, true, std::path::Path::new("/")).unwrap();
        assert!(matches!(&strict.recipe.parts[0], Part::Text(text) if text.starts_with("\"use strict\";\n")));
    }
}
