//! The restrictions on tests from another machine.

use std::borrow::Cow;
use std::io;

use flotilla_messages::{Captured, Output};
use rustix::io::Errno;

use crate::execution::confine::Confinement;
use crate::execution::process::{ProcessError, ResourceLimits, Worker};

/// The niceness of tests from other machines, so that this machine's own work goes first.
const NICE: i32 = 5;

/// Restricts tests from another machine. Rewrites local paths to the client's before judging; what this machine cannot
/// do becomes [`Unable`](crate::execution::executor::LeaseResult::Unable).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Texts to replace in the output of tests, with their replacements; empty texts are skipped. Where two match at
    /// the same place, the first in the list is used.
    pub rewrite: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the tests may access; each thread of the pool enters it before its first test.
    pub confinement: Confinement,
    /// The limits on the system resources of each test.
    pub ceilings: ResourceLimits,
}

impl Sandbox {
    /// Confines the current thread permanently and lowers its priority below this machine's own work.
    ///
    /// # Errors
    /// Why tests from another machine must not run here, for display.
    pub(crate) fn enter(&self) -> Result<(), String> {
        // On Linux this affects only this thread. If its priority cannot be lowered, tests run anyway.
        if let Err(error) = rustix::process::nice(NICE) {
            log::debug!("cannot lower the priority of tests: {error}");
        }
        self.confinement.enter().map(drop).map_err(|error| error.to_string())
    }

    /// A worker with the limits for such tests.
    ///
    /// # Errors
    /// As [`Worker::new`].
    pub(crate) fn worker(&self) -> io::Result<Worker> {
        Ok(Worker::new()?.limited(self.ceilings))
    }

    /// Replaces local paths in a text about a test with the client's.
    pub(crate) fn rewrite_text(&self, text: String) -> String {
        match self.replaced(text.as_bytes()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(rewritten) => String::from_utf8_lossy(&rewritten).into_owned(),
        }
    }

    /// Replaces local paths in the output with the client's.
    pub(super) fn rewrite(&self, output: &mut Output) {
        for stream in [&mut output.stdout, &mut output.stderr] {
            self.rewrite_stream(stream);
        }
    }

    fn rewrite_stream(&self, stream: &mut Captured) {
        let before = stream.bytes.len() as u64;
        if let Cow::Owned(rewritten) = self.replaced(&stream.bytes) {
            // The part that the cap cut off still counts.
            stream.total = stream.total.saturating_sub(before).saturating_add(rewritten.len() as u64);
            stream.bytes = rewritten;
        }
    }

    fn replaced<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let finders: Vec<_> = self
            .rewrite
            .iter()
            .filter(|(from, _)| !from.is_empty())
            .map(|(from, to)| (memchr::memmem::Finder::new(from), to))
            .collect();
        let mut written: Option<Vec<u8>> = None;
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let found = finders
                .iter()
                .filter_map(|(finder, to)| Some((finder.find(rest)?, finder.needle().len(), to)))
                .min_by_key(|(place, ..)| *place);
            let Some((place, length, to)) = found else { break };
            let written = written.get_or_insert_with(Vec::new);
            written.extend_from_slice(&rest[..place]);
            written.extend_from_slice(to);
            at += place + length;
        }
        match written {
            None => Cow::Borrowed(bytes),
            Some(mut written) => {
                written.extend_from_slice(&bytes[at..]);
                Cow::Owned(written)
            }
        }
    }
}

/// Whether the fault is this machine's, not the test's, when a test does not start.
pub(super) fn is_machines_fault(error: &ProcessError) -> bool {
    match error {
        ProcessError::Spawn { source, program, .. } => {
            // The program exists; its interpreter or loader is missing.
            is_shortage(source)
                || source.raw_os_error() == Some(Errno::NOEXEC.raw_os_error())
                || (source.kind() == io::ErrorKind::NotFound && program.exists())
        }
        ProcessError::Follow { source, .. } => is_shortage(source),
        ProcessError::Empty | ProcessError::NotInPath(_) => false,
    }
}

/// Whether the system is short of a resource.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::NOSPC
                | Errno::DQUOT
                | Errno::NOMEM
                | Errno::AGAIN
                | Errno::MFILE
                | Errno::NFILE
                | Errno::IO
                | Errno::TXTBSY
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest() -> Sandbox {
        let pair = |from: &str, to: &str| (from.as_bytes().to_vec(), to.as_bytes().to_vec());
        Sandbox {
            rewrite: vec![pair("/w/root", "/home/ada/v8"), pair("/w/tmp", "$TMPDIR"), pair("", "never")],
            ..Sandbox::default()
        }
    }

    fn rewritten(text: &str) -> String {
        let mut stream = Captured::whole(text);
        guest().rewrite_stream(&mut stream);
        assert_eq!(stream.cut(), 0);
        String::from_utf8(stream.bytes).unwrap()
    }

    #[test]
    fn paths_of_this_machine_become_the_clients_wherever_they_stand() {
        assert_eq!(
            rewritten("/w/root/a.js:1 /w/tmp/x\n/w/root"),
            "/home/ada/v8/a.js:1 $TMPDIR/x\n/home/ada/v8"
        );
        assert_eq!(rewritten("/w/roo /w"), "/w/roo /w");
        assert_eq!(rewritten(""), "");
    }

    /// A missing expected file was reported with its path on the peer, so reports differed from those of a local run.
    #[test]
    fn reasons_name_the_clients_paths() {
        let reason = "cannot read the expected output /w/root/a.out: gone".to_owned();
        assert_eq!(guest().rewrite_text(reason), "cannot read the expected output /home/ada/v8/a.out: gone");
        assert_eq!(guest().rewrite_text("gone".to_owned()), "gone");
    }

    #[test]
    fn what_the_cap_has_cut_stays_cut() {
        let mut stream = Captured { bytes: b"/w/tmp".to_vec(), total: 100 };
        guest().rewrite_stream(&mut stream);
        assert_eq!((stream.bytes.as_slice(), stream.cut()), (&b"$TMPDIR"[..], 94));
    }

    #[test]
    fn a_missing_interpreter_is_the_machines_fault_and_a_missing_program_is_not() {
        let spawn = |program: &str, errno: Errno| ProcessError::Spawn {
            program: program.into(),
            source: errno.into(),
            hint: "",
        };
        assert!(is_machines_fault(&spawn("/", Errno::NOENT)));
        assert!(!is_machines_fault(&spawn("/no/such/program", Errno::NOENT)));
        assert!(is_machines_fault(&spawn("/", Errno::NOEXEC)));
        assert!(is_machines_fault(&spawn("/", Errno::NOMEM)));
        assert!(!is_machines_fault(&spawn("/", Errno::ACCESS)));
        assert!(!is_machines_fault(&ProcessError::Empty));
    }
}
