//! What is said before a run: what will run, `--report` and `--warn-unused`.

use std::collections::BTreeMap;

use flotilla_messages::Outcome;
use flotilla_suites::{Description, Products, Repeats};

use crate::report::Console;

/// `Running tests for x64.release with out/build/d8; variants: default`.
/// One for each build; with `rules`, whose rules hold.
pub fn header(products: &Products, rules: bool) {
    let mut console = Console::new();
    for description in products.descriptions() {
        build(&description, &mut console);
        if rules {
            let assumed = if description.assumed { ": nothing in the tree says another version" } else { "" };
            console.line(&format!("Rules: {}{assumed}", description.dialect));
        }
    }
    match products.repeats() {
        Repeats::Same(count) => console.line(&format!("Each test runs {count} times.")),
        Repeats::Seeds(count) => {
            console.line(&format!("Each test runs {count} times, each time with another seed."));
        }
        Repeats::Endless => console.line("Each test runs again and again, each time with another seed."),
        Repeats::EndlessSame => console.line("Each test runs again and again."),
        Repeats::Once => {}
    }
    if products.repeats().has_seeds() && !products.passes_seeds() {
        notice!("runner: warning: tests of a tree as old as this are told no seed: all runs are the same");
    }
}

fn build(description: &Description, console: &mut Console) {
    if let Some(build) = &description.build_dir {
        let detected = if description.detected.is_empty() {
            String::new()
        } else {
            format!(" ({})", description.detected.join(", "))
        };
        console.line(&format!("Build found: {}{detected}", build.display()));
    }
    console.line(&format!(
        "Running tests for {}.{} with {}; variants: {}",
        description.arch,
        description.mode,
        description.engine,
        description.variants.join(", ")
    ));
}

/// `--report`: how many tests are expected to end how.
pub fn expectations(tree: &Products) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut total = 0;
    for listed in tree.listing() {
        total += 1;
        let kind = if listed.skipped.is_some() {
            "will be skipped"
        } else {
            match tree.listed_case(listed.id) {
                Err(_) => "cannot be run",
                Ok(case) => match case.expectation.outcomes[..] {
                    [Outcome::Pass] => "are expected to pass",
                    [Outcome::Fail] => "are expected to fail",
                    ref outcomes if outcomes.contains(&Outcome::Crash) => "may crash",
                    _ => "may pass or fail",
                },
            }
        };
        *counts.entry(kind).or_default() += 1;
    }
    let mut console = Console::new();
    console.line(&format!("Total: {total} tests"));
    for (kind, count) in counts {
        console.line(&format!(" * {count:6} tests {kind}"));
    }
}

/// `--warn-unused`: the rules no test of this run uses.
pub fn unused_rules(tree: &Products) {
    let mut console = Console::new();
    for rule in tree.unused_rules() {
        console.line(&format!("Unused rule: {rule}"));
    }
}
