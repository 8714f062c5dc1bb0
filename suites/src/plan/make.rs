//! Making test cases.

use flotilla_messages::{CaseId, Expectation, Outcome, TestCase, TestName, Unrunnable};

use crate::expectations::Outcomes;
use crate::kind::{CaseContext, Strictness, TestFlags};
use crate::plan::instance::TestInstance;
use crate::plan::suite::Suite;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;

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
        let outcomes = self.outcomes(&base, subtest);
        let stable_id = || {
            let mut id = String::with_capacity(80);
            self.id_pieces(index, &base, subtest, |piece| id.push_str(piece));
            id
        };
        let made = match &*self.prepared(index, &base) {
            Ok(prepared) => {
                let expects =
                    |flags: Option<TestFlags<'_>>| self.expectation((suite, &base, subtest), outcomes, flags);
                let strictness = prepared.strictness();
                prepared.case(self.context(
                    (suite, &base, subtest),
                    outcomes,
                    strictness,
                    stable_id(),
                    &expects,
                ))
            }
            Err(reason) => Err(reason.clone()),
        };
        made.map_err(|reason| {
            let name = self.test_name(suite, &base, subtest, Strictness::Sloppy);
            Box::new(Unrunnable { name, id: stable_id(), reason })
        })
    }

    /// What the kind of an instance's suite is told of it.
    pub(crate) fn context<'a>(
        &'a self,
        (suite, base, instance): (&Suite, &TestFile, TestInstance),
        outcomes: Outcomes,
        strictness: Strictness,
        id: String,
        expects: &'a dyn Fn(Option<TestFlags<'_>>) -> Expectation,
    ) -> CaseContext<'a> {
        let run = &self.run;
        let name = self.test_name(suite, base, instance, strictness);
        CaseContext {
            id,
            root: run.root(),
            prefix: &run.prefix,
            seed: run.options.random_seed,
            timeout: run.base_timeout,
            slow_factor: run.dialect.timeouts.slow,
            extra_flags: &run.extra_flags,
            variant_flags: self.variant_flags(suite, base, instance),
            status_flags: suite.status.flags(&name.name, instance.variant, instance.strict),
            name,
            outcomes,
            slow: self.is_slow(outcomes),
            strict: instance.strict,
            reverse: instance.is_reverse(strictness),
            runs: instance.variant.is_some() && self.left_out(outcomes).is_none(),
            expects,
        }
    }

    /// A test's names, without making its case; `None` if there is no such test.
    pub fn name_of(&self, id: CaseId) -> Option<TestName> {
        let (index, subtest) = TestInstance::from_id(id)?;
        let base = self.bases().get(index)?;
        let suite = self.suite(base)?;
        let strictness = match suite.kind.sources_choose() {
            true => self
                .prepared(index, base)
                .as_ref()
                .as_ref()
                .map_or(Strictness::Sloppy, |read| read.strictness()),
            false => Strictness::Sloppy,
        };
        Some(self.test_name(suite, base, subtest, strictness))
    }

    fn test_name(
        &self,
        suite: &Suite,
        base: &TestFile,
        subtest: TestInstance,
        strictness: Strictness,
    ) -> TestName {
        let variant = subtest.variant.and_then(|i| self.variants.get(i));
        let detail = match (subtest.strict, subtest.is_reverse(strictness)) {
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

    /// What is expected of an instance with these flags; without any, contradictions between them are not looked for.
    pub(crate) fn expectation(
        &self,
        (suite, base, subtest): (&Suite, &TestFile, TestInstance),
        outcomes: Outcomes,
        flags: Option<TestFlags<'_>>,
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
        flags: Option<TestFlags<'_>>,
    ) -> Expectation {
        if let Some(flags) = flags {
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
}
