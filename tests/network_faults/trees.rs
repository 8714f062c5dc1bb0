//! Trees whose verdicts are known.

use std::collections::BTreeMap;

use crate::support::Fixture;

/// Tests of these names do not pass, with what they come to and the script that makes them.
const ODD: [(&str, &str, &str); 3] = [
    ("fail", "FAIL", "echo to stdout; echo to stderr >&2; exit 3"),
    ("crash", "CRASH", "kill -SEGV $$"),
    ("flood", "FAIL", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1"),
];

/// Fails where a disk is full.
pub const WRITES: &str = "file=$(mktemp) && head -c 100000 /dev/zero > \"$file\" && rm \"$file\"";

/// Tests to run when it is over, by this pattern: they take no time and pass.
pub const NEXT: &str = "mjsunit/next*";
/// How many of them there are.
pub const NEXT_TESTS: usize = 6;

/// A tree, and what each of its tests comes to.
pub struct Known {
    pub tree: Fixture,
    pub verdicts: BTreeMap<String, String>,
}

impl Known {
    /// With so many tests that leave a process behind, need room on the disk and take a fifth of a second, and some that
    /// do not pass.
    pub fn mixed(tests: usize) -> Self {
        let mut known = Self::of(tests, &format!("setsid sleep 1000 & {WRITES} && sleep 0.2"));
        for (name, verdict, script) in ODD {
            known.test(name, verdict, script);
        }
        known
    }

    /// With this many tests that run this script and pass.
    pub fn of(tests: usize, script: &str) -> Self {
        let mut known = Self { tree: Fixture::new(), verdicts: BTreeMap::new() };
        for number in 0..tests {
            known.test(&format!("pass{number}"), "PASS", script);
        }
        for number in 0..NEXT_TESTS {
            known.test(&format!("next{number}"), "PASS", "exit 0");
        }
        known
    }

    fn test(&mut self, name: &str, verdict: &str, script: &str) {
        self.tree.test(name, script);
        self.verdicts.insert(format!("mjsunit/{name}"), verdict.to_owned());
    }

    /// The exit code of a run of all of it.
    pub fn code(&self) -> i32 {
        i32::from(self.verdicts.values().any(|verdict| verdict != "PASS"))
    }
}
