//! Builds everything, waits for the end, cleans up.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext};
use flotilla_messages::{Cases, EventKind, PeerNews, PeerPart, Place, RunHeader, Summary};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::event::RunEvent;
use super::options::{RunError, RunOptions};
use super::peers::{Nobody, Part, Peers};
use super::request::StopRequest;
use super::stop::StopSource;
use crate::execution::executor::{ExecutorEvent, ExecutorEventKind, ExecutorId};
use crate::execution::marker::RunId;
use crate::execution::orphans::Orphans;
use crate::execution::pool::{Control, LocalPool, Setup};
use crate::execution::process::Launcher;
use crate::execution::reaper::{ReaperError, ReaperGuard};
use crate::execution::scratch;
use crate::kit::DeathWatch;
use crate::run::aggregator::{AggregatorMsg, Reporter, ResultAggregator, VerdictPolicy};
use crate::run::scheduler::{FailureLimit, History, Join, NoHistory, Scheduler, Stop};

/// The executor of this machine.
const LOCAL: ExecutorId = ExecutorId(0);
/// How long the reaper may take to start before the first test does.
const REAPER_START: Duration = Duration::from_secs(2);
/// How long the first tests may wait for what is known of their durations, which is being read meanwhile.
const HISTORY: Duration = Duration::from_millis(20);
/// How long killed tests may take to end, at the second request to stop and when the run broke off.
const KILLED: Duration = Duration::from_secs(3);
/// How long tests may take to end at the first request: well beyond what it takes to terminate and then kill them. A
/// thread may hang in the kernel, reading from a server that has gone.
const STOPPED: Duration = Duration::from_secs(15);

/// Runs the tests in an actor system of its own, to the end. Blocks. Meant for the main thread: see
/// [`orphans`](crate::execution::orphans).
///
/// # Errors
/// [`RunError`]. Whatever happens, no test process is left behind.
pub fn run(
    options: RunOptions,
    cases: Arc<dyn Cases>,
    reporters: Vec<Box<dyn Reporter>>,
    stop: StopSource,
) -> Result<Summary, RunError> {
    actix_rt::System::new().block_on(async {
        let result = drive(options, cases, reporters, stop).await;
        if result.is_err() {
            // Actors that were created and never began would begin when the system is taken apart, and panic.
            actix_rt::task::yield_now().await;
        }
        result
    })
}

/// The same in the current actor system.
///
/// # Errors
/// As [`run`].
pub async fn drive(
    mut options: RunOptions,
    cases: Arc<dyn Cases>,
    reporters: Vec<Box<dyn Reporter>>,
    stop: StopSource,
) -> Result<Summary, RunError> {
    let jobs = NonZeroUsize::new(options.jobs);
    if jobs.is_none() && options.peers.is_none() {
        return Err(RunError::Nowhere);
    }
    let (events, mut incoming) = mpsc::unbounded_channel();
    stop.listen(events.clone()).map_err(|source| RunError::Prepare { what: "catch signals", source })?;
    #[cfg(target_os = "linux")]
    crate::execution::process::keep_child_status()
        .map_err(|source| RunError::Prepare { what: "learn how processes end", source })?;

    if let Some(most) = options.total_timeout {
        let events = events.clone();
        actix_rt::spawn(async move {
            actix_rt::time::sleep(most).await;
            let _ = events.send(RunEvent::Stop(StopRequest::TotalTimeout));
        });
    }
    let run = RunId::random();
    let (orphans, mut reaper, mut notices) = watch_processes(options.reaper.as_deref(), &run);

    let header = std::mem::take(&mut options.header);
    let (scheduler, aggregator) = start_actors(&options, header, Arc::clone(&cases), reporters, &events)?;
    for (peer, reason) in options.unusable_peers.drain(..) {
        aggregator.do_send(AggregatorMsg::Event(EventKind::Peer(PeerNews {
            peer,
            part: PeerPart::Out { reason },
        })));
    }
    let peers = options.peers.take().map(|peers| {
        let without_us = if jobs.is_none() { Some(LOCAL) } else { None };
        let (scheduler, aggregator) = (scheduler.clone(), aggregator.clone());
        Peers::new(peers, &options, Arc::clone(&cases), scheduler, aggregator, without_us)
    });
    let scratch_dir = scratch::of(&run);
    let setup = Setup {
        run,
        launcher: Launcher::new(options.root.clone(), options.env),
        builtin: options.builtin,
        output_cap: options.output_cap,
        memory: options.memory,
        orphans,
        scratch: scratch_dir.clone(),
        guest: None,
    };
    let (join, control) = match jobs {
        Some(jobs) => {
            let pool = LocalPool::new(LOCAL, jobs, setup, cases, scheduler.clone().recipient())
                .map_err(|source| RunError::Prepare { what: "start threads for tests", source })?;
            let control = pool.control();
            let join = Join {
                executor: LOCAL,
                place: Place::Local,
                credit: LocalPool::credit(jobs),
                max_heavy: options.max_heavy,
                orders: pool.start().recipient(),
            };
            (join, Some(control))
        }
        None => (Nobody::join(LOCAL), None),
    };
    // Tests are being listed meanwhile.
    if let Some(Err(error)) = reaper.as_mut().map(|guard| guard.wait_ready(REAPER_START)) {
        notices.push(unguarded(&error));
    }
    scheduler.do_send(join);
    for notice in notices {
        aggregator.do_send(AggregatorMsg::notice(notice));
    }
    let peers = peers.map(Actor::start);
    let result = until_over(&mut incoming, &events, &scheduler).await;
    // Before anything is waited for.
    if let Some(control) = &control {
        control.stop(true);
    }
    if let Some(peers) = peers {
        let _ = peers.send(Part).await;
    }
    clean_up(control.as_deref(), reaper);
    scratch::remove(&scratch_dir);
    result
}

