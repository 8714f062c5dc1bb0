//! Feeds any bytes to the readers of result files, this runner's and V8's: they must accept or reject them, and
//! accepted results must not differ from themselves.

#![no_main]
#![allow(dead_code, reason = "parts of the program runner, of which only these are wanted here")]

use libfuzzer_sys::fuzz_target;

#[path = "../../bin/runner/diff/compare.rs"]
mod compare;
#[path = "../../bin/report/files/ran.rs"]
mod ran;
#[path = "../../bin/runner/diff/results.rs"]
mod results;

/// The included files expect `Ran` at this path.
mod report {
    pub use crate::ran::Ran;
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(results) = results::Results::parse(bytes) {
        let difference = compare::Difference::between(&results, &results);
        assert!(difference.newly_failing.is_empty() && difference.newly_passing.is_empty());
        assert!(difference.new_tests.is_empty());
    }
});
