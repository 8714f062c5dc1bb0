//! Which job slots of this machine its own user has claimed: owner and guests together never exceed them.

use std::collections::BTreeMap;

use crate::net::link::LinkId;

/// The claims of runners on this host, each held by its link.
#[derive(Debug)]
pub struct Slots {
    jobs: u16,
    claims: BTreeMap<LinkId, u16>,
}

impl Slots {
    /// None of this many is claimed.
    pub fn new(jobs: u16) -> Self {
        Self { jobs, claims: BTreeMap::new() }
    }

    /// Claims this many for this link instead of what it has; how many it gets.
    pub fn claim(&mut self, link: LinkId, slots: u16) -> u16 {
        self.claims.remove(&link);
        let granted = slots.min(self.jobs - self.claimed());
        if granted > 0 {
            self.claims.insert(link, granted);
        }
        granted
    }

    /// The link is gone, and its claim with it.
    pub fn release(&mut self, link: LinkId) {
        self.claims.remove(&link);
    }

    /// The number of claimed slots; never more than there are.
    pub fn claimed(&self) -> u16 {
        self.claims.values().sum()
    }

    /// How many there are.
    pub fn jobs(&self) -> u16 {
        self.jobs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_is_claimed_than_there_is(jobs in 0..20_u16, steps in prop::collection::vec((0..4_u64, 0..30_u16, any::<bool>()), 0..40)) {
            let mut slots = Slots::new(jobs);
            for (link, wanted, release) in steps {
                let link = LinkId::Accepted(link);
                if release {
                    slots.release(link);
                } else {
                    let granted = slots.claim(link, wanted);
                    prop_assert!(granted <= wanted);
                    prop_assert!(granted == wanted || slots.claimed() == jobs, "what is free is given");
                }
                prop_assert!(slots.claimed() <= jobs);
            }
            for link in 0..4 {
                slots.release(LinkId::Accepted(link));
            }
            prop_assert_eq!(slots.claimed(), 0);
        }
    }
}
