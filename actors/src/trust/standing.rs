//! What is shown of each peer: whom we trust and through whom, who trusts us, and why not.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::Fingerprint;

use super::closure::Closure;
use super::core::{Core, MOST_TRUSTED};
use super::obstacle::Obstacle;

/// One peer, as far as statements tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The key of the peer.
    pub key: Fingerprint,
    /// Through whom it is trusted, the key approved here first and the peer last; or why it is not.
    pub trust: Result<Vec<Fingerprint>, Obstacle>,
    /// How the peer trusts us: whom it approves first, ourselves last. It may bar us or limit the depth without our
    /// knowing. `None`: not that anybody said.
    pub trusts_me: Option<Vec<Fingerprint>>,
    /// Whether it was revoked here.
    pub barred: bool,
}

impl Core {
    /// Every key of which anything is known but the own one, in order.
    pub fn standings(&self, now: u64) -> Vec<Standing> {
        let mut keys: BTreeSet<Fingerprint> = self.approvals.keys().copied().collect();
        keys.extend(self.barred.iter().chain(self.statements.keys()).chain(self.strangers.keys()));
        let whole = self.whole(now);
        keys.extend(whole.keys());
        let backwards = self.backwards(now);
        keys.into_iter()
            .map(|key| Standing {
                key,
                trust: self.trusted.chain(&key).ok_or_else(|| self.obstacle(now, &whole, &key)),
                trusts_me: self.trusts_me(&backwards, &key),
                barred: self.barred.contains(&key),
            })
            .collect()
    }

    /// What would be trusted if chains could be of any length: tells what only the policy keeps out.
    pub(super) fn whole(&self, now: u64) -> Closure {
        self.closure(now, u32::MAX)
    }

    /// Why this key, which is not trusted, is not. `whole`: of this moment.
    pub(super) fn obstacle(&self, now: u64, whole: &Closure, key: &Fingerprint) -> Obstacle {
        if self.barred.contains(key) {
            return Obstacle::Barred;
        }
        if let Some(keys) = whole.depth(key) {
            let limit = self.policy.limit();
            return if self.policy.transitive {
                Obstacle::TooDeep { keys, limit }
            } else {
                Obstacle::ChainsOff
            };
        }
        let stale = self.trusted.keys().find(|issuer| {
            self.statements
                .get(issuer)
                .is_some_and(|statement| statement.approves(key) && statement.check_time(now).is_err())
        });
        stale.map_or(Obstacle::NotApproved, |issuer| Obstacle::Stale(*issuer))
    }

    /// Who trusts us: the same search from the own key along the approvals backwards.
    fn backwards(&self, now: u64) -> Closure {
        let mut approvers: BTreeMap<Fingerprint, Vec<Fingerprint>> = BTreeMap::new();
        for (issuer, statement) in self.statements.iter().chain(&self.strangers) {
            if statement.check_time(now).is_ok() {
                for approved in &statement.content().approvals {
                    approvers.entry(*approved).or_default().push(*issuer);
                }
            }
        }
        Closure::reach(
            approvers.get(&self.own_name).into_iter().flatten().copied(),
            |key| approvers.get(key).map(Vec::as_slice),
            |key| *key == self.own_name,
            self.policy.limit(),
            MOST_TRUSTED,
        )
    }

    fn trusts_me(&self, backwards: &Closure, key: &Fingerprint) -> Option<Vec<Fingerprint>> {
        let mut chain = backwards.chain(key)?;
        chain.reverse();
        Some(chain.into_iter().skip(1).chain([self.own_name]).collect())
    }
}
