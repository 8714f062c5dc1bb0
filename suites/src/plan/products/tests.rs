//! Several builds, and repeated tests, as one source of cases.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use flotilla_messages::{Arg, history_key};
use proptest::prelude::*;

use super::*;
use crate::kit::options::Options;
use crate::plan::repeats::seed_of;

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("test/mjsunit/mjsunit.status", "[['mode == debug', {'slow': [SLOW], 'never': [SKIP]}]]"),
        ("test/mjsunit/mjsunit.js", ""),
        ("test/mjsunit/a.js", ""),
        ("test/mjsunit/never.js", ""),
        ("test/mjsunit/slow.js", "// Flags: --random-seed=7"),
    ] {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn tree(root: &Path, mode: &str) -> Tree {
    let options = Options {
        root: root.to_owned(),
        arch: Some("x64".into()),
        mode: Some(mode.into()),
        random_seed: 42,
        ..Options::default()
    };
    Tree::open(options).unwrap()
}

fn times(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn names(products: &Products) -> Vec<String> {
    products.entries().map(|entry| products.case(entry.id).unwrap().name.to_string()).collect()
}

#[test]
fn one_product_once_is_the_tree_itself() {
    let root = root();
    let alone = tree(root.path(), "release");
    let products = Products::new(vec![tree(root.path(), "release")], Repeats::Once).unwrap();
    assert_eq!(products.entries().collect::<Vec<_>>(), alone.entries().collect::<Vec<_>>());
    for entry in alone.entries() {
        assert_eq!(products.case(entry.id), alone.case(entry.id));
    }
    assert_eq!(products.listing().collect::<Vec<_>>(), alone.listing().collect::<Vec<_>>());
}

#[test]
fn products_come_one_after_the_other_and_are_told_apart() {
    let root = root();
    let trees = vec![tree(root.path(), "release"), tree(root.path(), "debug")];
    let products = Products::new(trees, Repeats::Once).unwrap();
    let expected = [
        "mjsunit/a (default, x64.release)",
        "mjsunit/never (default, x64.release)",
        "mjsunit/slow (default, x64.release)",
        "mjsunit/slow (default, x64.debug)",
        "mjsunit/a (default, x64.debug)",
    ];
    assert_eq!(names(&products), expected);
    let ids: BTreeSet<String> = products.entries().map(|entry| products.case(entry.id).unwrap().id).collect();
    assert_eq!(ids.len(), expected.len(), "{ids:?}");
    assert_eq!(products.listing().count(), 6, "the skipped one too");
}

#[test]
fn what_matches_in_one_product_is_no_mistake() {
    let root = root();
    let open = |test_root: &str| {
        let tests = vec!["mjsunit/a".into(), "mjsunit/b".into()];
        let options = Options {
            root: root.path().into(),
            tests,
            test_root: Some(test_root.into()),
            ..Options::default()
        };
        let mode = if test_root == "test" { "release" } else { "debug" };
        Tree::open(Options { mode: Some(mode.into()), ..options }).unwrap()
    };
    fs::create_dir_all(root.path().join("other/mjsunit")).unwrap();
    for file in ["mjsunit.status", "mjsunit.js"] {
        fs::copy(root.path().join("test/mjsunit").join(file), root.path().join("other/mjsunit").join(file))
            .unwrap();
    }
    let products = Products::new(vec![open("test"), open("other")], Repeats::Once).unwrap();
    let unmatched: Vec<String> = products.unmatched().into_iter().map(|one| one.selector).collect();
    assert_eq!(unmatched, ["mjsunit/b"], "the other one is in the first tree");
    let sources: Vec<bool> = products.listing().map(|listed| products.source(listed.id).is_ok()).collect();
    assert_eq!(sources, [true]);
}

#[test]
fn history_knows_tests_by_the_ids_of_their_cases() {
    let root = root();
    let trees = vec![tree(root.path(), "release"), tree(root.path(), "debug")];
    let products = Products::new(trees, Repeats::Same(times(2))).unwrap();
    for entry in products.entries() {
        assert_eq!(entry.history_key, history_key(&products.case(entry.id).unwrap().id));
    }
}

#[test]
fn repeats_go_round_by_round_and_share_what_history_knows_them_by() {
    let root = root();
    let products = Products::new(vec![tree(root.path(), "debug")], Repeats::Same(times(3))).unwrap();
    let names = names(&products);
    assert_eq!(names.len(), 6);
    assert_eq!(names[0], "mjsunit/slow (default, run 1 of 3)");
    assert_eq!(names[5], "mjsunit/a (default, run 3 of 3)");
    let mut ids: BTreeMap<String, u32> = BTreeMap::new();
    for entry in products.entries() {
        let case = products.case(entry.id).unwrap();
        assert_eq!(case.random_seed, Some(42));
        *ids.entry(case.id).or_default() += 1;
    }
    assert_eq!(ids.values().collect::<Vec<_>>(), [&3, &3]);
    assert_eq!(products.listing().filter(|listed| listed.skipped.is_none()).count(), 2);
}

#[test]
fn each_round_of_seeds_has_its_own_and_the_first_the_runs() {
    let root = root();
    let products = Products::new(vec![tree(root.path(), "release")], Repeats::Seeds(times(4))).unwrap();
    let mut seeds = BTreeSet::new();
    for entry in products.entries() {
        let case = products.case(entry.id).unwrap();
        let seed = case.random_seed.unwrap();
        assert!(case.args.contains(&Arg::Text(format!("--random-seed={seed}"))), "{case:?}");
        assert_eq!(case.name.detail, Some(format!("seed {seed}")));
        let own = case.args.contains(&Arg::Text("--random-seed=7".into()));
        assert_eq!(own, case.name.name == "slow", "what a source says stays");
        seeds.insert(seed);
    }
    assert_eq!(seeds.len(), 4);
    assert!(seeds.contains(&42) && !seeds.contains(&0));
    assert_eq!(seed_of(42, 3), seed_of(42, 3));
    assert_ne!(seed_of(42, 3), seed_of(43, 3));
    // The generator's published numbers, of the seed 0.
    assert_eq!(seed_of(0, 1), i64::from(0xe220_a839_u32.cast_signed()));
    assert_eq!(seed_of(0, 2), i64::from(0x6e78_9e6a_u32.cast_signed()));
}

#[test]
fn endless_rounds_of_one_seed_differ_in_their_numbers_alone() {
    let root = root();
    let products = Products::new(vec![tree(root.path(), "release")], Repeats::EndlessSame).unwrap();
    let rounds: Vec<_> = products
        .entries()
        .take(9)
        .map(|entry| products.case(entry.id).unwrap())
        .filter(|case| case.name.name == "a")
        .map(|case| (case.name.detail.unwrap(), case.random_seed))
        .collect();
    let wanted = [1, 2, 3].map(|round| (format!("run {round}"), Some(42)));
    assert_eq!(rounds, wanted);
}

#[test]
fn what_no_id_has_room_for_is_refused() {
    let root = root();
    let one = || tree(root.path(), "release");
    let refused = |trees, repeats| Products::new(trees, repeats).unwrap_err();
    assert_eq!(refused(Vec::new(), Repeats::Once), ProductsError::None);
    assert!(Products::new(vec![one()], Repeats::Same(times(65_536))).is_ok());
    let many = refused(vec![one()], Repeats::Same(times(65_537)));
    assert_eq!(many, ProductsError::TooMany { products: 1, rounds: 65_537 });
    assert_eq!(refused(vec![one(), one()], Repeats::Once), ProductsError::Twice("x64.release".into()));
}

#[test]
fn endless_rounds_are_lazy_and_end_where_there_is_nothing_to_run() {
    let root = root();
    let products = Products::new(vec![tree(root.path(), "release")], Repeats::Endless).unwrap();
    assert_eq!(products.entries().take(1000).count(), 1000);
    let none = Options { root: root.path().into(), tests: vec!["mjsunit/x".into()], ..Options::default() };
    let products = Products::new(vec![Tree::open(none).unwrap()], Repeats::Endless).unwrap();
    assert_eq!(products.entries().count(), 0);
}

#[test]
fn runs_of_a_test_share_a_name() {
    let name = |detail: Option<&str>| TestName {
        suite: "s".into(),
        name: "n".into(),
        variant: "v".into(),
        detail: detail.map(String::from),
    };
    let repeats = Repeats::Same(times(9));
    assert_eq!(repeats.shared_name(&name(Some("run 3 of 9"))), name(None));
    assert_eq!(
        repeats.shared_name(&name(Some("strict, x64.debug, run 3 of 9"))),
        name(Some("strict, x64.debug"))
    );
    assert_eq!(Repeats::Once.shared_name(&name(Some("strict"))), name(Some("strict")));
}

#[test]
fn ids_come_apart_as_they_were_put_together() {
    let root = root();
    let trees = vec![tree(root.path(), "release"), tree(root.path(), "debug")];
    let products = Products::new(trees, Repeats::Same(times(32_768))).unwrap();
    proptest!(|(own in 0_u64..1 << TREE_BITS, product in 0_u32..2, round in 0_u32..32_768)| {
        let id = with_index(CaseId(own), round * 2 + product);
        prop_assert_eq!(products.parts(id), (product as usize, round, CaseId(own)));
    });
}
