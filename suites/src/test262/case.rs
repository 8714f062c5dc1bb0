//! Cases of a bare checkout.

use std::sync::Arc;
use std::time::Duration;

use flotilla_messages::{Arg, Judge, Recipe, TestCase};

use super::choice::imports;
use super::frontmatter::Frontmatter;
use super::host::Host;
use super::labels::labels;
use super::suite::Test262Suite;
use crate::expectations::Outcomes;
use crate::kind::{CaseContext, Labels, PreparedTest, SkippedByHost, Strictness, TestFlags};

/// Harness files for every test but raw ones, for asynchronous ones too, and where includes are.
const BEFORE_ALL: [&str; 2] = ["assert.js", "sta.js"];
const BEFORE_ASYNC: &str = "doneprintHandle.js";

/// What a test's source says, ready for its halves.
#[derive(Clone, Debug, Default)]
pub struct TestSource {
    /// Its frontmatter.
    pub matter: Frontmatter,
    /// Its file, below the root.
    pub file: String,
    /// Whether it may import anything.
    pub imports: bool,
}

/// A half of a test: its arguments, the file made for it, and how it is judged.
pub struct StrictHalf {
    /// What its shell is given.
    pub args: Vec<Arg>,
    /// The file.
    pub recipe: Recipe,
    /// The judge.
    pub judge: Judge,
}

impl TestSource {
    /// Which halves there are (INTERPRETING.md, "Strict Mode").
    pub fn strictness(&self) -> Strictness {
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
    pub fn half(&self, host: &Host, strict: bool, root: &std::path::Path) -> Option<StrictHalf> {
        let goal = host.goal(&self.matter)?;
        let harness = self.harness();
        let filling = host.filling(strict, &harness, &self.file);
        let beside = match self.imports && goal.imports_beside {
            true => imports(root, &self.file),
            false => Vec::new(),
        };
        Some(StrictHalf {
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

/// A test whose source was read.
#[derive(Debug)]
pub struct Test262Prepared {
    /// Its suite.
    pub suite: Arc<Test262Suite>,
    /// What its source says.
    pub source: TestSource,
    /// Why it does not run.
    pub skipped: Option<SkippedByHost>,
}

impl Test262Prepared {
    /// Reads a test's source.
    ///
    /// # Errors
    /// A frontmatter that makes no sense, with its place.
    pub fn read(suite: &Arc<Test262Suite>, name: &str, file: String, source: &[u8]) -> Result<Self, String> {
        let matter = Frontmatter::read(source).map_err(|error| format!("{file}:{}: {error}", error.line))?;
        let skipped = match suite.features.refuses(&matter) {
            Some(option) => Some(SkippedByHost { reason: option, by_host: false }),
            None => suite
                .host
                .refuses(name, &matter, source)
                .map(|reason| SkippedByHost { reason: reason.to_owned(), by_host: true }),
        };
        let mentions = |text: &str| memchr::memmem::find(source, text.as_bytes()).is_some();
        // `import` in the source, or a specifier that something else imports (ShadowRealm).
        let imports = mentions("import") || mentions("_FIXTURE");
        let source = TestSource { matter, file, imports };
        Ok(Self { suite: Arc::clone(suite), source, skipped })
    }
}

impl PreparedTest for Test262Prepared {
    fn strictness(&self) -> Strictness {
        self.source.strictness()
    }

    fn skipped(&self) -> Option<&SkippedByHost> {
        self.skipped.as_ref()
    }

    fn labels(&self, name: &str) -> Option<Labels> {
        Some(labels(name, &self.source.matter))
    }

    fn case(&self, context: CaseContext<'_>) -> Result<TestCase, String> {
        let run = &self.suite.run;
        let half = self.source.half(&self.suite.host, context.strict, context.root);
        let (half_args, recipe, judge) = match half {
            Some(StrictHalf { args, recipe, judge }) => (args, Some(Box::new(recipe)), judge),
            // It is listed, and does not run.
            None => (Vec::new(), None, Judge::ExitCode),
        };
        let args: Vec<Arg> = context.extra_flags.iter().cloned().map(Arg::Text).chain(half_args).collect();
        let mut seconds = run.dialect.timeouts.with_words(context.timeout, &args, &[]);
        if context.slow {
            seconds *= context.slow_factor;
        }
        let flags =
            TestFlags { extra: context.extra_flags, file: &context.status_flags, ..TestFlags::default() };
        let phases = context.outcomes.has(Outcomes::FAIL_PHASE_ONLY);
        let expectation = context.expectation((!phases).then_some(flags));
        let (judge, expectation) = match run.as_predictable().filter(|_| context.runs) {
            Some(predictable) => predictable,
            None => (judge, expectation),
        };
        Ok(TestCase {
            prefix: context.prefix.to_vec(),
            program: self.suite.program.clone(),
            args,
            env: run.sanitizer_env.clone(),
            unset_env: Vec::new(),
            timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            term_grace: run.dialect.term_grace,
            recipe,
            judge,
            expected_file: None,
            expectation,
            slow: context.slow,
            heavy: context.outcomes.has(Outcomes::HEAVY),
            variant_flags: context.variant_flags,
            random_seed: Some(context.seed),
            name: context.name,
            id: context.id,
        })
    }
}

#[cfg(test)]
mod tests {
    use flotilla_messages::Part;

    use super::*;

    fn source(flags: &[&str]) -> TestSource {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let includes = vec!["compareArray.js".to_owned()];
        TestSource {
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
