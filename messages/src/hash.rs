//! A hash that is stable across runs, machines and versions: it identifies tests in the records of earlier runs.

/// FNV-1a, 64 bits, computed incrementally.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Continues from the result of [`finish`](Self::finish).
    #[must_use]
    pub fn resume(finished: u64) -> Self {
        Self(finished)
    }

    /// The hash with `text` appended.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self
    }

    /// The hash of everything so far.
    pub fn finish(self) -> u64 {
        self.0
    }
}

/// The [`Entry::history_key`](crate::Entry::history_key) of the test with this [`TestCase::id`](crate::TestCase::id).
pub fn history_key(id: &str) -> u64 {
    Fnv::default().with(id).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(Fnv::default().finish(), 0xcbf29ce484222325);
        assert_eq!(Fnv::default().with("foobar").finish(), 0x85944171f73967e8);
        assert_eq!(Fnv::default().with("foo").with("bar").finish(), Fnv::default().with("foobar").finish());
        let foo = Fnv::default().with("foo").finish();
        assert_eq!(Fnv::resume(foo).with("bar").finish(), Fnv::default().with("foobar").finish());
    }
}
