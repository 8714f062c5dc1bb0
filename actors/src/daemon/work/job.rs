//! What one client's tests run with: a pool made for the job and ended with it, and those who clean up after it.

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::Recipient;
use flotilla_messages::Exit;
use flotilla_messages::packet::{Elsewhere, Engine, WorkPacket};
use flotilla_messages::port::work::RemoteLease;
use flotilla_messages::untrusted::{SHORT, untrusted_text};

use super::admission::environment;
use super::settings::WorkSettings;
use crate::execution::confine::Confinement;
use crate::execution::executor::{ExecutorEvent, ExecutorId, LeaseId};
use crate::execution::marker::RunId;
use crate::execution::orphans::Orphans;
use crate::execution::pool::{Control, LeasedTest, PoolThreads, Sandbox, Setup};
use crate::execution::process::{Ended, Launch, Launcher, Limits, ResourceLimits, StopSignal, StopStage};
use crate::execution::reaper::ReaperGuard;

/// The pool is the only executor its session knows.
const POOL: ExecutorId = ExecutorId(0);
/// The marker of the probe's processes: no lease of a client has this number by right.
const PROBE: LeaseId = LeaseId(u64::MAX);
/// How long all probes may run together.
const PROBE_TIME: Duration = Duration::from_secs(60);
/// The codes by which a probe says that it did not find all it needs.
const MISSING: [i32; 2] = [126, 127];
/// What the loader says, with code 1, when a library lacks a version.
const UNDEFINED: &str = " not found (required by ";
/// The number of the signal for an instruction that the processor does not know.
const SIGILL: i32 = 4;
/// How much of what a failing probe printed is told.
const PROBE_WORDS: usize = 500;
/// How long the reaper may take to start.
const REAPER_START: Duration = Duration::from_secs(2);
/// How long killed tests may take to end.
const KILLED: Duration = Duration::from_secs(5);
/// Bytes kept of each stream at most, whatever the client asks for: both fit in one frame.
const MOST_OUTPUT: u64 = 3 << 19;

/// Where a job's tests run.
#[derive(Clone, Debug)]
pub struct Place {
    /// The tree.
    pub root: PathBuf,
    /// For temporary files.
    pub tmp: PathBuf,
}

/// A pool that waits for its first lease.
pub struct Job {
    pool: PoolThreads,
    control: Arc<Control>,
    guard: Option<ReaperGuard>,
    probe: Arc<StopSignal>,
}

/// What is to be done before the first lease, and blocks.
pub struct Preparation {
    guard: Option<ReaperGuard>,
    launcher: Launcher,
    probes: Vec<Vec<String>>,
    marker: String,
    guest: Sandbox,
    switch: Arc<StopSignal>,
}

impl Job {
    /// Starts a pool for this packet. To be called in a System.
    ///
    /// # Errors
    /// What the system has not enough of.
    pub fn start(
        run: RunId,
        packet: &WorkPacket,
        place: &Place,
        settings: &WorkSettings,
        jobs: NonZeroUsize,
        session: Recipient<ExecutorEvent>,
    ) -> io::Result<(Self, Preparation)> {
        #[cfg(target_os = "linux")]
        crate::execution::process::keep_child_status()?;
        // Before the reaper is there: the children that are there already are not the job's.
        let mut orphans = Orphans::adopt(&run)
            .inspect_err(|error| {
                log::warn!(target: "work", "processes that leave their test's group stay: {error}");
            })
            .ok();
        let guard = settings.reaper.as_deref().and_then(|command| {
            ReaperGuard::spawn(command, &run)
                .inspect_err(|error| log::warn!(target: "work", "{}", unguarded(error)))
                .ok()
        });
        if let (Some(orphans), Some(guard)) = (&mut orphans, &guard) {
            orphans.spare(guard.pid());
        }
        let native = match &packet.engine {
            Engine::Native(native) => Some(native),
            Engine::Builtin => None,
        };
        let libraries = native.and_then(|native| libraries(place, &native.libraries));
        let (env, left_out) = environment(&place.tmp, libraries, &packet.env, &settings.env);
        if !left_out.is_empty() {
            log::info!(target: "work", "variables that are not passed on: {}", untrusted_text(left_out.join(" "), SHORT));
        }
        let launcher = Launcher::new(place.root.clone(), env);
        let confinement = Confinement {
            // The built-in shell is this very program.
            read: settings.builtin.first().map(PathBuf::from).into_iter().collect(),
            write: vec![place.root.clone(), place.tmp.clone()],
        };
        let elsewhere = native.map_or(&[][..], |native| &native.elsewhere);
        let guest = Sandbox {
            rewrite: rewrite(place, &packet.client_root, elsewhere),
            confinement,
            ceilings: ResourceLimits::of_guests(),
        };
        let probe = Arc::new(StopSignal::new()?);
        let preparation = Preparation {
            guard,
            launcher: launcher.clone(),
            probes: native.map(|native| native.probes.clone()).unwrap_or_default(),
            marker: run.value(PROBE),
            guest: guest.clone(),
            switch: Arc::clone(&probe),
        };
        let setup = Setup {
            run,
            launcher,
            builtin: settings.builtin.clone(),
            output_cap: usize::try_from(packet.output_cap.min(MOST_OUTPUT)).unwrap_or(usize::MAX),
            memory: packet.memory,
            orphans,
            // Gone with the job's other temporary files.
            scratch: place.tmp.join("compiled"),
            guest: Some(guest),
        };
        let pool = PoolThreads::start(POOL, jobs, setup, session)?;
        let control = pool.control();
        Ok((Self { pool, control, guard: None, probe }, preparation))
    }

