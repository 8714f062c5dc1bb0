//! A hash that is stable across runs, machines and versions: it identifies tests in the records of earlier runs.

use std::hash::Hasher;

/// FNV-1a, 64 bits. Feed it by [`Hasher::write`] only: what [`Hash`](std::hash::Hash) writes of a text or a number may
/// differ from one version of Rust or one machine to the next. `Fnv::with_key(finished)` goes on where a hash ended.
pub use fnv::FnvHasher as Fnv;

/// The hash of a text.
pub fn hash(text: &str) -> u64 {
    let mut hash = Fnv::default();
    hash.write(text.as_bytes());
    hash.finish()
}

/// The [`Entry::history_key`](crate::Entry::history_key) of the test with this [`TestCase::id`](crate::TestCase::id).
pub fn history_key(id: &str) -> u64 {
    hash(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut hash: Fnv, text: &str) -> u64 {
        hash.write(text.as_bytes());
        hash.finish()
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(Fnv::default().finish(), 0xcbf29ce484222325);
        assert_eq!(hash("foobar"), 0x85944171f73967e8);
        assert_eq!(history_key("foobar"), 0x85944171f73967e8);
        assert_eq!(of(Fnv::with_key(hash("foo")), "bar"), hash("foobar"));
        let mut pieces = Fnv::default();
        pieces.write(b"foo");
        assert_eq!(of(pieces, "bar"), hash("foobar"));
    }
}
