//! Feeds any bytes to the reader of status files, as those of a modern tree, of one newer than the known versions, of
//! a classic one and of one from 2012: it must accept or reject them without a panic and in bounded stack. Whatever
//! is valid in a known tree is valid in a newer one, with the same meaning.

#![no_main]

use std::path::Path;

use flotilla_suites::syntax::python::Diagnostic;
use flotilla_suites::expectations::{Outcomes, Reading, StatusFile, Syntax, Variables, Vocabulary};
use libfuzzer_sys::fuzz_target;

const VARIANTS: [&str; 3] = ["stress", "jitless", "default"];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut variables = Variables::default();
    variables.constants(VARIANTS);
    variables.constants(["x64", "arm64", "debug", "release", "linux"]);
    variables.set("ALWAYS", true);
    variables.set("arch", "x64");
    variables.set("mode", "debug");
    variables.set("system", "linux");
    variables.set("asan", false);
    variables.set("has_webassembly", true);
    let kinds = [
        (Vocabulary::Modern, Syntax::Python),
        (Vocabulary::Classic, Syntax::Python),
        (Vocabulary::Classic, Syntax::Lines),
    ];
    for (vocabulary, syntax) in kinds {
        let keywords = None;
        let selected = &VARIANTS[1..];
        let reading = |variables| Reading {
            variables,
            all_variants: &VARIANTS,
            selected,
            vocabulary,
            syntax,
            keywords,
        };
        let read = |variables| StatusFile::read(Path::new("fuzz.status"), &text, reading(variables));
        let known = read(&variables);
        let mut lenient = variables.clone();
        lenient.allow_unknown();
        let newer = read(&lenient);
        if let (Ok(known), Ok(newer)) = (&known, &newer) {
            assert!(newer.not_understood().is_empty());
            for rule in known.sources() {
                let test = rule.rule.strip_suffix('*').unwrap_or(&rule.rule);
                assert_eq!(known.outcomes(test), newer.outcomes(test));
            }
        }
        assert!(known.is_err() || newer.is_ok());
        check(known);
        check(newer);
    }
});

fn check(read: Result<StatusFile, Diagnostic>) {
    match read {
        Ok(file) => {
            // Every rule can be looked up and is found by its own name.
            for rule in file.sources() {
                let test = rule.rule.strip_suffix('*').unwrap_or(&rule.rule);
                let _ = file.why(test, Some(0), Outcomes::SKIP);
                let found =
                    (0..2).fold(file.outcomes(test), |all, v| all | file.outcomes_of_variant(test, v));
                // Rules that were not understood only may apply, so they are not found as rules that do.
                let may = !file.not_understood().is_empty();
                assert!(may || !found.is_empty() || rule.outcomes.is_empty());
            }
        }
        Err(problem) => {
            let shown = problem.to_string();
            assert!(problem.line >= 1 && problem.column >= 1);
            assert!(shown.lines().count() >= 2 && shown.ends_with('^'));
        }
    }
}
