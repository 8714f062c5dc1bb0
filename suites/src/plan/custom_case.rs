//! Making cases of suites of one's own.

use std::path::Path;
use std::time::Duration;

use flotilla_messages::{Arg, Checks, ExitRule, Judge, Program, TestCase};

use crate::custom::config::Kind;
use crate::custom::find::{RUN_DISABLED, is_disabled};
use crate::custom::suite::{CustomSuite, Places, nothing_for};
use crate::custom::template::{Hole, Values};
use crate::expectations::Outcomes;
use crate::files::listed::{ListedTest, Source};
use crate::plan::instances::TestInstance;
use crate::plan::prepare::{Prepared, Strictness};
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;
use crate::syntax::read::read;
use crate::v8::conflict::TestFlags;
use crate::v8::dialect::TERM_GRACE;
use crate::v8::frontmatter::V8Frontmatter;

/// What placeholders stand for in the command of one test.
struct OfTest<'a> {
    places: &'a Places,
    file: Option<&'a Arg>,
    name: &'a str,
    flags: Vec<Arg>,
    files: &'a [Arg],
    seed: i64,
}

impl Values for OfTest<'_> {
    fn root(&self) -> &Path {
        self.places.root()
    }

    fn list(&self, hole: Hole) -> Vec<Arg> {
        match hole {
            Hole::Flags => self.flags.clone(),
            _ => self.files.to_vec(),
        }
    }

    fn one(&self, hole: Hole) -> Option<Arg> {
        match hole {
            Hole::File => self.file.cloned(),
            Hole::Name => Some(Arg::Text(self.name.into())),
            Hole::Seed => Some(Arg::Text(self.seed.to_string())),
            _ => self.places.one(hole),
        }
    }
}

impl Tree {
    /// What a test's source says of how it runs.
    pub(crate) fn prepare_own(
        &self,
        suite: &Suite,
        own: &CustomSuite,
        test: &ListedTest,
    ) -> crate::plan::prepare::Result {
        let config = &own.config;
        let mut prepared = Prepared { env: config.env.clone(), ..Prepared::default() };
        let needs_source = config.directives.is_some() || config.judge.test262;
        if let (Source::File(path), true) = (&test.source, needs_source) {
            let source = read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let named = |reason: String| format!("{reason} ({})", path.display());
            if let Some(comment) = &config.directives {
                let found = crate::custom::directives::read(&source, comment).map_err(named)?;
                let place = suite.test_dirs.first().unwrap_or(&suite.dir);
                let arg = |file: &String| place.arg_normalized(&self.options.root, file);
                prepared.files = found.files.iter().map(arg).collect();
                prepared.source_flags = found.flags;
                prepared.env.extend(found.env);
                prepared.exit_code = found.exit_code;
            }
            if config.judge.test262 {
                let matter = V8Frontmatter::read(&source).map_err(named)?;
                prepared.negative = matter.negative;
                prepared.exception = matter.negative_type;
            }
        }
        Ok(prepared)
    }

    /// The case of one test.
    pub(crate) fn own_case(
        &self,
        (suite, own): (&Suite, &CustomSuite),
        base: &TestFile,
        subtest: TestInstance,
        prepared: &Prepared,
        id: String,
    ) -> Result<TestCase, String> {
        let config = &own.config;
        let name = self.test_name(suite, base, subtest, Strictness::Sloppy);
        let outcomes = self.outcomes(base, subtest);
        let status_flags = suite.status.flags(&name.name, subtest.variant, subtest.strict);
        let variant_flags = self.variant_flags(suite, base, subtest);
        let disabled = matches!(config.kind, Kind::GoogleTest { .. }) && is_disabled(&name.name);
        // Later ones win in most programs: what was asked for on the command line comes last.
        let flags = config
            .flags
            .iter()
            .chain(&prepared.source_flags)
            .chain(&status_flags)
            .chain(&variant_flags)
            .chain(&self.extra_flags)
            .cloned()
            .chain(disabled.then(|| RUN_DISABLED.to_owned()));
        let listed = suite.listed(base);
        let values = OfTest {
            places: &own.places,
            file: listed.and_then(|test| test.args.first()),
            name: &name.name,
            flags: flags.map(Arg::Text).collect(),
            files: &prepared.files,
            seed: self.options.random_seed,
        };
        let args = own.args.fill(&values).map_err(nothing_for)?;
        let program = match &own.program_of_test {
            None => suite.program.clone(),
            Some(word) => {
                let program = word.fill(&values).map_err(nothing_for)?.into_iter().next();
                match program {
                    Some(path @ (Arg::Path(_) | Arg::Text(_))) => Program::Shell(path),
                    _ => return Err("its command does not begin with a program's path".into()),
                }
            }
        };
        let slow = outcomes.has(Outcomes::SLOW);
        let mut seconds = self.base_timeout * config.timeout_factor;
        if slow {
            seconds *= self.dialect.timeouts.slow;
        }
        let judge = &config.judge;
        let expected_file = match &judge.expected {
            None => None,
            Some((template, _)) => template.fill(&values).map_err(nothing_for)?.into_iter().next(),
        };
        // A test that must end with an error does not end well.
        let exit = match (prepared.exit_code, judge.exit) {
            (Some(code), _) => ExitRule::Code(code),
            (None, ExitRule::Code(0)) if prepared.negative => ExitRule::Failure,
            (None, rule) => rule,
        };
        // Only suites whose engine gets the variants' flags can contradict them.
        let own_flags: Vec<String> = match config.variants {
            true => config.flags.iter().chain(&prepared.source_flags).chain(&status_flags).cloned().collect(),
            false => Vec::new(),
        };
        let of_variants: Vec<String> = own_flags.iter().chain(&variant_flags).cloned().collect();
        let with_extra: Vec<String> = of_variants.iter().chain(&self.extra_flags).cloned().collect();
        let expectation = match config.variants {
            true => self.expectation(
                (suite, base, subtest),
                outcomes,
                TestFlags {
                    all: &with_extra,
                    without_extra: &of_variants,
                    extra: &self.extra_flags,
                    file: &own_flags,
                },
            ),
            false => self.expectation((suite, base, subtest), outcomes, TestFlags::default()),
        };
        let seeded = config.command.has(Hole::Seed).then_some(self.options.random_seed);
        Ok(TestCase {
            recipe: None,
            prefix: self.prefix.clone(),
            program,
            args,
            env: prepared.env.clone(),
            unset_env: config.unset_env.clone(),
            timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            term_grace: Some(TERM_GRACE),
            judge: Judge::Checks(Checks {
                exit,
                compare: judge.expected.as_ref().map(|(_, compare)| *compare),
                stdout: judge.stdout.clone(),
                stderr: judge.stderr.clone(),
                error: prepared.exception.clone(),
            }),
            expected_file,
            expectation,
            slow,
            heavy: outcomes.has(Outcomes::HEAVY),
            variant_flags,
            random_seed: seeded,
            name,
            id,
        })
    }
}

impl CustomSuite {
    /// Whether its commands mean the same on another machine, as far as their words tell.
    ///
    /// # Errors
    /// A path of this machine that a command names.
    pub(crate) fn travels(&self) -> Result<(), String> {
        let outside = |arg: &Arg| match arg {
            // The engine is sent, but only in the place of a program is it put where it is.
            Arg::Text(path) if Some(arg) == self.places.shell.as_ref() => Some(path.clone()),
            _ => None,
        };
        let filled = self.args.fill(&self.places).unwrap_or_default();
        filled.iter().find_map(outside).map_or(Ok(()), Err)
    }
}
