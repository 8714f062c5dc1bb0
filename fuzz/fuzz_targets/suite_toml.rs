//! Feeds any bytes to the readers of `suite.toml` and of directives: they must accept or reject them, and an error
//! must name a position in the file.

#![no_main]

use std::path::Path;

use flotilla_suites::custom::{Config, directives};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problem) = Config::read(Path::new("fuzz/suite.toml"), &text) {
        assert!(problem.line >= 1 && problem.column >= 1);
        let shown = problem.to_string();
        assert!(shown.lines().count() >= 2 && shown.ends_with('^'));
    }
    let _ = directives::read(bytes, "//");
});
