//! How the processes of a run are recognised: a variable in their environment.
//!
//! Every test process gets `FLOTILLA_RUN=<run>.<lease>`, and its descendants inherit it. Limit: a process that
//! scrubs its environment is not recognised.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::execution::executor::LeaseId;

/// The variable's name.
pub const VARIABLE: &str = "FLOTILLA_RUN";

/// A run's identity: random, so that two runs on one machine never mistake each other's processes for their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// A new identity: 128 random bits from the standard library's hash keys, which it takes from the system.
    pub fn random() -> Self {
        let word = || RandomState::new().build_hasher().finish();
        Self(format!("{:016x}{:016x}", word(), word()))
    }

    /// Parses an identity given on a command line; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(text.to_owned()))
    }

    /// The variable's value for the processes of one lease.
    pub fn value(&self, lease: LeaseId) -> String {
        format!("{}.{}", self.0, lease.0)
    }

    /// The part of the variable's entry that all of this run's processes share: everything before the lease's number.
    pub fn needle(&self) -> Vec<u8> {
        format!("{VARIABLE}={}.", self.0).into_bytes()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an environment block (`NAME=value` items, each ended by NUL) says about one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The process belongs to this lease of the run.
    Of(LeaseId),
    /// The process does not belong to the run.
    Foreign,
    /// The block is empty: a zombie, a kernel thread, or a process in the middle of an exec. Nothing is known.
    Unknown,
}

/// Looks for `needle` (from [`RunId::needle`]) in an environment block.
pub fn find(block: &[u8], needle: &[u8]) -> Mark {
    if block.is_empty() {
        return Mark::Unknown;
    }
    block
        .split(|&byte| byte == 0)
        .find_map(|item| {
            let lease = std::str::from_utf8(item.strip_prefix(needle)?).ok()?;
            lease.parse().ok().map(|lease| Mark::Of(LeaseId(lease)))
        })
        .unwrap_or(Mark::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_differ_and_survive_a_command_line() {
        let id = RunId::random();
        assert_ne!(id, RunId::random());
        assert_eq!(RunId::parse(&id.to_string()), Some(id));
        assert_eq!(RunId::parse("../x"), None);
    }

    #[test]
    fn the_marker_is_found_as_a_whole_item_only() {
        let id = RunId::random();
        let block = |item: &str| format!("A=1\0{item}\0B=2\0").into_bytes();
        let own = format!("{VARIABLE}={}", id.value(LeaseId(7)));
        assert_eq!(find(&block(&own), &id.needle()), Mark::Of(LeaseId(7)));
        assert_eq!(find(&block(&format!("X{own}")), &id.needle()), Mark::Foreign);
        assert_eq!(find(&block(&own), &RunId::random().needle()), Mark::Foreign);
        assert_eq!(find(b"", &id.needle()), Mark::Unknown);
    }
}
