//! From tests to what runs: variants, test262's strict halves, filters.

use std::hash::Hasher;
use std::sync::PoisonError;

use flotilla_messages::hash::Fnv;
use flotilla_messages::{CaseId, Cases, Entry, TestCase, Unrunnable};

use crate::expectations::{Outcomes, Said};
use crate::kind::{SkippedByHost, Strictness, TestFlags};
use crate::kit::options::{Filter, Framework};
use crate::kit::shard::Sharding;
use crate::plan::instance::TestInstance;
use crate::plan::shard::{by_turns, has_hash};
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;
use crate::v8::tables::DEFAULT;

/// A test that exists, and why it is skipped if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which test. [`Cases::case`] knows skipped ones too: those skipped before variants have an empty variant name,
    /// and an id without a variant.
    pub id: CaseId,
    /// Whether it is marked HEAVY.
    pub heavy: bool,
    /// Why it will not run.
    pub skipped: Option<Skip>,
}

/// The variant in which tests marked FAST_VARIANTS run besides `default`.
const FAST: &str = "turbofan";

/// Why a test is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// The status file's rule; the option, such as `--slow-tests=skip`; or why the host or the build cannot
    /// run it.
    pub rule: String,
    /// The condition of the rule's section; empty where an option skips.
    pub condition: String,
    /// The variant that is skipped; `None` if the test is skipped before there are variants.
    pub variant: Option<String>,
}

/// What leaves a test out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SkipReason {
    /// A rule says SKIP.
    Rule,
    /// `--slow-tests`
    Slow,
    /// `--pass-fail-tests`
    PassFail,
    /// test262 by itself: the host, or `--features`.
    SkippedByHost,
    /// The build: it runs no test of the suite.
    Build,
}

