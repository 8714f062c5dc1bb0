//! Lists a tree's tests, one JSON object a line, in the form of `runner --list --list-format json` with what the judge
//! compares added.
//!
//! Usage: `list ROOT VARIANTS OUTDIR [TESTS...]`. The seed is 42. `list --count ...` makes every case but prints
//! only how many there are.

use std::io::{self, BufWriter, Write};

use flotilla_messages::{Cases, Judge};
use flotilla_suites::{Options, Tree};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let count = args.first().is_some_and(|arg| arg == "--count");
    if count {
        args.remove(0);
    }
    let [root, variants, outdir, tests @ ..] = args.as_slice() else {
        return Err("usage: list [--count] ROOT VARIANTS OUTDIR [TESTS...]".into());
    };
    // What the build of a classic tree was made with.
    let build_with = std::env::var("BUILD_WITH").unwrap_or_default();
    let tree = Tree::open(Options {
        build_with: build_with.split_whitespace().map(String::from).collect(),
        root: root.into(),
        variants: Some(variants.clone()),
        outdir: outdir.into(),
        tests: tests.to_vec(),
        random_seed: 42,
        ..Options::default()
    })?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut listed, mut words) = (0, 0);
    for test in tree.listing() {
        let case = tree.case(test.id)?;
        listed += 1;
        if count {
            words += case.args.len();
            continue;
        }
        let skipped = test.skipped.map_or(
            json!(false),
            |skip| json!({ "rule": skip.rule, "condition": skip.condition, "variant": skip.variant }),
        );
        let (judge, detail) = match &case.judge {
            Judge::ExitCode => ("exit", json!(null)),
            Judge::Template { fails, basename, .. } => ("template", json!([fails, basename])),
            Judge::Lines { comments, .. } => ("lines", json!(comments)),
            Judge::Exception { expected, negative, must_complete } => {
                ("exception", json!([expected, negative, must_complete]))
            }
            Judge::Phrases { required, forbidden, negative } => {
                ("phrases", json!([required, forbidden, negative]))
            }
            Judge::GrokDump => ("grokdump", json!(null)),
            Judge::Allocations { required } => ("allocations", json!(required)),
            // No suite of V8's is judged so.
            other => ("other", json!(other)),
        };
        let line = json!({
            "suite": case.name.suite,
            "name": case.name.name,
            "variant": case.name.variant,
            "argv": case.relative_argv(),
            "env": case.env,
            "timeout": case.timeout.as_secs_f64(),
            "expected": case.expectation.outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>(),
            "slow": case.slow,
            "skipped": skipped,
            "id": case.id,
            "reason": case.expectation.reason,
            "expected_file": case.expected_file.map(|file| file.relative()),
            "judge": judge,
            "judge_detail": detail,
        });
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    if count {
        println!("{listed} tests, {words} words");
    }
    for warning in tree.warnings() {
        eprintln!("{warning}");
    }
    Ok(())
}
