//! Feeds any bytes to the readers of frontmatter: alone and inside a test's comment. They must accept or reject them,
//! and an error must name an existing line.

#![no_main]

use flotilla_suites::Frontmatter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let within = [b"// Copyright\n/*---\n", bytes, b"\n---*/\n"].concat();
    for source in [bytes, &within] {
        let lines = source.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        if let Err(error) = Frontmatter::read(source) {
            assert!((1..=lines + 1).contains(&error.line), "line {} of {lines}", error.line);
        }
    }
});
