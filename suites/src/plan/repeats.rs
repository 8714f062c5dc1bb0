//! Each test several times: how often, by which names, with which seeds.

use std::num::NonZeroU32;

use flotilla_messages::{Arg, TestCase, TestName};

use crate::plan::products::MOST;

/// How often each test runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Once.
    #[default]
    Once,
    /// So often, all the same (`--stress`, and `--random-seed-stress-count` with `--random-seed`).
    Same(NonZeroU32),
    /// So often, each time with another seed (`--random-seed-stress-count`).
    Seeds(NonZeroU32),
    /// With ever new seeds, until the run is ended, or two million tests were listed (`--random-seed-stress-count=0`).
    Endless,
    /// The same without end, all the same (`--random-seed-stress-count=0` with `--random-seed`).
    EndlessSame,
}

impl Repeats {
    pub(crate) fn rounds(self, products: u32) -> u32 {
        match self {
            Self::Once => 1,
            Self::Same(count) | Self::Seeds(count) => count.get(),
            Self::Endless | Self::EndlessSame => MOST / products.max(1),
        }
    }

    /// Whether rounds come until the run is ended.
    pub(crate) fn is_endless(self) -> bool {
        matches!(self, Self::Endless | Self::EndlessSame)
    }

    /// Whether each round has a seed of its own.
    pub fn has_seeds(self) -> bool {
        matches!(self, Self::Seeds(_) | Self::Endless)
    }

    /// The seed of a round, where the run's own is `first`.
    pub(crate) fn seed(self, first: i64, round: u32) -> i64 {
        if self.has_seeds() { seed_of(first, round) } else { first }
    }

    /// Whether a test may run more than once.
    pub fn is_several(self) -> bool {
        !matches!(self.rounds(1), 0 | 1)
    }

    /// What tells this round's runs of a test from the others'.
    pub(crate) fn words(self, round: u32, seed: i64) -> Option<String> {
        match self {
            Self::Same(count) if count.get() > 1 => Some(format!("run {} of {count}", round + 1)),
            Self::Seeds(count) if count.get() > 1 => Some(format!("seed {seed}")),
            Self::Endless => Some(format!("seed {seed}")),
            Self::EndlessSame => Some(format!("run {}", round + 1)),
            Self::Once | Self::Same(_) | Self::Seeds(_) => None,
        }
    }

    /// The name that all runs of a test share.
    #[must_use]
    pub fn shared_name(self, name: &TestName) -> TestName {
        let mut shared = name.clone();
        if self.is_several()
            && let Some(detail) = shared.detail.take()
        {
            shared.detail = detail.rsplit_once(", ").map(|(before, _)| before.to_owned());
        }
        shared
    }
}

/// The seed of a round: the run's own first, so that a round is what a run without repeats is; then others that follow
/// from it. Never 0, which engines take for none. V8 draws each at random (V8 13.8 testproc/seed.py).
pub fn seed_of(first: i64, round: u32) -> i64 {
    if round == 0 {
        return first;
    }
    // SplitMix64: neighbours have nothing in common, where engines seed simple generators with them.
    let mut mixed = first.cast_unsigned().wrapping_add(u64::from(round).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    match ((mixed ^ mixed >> 31) >> 32) as i32 {
        0 => 1,
        seed => i64::from(seed),
    }
}

/// Puts another seed where a tree has put the run's.
pub fn reseed(case: &mut TestCase, from: i64, to: i64) {
    for arg in &mut case.args {
        if let Arg::Text(text) = arg
            && let Some((option, value)) = text.split_once('=')
            && matches!(option, "--random-seed" | "--gtest_random_seed")
            && value == from.to_string()
        {
            *text = format!("{option}={to}");
        }
    }
    case.random_seed = case.random_seed.map(|_| to);
}
