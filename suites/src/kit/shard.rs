//! Parts of all tests, and how they are divided.

/// One part of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub run: u32,
    /// Of how many.
    pub count: u32,
}

impl Shard {
    /// The part `run` of `count`, unless there is no such part.
    pub fn new(run: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&run).then_some(Self { run, count })
    }

    /// Which part it is, from 0, and of how many: as V8's reports have it.
    pub fn id_and_count(self) -> (u32, u32) {
        (self.run - 1, self.count)
    }

    /// Whether the test at this position is in it, where tests are told by turns.
    pub fn has_position(self, position: u64) -> bool {
        position % u64::from(self.count) == u64::from(self.run - 1)
    }
}

/// How a version divides tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharding {
    /// By a hash of each subtest's id (V8 8 and later).
    Hash,
    /// By turns, a test with all its variants (V8 6 and 7).
    Tests,
    /// By turns, suite by suite, each variant by itself (V8 3 to 5).
    Subtests,
}
