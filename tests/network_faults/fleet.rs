//! The runner's own machine and its peers.

use std::process::{Child, Stdio};

use flotilla_messages::for_tests::skipped;
use rustix::process::Signal;

use crate::bridge::{Bridge, Host, succeeded_all, usable};
use crate::disk::Disk;
use crate::machine::Machine;
use crate::run::{Ended, Run};
use crate::support;
use crate::trees::{Known, NEXT, NEXT_TESTS};

/// Machines that trust the first one, and are trusted by it.
pub struct Fleet {
    /// Where runners are started.
    pub own: Host,
    pub peers: Vec<Host>,
    /// Small disks that some of them have their homes on. After the hosts: their daemons are to be gone first.
    pub disks: Vec<Disk>,
    pub bridge: Bridge,
}

const NAMES: [&str; 5] = ["own", "p1", "p2", "p3", "p4"];

impl Fleet {
    /// Four peers with two jobs each. Says why it cannot be had, if so.
    pub fn start() -> Option<Self> {
        Self::with_disks(&[None; 4])
    }

    /// The peers have homes on disks of this many MiB, where a size is given.
    pub fn with_disks(sizes: &[Option<u32>; 4]) -> Option<Self> {
        let bridge = Bridge::build(&NAMES)?;
        let own = Host::new(&bridge, "own");
        let (mut peers, mut disks) = (Vec::new(), Vec::new());
        for (name, size) in NAMES.iter().skip(1).zip(sizes) {
            let machine = Machine::bare();
            if let Some(size) = size {
                match Disk::mount(&machine.path(""), *size) {
                    Ok(disk) => disks.push(disk),
                    Err(reason) => {
                        skipped(&format!("a small disk: {reason}"));
                        return None;
                    }
                }
            }
            machine.done(&["setup"]);
            std::fs::write(machine.path("peerd.toml"), "[work]\njobs = 2\n").unwrap();
            peers.push(Host::with(&bridge, name, machine));
        }
        let fleet = Self { own, peers, disks, bridge };
        for peer in &fleet.peers {
            fleet.own.approve(peer);
            peer.approve(&fleet.own);
        }
        fleet.start_daemons();
        for peer in &fleet.peers {
            fleet.until_usable(peer);
        }
        Some(fleet)
    }

    /// All at once.
    fn start_daemons(&self) {
        let start = |host: &Host| -> Child {
            let mut command = host.command(&["start", "--allow-root"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let starting: Vec<Child> = self.peers.iter().chain([&self.own]).map(start).collect();
        succeeded_all(starting);
    }

    /// All peers.
    pub fn all(&self) -> Vec<&Host> {
        self.peers.iter().collect()
    }

    /// Waits until runners are told that they may use this peer.
    pub fn until_usable(&self, peer: &Host) {
        support::until(&format!("{} can be used", peer.name), || usable(&self.own.sees(peer)));
    }

    /// A run of all of a tree, over all peers.
    pub fn run(&self, known: &Known) -> Run {
        Run::start(&self.own, known, &[])
    }

    /// Waits until nothing of any job is left on any machine. (What a killed peer left is put right by its next job.)
    pub fn until_clean(&self, known: &Known) {
        support::until("no process is left", || known.tree.processes().is_empty());
        self.until_free();
    }

    /// Waits until no peer works for anybody.
    pub fn until_free(&self) {
        for peer in &self.peers {
            support::until(&format!("{} is free", peer.name), || {
                std::fs::read_dir(peer.machine.path("work/tmp")).is_ok_and(|left| left.count() == 0)
            });
        }
    }

    /// A peer alone runs the next tests, all of them.
    pub fn works_alone(&self, known: &Known, peer: &Host) {
        let ended = self.next(known, &["--local-jobs=0", "--peer", &peer.address]);
        assert_eq!(ended.places.get(&peer.address), Some(&NEXT_TESTS), "{ended:#?}");
    }

    /// The next run works.
    pub fn next(&self, known: &Known, args: &[&str]) -> Ended {
        let ended = Run::start(&self.own, known, &[&[NEXT], args].concat()).end();
        assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
        assert_eq!(ended.verdicts.len(), NEXT_TESTS, "{ended:#?}");
        ended
    }

    /// Nothing is left of the run before, and each peer can be used again.
    pub fn is_well(&self, known: &Known) {
        support::until("no process is left", || known.tree.processes().is_empty());
        for peer in &self.peers {
            self.until_usable(peer);
            self.works_alone(known, peer);
        }
        self.until_clean(known);
    }
}

/// Stops a machine's daemon, or lets it go on.
pub fn freeze(peer: &Host, frozen: bool) {
    peer.machine.send(if frozen { Signal::STOP } else { Signal::CONT });
}
