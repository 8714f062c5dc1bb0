//! Many runs in a row with faults that dice choose: nothing is lost, nothing is left, and after each the fleet is well
//! again.
//!
//! ```sh
//! FLOTILLA_CHAOS_RUNS=50 FLOTILLA_CHAOS_SEED=7 cargo test --test network_faults chaos -- --nocapture
//! ```
//!
//! Without the first variable there are two runs. Prints the seed, and of each run its faults, how many verdicts there were, and how many of them where. Equal seeds
//! give equal faults at equal counts of verdicts; what the machines do with them is theirs.

use std::collections::BTreeSet;
use std::time::Instant;

use rustix::process::Signal;

use crate::bridge::Host;
use crate::fleet::{Fleet, freeze};
use crate::run::{Ended, Run};
use crate::support::until;
use crate::trees::Known;
use crate::wire::Lossy;

/// Tests of a run.
const TESTS: usize = 120;
/// Runs, where nobody says how many.
const RUNS: u64 = 2;
/// MiB of each peer's disk.
const DISK: u32 = 24;
/// What may happen to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// SIGKILL of a peer.
    Kill(usize),
    /// SIGKILL of a peer that is started again at once.
    Reboot(usize),
    /// A peer ends in order, and is started again.
    Restart(usize),
    /// A peer stands still until the run is over.
    Freeze(usize),
    /// A peer stands still until it is suspected.
    Pause(usize),
    /// A peer's cable is out until the run is over.
    Cut(usize),
    /// A peer's cable is out until it is suspected.
    Flicker(usize),
    /// A peer's disk is full.
    Fill(usize),
    /// All cables are slow and lossy, from the beginning.
    Slow,
    /// SIGKILL of the daemon beside the runner.
    Alone,
    /// Another runner at the same time, from the beginning.
    Rival,
    /// The runner's own cable is out until the run is over.
    Island,
    /// The runner stands still until its peers have given it up.
    Sleep,
    /// SIGKILL of the runner.
    Runner,
}

impl Fault {
    fn thrown(dice: &mut fastrand::Rng) -> Self {
        let peer = dice.usize(..4);
        match dice.u8(..14) {
            0 => Self::Kill(peer),
            1 => Self::Reboot(peer),
            2 => Self::Restart(peer),
            3 => Self::Freeze(peer),
            4 => Self::Pause(peer),
            5 => Self::Cut(peer),
            6 => Self::Flicker(peer),
            7 => Self::Fill(peer),
            8 => Self::Slow,
            9 => Self::Alone,
            10 => Self::Rival,
            11 => Self::Island,
            12 => Self::Sleep,
            _ => Self::Runner,
        }
    }

    /// The peer it happens to.
    fn peer(self) -> Option<usize> {
        match self {
            Self::Kill(peer)
            | Self::Reboot(peer)
            | Self::Restart(peer)
            | Self::Freeze(peer)
            | Self::Pause(peer)
            | Self::Cut(peer)
            | Self::Flicker(peer)
            | Self::Fill(peer) => Some(peer),
            Self::Slow | Self::Alone | Self::Rival | Self::Island | Self::Sleep | Self::Runner => None,
        }
    }
}

/// Up to three of them, each with the number of verdicts after which it happens: at most one for each peer, and nothing
/// after the runner's own end.
fn plan(dice: &mut fastrand::Rng) -> Vec<(usize, Fault)> {
    let mut plan: Vec<(usize, Fault)> = Vec::new();
    let (mut peers, mut others) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..dice.usize(1..=3) {
        let fault = Fault::thrown(dice);
        let fresh = match fault.peer() {
            Some(peer) => peers.insert(peer),
            None => others.insert(fault),
        };
        if fresh {
            plan.push((dice.usize(5..70), fault));
        }
    }
    plan.sort();
    if let Some(end) = plan.iter().position(|(_, fault)| *fault == Fault::Runner) {
        plan.truncate(end + 1);
    }
    plan
}

/// A run with what happens to it, and what is to be mended afterwards.
struct Scene<'a> {
    fleet: &'a Fleet,
    known: &'a Known,
    plan: Vec<(usize, Fault)>,
    seed: u64,
}

