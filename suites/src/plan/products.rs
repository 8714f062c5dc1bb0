//! Several builds in one run, and each test several times.
//!
//! V8's runner of 2012 to 2017 ran the tests of each architecture and mode in turn. Here each build is a [`Tree`] of its
//! own, and [`Products`] is all of them as one source of cases: they share the machine's job slots, the peers and the
//! reports, and nothing waits for a build's last test before the next one's first.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use flotilla_messages::hash::Fnv;
use flotilla_messages::{CaseId, Cases, Entry, TestCase, TestName, Unrunnable};

use crate::files::select::Unmatched;
use crate::kit::error::{EngineError, ReadError};
use crate::plan::inputs::{Bound, Inputs};
use crate::plan::instances::Listed;
use crate::plan::missing::Missing;
use crate::plan::repeats::{Repeats, reseed};
use crate::plan::test262_case::Labels;
use crate::plan::tree::{Description, Tree};

/// Where a [`CaseId`]'s product and round begin; below is what the tree says.
const TREE_BITS: u32 = 48;
/// As many products and rounds as an id has room for.
pub const MOST: u32 = 1 << (u64::BITS - TREE_BITS);
/// Tests after which [`Repeats::Endless`] begins no further round: each takes forty bytes while the run lasts.
const ENOUGH: u64 = 2_000_000;

/// Why products cannot be run together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductsError {
    /// There are none.
    #[error("there is no build to test")]
    None,
    /// An id has no room for this many.
    #[error("there are {products} builds and {rounds} runs of each test, which is more than {MOST} together")]
    TooMany {
        /// Builds.
        products: usize,
        /// Runs of each test.
        rounds: u32,
    },
    /// Reports could not tell two of them apart.
    #[error("{0} is named twice")]
    Twice(String),
}

/// One or several opened trees as one source of cases.
///
/// Of one tree whose tests run once, all ids and names are the tree's own. Of several, the product is part of each
/// test's id and of its name's detail, so that history, JUnit and JSON keep them apart. The runs of a repeated test share
/// its id, since they say something of the same test; their names differ.
pub struct Products {
    trees: Vec<(String, Arc<Tree>)>,
    repeats: Repeats,
}

impl fmt::Debug for Products {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<&str> = self.trees.iter().map(|(label, _)| label.as_str()).collect();
        f.debug_struct("Products").field("trees", &labels).field("repeats", &self.repeats).finish()
    }
}

impl Products {
    /// These trees, in this order.
    ///
    /// # Errors
    /// [`ProductsError`] for none, for too many, and for two of one name.
    pub fn new(trees: Vec<Tree>, repeats: Repeats) -> Result<Self, ProductsError> {
        let count = u32::try_from(trees.len()).unwrap_or(u32::MAX);
        let rounds = repeats.rounds(count);
        if trees.is_empty() {
            return Err(ProductsError::None);
        }
        if rounds == 0 || count.checked_mul(rounds).is_none_or(|all| all > MOST) {
            return Err(ProductsError::TooMany { products: trees.len(), rounds });
        }
        let labels = labels(&trees);
        let mut named: Vec<(String, Arc<Tree>)> = Vec::with_capacity(trees.len());
        for (label, tree) in labels.into_iter().zip(trees) {
            if named.iter().any(|(known, _)| *known == label) {
                return Err(ProductsError::Twice(label));
            }
            named.push((label, Arc::new(tree)));
        }
        Ok(Self { trees: named, repeats })
    }

    /// How often each test runs.
    pub fn repeats(&self) -> Repeats {
        self.repeats
    }

    /// What each tree is and what was selected, in order.
    pub fn descriptions(&self) -> Vec<Description> {
        self.trees().map(|tree| tree.description()).collect()
    }

