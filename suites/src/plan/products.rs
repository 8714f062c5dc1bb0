//! Several builds in one run, and each test several times.
//!
//! V8's runner of 2012 to 2017 ran the tests of each architecture and mode in turn. Here each build is a [`Tree`] of its
//! own, and [`Products`] is all of them as one source of cases: they share the machine's job slots, the peers and the
//! reports, and nothing waits for a build's last test before the next one's first.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use flotilla_messages::hash::Fnv;
use flotilla_messages::{CaseId, Cases, Entry, TestCase, TestName, Unrunnable};

use crate::files::select::Unmatched;
use crate::kind::{Bound, Labels, Missing};
use crate::kit::error::{EngineError, ReadError};
use crate::plan::description::Description;
use crate::plan::inputs::Inputs;
use crate::plan::instances::Listed;
use crate::plan::repeats::{Repeats, reseed};
use crate::plan::tree::Tree;

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
        self.trees().any(|tree| tree.run.dialect.flaky_fails)
    }

    /// Whether V8's own runner writes logs beside its JSON results: from 12.0 on.
    pub fn writes_logs(&self) -> bool {
        self.trees().any(|tree| tree.run.dialect.writes_logs)
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
