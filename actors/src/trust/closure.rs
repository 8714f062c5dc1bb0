//! Reachability: which keys are trusted, and through whom.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_messages::Fingerprint;

/// How a key was reached: the nearest way, and of several as near the one through the lowest fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Who approves it; nobody but ourselves at depth 1.
    through: Option<Fingerprint>,
    depth: u32,
}

/// The keys that were reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    steps: BTreeMap<Fingerprint, Step>,
}

impl Closure {
    /// Breadth first from `roots` (depth 1) along `approvals`, never into or through a key that `shut` names, no
    /// deeper than `depth`. Stops at `most` keys, so that the nearest ones are always among them.
    pub fn reach<'a>(
        roots: impl Iterator<Item = Fingerprint>,
        approvals: impl Fn(&Fingerprint) -> Option<&'a [Fingerprint]>,
        shut: impl Fn(&Fingerprint) -> bool,
        depth: u32,
        most: usize,
    ) -> Self {
        let mut closure = Self::default();
        let mut level: BTreeSet<Fingerprint> = BTreeSet::new();
        for root in roots {
            closure.step(root, Step { through: None, depth: 1 }, &shut, most, &mut level);
        }
        for depth in 2..=depth {
            let mut next = BTreeSet::new();
            for through in &level {
                for key in approvals(through).unwrap_or_default() {
                    closure.step(*key, Step { through: Some(*through), depth }, &shut, most, &mut next);
                }
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
        closure
    }

    fn step(
        &mut self,
        key: Fingerprint,
        step: Step,
        shut: impl Fn(&Fingerprint) -> bool,
        most: usize,
        level: &mut BTreeSet<Fingerprint>,
    ) {
        if self.steps.len() < most && !self.steps.contains_key(&key) && !shut(&key) {
            self.steps.insert(key, step);
            level.insert(key);
        }
    }

    /// Whether the key was reached.
    pub fn contains(&self, key: &Fingerprint) -> bool {
        self.steps.contains_key(key)
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Fingerprint> {
        self.steps.keys()
    }

    /// How deep the key lies: 1 for a root.
    pub fn depth(&self, key: &Fingerprint) -> Option<u32> {
        self.steps.get(key).map(|step| step.depth)
    }

    /// The way to the key: a root first, the key itself last.
    pub fn chain(&self, key: &Fingerprint) -> Option<Vec<Fingerprint>> {
        let mut step = self.steps.get(key)?;
        let mut chain = vec![*key];
        // Each step leads one level up, so this ends.
        while let Some(through) = step.through {
            chain.push(through);
            step = self.steps.get(&through)?;
        }
        chain.reverse();
        Some(chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Fingerprint {
        Fingerprint([n; 32])
    }

    /// 1 -> 2 -> 3 -> 4 -> 1, 1 -> 4, 4 -> 5.
    fn reach(shut: &[u8], depth: u32, most: usize) -> Closure {
        let edges = BTreeMap::from([
            (key(1), vec![key(2), key(4)]),
            (key(2), vec![key(3)]),
            (key(3), vec![key(4)]),
            (key(4), vec![key(1), key(5)]),
        ]);
        Closure::reach(
            [key(1)].into_iter(),
            |key| edges.get(key).map(Vec::as_slice),
            |k| shut.iter().any(|n| key(*n) == *k),
            depth,
            most,
        )
    }

    #[test]
    fn the_nearest_way_is_shown() {
        let closure = reach(&[], 9, 99);
        assert_eq!(closure.chain(&key(4)), Some(vec![key(1), key(4)]));
        assert_eq!(closure.chain(&key(3)), Some(vec![key(1), key(2), key(3)]));
        assert_eq!((closure.depth(&key(1)), closure.depth(&key(5))), (Some(1), Some(3)));
        assert_eq!(closure.keys().count(), 5);
    }

    #[test]
    fn depth_and_number_end_it() {
        assert_eq!(reach(&[], 1, 99).keys().count(), 1);
        assert_eq!(reach(&[], 2, 99).keys().count(), 3);
        let three = reach(&[], 9, 3);
        assert!(three.contains(&key(2)) && three.contains(&key(4)), "the nearest ones");
        assert_eq!(three.keys().count(), 3);
    }

    #[test]
    fn nothing_is_reached_through_a_key_that_is_shut() {
        assert_eq!(reach(&[4], 9, 99).keys().collect::<Vec<_>>(), [&key(1), &key(2), &key(3)]);
        assert_eq!(reach(&[1], 9, 99), Closure::default());
    }
}