    /// The reaper is there.
    pub fn guarded(&mut self, guard: Option<ReaperGuard>) {
        self.guard = guard;
    }

    /// Runs these.
    pub fn run(&self, leases: Vec<RemoteLease>) {
        let leased = |lease: RemoteLease| (LeaseId(lease.lease), LeasedTest::Case(Box::new(lease.case)));
        // Never more than the session's credit.
        self.pool.run(leases.into_iter().map(leased).collect());
    }

    /// Ends these.
    pub fn withdraw(&self, leases: Vec<u64>) {
        self.control.withdraw(&leases.into_iter().map(LeaseId).collect::<Vec<_>>());
    }

    /// Kills everything, and begins nothing more. Does not wait.
    pub fn stop(&self) {
        self.probe.stop(StopStage::Kill);
        self.control.stop(true);
    }

    /// Waits until nothing is left of it. Blocks, for some seconds if a process does not die.
    pub fn clean_up(self) {
        let Self { pool, control, guard, .. } = self;
        control.stop(true);
        drop(pool);
        let idle = control.await_idle(KILLED);
        let clean = control.end_orphans();
        match guard {
            Some(guard) if idle && clean => guard.dismiss(),
            // Dropped, the guard sets the reaper to work.
            Some(_) => log::warn!(target: "work", "some processes do not end; the reaper goes on trying"),
            None if !(idle && clean) => log::warn!(target: "work", "some processes do not end"),
            None => {}
        }
    }
}

/// Where paths of this machine become the client's. What lies in the tree and elsewhere at the client comes before the
/// tree.
fn rewrite(place: &Place, client_root: &str, elsewhere: &[Elsewhere]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    let elsewhere = elsewhere
        .iter()
        .map(|elsewhere| (bytes(&place.root.join(&elsewhere.place)), elsewhere.path.as_bytes().to_vec()));
    elsewhere
        .chain([
            (bytes(&place.root), client_root.as_bytes().to_vec()),
            (bytes(&place.tmp), b"$TMPDIR".to_vec()),
        ])
        .collect()
}

/// LD_LIBRARY_PATH of a job's tests, if libraries were sent along.
fn libraries(place: &Place, libraries: &[String]) -> Option<OsString> {
    let dirs: Vec<_> = libraries.iter().map(|dir| place.root.join(dir)).collect();
    // A home whose path has a colon cannot be named there; the probe tells what is missing then.
    if dirs.is_empty() { None } else { std::env::join_paths(dirs).ok() }
}

fn unguarded(error: &dyn std::fmt::Display) -> String {
    format!("tests may be left behind should this process be killed: {error}")
}

impl Preparation {
    /// Waits for the reaper, and runs the probe. Blocks. The reaper comes back, whatever the probe says.
    ///
    /// # Errors
    /// Why this machine cannot run the client's engine; reads well after "cannot work for you: ".
    pub fn carry_out(mut self) -> (Option<ReaperGuard>, Result<(), String>) {
        if let Some(Err(error)) = self.guard.as_mut().map(|guard| guard.wait_ready(REAPER_START)) {
            log::warn!(target: "work", "{}", unguarded(&error));
        }
        // On a thread of its own: a confined one stays so.
        let probed = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("probe".into());
            let thread = thread.spawn_scoped(scope, || {
                self.guest.enter()?;
                let begun = Instant::now();
                self.probes.iter().try_for_each(|probe| self.probe(probe, begun))
            });
            let joined = thread.map_err(|error| format!("cannot start a thread: {error}"))?.join();
            joined.unwrap_or_else(|_| Err("internal error: the probe has panicked".to_owned()))
        });
        (self.guard, probed)
    }

    /// Whether a program runs: it starts, and ends by itself. How it ends is its own affair, but for the codes by which
    /// loaders and shells say that they found something missing (POSIX.1-2024, 2.8.2; ld.so).
    fn probe(&self, probe: &[String], begun: Instant) -> Result<(), String> {
        let Some((program, args)) = probe.split_first() else { return Ok(()) };
        let mut argv = vec![self.launcher.root().join(program).into_os_string()];
        argv.extend(args.iter().map(Into::into));
        let launch = Launch { argv: &argv, env: &Default::default(), unset: &[], marker: &self.marker };
        let limits =
            Limits { timeout: PROBE_TIME.saturating_sub(begun.elapsed()), grace: None, cap: PROBE_WORDS };
        let failed = |why: String| format!("the engine does not run here: {}", self.guest.rewrite_text(why));
        let mut worker = self.guest.worker().map_err(|error| failed(error.to_string()))?;
        let Ended { output, stopped } = worker
            .run(&self.launcher, launch, limits, &self.switch)
            .map_err(|error| failed(error.to_string()))?;
        let words = [&output.stderr, &output.stdout].map(|stream| stream.text().trim().to_owned());
        let words = words.iter().find(|words| !words.is_empty());
        let loads = !words.is_some_and(|words| words.contains(UNDEFINED));
        if matches!(output.exit, Exit::Code(code) if !MISSING.contains(&code))
            && !output.timed_out
            && !stopped
            && loads
        {
            return Ok(());
        }
        let words = words.map(|words| format!(": {words}")).unwrap_or_default();
        let hint = match output.exit {
            _ if output.timed_out => " after too long a time",
            Exit::Signal(SIGILL) => " (SIGILL: it needs another processor)",
            _ => "",
        };
        // As one types them, with the paths that the client knows.
        let typed = argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        Err(failed(format!("{typed} ends with {}{hint}{words}", output.exit)))
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