impl Tree {
    /// All tests that were asked for, skipped ones too, in the order they start.
    pub fn listing(&self) -> Box<dyn Iterator<Item = Listed> + Send + '_> {
        Box::new(self.bases().iter().flat_map(move |(index, base)| {
            let found = match self.left_out_before_variants(base) {
                Some(why) => vec![(TestInstance::BASE, base.outcomes, Some(why))],
                None if self.skipped_by_host(index, base).is_some() => {
                    vec![(TestInstance::BASE, base.outcomes, Some(SkipReason::SkippedByHost))]
                }
                None => self
                    .subtests(index, base)
                    .into_iter()
                    .map(|(subtest, outcomes)| (subtest, outcomes, self.left_out_of(base, subtest, outcomes)))
                    .filter(|(subtest, _, why)| why.is_some() || self.is_in_shard(index, base, *subtest))
                    .collect(),
            };
            found.into_iter().map(move |(subtest, outcomes, why)| Listed {
                id: subtest.id(index),
                heavy: outcomes.has(Outcomes::HEAVY),
                skipped: why.map(|why| self.skip(index, base, subtest, why)),
            })
        }))
    }

    /// What leaves a test out before there are variants.
    fn left_out_before_variants(&self, base: &TestFile) -> Option<SkipReason> {
        if self.skipped_on_build(base).is_some() {
            return Some(SkipReason::Build);
        }
        self.left_out_of(base, TestInstance::BASE, base.outcomes)
            .filter(|_| self.run.dialect.filters_before_variants)
    }

    /// Why the build runs none of the tests of a test's suite.
    fn skipped_on_build(&self, base: &TestFile) -> Option<&'static str> {
        self.suite(base)?.kind.skipped_on_build()
    }

    /// As [`Self::left_out`], but what may be of the kind that is to run does so.
    fn left_out_of(&self, base: &TestFile, subtest: TestInstance, outcomes: Outcomes) -> Option<SkipReason> {
        let why = self.left_out(outcomes)?;
        if !self.run.detected.newer || why == SkipReason::Rule {
            return Some(why);
        }
        let name = self.bases().name(base);
        let may = self.suite(base).map(|suite| suite.status.own().may(name, subtest.variant));
        let all = outcomes | may.unwrap_or_default();
        let options = &self.run.options;
        let runs = match why {
            SkipReason::Slow => options.slow_tests == Filter::Run && self.is_slow(all),
            _ => options.pass_fail_tests == Filter::Run && all.is_pass_or_fail(),
        };
        (!runs).then_some(why)
    }

    /// The filter of status file outcomes (V8's `StatusFileFilterProc`). Until V8 10.4 it holds before and after variants,
    /// later only after them.
    pub(crate) fn left_out(&self, outcomes: Outcomes) -> Option<SkipReason> {
        let options = &self.run.options;
        if outcomes.has(self.skip_words()) && !options.run_skipped {
            Some(SkipReason::Rule)
        } else if options.slow_tests.leaves_out(self.is_slow(outcomes)) {
            Some(SkipReason::Slow)
        } else if options.pass_fail_tests.leaves_out(outcomes.is_pass_or_fail()) {
            Some(SkipReason::PassFail)
        } else {
            None
        }
    }

    /// Why a test does not run, whatever its status, as its source says.
    fn skipped_by_host(&self, index: u32, base: &TestFile) -> Option<SkippedByHost> {
        if !self.suite(base)?.kind.sources_choose() {
            return None;
        }
        self.prepared(index, base).as_ref().as_ref().ok()?.skipped().cloned()
    }

    /// What the host or a predictable build cannot run: reasons, with how many tests the walk has met so far. Those that the options leave out
    /// are not among them.
    pub fn withheld_by_host(&self) -> Vec<(String, u64)> {
        let met = self.met_skipped.lock().unwrap_or_else(PoisonError::into_inner);
        met.iter().map(|(reason, count)| (reason.clone(), *count)).collect()
    }

    fn meet_skipped(&self, index: u32, base: &TestFile) {
        if let Some(skipped) = self.skipped_by_host(index, base).filter(|skipped| skipped.by_host) {
            self.meet(skipped.reason);
        }
    }

    fn meet(&self, reason: String) {
        let mut met = self.met_skipped.lock().unwrap_or_else(PoisonError::into_inner);
        *met.entry(reason).or_default() += 1;
    }

    /// The words that skip a test.
    fn skip_words(&self) -> Outcomes {
        if self.run.dialect.skips_slow { Outcomes::SKIP | Outcomes::SLOW } else { Outcomes::SKIP }
    }

    fn skip(&self, index: u32, base: &TestFile, subtest: TestInstance, why: SkipReason) -> Skip {
        let variant = subtest.variant.and_then(|i| self.variants.get(i)).map(|variant| variant.name.clone());
        let option = |name: &str, value: &str| (format!("{name}={value}"), String::new());
        let (rule, condition) = match why {
            SkipReason::Rule => {
                let words = self.skip_words();
                let rule = self.suite(base).and_then(|suite| self.why(suite, base, subtest, words));
                rule.map(|rule| (rule.rule.into(), rule.condition.into())).unwrap_or_default()
            }
            SkipReason::Slow => option("--slow-tests", self.run.options.slow_tests.as_str()),
            SkipReason::SkippedByHost => {
                let reason = self.skipped_by_host(index, base).map(|skipped| skipped.reason);
                (reason.unwrap_or_default(), String::new())
            }
            SkipReason::Build => (self.skipped_on_build(base).unwrap_or_default().into(), String::new()),
            SkipReason::PassFail => option("--pass-fail-tests", self.run.options.pass_fail_tests.as_str()),
        };
        Skip { rule, condition, variant }
    }

    /// The status file's rule that says any of these words of a subtest.
    pub(crate) fn why<'a>(
        &'a self,
        suite: &'a Suite,
        base: &TestFile,
        subtest: TestInstance,
        words: Outcomes,
    ) -> Option<Said<'a>> {
        suite.status.why(self.bases().name(base), subtest.variant, subtest.strict, words)
    }

    /// The outcomes of a subtest.
    pub(crate) fn outcomes(&self, base: &TestFile, subtest: TestInstance) -> Outcomes {
        match (subtest.variant, self.suite(base)) {
            (Some(variant), Some(suite)) => {
                suite.status.outcomes_of(self.bases().name(base), base.outcomes, variant, subtest.strict)
            }
            _ => base.outcomes,
        }
    }

    /// A test's subtests with their outcomes, in the order they start.
    fn subtests(&self, index: u32, base: &TestFile) -> Vec<(TestInstance, Outcomes)> {
        let halves: &[(bool, bool)] = match self.strictness(index, base) {
            None => return Vec::new(),
            Some((Strictness::Module, _)) => &[(false, false)],
            Some((Strictness::Sloppy, false)) => &[(false, false)],
            Some((Strictness::Strict, false)) => &[(true, false)],
            Some((Strictness::Both, false)) => &[(false, false), (true, false)],
            Some((Strictness::Sloppy, true)) => &[(false, false), (false, true)],
            Some((Strictness::Strict, true)) => &[(true, false), (true, true)],
            Some((Strictness::Both, true)) => &[(false, false), (true, false), (false, true), (true, true)],
        };
        let suite = self.suite(base);
        let mut found = Vec::with_capacity(halves.len() * self.variants.len());
        for phase in [false, true] {
            for variant in self.variants_of(suite, base) {
                let of_phase = halves.iter().filter(|(_, second)| *second == phase);
                found.extend(of_phase.map(|(strict, second)| {
                    let subtest = TestInstance::of(variant, *strict, *second);
                    (subtest, self.outcomes(base, subtest))
                }));
            }
        }
        if self.run.is_predictable()
            && let Some(suite) = suite
        {
            found.retain(|(subtest, outcomes)| {
                self.can_be_predictable(suite, index, base, *subtest, *outcomes)
            });
        }
        found
    }

    /// Whether a predictable build runs an instance. Words that skip it are for others to see.
    fn can_be_predictable(
        &self,
        suite: &Suite,
        index: u32,
        base: &TestFile,
        instance: TestInstance,
        outcomes: Outcomes,
    ) -> bool {
        if outcomes.has(Outcomes::SKIP) && !self.run.options.run_skipped {
            return true;
        }
        suite.kind.is_predictable()
            && match &*self.prepared(index, base) {
                Ok(prepared) => {
                    let expects = |flags: Option<TestFlags<'_>>| {
                        self.expectation((suite, base, instance), outcomes, flags)
                    };
                    let strictness = prepared.strictness();
                    let context =
                        self.context((suite, base, instance), outcomes, strictness, String::new(), &expects);
                    prepared.is_predictable(&context)
                }
                // What cannot be read says so when it is to run.
                Err(_) => true,
            }
    }

    /// The variants that a test has, by their indices among all, in order.
    fn variants_of<'a>(
        &'a self,
        suite: Option<&'a Suite>,
        base: &TestFile,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let of_suite = suite.map(|suite| suite.kind.variants());
        let only = of_suite.map(|of_suite| of_suite.only.as_slice()).unwrap_or_default();
        let no_variants = base.outcomes.has(Outcomes::NO_VARIANTS);
        let of_test: &[&str] = match only.is_empty() && self.is_fast(suite, base) {
            _ if no_variants => &[DEFAULT],
            true => &[DEFAULT, FAST],
            false => &[],
        };
        let of_suite_only = if no_variants { &[] } else { only };
        let also = of_suite.and_then(|of_suite| of_suite.also);
        let fits = move |name: &String| match (of_test, of_suite_only) {
            ([], []) => true,
            _ => of_test.contains(&name.as_str()) || of_suite_only.contains(name),
        };
        let all = self.variants.iter().enumerate();
        let fitting = all.filter(move |(i, variant)| {
            (*i < self.selected_variants || also == Some(*i)) && fits(&variant.name)
        });
        fitting.map(|(i, _)| i)
    }

    /// A test's subtests that would run.
    pub(crate) fn runnable(&self, index: u32, base: &TestFile) -> Vec<(TestInstance, Outcomes)> {
        if self.is_left_out(base) {
            return Vec::new();
        }
        let mut subtests = self.subtests(index, base);
        subtests.retain(|(subtest, outcomes)| self.left_out_of(base, *subtest, *outcomes).is_none());
        subtests
    }

    /// Whether an instance that would run is one of this run's shard.
    fn is_in_shard(&self, index: u32, base: &TestFile, instance: TestInstance) -> bool {
        let Some(shard) = self.run.options.shard else { return true };
        let by_suite = match self.run.dialect.sharding {
            Sharding::Hash => {
                return has_hash(shard, |piece| self.variant_id_pieces(index, base, instance, piece));
            }
            Sharding::Tests => false,
            Sharding::Subtests => true,
        };
        let runnable = |index: u32, test: &TestFile| {
            let instances = || self.runnable(index, test).into_iter().map(|(instance, _)| instance).collect();
            (!self.is_left_out(test)).then(instances)
        };
        self.members.contain(instance.id(index), || by_turns(shard, by_suite, self.bases(), runnable))
    }

    /// Whether a test is left out before there are variants.
    pub(crate) fn is_left_out(&self, base: &TestFile) -> bool {
        // What skips a test for all variants alike skips it under each of them.
        let skipped = base.outcomes.has(self.skip_words()) && !self.run.options.run_skipped;
        skipped || self.left_out_before_variants(base).is_some()
    }

    /// Whether a test runs in the fast variants only, with flags of their own.
    fn is_fast(&self, suite: Option<&Suite>, base: &TestFile) -> bool {
        suite.is_some_and(|suite| suite.kind.variants().fast)
            || base.outcomes.has(Outcomes::FAST_VARIANTS) && !base.outcomes.has(Outcomes::NO_VARIANTS)
    }

    /// The flags that a subtest's variant means.
    pub(crate) fn variant_flags(&self, suite: &Suite, base: &TestFile, subtest: TestInstance) -> Vec<String> {
        let Some(variant) = subtest.variant.and_then(|i| self.variants.get(i)) else { return Vec::new() };
        let fast = || self.run.tables.fast.iter().find(|fast| fast.name == variant.name);
        let variant =
            Some(variant).filter(|_| !self.is_fast(Some(suite), base)).or_else(fast).unwrap_or(variant);
        variant.flags.clone()
    }

    /// Which halves a test has, and whether it has two phases; `None` if it has no subtests at all.
    fn strictness(&self, index: u32, base: &TestFile) -> Option<(Strictness, bool)> {
        let by_source = self.suite(base).is_some_and(|suite| suite.kind.sources_choose());
        if !by_source {
            return Some((Strictness::Sloppy, false));
        }
        match &*self.prepared(index, base) {
            Ok(prepared) if prepared.is_left_out() || prepared.skipped().is_some() => None,
            Ok(prepared) => Some((prepared.strictness(), base.outcomes.has(Outcomes::FAIL_PHASE_ONLY))),
            // It is listed once for each variant, and says what is wrong when it is to run.
            Err(_) => Some((Strictness::Sloppy, false)),
        }
    }

    /// The index that V8's id of a subtest has: the variant's among those of this test.
    fn variant_number(&self, base: &TestFile, variant: usize) -> usize {
        self.variants_of(self.suite(base), base).take_while(|own| *own < variant).count()
    }

    /// Whether the number fuzzer's expectations hold for a subtest: for all that run (V8 13.3
    /// `standard_runner.py`: `_create_expectation_proc`).
    pub(crate) fn is_fuzzed(&self, subtest: TestInstance, outcomes: Outcomes) -> bool {
        self.run.options.framework == Framework::NumFuzzer
            && subtest.variant.is_some()
            && self.left_out(outcomes).is_none()
    }

    /// The pieces of a subtest's stable id (V8's `procid`), one by one.
    pub(crate) fn id_pieces(
        &self,
        index: u32,
        base: &TestFile,
        subtest: TestInstance,
        mut piece: impl FnMut(&str),
    ) {
        self.variant_id_pieces(index, base, subtest, &mut piece);
        if self.is_fuzzed(subtest, self.outcomes(base, subtest)) {
            piece(".no-timeout-no_timeout");
        }
    }

    /// The same as far as the variant: what V8 tells shards by.
    pub(crate) fn variant_id_pieces(
        &self,
        index: u32,
        base: &TestFile,
        subtest: TestInstance,
        mut piece: impl FnMut(&str),
    ) {
        piece(self.suite(base).map_or("", |suite| &suite.name));
        piece("/");
        piece(self.bases().name(base));
        let Some(variant) = subtest.variant else { return };
        piece(".VariantProc-");
        piece(self.variants.get(variant).map_or("", |variant| variant.name.as_str()));
        piece(if subtest.strict { "-strict-" } else { "-" });
        piece(&self.variant_number(base, variant).to_string());
        if subtest.second_phase
            && let Some((strictness, _)) = self.strictness(index, base)
            && subtest.is_reverse(strictness)
        {
            piece("-fail-phase-reverse");
        }
    }
}

impl Cases for Tree {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        let bases = self.bases().iter().filter(|(_, base)| {
            if let Some(reason) = self.skipped_on_build(base) {
                self.meet(reason.into());
            }
            !self.is_left_out(base)
        });
        Box::new(bases.flat_map(move |(index, base)| {
            self.meet_skipped(index, base);
            let in_shard =
                move |(subtest, _): &(TestInstance, Outcomes)| self.is_in_shard(index, base, *subtest);
            self.runnable(index, base).into_iter().filter(in_shard).map(move |(subtest, outcomes)| {
                let mut hash = Fnv::default();
                self.id_pieces(index, base, subtest, |piece| hash.write(piece.as_bytes()));
                Entry {
                    id: subtest.id(index),
                    slow: self.is_slow(outcomes),
                    heavy: outcomes.has(Outcomes::HEAVY),
                    history_key: hash.finish(),
                }
            })
        }))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.make_case(id)
    }
}
