//! Dividing the tests among several runs (`--shard-count`, `--shard-run`).

use std::collections::HashSet;
use std::sync::OnceLock;

use flotilla_messages::CaseId;

use crate::kit::shard::Shard;
use crate::plan::instance::TestInstance;
use crate::plan::test_files::{TestFile, TestFiles};

/// The instances of a shard, where they are told by turns; made at first use.
#[derive(Debug, Default)]
pub struct Members(OnceLock<HashSet<CaseId>>);

impl Members {
    /// Whether an instance is of the shard.
    pub fn contain(&self, id: CaseId, make: impl FnOnce() -> HashSet<CaseId>) -> bool {
        self.0.get_or_init(make).contains(&id)
    }
}

/// Whether an id is of a shard by its hash; `pieces` tells the id's pieces.
pub fn has_hash(shard: Shard, pieces: impl FnOnce(&mut dyn FnMut(&str))) -> bool {
    let count = u64::from(shard.count);
    let mut hash = 0_u64;
    pieces(&mut |piece| {
        hash = piece.chars().fold(hash, |hash, c| (hash * 127 + u64::from(u32::from(c))) % count);
    });
    hash == u64::from(shard.run - 1)
}

/// Every instance of a shard by turns, of those that run: a test with all its instances; with `by_suite` each instance by
/// itself, suite by suite. `runnable` gives what runs of a test; `None` if the test is left out before there are variants.
pub fn by_turns(
    shard: Shard,
    by_suite: bool,
    tests: &TestFiles,
    runnable: impl Fn(u32, &TestFile) -> Option<Vec<TestInstance>>,
) -> HashSet<CaseId> {
    let mut tests: Vec<(u32, &TestFile)> = tests.iter().collect();
    if by_suite {
        // As they were found: what is slow comes first only later.
        tests.sort_by_key(|(_, test)| (test.suite, test.found()));
    }
    let mut members = HashSet::new();
    let (mut position, mut suite) = (0, None);
    for (index, test) in tests {
        if by_suite && suite != Some(test.suite) {
            (position, suite) = (0, Some(test.suite));
        }
        let Some(instances) = runnable(index, test) else { continue };
        if by_suite {
            for instance in instances {
                if shard.has_position(position) {
                    members.insert(instance.id(index));
                }
                position += 1;
            }
        } else {
            if shard.has_position(position) {
                members.extend(instances.into_iter().map(|instance| instance.id(index)));
            }
            position += 1;
        }
    }
    members
}
