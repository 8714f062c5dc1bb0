//! How busy this machine is, and who is told of it: without clock or actor.

use flotilla_messages::port::status::Load;

use super::slots::Slots;
use crate::daemon::work::Guests;
use crate::net::link::LinkId;

/// What happens to a machine's load.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// A runner on this host claims job slots, instead of those it has.
    Claim {
        /// The runner's link.
        link: LinkId,
        /// How many it wants.
        slots: u16,
    },
    /// The link of a runner on this host has ended.
    LinkEnded(LinkId),
    /// The clients of other hosts come, go and run tests.
    Guests(Guests),
    /// It is time to look at the system's load.
    Look,
}

/// What the handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answer a claim.
    Grant {
        /// The runner's link.
        link: LinkId,
        /// How many slots it has now.
        granted: u16,
        /// How many there are.
        of: u16,
    },
    /// Tell the Work port how many slots are claimed.
    TellWork(u16),
    /// Tell other daemons how busy this machine is.
    TellPeers(Load),
}

/// The claims of this host's runners, and the clients of others.
#[derive(Debug)]
pub struct HostLoad {
    slots: Slots,
    /// As they were reported last.
    guests: Guests,
}

impl HostLoad {
    /// Of a machine with this many job slots.
    pub fn new(jobs: u16) -> Self {
        Self { slots: Slots::new(jobs), guests: Guests::default() }
    }

    /// The load now. `waiting` clients of other hosts are served or wait; `average` is the system's load average in
    /// hundredths. It is rounded to tenths, as other daemons are told of every change.
    pub fn load(&self, waiting: u16, average: Option<u32>) -> Load {
        let average = average.map(|average| average / 10 * 10);
        Load { running: self.guests.running, claimed: self.slots.claimed(), waiting, average }
    }

    /// Takes one input in; what follows from it is appended to `effects`. `average` as in [`load`](Self::load).
    pub fn handle(&mut self, average: Option<u32>, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Claim { link, slots } => {
                let granted = self.slots.claim(link, slots);
                self.tell_all(average, effects);
                effects.push(Effect::Grant { link, granted, of: self.slots.jobs() });
            }
            Input::LinkEnded(link) => {
                let before = self.slots.claimed();
                self.slots.release(link);
                if self.slots.claimed() != before {
                    self.tell_all(average, effects);
                }
            }
            Input::Guests(guests) => {
                self.guests = guests;
                self.tell_peers(average, effects);
            }
            Input::Look => self.tell_all(average, effects),
        }
    }

    fn tell_all(&self, average: Option<u32>, effects: &mut Vec<Effect>) {
        effects.push(Effect::TellWork(self.slots.claimed()));
        self.tell_peers(average, effects);
    }

    fn tell_peers(&self, average: Option<u32>, effects: &mut Vec<Effect>) {
        effects.push(Effect::TellPeers(self.load(self.guests.clients, average)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn input() -> impl Strategy<Value = Input> {
        let link = (0..4_u64).prop_map(LinkId::Accepted);
        prop_oneof![
            (link.clone(), 0..9_u16).prop_map(|(link, slots)| Input::Claim { link, slots }),
            link.prop_map(Input::LinkEnded),
            (0..9_u16, 0..9_u16).prop_map(|(running, clients)| Input::Guests(Guests { running, clients })),
            Just(Input::Look),
        ]
    }

    proptest! {
        #[test]
        fn everybody_knows_the_newest_numbers(jobs in 0..12_u16, inputs in prop::collection::vec((any::<Option<u16>>(), input()), 1..60)) {
            let mut host = HostLoad::new(jobs);
            let (mut claims, mut guests) = (BTreeMap::new(), Guests::default());
            let (mut work, mut peers) = (0, host.load(0, None));
            for (average, input) in inputs {
                let mut effects = Vec::new();
                host.handle(average.map(u32::from), input, &mut effects);
                match input {
                    Input::Claim { link, slots } => {
                        claims.remove(&link);
                        let free = jobs - claims.values().sum::<u16>();
                        let granted = slots.min(free);
                        claims.insert(link, granted);
                        let grant = Effect::Grant { link, granted, of: jobs };
                        prop_assert!(effects.contains(&grant), "{:?}", effects);
                    }
                    Input::LinkEnded(link) => drop(claims.remove(&link)),
                    Input::Guests(now) => guests = now,
                    Input::Look => prop_assert_eq!(effects.len(), 2),
                }
                for effect in effects {
                    match effect {
                        Effect::Grant { .. } => {}
                        Effect::TellWork(claimed) => work = claimed,
                        Effect::TellPeers(load) => {
                            prop_assert_eq!(load.average, average.map(|average| u32::from(average) / 10 * 10));
                            peers = load;
                        }
                    }
                }
                let claimed = claims.values().sum::<u16>();
                prop_assert_eq!(work, claimed);
                prop_assert_eq!((peers.claimed, peers.running, peers.waiting), (claimed, guests.running, guests.clients));
            }
        }
    }
}
