//! Cases are made of files, which no actor on an arbiter waits for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use actix::{Actor, Addr, Handler, Message, Recipient, SyncArbiter, SyncContext};
use flotilla_messages::packet::Elsewhere;
use flotilla_messages::{Arg, Cases, Checks, Judge, Outcome, Part, Patterns, Program, TestCase, TestName};

use super::core::Made;
use crate::execution::executor::{Failed, Lease, LeaseId};
use crate::execution::pool::panic_text;

/// The most cases that are passed on together, so that the first ones do not wait for the last.
const BATCH: usize = 32;
/// The most bytes of arguments that are passed on together.
const BYTES: usize = 512 << 10;

/// Makes the cases of leases, for all proxies of a run, on a thread of its own.
pub struct CaseMaker {
    cases: Arc<dyn Cases>,
}

/// Make the cases of these, in this order.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Make {
    pub leases: Vec<Lease>,
    pub to: Recipient<MadeCases>,
}

/// Some of them are there.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct MadeCases(pub Vec<(LeaseId, Made)>);

impl CaseMaker {
    /// Starts the thread. To be called in a System.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start(cases: Arc<dyn Cases>) -> io::Result<Addr<Self>> {
        let maker = move || Self { cases: Arc::clone(&cases) };
        // actix panics when a thread cannot be started.
        catch_unwind(AssertUnwindSafe(move || SyncArbiter::start(1, maker)))
            .map_err(|panic| io::Error::other(panic_text(&*panic).to_owned()))
    }

    fn make(&self, lease: Lease) -> Made {
        let made = catch_unwind(AssertUnwindSafe(|| self.cases.case(lease.test)));
        match made {
            Ok(Ok(case)) => Ok(Box::new(case)),
            Ok(Err(unrunnable)) => {
                let reason = format!("cannot run the test: {unrunnable}");
                let (name, id) = (unrunnable.name, unrunnable.id);
                Err(Box::new(Failed { name, id, case: None, outcome: Outcome::Fail, reason }))
            }
            Err(panic) => {
                let reason = format!("internal error: {}", panic_text(&*panic));
                Err(Box::new(Failed::nameless(lease.test, reason)))
            }
        }
    }
}

impl Actor for CaseMaker {
    type Context = SyncContext<Self>;
}

impl Handler<Make> for CaseMaker {
    type Result = ();

    fn handle(&mut self, Make { leases, to }: Make, _: &mut Self::Context) {
        let mut made = Vec::new();
        let mut bytes = 0;
        for lease in leases {
            let case = self.make(lease);
            bytes += case.as_ref().map_or(0, |case| size(case));
            made.push((lease.id, case));
            if made.len() >= BATCH || bytes >= BYTES {
                to.do_send(MadeCases(std::mem::take(&mut made)));
                bytes = 0;
            }
        }
        if !made.is_empty() {
            to.do_send(MadeCases(made));
        }
    }
}

/// The case as it is sent: an engine that lies outside of the root has a place of its own in the tree.
pub(super) fn relocate(case: &mut TestCase, elsewhere: &[Elsewhere]) {
    let Program::Shell(Arg::Text(path)) = &case.program else { return };
    let placed = elsewhere.iter().find_map(|Elsewhere { place, path: dir }| {
        let below = Path::new(path).strip_prefix(dir).ok()?;
        Some(Path::new(place).join(below).to_string_lossy().into_owned())
    });
    if let Some(placed) = placed {
        case.program = Program::Shell(Arg::Path(placed));
    }
}

/// About how many bytes a case has on the wire: its texts, and what names them there.
pub(super) fn size(case: &TestCase) -> usize {
    /// The names of a case's fields, and all that is of fixed size.
    const FIXED: usize = 500;
    /// What goes around one text.
    const AROUND: usize = 24;
    let arg = |arg: &Arg| match arg {
        Arg::Text(text) | Arg::Path(text) => text.len(),
        Arg::Embedded { before, path, after } => before.len() + path.len() + after.len(),
        Arg::Compiled | Arg::Harness => 0,
    };
    let program = match &case.program {
        Program::Shell(shell) => arg(shell),
        Program::Builtin => 0,
    };
    let TestName { suite, name, variant, detail } = &case.name;
    let names = [suite, name, variant, &case.id].into_iter().chain(detail).chain(&case.expectation.reason);
    let texts = names.chain(&case.variant_flags).chain(&case.prefix).chain(&case.unset_env).map(String::len);
    let patterns = match &case.judge {
        Judge::Checks(Checks { stdout, stderr, .. }) => {
            let of = |patterns: &Patterns| {
                patterns.required.iter().chain(&patterns.forbidden).map(String::len).collect::<Vec<_>>()
            };
            [of(stdout), of(stderr)].concat()
        }
        _ => Vec::new(),
    };
    let env = case.env.iter().map(|(name, value)| name.len() + value.len());
    let args = case.args.iter().chain(&case.expected_file).map(arg);
    let part = |part: &Part| match part {
        Part::Text(text) | Part::File(text) | Part::QuotedFile(text) | Part::QuotedPath(text) => text.len(),
    };
    let recipe = case.recipe.as_deref();
    let recipe = recipe
        .into_iter()
        .flat_map(|recipe| recipe.all_parts().map(part).chain(recipe.beside.iter().map(String::len)));
    FIXED
        + program
        + args.chain(texts).chain(patterns).chain(recipe).chain(env).map(|text| text + AROUND).sum::<usize>()
}
