//! Tests made of shell commands.

use flotilla_messages::{Arg, CaseId, Cases, Entry, Program, TestCase, TestName, Unrunnable};

/// A case that runs `words`, the first of which is an absolute path or found in PATH.
pub(crate) fn case(id: CaseId, words: &[&str]) -> TestCase {
    let (program, args) = words.split_first().unwrap();
    TestCase {
        name: name(id),
        id: format!("fake/{}", id.0),
        program: Program::Shell(Arg::Text((*program).to_owned())),
        args: args.iter().map(|arg| Arg::Text((*arg).to_owned())).collect(),
        ..TestCase::for_tests("")
    }
}

pub(crate) fn name(id: CaseId) -> TestName {
    TestName { suite: "fake".into(), name: id.0.to_string(), variant: "default".into(), detail: None }
}

/// What one test of [`Fake`] is.
type Make = Box<dyn Fn(CaseId) -> Result<TestCase, Box<Unrunnable>> + Send + Sync>;

/// This many tests, each made by the same function.
pub(crate) struct Fake {
    pub(crate) count: u64,
    pub(crate) make: Make,
}

impl Fake {
    /// `count` tests that run `/bin/sh -c script`, with the test's number as `$0`.
    pub(crate) fn scripts(count: u64, script: &'static str) -> Self {
        let make = move |id: CaseId| Ok(case(id, &["/bin/sh", "-c", script, &id.0.to_string()]));
        Self { count, make: Box::new(make) }
    }
}

impl Cases for Fake {
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        let entry = |id| Entry { id: CaseId(id), slow: false, heavy: false, history_key: id };
        Box::new((0..self.count).map(entry))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        (self.make)(id)
    }
}
