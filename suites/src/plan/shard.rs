//! Dividing the tests among several runs (`--shard-count`, `--shard-run`).

use std::collections::HashSet;

use flotilla_messages::CaseId;

use crate::kit::shard::{Shard, Sharding};
use crate::plan::instance::TestInstance;
use crate::plan::test_files::TestFile;
use crate::plan::tree::Tree;

/// The subtests of a shard, where they are told by turns; made at first use.
#[derive(Debug, Default)]
pub struct Members(std::sync::OnceLock<HashSet<CaseId>>);

impl Tree {
    /// Whether a subtest that would run is one of this run's shard.
    pub(crate) fn is_in_shard(&self, index: u32, base: &TestFile, subtest: TestInstance) -> bool {
        let Some(shard) = self.run.options.shard else { return true };
        match self.run.dialect.sharding {
            Sharding::Hash => {
                let count = u64::from(shard.count);
                let mut hash = 0_u64;
                self.variant_id_pieces(index, base, subtest, |piece| {
                    hash = piece.chars().fold(hash, |hash, c| (hash * 127 + u64::from(u32::from(c))) % count);
                });
                hash == u64::from(shard.run - 1)
            }
            Sharding::Tests | Sharding::Subtests => {
                self.members.0.get_or_init(|| self.shard_members(shard)).contains(&subtest.id(index))
            }
        }
    }

    /// Every subtest of the shard by turns.
    fn shard_members(&self, shard: Shard) -> HashSet<CaseId> {
        let mut bases: Vec<(u32, &TestFile)> = self.bases().iter().collect();
        let by_suite = self.run.dialect.sharding == Sharding::Subtests;
        if by_suite {
            // As they were found: what is slow comes first only later.
            bases.sort_by_key(|(_, base)| (base.suite, base.found()));
        }
        let mut members = HashSet::new();
        let (mut position, mut suite) = (0, None);
        for (index, base) in bases {
            if by_suite && suite != Some(base.suite) {
                (position, suite) = (0, Some(base.suite));
            }
            let subtests = self.runnable(index, base);
            if by_suite {
                for (subtest, _) in subtests {
                    if shard.has_position(position) {
                        members.insert(subtest.id(index));
                    }
                    position += 1;
                }
            } else if !self.is_left_out(base) {
                if shard.has_position(position) {
                    members.extend(subtests.into_iter().map(|(subtest, _)| subtest.id(index)));
                }
                position += 1;
            }
        }
        members
    }
}