impl Scene<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.plan.iter().any(|(_, planned)| *planned == fault)
    }

    fn peer(&self, number: usize) -> &Host {
        &self.fleet.peers[number]
    }

    /// Plays it; the run's end, and the rival's.
    fn play(&self, rival: &Known) -> (Option<Ended>, Option<Ended>) {
        let slow = self
            .has(Fault::Slow)
            .then(|| Lossy::new(&self.fleet.bridge, &self.fleet.all(), 100, 1.0, self.seed));
        let mut run = self.fleet.run(self.known);
        let rival = self.has(Fault::Rival).then(|| Run::start(&self.fleet.own, rival, &["mjsunit/pass*"]));
        for (verdicts, fault) in &self.plan {
            // Where the run is over before, what happens then happens to an idle fleet.
            run.reaches(|run| run.verdicts() >= *verdicts);
            self.happen(*fault, &mut run);
        }
        let ended = run.end();
        let ended = (!self.has(Fault::Runner)).then_some(ended);
        let rival = rival.map(Run::end);
        drop(slow);
        for (_, fault) in &self.plan {
            self.mend(*fault);
        }
        (ended, rival)
    }

    fn happen(&self, fault: Fault, run: &mut Run) {
        let fleet = self.fleet;
        // Seen from outside: the daemon beside the runner may have been killed itself.
        let suspected = |peer: &Host| {
            if !self.has(Fault::Alone) && !self.has(Fault::Island) {
                until("it is suspected", || fleet.own.sees(peer)["link"] != "up");
            }
        };
        match fault {
            Fault::Kill(peer) => self.peer(peer).machine.send(Signal::KILL),
            Fault::Reboot(peer) => {
                self.peer(peer).machine.send(Signal::KILL);
                until("it is dead", || self.peer(peer).machine.pid().is_none());
                self.peer(peer).start_again();
            }
            Fault::Restart(peer) => {
                self.peer(peer).done(&["stop"]);
                self.peer(peer).start();
            }
            Fault::Freeze(peer) => freeze(self.peer(peer), true),
            Fault::Pause(peer) => {
                freeze(self.peer(peer), true);
                suspected(self.peer(peer));
                freeze(self.peer(peer), false);
            }
            Fault::Cut(peer) => fleet.bridge.plug(&self.peer(peer).name, false),
            Fault::Flicker(peer) => {
                fleet.bridge.plug(&self.peer(peer).name, false);
                suspected(self.peer(peer));
                fleet.bridge.plug(&self.peer(peer).name, true);
            }
            Fault::Fill(peer) => fleet.disks[peer].fill(),
            Fault::Alone => fleet.own.machine.send(Signal::KILL),
            Fault::Island => fleet.bridge.plug(&fleet.own.name, false),
            Fault::Sleep => {
                run.freeze(true);
                // A frozen or dead peer would not be free before it is mended.
                if !self.plan.iter().any(|(_, other)| other.peer().is_some() || *other == Fault::Rival) {
                    fleet.until_free();
                }
                run.freeze(false);
            }
            Fault::Runner => run.kill(),
            Fault::Slow | Fault::Rival => {}
        }
    }

    fn mend(&self, fault: Fault) {
        match fault {
            Fault::Kill(peer) => self.peer(peer).start_again(),
            Fault::Freeze(peer) => freeze(self.peer(peer), false),
            Fault::Cut(peer) => self.fleet.bridge.plug(&self.peer(peer).name, true),
            Fault::Fill(peer) => self.fleet.disks[peer].clear(),
            Fault::Island => self.fleet.bridge.plug(&self.fleet.own.name, true),
            Fault::Alone => self.fleet.own.start_again(),
            _ => {}
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect(name))
}

#[test]
fn many_runs_with_faults_that_dice_choose_lose_nothing() {
    let Some(fleet) = Fleet::with_disks(&[Some(DISK); 4]) else { return };
    let runs = setting("FLOTILLA_CHAOS_RUNS").unwrap_or(RUNS);
    let seed = setting("FLOTILLA_CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("seed {seed}, {runs} runs");
    let (known, rival) = (Known::mixed(TESTS), Known::of(TESTS / 3, "sleep 0.1"));
    let rival_tests = TESTS / 3;
    let mut verdicts = 0;
    for number in 0..runs {
        let begun = Instant::now();
        let mut dice = fastrand::Rng::with_seed(seed.wrapping_add(number));
        let plan = plan(&mut dice);
        print!("run {number}: {plan:?}");
        let scene = Scene { fleet: &fleet, known: &known, plan, seed: seed.wrapping_add(number) };
        let (ended, second) = scene.play(&rival);
        match &ended {
            Some(ended) => {
                ended.is_right(&known);
                verdicts += ended.verdicts.len();
                print!(": {} verdicts, {:?}", ended.verdicts.len(), ended.places);
            }
            None => print!(": the runner was killed"),
        }
        if let Some(second) = second {
            assert_eq!((second.status.code(), second.verdicts.len()), (Some(0), rival_tests), "{second:#?}");
            verdicts += second.verdicts.len();
            print!("; its rival: {} verdicts, {:?}", second.verdicts.len(), second.places);
        }
        let ran = begun.elapsed();
        until("no process is left", || rival.tree.processes().is_empty());
        fleet.is_well(&known);
        println!("; {:.1} s, well again after {:.1} s", ran.as_secs_f64(), begun.elapsed().as_secs_f64());
    }
    println!("seed {seed}: {runs} runs, {verdicts} verdicts, none lost");
}
