//! Feeds any bytes to the reader of `suite.toml`, and to that of directives: they must read or refuse them, with a place in
//! the file.

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
