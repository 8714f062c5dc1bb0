//! Making test cases.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_messages::{
    Arg, CaseId, Expectation, Judge, Outcome, TemplateRules, TestCase, TestName, Unrunnable,
};

use crate::expectations::Outcomes;
use crate::plan::instances::TestInstance;
use crate::plan::prepare::{Prepared, Strictness};
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;
use crate::v8::conflict::TestFlags;
use crate::v8::dialect::{Judging, Part};

/// By how much a test of wasm-js may take longer whose source says so.
const LONG: f64 = 10.0;

impl Tree {
    /// The case of an id.
    pub(crate) fn make_case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        let found = TestInstance::from_id(id)
            .and_then(|(index, subtest)| {
                let base = self.bases().get(index)?;
                // An id of another run may name a variant that this one does not have.
                let known = subtest.variant.is_none_or(|variant| variant < self.variants.len());
                known.then_some((index, *base, subtest))
            })
            .and_then(|(index, base, subtest)| Some((index, base, subtest, self.suite(&base)?)));
        let Some((index, base, subtest, suite)) = found else {
            return Err(Box::new(Unrunnable::no_such_test(id)));
        };
        let mut stable_id = String::with_capacity(80);
        self.id_pieces(index, &base, subtest, |piece| stable_id.push_str(piece));
        match &*self.prepared(index, &base) {
            Ok(prepared) => match &suite.own {
                None => Ok(self.case_of(suite, &base, subtest, prepared, stable_id)),
                Some(own) => {
                    let made = self.own_case((suite, own), &base, subtest, prepared, stable_id.clone());
                    made.map_err(|reason| {
                        let name = self.test_name(suite, &base, subtest, Strictness::Sloppy);
                        Box::new(Unrunnable { name, id: stable_id, reason })
                    })
                }
            },
            Err(reason) => Err(Box::new(Unrunnable {
                name: self.test_name(suite, &base, subtest, Strictness::Sloppy),
                id: stable_id,
                reason: reason.clone(),
            })),
        }
    }

    /// A test's names, without making its case; `None` if there is no such test.
    pub fn name_of(&self, id: CaseId) -> Option<TestName> {
        let (index, subtest) = TestInstance::from_id(id)?;
        let base = self.bases().get(index)?;
        let suite = self.suite(base)?;
        let strictness = match suite.has_frontmatter() {
            true => self
                .prepared(index, base)
                .as_ref()
                .as_ref()
                .map_or(Strictness::Sloppy, |read| read.strictness),
            false => Strictness::Sloppy,
        };
        Some(self.test_name(suite, base, subtest, strictness))
    }

    pub(crate) fn test_name(
        &self,
        suite: &Suite,
        base: &TestFile,
        subtest: TestInstance,
        strictness: Strictness,
    ) -> TestName {
        let variant = subtest.variant.and_then(|i| self.variants.get(i));
        let detail = match (subtest.strict, Self::is_reverse(strictness, subtest)) {
            (false, false) => None,
            (true, false) => Some("strict"),
            (false, true) => Some("fail-phase-reverse"),
            (true, true) => Some("strict fail-phase-reverse"),
        };
        let detail = if strictness == Strictness::Module { Some("module") } else { detail };
        TestName {
            suite: suite.name.clone(),
            name: self.bases().name(base).into(),
            variant: variant.map(|variant| variant.name.clone()).unwrap_or_default(),
            detail: detail.map(String::from),
        }
    }

    fn case_of(
        &self,
        suite: &Suite,
        base: &TestFile,
        subtest: TestInstance,
        prepared: &Prepared,
        id: String,
    ) -> TestCase {
        let rules = suite.rules;
        let name = self.test_name(suite, base, subtest, prepared.strictness);
        let reverse = Self::is_reverse(prepared.strictness, subtest);
        let outcomes = self.outcomes(base, subtest);
        let flags = self.flags(suite, base, subtest, prepared);

        let mut half = prepared
            .bare
            .as_ref()
            .zip(suite.host.as_ref())
            .and_then(|(source, host)| source.half(host, subtest.strict, &self.options.root));
        let mut params: Vec<Arg> = Vec::with_capacity(20);
        let is = |arg: &Arg, word: &str| matches!(arg, Arg::Text(text) if text == word);
        let removed = |arg: &Arg| rules.removed_flags.iter().any(|flag| is(arg, flag));
        for part in self.order(suite) {
            match part {
                Part::Files if half.is_some() => {
                    params.extend(half.iter_mut().flat_map(|half| half.args.drain(..)));
                }
                Part::Files => match prepared.phase_file.as_ref().filter(|_| !reverse) {
                    Some((at, file)) => {
                        params.extend_from_slice(&prepared.files[..*at]);
                        params.push(file.clone());
                        params.extend_from_slice(&prepared.files[*at..]);
                    }
                    None => params.extend_from_slice(&prepared.files),
                },
                part => {
                    if *part == Part::Extra && self.dialect.keeps_extra_flags {
                        params.retain(|arg| !removed(arg));
                    }
                    params.extend(flags.of(*part).iter().cloned().map(Arg::Text));
                }
            }
        }
        if !self.dialect.keeps_extra_flags {
            params.retain(|arg| !removed(arg));
        }

        let timeouts = &self.dialect.timeouts;
        let mut seconds = self.base_timeout;
        for (word, factor) in timeouts.words {
            let in_source = || prepared.source_flags.iter().any(|flag| flag == word);
            let said = params.iter().filter(|arg| is(arg, word)).count();
            // A word that the source says as well stands there once more.
            let counts = timeouts.words_in_source || said > usize::from(in_source());
            if said > 0 && counts {
                seconds *= factor;
            }
        }
        if prepared.long {
            seconds *= LONG;
        }
        let slow = self.is_slow(outcomes);
        if slow {
            seconds *= timeouts.slow;
        }

        let shell_flags = rules.shell_flags.iter().map(|flag| Arg::Text((*flag).into()));
        let (recipe, (judge, expected_file)) = match half {
            Some(half) => (Some(Box::new(half.recipe)), (half.judge, None)),
            None => (None, self.judging(suite, base, &name.name, prepared, reverse)),
        };
        let expectation = self.expected(suite, base, subtest, outcomes, prepared);
        // What is left out is listed with what the status file says.
        let runs = subtest.variant.is_some() && self.left_out(outcomes).is_none();
        let (judge, expected_file, expectation) = match self.as_predictable().filter(|_| runs) {
            Some((judge, expectation)) => (judge, None, expectation),
            None => (judge, expected_file, expectation),
        };
        TestCase {
            prefix: self.prefix.clone(),
            program: suite.program_of(base).clone(),
            args: shell_flags.chain(params).collect(),
            env: self.environment(prepared),
            unset_env: rules.unset_env.iter().map(|name| (*name).into()).collect(),
            timeout: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
            term_grace: self.dialect.term_grace,
            recipe,
            judge,
            expected_file,
            expectation,
            slow,
            heavy: outcomes.has(Outcomes::HEAVY),
            variant_flags: flags.variant,
            random_seed: Some(self.options.random_seed),
            name,
            id,
        }
    }

    /// What a test's environment says besides the run's. A test knows best what it needs.
    fn environment(&self, prepared: &Prepared) -> BTreeMap<String, String> {
        let mut environment = self.sanitizer_env.clone();
        environment.extend(prepared.env.clone());
        environment
    }

    /// The order of a command line's parts.
    fn order(&self, suite: &Suite) -> &[Part] {
        if suite.rules.order.is_empty() { self.tables.order.as_slice() } else { suite.rules.order }
    }

    /// A test's flags, by the parts of its command line.
    fn flags(&self, suite: &Suite, base: &TestFile, subtest: TestInstance, prepared: &Prepared) -> Flags {
        let name = self.bases().name(base);
        let mut extra = self.extra_flags.clone();
        if suite.is_on_d8() {
            extra.extend_from_slice(&self.extra_d8_flags);
        }
        Flags {
            seed: match self.dialect.passes_seed {
                true => vec![format!("--random-seed={}", self.options.random_seed)],
                false => Vec::new(),
            },
            mode: self.mode_flags.clone(),
            extra,
            variant: self.variant_flags(suite, base, subtest),
            source: prepared.source_flags.clone(),
            suite: prepared.suite_flags.clone(),
            status: suite.status.flags(name, subtest.variant, subtest.strict),
        }
    }

    /// What is expected of a subtest that V8's rules put together.
    pub(crate) fn expected(
        &self,
        suite: &Suite,
        base: &TestFile,
        subtest: TestInstance,
        outcomes: Outcomes,
        prepared: &Prepared,
    ) -> Expectation {
        let flags = self.flags(suite, base, subtest, prepared);
        let in_order = |part: &&Part| **part != Part::Files;
        let collect = |with_extra: bool| -> Vec<String> {
            let parts = self.order(suite).iter().filter(in_order);
            parts
                .filter(|part| with_extra || **part != Part::Extra)
                .flat_map(|part| flags.of(*part))
                .cloned()
                .collect()
        };
        let (all, without_extra) = match self.dialect.contradictions.whole_command {
            true => (collect(true), collect(false)),
            false => (Vec::new(), Vec::new()),
        };
        let file = [flags.source.as_slice(), &flags.suite, &flags.status].concat();
        let flags = TestFlags { all: &all, without_extra: &without_extra, extra: &flags.extra, file: &file };
        self.expectation((suite, base, subtest), outcomes, flags)
    }

    /// What is expected of a subtest with these flags.
    pub(crate) fn expectation(
        &self,
        (suite, base, subtest): (&Suite, &TestFile, TestInstance),
        outcomes: Outcomes,
        flags: TestFlags<'_>,
    ) -> Expectation {
        let mut expectation = self.stated(suite, base, subtest, outcomes, flags);
        // The number fuzzer forgives timeouts and passes (V8 13.3 `testproc/expectation.py`).
        if self.is_fuzzed(subtest, outcomes) {
            for forgiven in [Outcome::Timeout, Outcome::Pass] {
                if !expectation.outcomes.contains(&forgiven) {
                    expectation.outcomes.push(forgiven);
                }
            }
        }
        let name = self.bases().name(base);
        expectation.doubt = suite.status.own().doubt(name, subtest.variant).map(|(rule, unknown)| {
            format!(
                "Rule '{}' ({}) in {}:{} may hold: {unknown}.",
                rule.rule,
                rule.condition,
                suite.status.own().path().display(),
                rule.line
            )
        });
        expectation
    }

    /// What status files and contradictions between flags say.
    fn stated(
        &self,
        suite: &Suite,
        base: &TestFile,
        subtest: TestInstance,
        outcomes: Outcomes,
        flags: TestFlags<'_>,
    ) -> Expectation {
        // V8 looks for contradictions once for each test, and for FAIL_PHASE_ONLY tests before there are variants;
        // what variants then recompute is never checked again.
        if !outcomes.has(Outcomes::FAIL_PHASE_ONLY) || !suite.has_frontmatter() {
            let conflicts = match subtest.variant {
                Some(variant) => self.conflicts.get(variant).unwrap_or(&self.base_conflicts),
                None => &self.base_conflicts,
            };
            if let Some(reason) = conflicts.reason(flags) {
                return Expectation { outcomes: vec![Outcome::Fail], reason: Some(reason), doubt: None };
            }
        }
        let fails = Outcomes::FAIL | Outcomes::FAIL_OK | Outcomes::FAIL_SLOPPY | Outcomes::CRASH;
        let reason = if outcomes.has(fails) {
            self.why(suite, base, subtest, fails).map(|said| said.to_string())
        } else {
            None
        };
        Expectation { outcomes: outcomes.expected(subtest.strict), reason, doubt: None }
    }

    pub(crate) fn judging(
        &self,
        suite: &Suite,
        base: &TestFile,
        name: &str,
        prepared: &Prepared,
        reverse: bool,
    ) -> (Judge, Option<Arg>) {
        let beside = |suffix: &str| Some(suite.dir.arg(&format!("{name}{suffix}")));
        match suite.rules.judging {
            // The latter have judges of their own.
            Judging::ExitCode | Judging::Interpreting => (Judge::ExitCode, None),
            // -1 says that it does not want its input.
            Judging::Fuzzer => (Judge::ExitCodes(vec![255]), None),
            Judging::FileCheck => (Judge::FileCheck, Some(suite.dir.arg(&suite.file_name(name, base)))),
            Judging::Template => {
                let file = if self.dialect.message_basename_is_js {
                    format!("{name}.js")
                } else {
                    suite.file_name(name, base)
                };
                let judge = Judge::Template {
                    // A file called fail.js counts as well as a directory.
                    fails: self.dialect.template_exit_code_counts
                        && name.split('/').any(|part| part == "fail"),
                    basename: file.rsplit('/').next().unwrap_or_default().into(),
                    exit_code_counts: self.dialect.template_exit_code_counts,
                    rules: self.template_rules(),
                };
                (judge, beside(".out"))
            }
            Judging::Lines { comments } => {
                let judge = Judge::Lines {
                    comments,
                    // webkit always looked at it.
                    exit_code_counts: comments || self.dialect.lines_exit_code_counts,
                    skip_linker_warnings: self.dialect.skip_linker_warnings,
                    skip_hashes: self.dialect.lines_skip_hashes,
                    blank_passes: comments && self.dialect.blank_webkit_passes,
                };
                (judge, beside("-expected.txt"))
            }
            Judging::Failed => {
                let negative = name.ends_with("-n");
                (Judge::Exception { expected: None, negative, must_complete: false }, None)
            }
            Judging::Promises => {
                let judge = Judge::Phrases {
                    required: vec!["All tests have run.".into()],
                    forbidden: vec!["FAIL:".into()],
                    negative: prepared.negative,
                };
                (judge, None)
            }
            Judging::GrokDump => (Judge::GrokDump, Some(Arg::Path("tools/v8heapconst.py".into()))),
            Judging::PlausibleGrokDump => (Judge::PlausibleGrokDump, None),
            Judging::Test262 => {
                let judge = Judge::Exception {
                    expected: prepared.exception.clone(),
                    // V8 asserts that only tests that expect an error are reversed.
                    negative: reverse && prepared.exception.is_some(),
                    must_complete: self.dialect.test262.async_must_complete && prepared.asynchronous,
                };
                (judge, None)
            }
        }
    }

    fn template_rules(&self) -> TemplateRules {
        let templates = self.dialect.templates;
        TemplateRules {
            skip_linker_warnings: self.dialect.skip_linker_warnings,
            ignored_lines: templates.ignored_lines.iter().map(|line| (*line).to_owned()).collect(),
            addresses: templates.addresses,
            negative_numbers: templates.negative_numbers,
        }
    }
}

/// A test's flags, by the parts of its command line.
struct Flags {
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
    fn of(&self, part: Part) -> &[String] {
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