    /// All tests that were asked for, skipped ones too, product after product; each once, however often it will run.
    pub fn listing(&self) -> Box<dyn Iterator<Item = Listed> + Send + '_> {
        let products = (0..).zip(self.trees());
        Box::new(products.flat_map(|(product, tree)| {
            tree.listing().map(move |listed| Listed { id: with_index(listed.id, product), ..listed })
        }))
    }

    /// The case of a listed test, as it is however often it runs.
    ///
    /// # Errors
    /// As [`Cases::case`].
    pub fn listed_case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.made(id, false)
    }

    /// A listed test's names, without making its case; `None` if there is no such test.
    pub fn name_of(&self, id: CaseId) -> Option<TestName> {
        let (product, _, own) = self.parts(id);
        let (label, tree) = self.trees.get(product)?;
        let mut name = tree.name_of(own)?;
        let product = (self.trees.len() > 1).then(|| label.clone());
        add_to_detail(&mut name, product.as_slice());
        Some(name)
    }

    /// Programs that builds lack, of suites that nobody asked for by name.
    pub fn missing(&self) -> Vec<Missing> {
        self.trees().flat_map(|tree| tree.missing().iter().cloned()).collect()
    }

    /// Suites of groups of which nothing is known: they are left out.
    pub fn unsupported(&self) -> Vec<String> {
        self.trees().flat_map(|tree| tree.unsupported().iter().cloned()).collect()
    }

    /// How many things were not understood, in trees that are newer than what is known.
    pub fn not_understood(&self) -> usize {
        self.trees().map(|tree| tree.not_understood()).sum()
    }

    /// Whether this is a checkout of test262, and no part of V8's tree.
    pub fn is_bare_test262(&self) -> bool {
        self.trees().any(|tree| tree.is_bare_test262())
    }

    /// What a test is about, of a bare test262; see [`Tree::labels`].
    pub fn labels(&self, id: CaseId) -> Option<Labels> {
        let (product, _, own) = self.parts(id);
        self.trees.get(product).and_then(|(_, tree)| tree.labels(own))
    }

    /// Tests that the engine's host cannot run, by reason, of those that were met so far.
    pub fn withheld_by_host(&self) -> Vec<(String, u64)> {
        self.trees().flat_map(|tree| tree.withheld_by_host()).collect()
    }

    /// A test's source.
    ///
    /// # Errors
    /// It cannot be read, or there is no such test.
    pub fn source(&self, id: CaseId) -> Result<Vec<u8>, ReadError> {
        match self.tree_of(id) {
            Some((tree, own)) => tree.source(own),
            None => Err(ReadError { path: Default::default(), source: std::io::ErrorKind::NotFound.into() }),
        }
    }

    /// What was typed to select tests and matched none in any product.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let mut trees = self.trees();
        let mut unmatched = trees.next().map(|tree| tree.unmatched()).unwrap_or_default();
        for tree in trees {
            if unmatched.is_empty() {
                break;
            }
            let here = tree.unmatched();
            unmatched.retain(|one| here.iter().any(|other| other.selector == one.selector));
        }
        unmatched
    }

    /// Things a person should know that stand in no test's way, each once.
    pub fn warnings(&self) -> Vec<String> {
        once(self.trees().flat_map(|tree| tree.warnings()))
    }

    /// What the status files say in vain, in any product, each once.
    pub fn unused_rules(&self) -> Vec<String> {
        once(self.trees().flat_map(|tree| tree.unused_rules()))
    }

    /// Whether each shell that the selected suites need is there and can be executed; see [`Tree::check_engines`].
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check_engines(&self) -> Result<(), EngineError> {
        self.trees().try_for_each(|tree| tree.check_engines())
    }

    /// What another machine needs to run the selected tests of all products.
    ///
    /// # Errors
    /// [`Bound`] when something is only on this machine.
    pub fn inputs(&self) -> Result<Inputs, Bound> {
        let mut all = Inputs::default();
        for tree in self.trees() {
            all.merge(tree.inputs()?);
        }
        Ok(all)
    }

    /// Whether seeds make a difference: trees of 2012 tell their tests none.
    pub fn passes_seeds(&self) -> bool {
        self.trees().all(|tree| tree.passes_seed())
    }

    /// Whether a test that fails and passes when it is run again makes the run fail, unless somebody says otherwise: in
    /// V8 from 12.0 on.
    pub fn flaky_fails(&self) -> bool {
        self.trees().any(|tree| tree.dialect.flaky_fails)
    }

    /// Whether V8's own runner writes logs beside its JSON results: from 12.0 on.
    pub fn writes_logs(&self) -> bool {
        self.trees().any(|tree| tree.dialect.writes_logs)
    }

    /// The trees, in order.
    pub fn trees(&self) -> impl Iterator<Item = &Arc<Tree>> + Send {
        self.trees.iter().map(|(_, tree)| tree)
    }

    /// The tree that a test is of, with its id there.
    pub fn tree_of(&self, id: CaseId) -> Option<(&Arc<Tree>, CaseId)> {
        let (product, _, own) = self.parts(id);
        self.trees.get(product).map(|(_, tree)| (tree, own))
    }

    fn count(&self) -> u32 {
        // As many as an id has room for, by construction.
        u32::try_from(self.trees.len()).unwrap_or(u32::MAX)
    }

    /// The product, the round, and the tree's own id.
    fn parts(&self, id: CaseId) -> (usize, u32, CaseId) {
        let index = (id.0 >> TREE_BITS) as u32;
        let own = CaseId(id.0 & ((1 << TREE_BITS) - 1));
        ((index % self.count()) as usize, index / self.count(), own)
    }

    /// What keeps a product's ids from another's, behind the tree's own id.
    fn suffix(&self, product: usize) -> Option<String> {
        let several = self.trees.len() > 1;
        self.trees.get(product).filter(|_| several).map(|(label, _)| format!("@{label}"))
    }

    fn made(&self, id: CaseId, in_rounds: bool) -> Result<TestCase, Box<Unrunnable>> {
        let (product, round, own) = self.parts(id);
        let Some((label, tree)) = self.trees.get(product) else {
            return Err(Box::new(Unrunnable::no_such_test(id)));
        };
        let first = tree.random_seed();
        let seed = self.repeats.seed(first, round);
        let product_words = (self.trees.len() > 1).then(|| label.clone());
        let round_words = self.repeats.words(round, seed).filter(|_| in_rounds);
        let more: Vec<String> = product_words.into_iter().chain(round_words).collect();
        let suffix = self.suffix(product);
        let told = |name: &mut TestName, id: &mut String| {
            add_to_detail(name, &more);
            id.push_str(suffix.as_deref().unwrap_or_default());
        };
        match tree.case(own) {
            Ok(mut case) => {
                told(&mut case.name, &mut case.id);
                if seed != first {
                    reseed(&mut case, first, seed);
                }
                Ok(case)
            }
            Err(mut unrunnable) => {
                let Unrunnable { name, id, .. } = &mut *unrunnable;
                told(name, id);
                Err(unrunnable)
            }
        }
    }

    /// One product's entries in one round.
    fn round(&self, product: u32, round: u32) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        let Some((_, tree)) = self.trees.get(product as usize) else { return Box::new(std::iter::empty()) };
        let suffix = self.suffix(product as usize);
        let index = round * self.count() + product;
        if index == 0 && suffix.is_none() {
            return tree.entries();
        }
        Box::new(tree.entries().map(move |entry| Entry {
            id: with_index(entry.id, index),
            history_key: match &suffix {
                Some(suffix) => {
                    let mut hash = Fnv::with_key(entry.history_key);
                    hash.write(suffix.as_bytes());
                    hash.finish()
                }
                None => entry.history_key,
            },
            ..entry
        }))
    }
}