/// What sees to processes that leave their test's group, and to all of them should this process be killed; with what is
/// missing, for people.
fn watch_processes(
    reaper: Option<&[OsString]>,
    run: &RunId,
) -> (Option<Orphans>, Option<ReaperGuard>, Vec<String>) {
    let mut notices = Vec::new();
    // Before the reaper is there: the children that are there already are not the run's.
    let mut orphans = Orphans::adopt(run)
        .inspect_err(|error| notices.push(format!("processes that leave their test's group stay: {error}")))
        .ok();
    let reaper = match reaper.map(|command| ReaperGuard::spawn(command, run)) {
        Some(Ok(guard)) => Some(guard),
        Some(Err(error)) => {
            notices.push(unguarded(&error));
            None
        }
        None => None,
    };
    if let (Some(orphans), Some(guard)) = (&mut orphans, &reaper) {
        orphans.spare(guard.pid());
    }
    (orphans, reaper, notices)
}

fn unguarded(error: &ReaperError) -> String {
    format!("tests may be left behind should this process be killed: {error}")
}

/// The scheduler reports to the aggregator; listing begins.
fn start_actors(
    options: &RunOptions,
    header: RunHeader,
    cases: Arc<dyn Cases>,
    reporters: Vec<Box<dyn Reporter>>,
    events: &UnboundedSender<RunEvent>,
) -> Result<(Addr<Scheduler>, Addr<ResultAggregator>), RunError> {
    let policy =
        VerdictPolicy { keep_passing_output: options.keep_passing_output, flaky_fails: options.flaky_fails };
    let limit = FailureLimit { failures: options.exit_after_failures, flaky_counts: options.flaky_fails };
    let (history, cases): (Box<dyn History>, _) = match &options.history {
        Some(known) if !options.unsorted => (Box::new(known.clone()), known.before(cases, HISTORY)),
        _ => (Box::new(NoHistory), cases),
    };
    let watch = DeathWatch::new("aggregator", events.clone());
    let aggregator = ResultAggregator::new(policy, reporters, watch).start();
    aggregator.do_send(AggregatorMsg::Event(EventKind::RunStarted(Box::new(header))));
    let told = aggregator.clone().recipient();
    let mut listing = Ok(());
    let scheduler = Scheduler::create(|context| {
        let watch = DeathWatch::new("scheduler", events.clone());
        let scheduler = Scheduler::new(cases, told, watch)
            .with_policy(options.confirm_failures, options.reruns, limit, history)
            .unsorted(options.unsorted)
            .explaining(options.explain);
        listing = scheduler.list(context.address().recipient());
        scheduler
    });
    listing.map_err(|source| RunError::Prepare { what: "start a thread for listing", source })?;
    Ok((scheduler, aggregator))
}

async fn until_over(
    incoming: &mut UnboundedReceiver<RunEvent>,
    events: &UnboundedSender<RunEvent>,
    scheduler: &Addr<Scheduler>,
) -> Result<Summary, RunError> {
    let mut requests = 0;
    loop {
        match incoming.recv().await {
            Some(RunEvent::Done(summary)) => return Ok(summary),
            Some(RunEvent::Stop(request)) => {
                requests += 1;
                // A few for a whole run: the mailbox cannot fill.
                scheduler.do_send(Stop { reason: Some(request.reason()), kill: requests > 1 });
                let patience = if requests > 1 { KILLED } else { STOPPED };
                let events = events.clone();
                actix_rt::spawn(async move {
                    actix_rt::time::sleep(patience).await;
                    let _ = events.send(RunEvent::OutOfPatience);
                });
            }
            Some(RunEvent::OutOfPatience) => {
                let what = ExecutorEventKind::Lost { reason: "its tests do not end".into() };
                scheduler.do_send(ExecutorEvent { executor: LOCAL, kind: what });
            }
            Some(RunEvent::Died(actor)) => return Err(RunError::Died(actor)),
            Some(RunEvent::Broken(what)) => return Err(RunError::Broken(what)),
            None => return Err(RunError::Died("run's channel")),
        }
    }
}

/// Leaves nothing behind. After an orderly run there is nothing to do.
fn clean_up(control: Option<&Control>, reaper: Option<ReaperGuard>) {
    let (idle, clean) = control.map_or((true, true), |control| {
        control.stop(true);
        (control.await_idle(KILLED), control.end_orphans())
    });
    match reaper {
        Some(guard) if idle && clean => guard.dismiss(),
        // Dropped, the guard sets the reaper to work.
        Some(_) => log::warn!("some processes do not end; the reaper goes on trying"),
        None => {}
    }
}
