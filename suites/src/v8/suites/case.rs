//! The case of a test of V8's: the command line's parts in the version's order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_messages::{Arg, Expectation, TestCase};

use super::prepared::Prepared;
use super::suite::V8Suite;
use crate::expectations::Outcomes;
use crate::kind::{CaseContext, PreparedTest, Strictness, TestFlags, TestKey};
use crate::v8::dialect::Part;

/// By how much a test of wasm-js may take longer whose source says so.
const LONG: f64 = 10.0;

/// A test of V8's whose source was read.
#[derive(Debug)]
pub struct V8Test {
    /// Its suite.
    pub suite: Arc<V8Suite>,
    /// By what the suite knows it.
    pub key: TestKey,
    /// What its source says.
    pub prepared: Prepared,
}

impl PreparedTest for V8Test {
    fn strictness(&self) -> Strictness {
        self.prepared.strictness
    }

    fn is_left_out(&self) -> bool {
        self.prepared.left_out
    }

    fn is_predictable(&self, context: &CaseContext<'_>) -> bool {
        self.can_be_predictable(context)
    }

    fn case(&self, context: CaseContext<'_>) -> Result<TestCase, String> {
        let Self { suite, prepared, .. } = self;
        let rules = suite.rules;
        let flags = self.flags(&context);
        let params = self.params(&flags, context.reverse);

        let timeouts = &suite.run.dialect.timeouts;
        let mut seconds = timeouts.with_words(context.timeout, &params, &prepared.source_flags);
        if prepared.long {
            seconds *= LONG;
        }
        if context.slow {
            seconds *= context.slow_factor;
        }

        let (judge, expected_file) = self.judging(&context.name.name, context.reverse);
        let expectation = self.expected(&context, &flags);
        // What is left out is listed with what the status file says.
        let (judge, expected_file, expectation) = match suite.run.as_predictable().filter(|_| context.runs) {
            Some((judge, expectation)) => (judge, None, expectation),
            None => (judge, expected_file, expectation),
        };
        let shell_flags = rules.shell_flags.iter().map(|flag| Arg::Text((*flag).into()));
        Ok(TestCase {
            prefix: context.prefix.to_vec(),
            program: suite.program_of(self.key).clone(),
            args: shell_flags.chain(params).collect(),
            env: self.environment(),
            unset_env: rules.unset_env.iter().map(|name| (*name).into()).collect(),
            timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            term_grace: suite.run.dialect.term_grace,
            recipe: None,
            judge,
            expected_file,
            expectation,
            slow: context.slow,
            heavy: context.outcomes.has(Outcomes::HEAVY),
            variant_flags: flags.variant,
            random_seed: Some(context.seed),
            name: context.name,
            id: context.id,
        })
    }
}

impl V8Test {
    /// The command line behind the shell's flags.
    fn params(&self, flags: &Flags, reverse: bool) -> Vec<Arg> {
        let Self { suite, prepared, .. } = self;
        let keeps_extra_flags = suite.run.dialect.keeps_extra_flags;
        let mut params: Vec<Arg> = Vec::with_capacity(20);
        let is = |arg: &Arg, word: &str| matches!(arg, Arg::Text(text) if text == word);
        let removed = |arg: &Arg| suite.rules.removed_flags.iter().any(|flag| is(arg, flag));
        for part in self.order() {
            match part {
                Part::Files => match prepared.phase_file.as_ref().filter(|_| !reverse) {
                    Some((at, file)) => {
                        params.extend_from_slice(&prepared.files[..*at]);
                        params.push(file.clone());
                        params.extend_from_slice(&prepared.files[*at..]);
                    }
                    None => params.extend_from_slice(&prepared.files),
                },
                part => {
                    if *part == Part::Extra && keeps_extra_flags {
                        params.retain(|arg| !removed(arg));
                    }
                    params.extend(flags.of(*part).iter().cloned().map(Arg::Text));
                }
            }
        }
        if !keeps_extra_flags {
            params.retain(|arg| !removed(arg));
        }
        params
    }

    /// What a test's environment says besides the run's. A test knows best what it needs.
    fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.suite.run.sanitizer_env.clone();
        environment.extend(self.prepared.env.clone());
        environment
    }

    /// The order of a command line's parts.
    fn order(&self) -> &[Part] {
        let own = self.suite.rules.order;
        if own.is_empty() { self.suite.run.tables.order.as_slice() } else { own }
    }

    /// A test's flags, by the parts of its command line.
    pub fn flags(&self, context: &CaseContext<'_>) -> Flags {
        let run = &self.suite.run;
        let mut extra = context.extra_flags.to_vec();
        if self.suite.is_on_d8() {
            extra.extend_from_slice(&run.extra_d8_flags);
        }
        let mut variant = context.variant_flags.clone();
        if context.strict {
            variant.push("--use-strict".into());
        }
        Flags {
            seed: match run.dialect.passes_seed {
                true => vec![format!("--random-seed={}", context.seed)],
                false => Vec::new(),
            },
            mode: run.mode_flags.clone(),
            extra,
            variant,
            source: self.prepared.source_flags.clone(),
            suite: self.prepared.suite_flags.clone(),
            status: context.status_flags.clone(),
        }
    }

    /// What is expected of an instance with these flags.
    pub fn expected(&self, context: &CaseContext<'_>, flags: &Flags) -> Expectation {
        // V8 looks for contradictions once for each test, and for FAIL_PHASE_ONLY tests before there are variants;
        // what variants then recompute is never checked again.
        if context.outcomes.has(Outcomes::FAIL_PHASE_ONLY) && self.suite.has_frontmatter() {
            return context.expectation(None);
        }
        let in_order = |part: &&Part| **part != Part::Files;
        let collect = |with_extra: bool| -> Vec<String> {
            let parts = self.order().iter().filter(in_order);
            parts
                .filter(|part| with_extra || **part != Part::Extra)
                .flat_map(|part| flags.of(*part))
                .cloned()
                .collect()
        };
        let (all, without_extra) = match self.suite.run.dialect.contradictions.whole_command {
            true => (collect(true), collect(false)),
            false => (Vec::new(), Vec::new()),
        };
        let file = [flags.source.as_slice(), &flags.suite, &flags.status].concat();
        let flags = TestFlags { all: &all, without_extra: &without_extra, extra: &flags.extra, file: &file };
        context.expectation(Some(flags))
    }
}

/// A test's flags, by the parts of its command line.
pub struct Flags {
    seed: Vec<String>,
    mode: Vec<String>,
    extra: Vec<String>,
    variant: Vec<String>,
    source: Vec<String>,
    suite: Vec<String>,
    status: Vec<String>,
}

impl Flags {
    /// Those of one part; none of the files, which are no flags.
    pub fn of(&self, part: Part) -> &[String] {
        match part {
            Part::Files => &[],
            Part::Seed => &self.seed,
            Part::Mode => &self.mode,
            Part::Extra => &self.extra,
            Part::Variant => &self.variant,
            Part::Source => &self.source,
            Part::Suite => &self.suite,
            Part::Status => &self.status,
        }
    }
}
