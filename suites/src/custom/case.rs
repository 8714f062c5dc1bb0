//! What the source of a test of one's own says, and its case.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flotilla_messages::{Arg, Checks, ExitRule, Expectation, Judge, Program, TestCase};

use super::config::CustomKind;
use super::custom_test::{CustomTest, RUN_DISABLED, is_disabled};
use super::places::{SuitePlaces, nothing_for};
use super::suite::CustomSuite;
use super::template::{Hole, Values};
use crate::expectations::Outcomes;
use crate::kind::{CaseContext, PreparedTest, Source, TERM_GRACE, TestFlags, TestKey};
use crate::syntax::frontmatter::{self, Quirks};
use crate::syntax::read::read;

/// What placeholders stand for in the command of one test.
struct OfTest<'a> {
    places: &'a SuitePlaces,
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

/// A test of a suite of one's own whose source was read.
#[derive(Debug)]
pub struct CustomPrepared {
    suite: Arc<CustomSuite>,
    key: TestKey,
    /// The files that the source names.
    files: Vec<Arg>,
    /// Flags from the source.
    source_flags: Vec<String>,
    /// Environment variables.
    env: BTreeMap<String, String>,
    /// The exit code that the source says is right.
    exit_code: Option<i32>,
    /// Whether the source says that the test must end with an error.
    negative: bool,
    /// That error's type.
    exception: Option<String>,
}

impl CustomPrepared {
    /// What a test's source says of how it runs.
    ///
    /// # Errors
    /// A source that cannot be read, or that makes no sense.
    pub fn read(suite: &Arc<CustomSuite>, key: TestKey, test: &CustomTest) -> Result<Self, String> {
        let config = &suite.config;
        let mut prepared = Self {
            suite: Arc::clone(suite),
            key,
            files: Vec::new(),
            source_flags: Vec::new(),
            env: config.env.clone(),
            exit_code: None,
            negative: false,
            exception: None,
        };
        let needs_source = config.directives.is_some() || config.judge.test262;
        if let (Source::File(path), true) = (&test.source, needs_source) {
            let source = read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let named = |reason: String| format!("{reason} ({})", path.display());
            if let Some(comment) = &config.directives {
                let found = super::directives::read(&source, comment).map_err(named)?;
                let arg = |file: &String| suite.test_dir.arg_normalized(suite.places.root(), file);
                prepared.files = found.files.iter().map(arg).collect();
                prepared.source_flags = found.flags;
                prepared.env.extend(found.env);
                prepared.exit_code = found.exit_code;
            }
            if config.judge.test262 {
                // With the quirks of V8's reader.
                let fields = frontmatter::read(&source, Quirks::V8);
                let fields = fields.map_err(|error| named(error.sentence()))?;
                prepared.negative = fields.negative.is_some();
                prepared.exception = fields.negative.and_then(|negative| negative.kind);
            }
        }
        Ok(prepared)
    }

    /// All flags, in the order of the command line.
    fn flags(&self, context: &CaseContext<'_>) -> Vec<String> {
        let config = &self.suite.config;
        let disabled =
            matches!(config.kind, CustomKind::GoogleTest { .. }) && is_disabled(&context.name.name);
        // Later ones win in most programs: what was asked for on the command line comes last.
        let flags = config
            .flags
            .iter()
            .chain(&self.source_flags)
            .chain(&context.status_flags)
            .chain(&context.variant_flags)
            .chain(context.extra_flags)
            .cloned()
            .chain(disabled.then(|| RUN_DISABLED.to_owned()));
        flags.collect()
    }

    /// The program, where each test has its own.
    fn program(&self, values: &OfTest<'_>) -> Result<Program, String> {
        let Some(word) = &self.suite.program_of_test else { return Ok(self.suite.program.clone()) };
        match word.fill(values).map_err(nothing_for)?.into_iter().next() {
            Some(path @ (Arg::Path(_) | Arg::Text(_))) => Ok(Program::Shell(path)),
            _ => Err("its command does not begin with a program's path".into()),
        }
    }

    /// What is expected. Only suites whose engine gets the variants' flags can contradict them.
    fn expectation(&self, context: &CaseContext<'_>) -> Expectation {
        let config = &self.suite.config;
        if !config.variants {
            return context.expectation(Some(TestFlags::default()));
        }
        let own: Vec<String> =
            config.flags.iter().chain(&self.source_flags).chain(&context.status_flags).cloned().collect();
        let of_variants: Vec<String> = own.iter().chain(&context.variant_flags).cloned().collect();
        let with_extra: Vec<String> = of_variants.iter().chain(context.extra_flags).cloned().collect();
        context.expectation(Some(TestFlags {
            all: &with_extra,
            without_extra: &of_variants,
            extra: context.extra_flags,
            file: &own,
        }))
    }
}

impl PreparedTest for CustomPrepared {
    fn case(&self, context: CaseContext<'_>) -> Result<TestCase, String> {
        let suite = &self.suite;
        let config = &suite.config;
        let values = OfTest {
            places: &suite.places,
            file: suite.test(self.key).and_then(|test| test.file.as_ref()),
            name: &context.name.name,
            flags: self.flags(&context).into_iter().map(Arg::Text).collect(),
            files: &self.files,
            seed: context.seed,
        };
        let args = suite.args.fill(&values).map_err(nothing_for)?;
        let program = self.program(&values)?;
        let slow = context.outcomes.has(Outcomes::SLOW);
        let mut seconds = context.timeout * config.timeout_factor;
        if slow {
            seconds *= context.slow_factor;
        }
        let judge = &config.judge;
        let expected_file = match &judge.expected {
            None => None,
            Some((template, _)) => template.fill(&values).map_err(nothing_for)?.into_iter().next(),
        };
        // A test that must end with an error does not end well.
        let exit = match (self.exit_code, judge.exit) {
            (Some(code), _) => ExitRule::Code(code),
            (None, ExitRule::Code(0)) if self.negative => ExitRule::Failure,
            (None, rule) => rule,
        };
        Ok(TestCase {
            recipe: None,
            prefix: context.prefix.to_vec(),
            program,
            args,
            env: self.env.clone(),
            unset_env: config.unset_env.clone(),
            timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            term_grace: Some(TERM_GRACE),
            judge: Judge::Checks(Checks {
                exit,
                compare: judge.expected.as_ref().map(|(_, compare)| *compare),
                stdout: judge.stdout.clone(),
                stderr: judge.stderr.clone(),
                error: self.exception.clone(),
            }),
            expected_file,
            expectation: self.expectation(&context),
            slow,
            heavy: context.outcomes.has(Outcomes::HEAVY),
            random_seed: config.command.has(Hole::Seed).then_some(context.seed),
            variant_flags: context.variant_flags,
            name: context.name,
            id: context.id,
        })
    }
}