/// Puts more words behind a name's detail.
fn add_to_detail(name: &mut TestName, more: &[String]) {
    if !more.is_empty() {
        let detail = name.detail.take().into_iter().chain(more.iter().cloned());
        name.detail = Some(detail.collect::<Vec<_>>().join(", "));
    }
}

impl Cases for Products {
    /// Round after round, in each product after product as V8 has them: a run that ends early has run all tests about
    /// equally often.
    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + Send + '_> {
        if self.count() == 1 && !self.repeats.is_several() {
            return self.round(0, 0);
        }
        let endless = self.repeats.is_endless();
        let rounds = self.repeats.rounds(self.count());
        let mut passes =
            (0..rounds).flat_map(move |round| (0..self.count()).map(move |product| (product, round)));
        let mut current = self.round(u32::MAX, 0);
        let (mut listed, mut at_last_round) = (0_u64, 0);
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(entry) = current.next() {
                    listed += 1;
                    return Some(entry);
                }
                let (product, round) = passes.next()?;
                if product == 0 {
                    // Where a whole round has no tests, no later one has any.
                    let in_vain = round > 0 && listed == at_last_round;
                    if in_vain || endless && listed >= ENOUGH {
                        return None;
                    }
                    at_last_round = listed;
                }
                current = self.round(product, round);
            }
        }))
    }

    fn case(&self, id: CaseId) -> Result<TestCase, Box<Unrunnable>> {
        self.made(id, true)
    }
}

/// What the builds are called: by architecture and mode, and those that are alike by their directories as well.
fn labels(trees: &[Tree]) -> Vec<String> {
    let plain: Vec<String> = trees.iter().map(|tree| tree.description().product()).collect();
    let is_alike = |label: &String| plain.iter().filter(|other| *other == label).count() > 1;
    let label = |(label, tree): (&String, &Tree)| match tree.build_place() {
        place if is_alike(label) && !place.is_empty() => format!("{label} {place}"),
        _ => label.clone(),
    };
    plain.iter().zip(trees).map(label).collect()
}

fn with_index(id: CaseId, index: u32) -> CaseId {
    CaseId(id.0 | u64::from(index) << TREE_BITS)
}

fn once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

#[cfg(test)]
mod tests {
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
        let ids: BTreeSet<String> =
            products.entries().map(|entry| products.case(entry.id).unwrap().id).collect();
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
            fs::copy(
                root.path().join("test/mjsunit").join(file),
                root.path().join("other/mjsunit").join(file),
            )
            .unwrap();
        }
        let products = Products::new(vec![open("test"), open("other")], Repeats::Once).unwrap();
        let unmatched: Vec<String> = products.unmatched().into_iter().map(|one| one.selector).collect();
        assert_eq!(unmatched, ["mjsunit/b"], "the other one is in the first tree");
        let sources: Vec<bool> =
            products.listing().map(|listed| products.source(listed.id).is_ok()).collect();
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
        let none =
            Options { root: root.path().into(), tests: vec!["mjsunit/x".into()], ..Options::default() };
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
}
