//! How far the run is: counts, the tests that run, and what its last lines name. Kept along the events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use flotilla_messages::{
    CaseId, Event, EventKind, FlakyTest, Outcome, PeerNews, PeerPart, PeerShare, RunEnd, RunStats, RunStatus,
    RunningTest, Summary, TestReport,
};

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For differences: nobody sets this clock.
    pub instant: Instant,
    /// For dates.
    pub at: SystemTime,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        Self { instant: Instant::now(), at: SystemTime::now() }
    }
}

/// Makes events of what happens, and counts along.
pub struct Progress {
    begun: Instant,
    stats: RunStats,
    running: BTreeMap<CaseId, RunningTest>,
    flaky: Vec<FlakyTest>,
    peers: BTreeMap<String, PeerShare>,
}

impl Progress {
    /// Those of a run that began at `begun`.
    pub fn new(begun: Instant) -> Self {
        let (running, flaky) = (BTreeMap::new(), Vec::new());
        Self { begun, stats: RunStats::default(), running, flaky, peers: BTreeMap::new() }
    }

    /// From the run's start to this moment.
    pub fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    /// How far the run is.
    pub fn stats(&self) -> RunStats {
        self.stats
    }

    /// The event that this has happened now.
    pub fn event(&mut self, now: Moment, kind: EventKind) -> Event {
        let elapsed = self.elapsed(now.instant);
        match &kind {
            EventKind::Listed { tests, complete } => {
                (self.stats.listed, self.stats.listing_complete) = (*tests, *complete);
            }
            EventKind::Started { test, name } => {
                self.running.insert(*test, RunningTest { name: name.clone(), since: elapsed });
            }
            EventKind::Again(report) => drop(self.running.remove(&report.test)),
            EventKind::Finished(report) => {
                self.running.remove(&report.test);
                self.count(report);
            }
            EventKind::Peer(news) => self.peer(news),
            EventKind::RunStarted(_)
            | EventKind::Stopping(_)
            | EventKind::Sending { .. }
            | EventKind::Notice(_)
            | EventKind::Placed(_)
            | EventKind::RunFinished(_) => {}
        }
        self.stats.running = self.running.len() as u64;
        Event { at: now.at, elapsed, stats: self.stats, kind }
    }

    /// The run at this moment.
    pub fn status(&self, now: Moment) -> RunStatus {
        let running = self.running.values().cloned().collect();
        RunStatus { at: now.at, elapsed: self.elapsed(now.instant), stats: self.stats, running }
    }

    /// The run's end, with all that was kept for it.
    pub fn end(&mut self, summary: Summary) -> RunEnd {
        let (flaky, peers) = (std::mem::take(&mut self.flaky), std::mem::take(&mut self.peers));
        RunEnd { summary, flaky, peers }
    }

    fn count(&mut self, report: &TestReport) {
        if let Some(name) = report.place.peer() {
            match self.peers.get_mut(name) {
                Some(peer) => peer.tests += 1,
                None => drop(self.peers.insert(name.into(), PeerShare { tests: 1, ..PeerShare::default() })),
            }
        }
        let counts = &mut self.stats.counts;
        if report.as_expected {
            counts.expected += 1;
            if report.flaky() {
                counts.flaky += 1;
                let attempts = report.attempts().map(|one| (one.outcome, one.place.clone())).collect();
                self.flaky.push(FlakyTest { name: report.name.clone(), attempts });
            }
            return;
        }
        counts.unexpected += 1;
        counts.doubtful += u64::from(report.doubt().is_some());
        match report.outcome {
            Outcome::Crash => counts.crashed += 1,
            Outcome::Timeout => counts.timed_out += 1,
            Outcome::Pass | Outcome::Fail => {}
        }
    }

    fn peer(&mut self, PeerNews { peer, part }: &PeerNews) {
        let share = self.peers.entry(peer.clone()).or_default();
        match part {
            PeerPart::Asked => share.asked = true,
            PeerPart::Joined { sent } => {
                // It may have come back.
                (share.sent, share.out) = (Some(share.sent.unwrap_or_default() + *sent), None);
            }
            PeerPart::Out { reason } => share.out = Some(reason.clone()),
        }
    }
}
