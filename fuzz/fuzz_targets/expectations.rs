//! Feeds any bytes to the readers of expectations files, plain lists, tables and JavaScriptCore's files: they must
//! accept or reject them, and accepted entries must be found by name.

#![no_main]

use std::path::Path;
use std::sync::Arc;

use flotilla_suites::syntax::python::Diagnostic;
use flotilla_suites::expectations::entries::Layer;
use flotilla_suites::expectations::{EntryFile, Naming, Reading, Syntax, Variables, Vocabulary, jsc, plain, table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut variables = Variables::default();
    variables.constants(["default", "stress", "x64"]);
    variables.set("arch", "x64");
    let reading = Reading {
        variables: &variables,
        all_variants: &["stress", "default"],
        selected: &["default"],
        vocabulary: Vocabulary::Modern,
        syntax: Syntax::Python,
        keywords: None,
    };
    check(plain::read(Path::new("fuzz.txt"), &text, Naming::Across));
    check(jsc::read(Path::new("fuzz.yaml"), &text, Naming::Across));
    check(table::read(Path::new("fuzz.toml"), &text, Naming::Within("s".into()), reading));
});

fn check(read: Result<EntryFile, Diagnostic>) {
    match read {
        Ok(file) => {
            let file = Arc::new(file);
            for suite in ["s", "test262"] {
                let layer = Layer::new(&file, suite);
                for entry in &file.entries {
                    // A name matches itself, even if it has special characters.
                    if let Some(name) =
                        file.within(suite, &entry.text).filter(|name| !name.contains(['*', '[']))
                    {
                        let part = Some((entry.variant.unwrap_or(0), false));
                        let general = entry.half.is_none();
                        assert!(!general || layer.matching(name, part).any(|found| found == entry));
                    }
                }
            }
        }
        Err(problem) => assert!(problem.line >= 1 && problem.column >= 1),
    }
}
