//! V8's own suite test262 (V8 9.2 to 13.8 `test/test262/testcfg.py`). The flags `generated` and `CanBlock*` have no effect
//! there.

use flotilla_messages::Arg;

use super::prepared::{Prepared, Result};
use super::suite::V8Suite;
use crate::expectations::Outcomes;
use crate::files::walk::FileKey;
use crate::kind::{Strictness, TestRef};
use crate::v8::dialect::Test262Rules;
use crate::v8::frontmatter::V8Frontmatter;

/// The one harness file that V8 has of its own, since it needs natives.
pub const DETACH: &str = "detachArrayBuffer.js";

/// What V8's own test262 suites make of a test's flags: with them modules, too, run strict and sloppy.
pub fn strictness(matter: &V8Frontmatter) -> Strictness {
    if matter.has_flag("noStrict") {
        Strictness::Sloppy
    } else if matter.has_flag("onlyStrict") {
        Strictness::Strict
    } else {
        Strictness::Both
    }
}

/// What a source says.
pub fn test262(suite: &V8Suite, rules: Test262Rules, test: TestRef<'_>, source: &[u8]) -> Result {
    let matter = V8Frontmatter::read(source)?;
    let mut files = Vec::new();
    if !(rules.raw_has_no_harness && matter.has_flag("raw")) {
        files.extend_from_slice(&suite.before);
    }
    if test.name.starts_with("built-ins/Atomics/") {
        files.push(suite.dir.arg("harness-agent.js"));
    }
    if matter.has_feature("IsHTMLDDA") {
        files.push(suite.dir.arg("harness-ishtmldda.js"));
    }
    if let Some(file) = rules.module_source_file.filter(|_| matter.has_feature("source-phase-imports")) {
        files.push(suite.dir.arg(file));
    }
    let phase_file = test
        .outcomes
        .has(Outcomes::FAIL_PHASE_ONLY)
        .then(|| (files.len(), suite.dir.arg("harness-adapt-donotevaluate.js")));
    let asynchronous = matter.has_flag("async");
    if let Some(file) = rules.async_file.filter(|_| asynchronous) {
        files.push(suite.dir.arg(file));
    }
    for include in &matter.includes {
        let own = include == DETACH;
        files.push(if own {
            suite.dir.arg(include)
        } else {
            suite.dir.arg(&format!("data/harness/{include}"))
        });
    }
    if matter.has_flag("module") {
        files.push(Arg::Text("--module".into()));
    }
    files.push(suite.file(test.name, FileKey::unpack(test.key.0)));

    let mut flags = vec!["--ignore-unhandled-promises".to_string()];
    if matter.negative {
        flags.push("--throws".into());
    }
    if matter.includes.iter().any(|include| include == DETACH) {
        flags.push("--allow-natives-syntax".into());
    }
    let of_features = suite.feature_flags.iter().filter(|(feature, _)| matter.has_feature(feature));
    for (_, of_feature) in of_features {
        match rules.splits_feature_flags {
            true => flags.extend(of_feature.split(' ').map(String::from)),
            false => flags.push(of_feature.clone()),
        }
    }
    flags.push("--no-arguments".into());

    let strictness = strictness(&matter);
    Ok(Prepared {
        files,
        phase_file,
        suite_flags: flags,
        strictness,
        left_out: suite.skipped_features.iter().any(|feature| matter.has_feature(feature)),
        exception: matter.negative_type,
        asynchronous,
        ..Prepared::default()
    })
}
