//! Runs that divide the tests among them.

use std::collections::BTreeSet;

use flotilla_suites::{Options, Shard, Tree};

use super::trees::{NO_RULES, options, running, tree};

fn of_shard(root: &tempfile::TempDir, variants: &str, run: u32, count: u32) -> Vec<String> {
    let shard = Some(Shard::new(run, count).unwrap());
    let chosen = Options { shard, variants: Some(variants.into()), ..options(root, &["mjsunit", "webkit"]) };
    running(&Tree::open(chosen).unwrap())
}

fn files(status: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut files = vec![("test/mjsunit/mjsunit.status", status), ("test/webkit/webkit.status", NO_RULES)];
    files.extend(
        ["a", "b", "c", "d", "e", "f"]
            .map(|name| (&*Box::leak(format!("test/mjsunit/{name}.js").into_boxed_str()), "")),
    );
    files.extend(
        ["x", "y", "z"].map(|name| (&*Box::leak(format!("test/webkit/{name}.js").into_boxed_str()), "")),
    );
    files
}

fn is_a_partition(root: &tempfile::TempDir, variants: &str) {
    let chosen = Options { variants: Some(variants.into()), ..options(root, &["mjsunit", "webkit"]) };
    let all: BTreeSet<String> = running(&Tree::open(chosen).unwrap()).into_iter().collect();
    let mut together = Vec::new();
    for run in 1..=3 {
        together.extend(of_shard(root, variants, run, 3));
    }
    assert_eq!(together.len(), all.len(), "none is in two shards");
    assert_eq!(together.into_iter().collect::<BTreeSet<_>>(), all);
}

#[test]
fn modern_trees_divide_by_the_hash_of_the_id() {
    // V8 9.2 `testproc/shard.py`: radix_hash(3, 'mjsunit/a.VariantProc-default-0') and so on.
    let root = tree(&files(NO_RULES));
    let mjsunit: Vec<String> =
        of_shard(&root, "default", 1, 3).into_iter().filter(|t| t.starts_with("mjs")).collect();
    assert_eq!(mjsunit, ["mjsunit/a default", "mjsunit/d default"]);
    is_a_partition(&root, "default,stress");
}

#[test]
fn trees_of_v8_7_divide_tests_by_turns_and_keep_variants_together() {
    let mut all = files("[[ALWAYS, {'d': [PASS, SLOW], 'a': [SKIP]}]]");
    all.push(("include/v8-version.h", "#define V8_MAJOR_VERSION 7\n#define V8_MINOR_VERSION 0\n"));
    let root = tree(&all);
    assert_eq!(
        of_shard(&root, "default,stress", 1, 3),
        [
            "mjsunit/d stress",
            "mjsunit/d default",
            "mjsunit/e stress",
            "mjsunit/e default",
            "webkit/y stress",
            "webkit/y default"
        ],
        "d first, since it is slow; a is not counted"
    );
    is_a_partition(&root, "default,stress");
}

#[test]
fn classic_trees_divide_each_suite_by_turns() {
    let mut all = files("[[ALWAYS, {'d': [PASS, SLOW], 'a': [SKIP]}]]");
    all.push(("tools/testrunner/local/execution.py", ""));
    let root = tree(&all);
    assert_eq!(
        of_shard(&root, "default", 1, 3),
        ["mjsunit/b default", "mjsunit/e default", "webkit/x default"],
        "as found: d is slow, but the third"
    );
    is_a_partition(&root, "default,stress");
}

#[test]
fn there_is_no_shard_of_a_number_beyond_their_count() {
    assert!(Shard::new(0, 3).is_none() && Shard::new(4, 3).is_none() && Shard::new(1, 0).is_none());
}
