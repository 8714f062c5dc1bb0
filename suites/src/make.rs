//! Making test cases.

use std::collections::BTreeMap;
use std::time::Duration;

use flotilla_messages::{Arg, CaseId, Expectation, Judge, TestCase, TestName, Unrunnable};

use crate::bases::Base;
use crate::conflict;
use crate::dialect::{Judging, Part};
use crate::prepare::{Prepared, Strictness};
use crate::status::Outcomes;
use crate::subtests::Subtest;
use crate::suite::Suite;
use crate::tree::Tree;

/// By how much a test of wasm-js may take longer whose source says so.
const LONG: f64 = 10.0;

impl Tree {
    /// The case of an id.
    pub(crate) fn make_case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        let found = Subtest::from_id(id)
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
        let (index, subtest) = Subtest::from_id(id)?;
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
        base: &Base,
        subtest: Subtest,
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
        base: &Base,
        subtest: Subtest,
        prepared: &Prepared,
        id: String,
    ) -> TestCase {
        let rules = suite.rules;
        let name = self.test_name(suite, base, subtest, prepared.strictness);
        let reverse = Self::is_reverse(prepared.strictness, subtest);
        let outcomes = self.outcomes(base, subtest);
        let status_flags = suite.status.flags(&name.name, subtest.variant, subtest.strict);
        let variant_flags = self.variant_flags(suite, base, subtest);

        let mut half = prepared
            .bare
            .as_ref()
            .zip(suite.host.as_ref())
            .and_then(|(source, host)| source.half(host, subtest.strict, &self.options.root));
        let mut params: Vec<Arg> = Vec::with_capacity(20);
        let texts = |flags: &[String]| flags.iter().cloned().map(Arg::Text).collect::<Vec<_>>();
        let is = |arg: &Arg, word: &str| matches!(arg, Arg::Text(text) if text == word);
        let removed = |arg: &Arg| rules.removed_flags.iter().any(|flag| is(arg, flag));
        let order = if rules.order.is_empty() { self.tables.order.as_slice() } else { rules.order };
        for part in order {
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
                Part::Seed if !self.dialect.passes_seed => {}
                Part::Seed => params.push(Arg::Text(format!("--random-seed={}", self.options.random_seed))),
                Part::Mode => params.extend(texts(&self.mode_flags)),
                Part::Extra if self.dialect.keeps_extra_flags => {
                    params.retain(|arg| !removed(arg));
                    params.extend(texts(&self.extra_flags));
                }
                Part::Extra => params.extend(texts(&self.extra_flags)),
                Part::Variant => params.extend(texts(&variant_flags)),
                Part::Source => params.extend(texts(&prepared.source_flags)),
                Part::Suite => params.extend(texts(&prepared.suite_flags)),
                Part::Status => params.extend(texts(&status_flags)),
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
        let slow = outcomes.has(Outcomes::SLOW);
        if slow {
            seconds *= timeouts.slow;
        }

        let shell_flags = rules.shell_flags.iter().map(|flag| Arg::Text((*flag).into()));
        let (recipe, (judge, expected_file)) = match half {
            Some(half) => (Some(Box::new(half.recipe)), (half.judge, None)),
            None => (None, self.judging(suite, base, &name.name, prepared, reverse)),
        };
        let expectation = self.expectation(suite, base, subtest, outcomes, prepared, &status_flags);
        let (judge, expected_file, expectation) =
            match self.as_predictable().filter(|_| subtest.variant.is_some()) {
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
            variant_flags,
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

    pub(crate) fn expectation(
        &self,
        suite: &Suite,
        base: &Base,
        subtest: Subtest,
        outcomes: Outcomes,
        prepared: &Prepared,
        status_flags: &[String],
    ) -> Expectation {
        // V8 looks for contradictions once for each test, and for FAIL_PHASE_ONLY tests before there are variants;
        // what variants then recompute is never checked again.
        if !outcomes.has(Outcomes::FAIL_PHASE_ONLY) || !suite.has_frontmatter() {
            let conflicts = match subtest.variant {
                Some(variant) => self.conflicts.get(variant).map(Vec::as_slice).unwrap_or_default(),
                None => &self.base_conflicts,
            };
            let file = self.tables.variants_file;
            let reason = if status_flags.is_empty() {
                conflict::reason(conflicts, &prepared.normal_flags, file)
            } else {
                let normal = status_flags.iter().map(|flag| conflict::normalize(flag));
                let all: Vec<String> = prepared.normal_flags.iter().cloned().chain(normal).collect();
                conflict::reason(conflicts, &all, file)
            };
            if let Some(reason) = reason {
                return Expectation {
                    outcomes: vec![flotilla_messages::Outcome::Fail],
                    reason: Some(reason),
                };
            }
        }
        let expected = outcomes.expected(subtest.strict);
        let fails = Outcomes::FAIL | Outcomes::FAIL_OK | Outcomes::FAIL_SLOPPY | Outcomes::CRASH;
        let reason = if outcomes.has(fails) {
            self.why(suite, base, subtest, fails).map(|said| said.to_string())
        } else {
            None
        };
        Expectation { outcomes: expected, reason }
    }

    pub(crate) fn judging(
        &self,
        suite: &Suite,
        base: &Base,
        name: &str,
        prepared: &Prepared,
        reverse: bool,
    ) -> (Judge, Option<Arg>) {
        let beside = |suffix: &str| Some(suite.dir.arg(&format!("{name}{suffix}")));
        match suite.rules.judging {
            // The latter have judges of their own.
            Judging::ExitCode | Judging::Interpreting => (Judge::ExitCode, None),
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
                    skip_linker_warnings: self.dialect.skip_linker_warnings,
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
                };
                (judge, beside("-expected.txt"))
            }
            Judging::Failed => (Judge::Exception { expected: None, negative: name.ends_with("-n") }, None),
            Judging::Promises => {
                let judge = Judge::Phrases {
                    required: vec!["All tests have run.".into()],
                    forbidden: vec!["FAIL:".into()],
                    negative: prepared.negative,
                };
                (judge, None)
            }
            Judging::GrokDump => (Judge::GrokDump, Some(Arg::Path("tools/v8heapconst.py".into()))),
            Judging::Test262 => {
                // V8 asserts that only tests that expect an error are reversed.
                let negative = reverse && prepared.exception.is_some();
                (Judge::Exception { expected: prepared.exception.clone(), negative }, None)
            }
        }
    }
}
