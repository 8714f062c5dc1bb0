//! Feeds any bytes to the interpreter of test templates: it must run or reject them, within its limits of time and
//! memory.

#![no_main]

use std::path::Path;

use flotilla_suites::syntax::python::generate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problem) = generate(Path::new("fuzz.pyt"), &text) {
        assert!(problem.line >= 1 && problem.column >= 1);
    }
});
