//! The tables of a tree: variants, aliases, groups, incompatible flags.
//!
//! A tree's own `tools/testrunner` decides; what it lacks comes from the dialect.

use std::path::Path;

use crate::kit::error::OpenError;
use crate::kit::options::Framework;
use crate::syntax::python::ModuleValue;
use crate::v8::dialect::{Detected, Dialect, Layout, Part};
use crate::v8::runner_source::{self, StatusWords};
use crate::v8::table_file::TableFile;
pub use crate::v8::table_file::{Lists, Variant};
use flotilla_messages::nearest::nearest;

/// What a tree says of variants, groups and flags.
#[derive(Clone, Debug)]
pub struct Tables {
    /// All variants in the order they run: slow ones first, `default` last, otherwise in source order.
    pub variants: Vec<Variant>,
    /// The flags that variants mean for tests marked FAST_VARIANTS, where they are others.
    pub fast: Vec<Variant>,
    /// Aliases of variants.
    pub aliases: Lists,
    /// Groups of suites, if the tree has any.
    pub groups: Option<Lists>,
    /// Flags that contradict a variant, by its name.
    pub per_variant: Lists,
    /// Flags that contradict a build, by the status variable that is true for it.
    pub per_build: Lists,
    /// Flags that contradict an extra flag.
    pub per_extra_flag: Lists,
    /// `--gc-stress`
    pub gc_stress_flags: Vec<String>,
    /// `--random-gc-stress`
    pub random_gc_stress_flags: Vec<String>,
    /// The runner's own flags.
    pub runner_flags: Vec<String>,
    /// Flags of debug builds.
    pub debug_flags: Vec<String>,
    /// Flags of release builds.
    pub release_flags: Vec<String>,
    /// Architectures that get more time.
    pub slow_archs: Vec<String>,
    /// Factors for the time of builds for which a status variable is true.
    pub factors: Vec<(String, f64)>,
    /// What status files can say, where the tree's runner says so.
    pub status_words: Option<StatusWords>,
    /// Status variables that are false, whatever the build.
    pub false_variables: Vec<String>,
    /// The order of a command line's parts.
    pub order: Vec<Part>,
    /// Where variants and incompatible flags stand, as messages name it.
    pub variants_file: &'static str,
    /// Tables that were not understood, each with its place: only in a tree that is newer than what is known.
    pub not_understood: Vec<String>,
}

/// The only variant of builds that allow no other, and of tests marked NO_VARIANTS.
pub const DEFAULT: &str = "default";
const VARIANTS_FILE: &str = "tools/testrunner/local/variants.py";
const STANDARD_RUNNER: &str = "tools/testrunner/standard_runner.py";
const BASE_RUNNER: &str = "tools/testrunner/base_runner.py";
/// What V8 has them be since it has them (2018).
const RANDOM_GC_STRESS_FLAGS: &[&str] = &["--random-gc-interval=5000", "--stress-compaction-random"];
/// Where V8 10 has what depends on the build.
const BUILD_CONFIG: &str = "tools/testrunner/build_config.py";
/// Of classic trees.
const RUN_TESTS: &str = "tools/run-tests.py";
/// Where those of 2014 to early 2016 have their variants.
const TEST_SUITE: &str = "tools/testrunner/local/testsuite.py";

impl Tables {
    /// Reads a tree's tables.
    ///
    /// # Errors
    /// A file of the tree that is there but cannot be read, or a table of an unexpected shape; the latter not in a tree
    /// that is newer than what is known.
    pub fn read(root: &Path, tree: &Detected, framework: Framework) -> Result<Self, OpenError> {
        let dialect = tree.dialect;
        if dialect.layout == Layout::PerMode {
            return Self::read_classic(root, dialect);
        }
        let open = |name| Ok::<_, OpenError>(TableFile::open(root, name)?.lenient(tree.newer));
        let mut not_understood = Vec::new();
        // What else is read, as far as a file that has it is there.
        let mut or_known = |found: bool, files: &[&str], what: &str| {
            let file = files.iter().find(|file| root.join(file).is_file());
            if let Some(file) = file.filter(|_| tree.newer && !found) {
                not_understood
                    .push(format!("{file}: {what} not understood: those of {} are used", dialect.name));
            }
        };
        let factors = runner_source::factors(root);
        or_known(factors.is_some(), &runner_source::FACTORS_FILES, "the factors of time limits are");
        let status_words = runner_source::status_words(root);
        or_known(
            status_words.is_some(),
            &[runner_source::STATUS_WORDS_FILE],
            "the words of status files are",
        );
        let order = runner_source::order(root);
        or_known(order.is_some(), &[runner_source::ORDER_FILE], "the parts of a command line are");
        let variants = open(VARIANTS_FILE)?;
        let standard = open(STANDARD_RUNNER)?;
        let base = open(BASE_RUNNER)?;
        let build = open(BUILD_CONFIG)?;
        let all = match variants.variants("ALL_VARIANT_FLAGS")? {
            Some(all) => all,
            None => dialect_variants(dialect),
        };
        let slow = variants.strings("SLOW_VARIANTS")?.unwrap_or_else(|| owned(dialect.slow_variants));
        let fast = variants.strings("FAST_VARIANTS")?.unwrap_or_else(|| owned(&["default"]));
        let or = |found: Option<Vec<String>>, fallback: &[&str]| found.unwrap_or_else(|| owned(fallback));
        let mut tables = Self {
            variants: in_order(all, &slow, &fast),
            fast: Vec::new(),
            aliases: match standard.lists("VARIANT_ALIASES")? {
                Some(aliases) => aliases,
                None => dialect.aliases.iter().map(|(name, of)| ((*name).into(), owned(of))).collect(),
            },
            groups: base.lists("TEST_MAP")?,
            per_variant: variants.lists("INCOMPATIBLE_FLAGS_PER_VARIANT")?.unwrap_or_default(),
            per_build: variants.lists("INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE")?.unwrap_or_default(),
            per_extra_flag: variants.lists("INCOMPATIBLE_FLAGS_PER_EXTRA_FLAG")?.unwrap_or_default(),
            gc_stress_flags: or(standard.strings("GC_STRESS_FLAGS")?, dialect.gc_stress_flags),
            random_gc_stress_flags: or(standard.strings("RANDOM_GC_STRESS_FLAGS")?, RANDOM_GC_STRESS_FLAGS),
            runner_flags: runner_flags(&standard, &base, dialect, framework)?,
            debug_flags: or(base.strings("DEBUG_FLAGS")?, dialect.debug_flags),
            release_flags: or(base.strings("RELEASE_FLAGS")?, dialect.release_flags),
            slow_archs: match base.strings("SLOW_ARCHS")? {
                None => or(build.strings("SLOW_ARCHS")?, dialect.timeouts.slow_archs),
                Some(own) => own,
            },
            factors: factors.unwrap_or_else(|| dialect_factors(dialect)),
            status_words,
            false_variables: runner_source::false_variables(root),
            order: order.unwrap_or_else(|| dialect.order.to_vec()),
            variants_file: VARIANTS_FILE,
            not_understood,
        };
        for (source, name) in [
            (&variants, "ALL_VARIANT_FLAGS"),
            (&standard, "VARIANT_ALIASES"),
            (&base, "TEST_MAP"),
            (&base, "DEFAULT_FLAGS"),
            (&base, "DEBUG_FLAGS"),
            (&base, "RELEASE_FLAGS"),
        ] {
            source.should_have(name);
        }
        for source in [variants, standard, base, build] {
            tables.not_understood.extend(source.problems.into_inner());
        }
        Ok(tables)
    }

    /// The tables of a tree of V8 3 to 6.5. They stand in `run-tests.py`; variants from 2014 on in `testsuite.py`, and from
    /// 2016 on in `variants.py`.
    fn read_classic(root: &Path, dialect: &Dialect) -> Result<Self, OpenError> {
        let variants = match TableFile::open(root, VARIANTS_FILE)? {
            own if own.exists => own,
            _ => TableFile::open(root, TEST_SUITE)?,
        };
        // V8 6.4 has in its standard runner what stood in run-tests.py.
        let runner = match TableFile::open(root, STANDARD_RUNNER)? {
            own if own.exists => own,
            _ => TableFile::open(root, RUN_TESTS)?,
        };
        let or = |found: Option<Vec<String>>, fallback: &[&str]| found.unwrap_or_else(|| owned(fallback));
        let all = match variants.variants("ALL_VARIANT_FLAGS")? {
            Some(all) => all,
            None => match variants.classic_variants()? {
                Some(own) => own,
                None => runner.classic_variants()?.unwrap_or_else(|| dialect_variants(dialect)),
            },
        };
        let names = || -> Vec<String> { all.iter().map(|variant| variant.name.clone()).collect() };
        let aliases = match runner.lists("VARIANT_ALIASES")? {
            Some(mut aliases) => {
                let exhaustive = runner.strings("EXHAUSTIVE_VARIANTS")?;
                aliases.push(("exhaustive".into(), exhaustive.unwrap_or_else(names)));
                aliases
            }
            None => {
                let dev = runner.strings("VARIANTS")?.unwrap_or_else(names);
                let exhaustive = runner.strings("EXHAUSTIVE_VARIANTS")?.unwrap_or_else(names);
                vec![("dev".into(), dev), ("exhaustive".into(), exhaustive)]
            }
        };
        // V8 6.5 has them there.
        let base = TableFile::open(root, BASE_RUNNER)?;
        let own = |name: &'static str| match runner.strings(name)? {
            None => base.strings(name),
            found => Ok(found),
        };
        let modes = runner.lists("MODE_FLAGS").ok().flatten().unwrap_or_default();
        let of_mode =
            |mode: &str| modes.iter().find(|(name, _)| name == mode).map(|(_, flags)| flags.clone());
        let debug = own("DEBUG_FLAGS")?.or_else(|| of_mode("debug"));
        let release = own("RELEASE_FLAGS")?.or_else(|| of_mode("release"));
        let default_group = runner.strings("DEFAULT_TESTS")?.map(|suites| vec![("default".into(), suites)]);
        Ok(Self {
            // In 2015 it was computed, and had the same flags.
            fast: variants.variants("FAST_VARIANT_FLAGS").ok().flatten().unwrap_or_default(),
            variants: in_order(all, &owned(dialect.slow_variants), &owned(&["default"])),
            aliases,
            groups: runner.lists("TEST_MAP")?.or(base.lists("TEST_MAP")?).or(default_group),
            per_variant: Lists::new(),
            per_build: Lists::new(),
            per_extra_flag: Lists::new(),
            gc_stress_flags: or(runner.strings("GC_STRESS_FLAGS")?, dialect.gc_stress_flags),
            random_gc_stress_flags: or(runner.strings("RANDOM_GC_STRESS_FLAGS")?, RANDOM_GC_STRESS_FLAGS),
            runner_flags: Vec::new(),
            debug_flags: or(debug, dialect.debug_flags),
            release_flags: or(release, dialect.release_flags),
            slow_archs: or(runner.strings("SLOW_ARCHS")?, dialect.timeouts.slow_archs),
            factors: dialect_factors(dialect),
            status_words: None,
            false_variables: Vec::new(),
            order: dialect.order.to_vec(),
            variants_file: VARIANTS_FILE,
            not_understood: Vec::new(),
        })
    }

    /// The variants that a comma list of names and aliases means, in the order they run; `None` is `dev`.
    ///
    /// # Errors
    /// A name that is neither.
    pub fn select(&self, list: Option<&str>) -> Result<Vec<Variant>, OpenError> {
        let list = list.filter(|list| !list.is_empty()).unwrap_or("dev");
        // The variant of that name stands for all of them, where nothing else is asked for.
        let list = if list == "infra_staging" { "exhaustive" } else { list };
        let mut wanted: Vec<&str> = Vec::new();
        for name in list.split(',').map(str::trim) {
            match self.aliases.iter().find(|(alias, _)| alias == name) {
                Some((_, names)) => wanted.extend(names.iter().map(String::as_str)),
                None => wanted.push(name),
            }
        }
        let names = || self.variants.iter().map(|variant| variant.name.as_str());
        if let Some(unknown) = wanted.iter().find(|wanted| !names().any(|name| name == **wanted)) {
            let aliases = || self.aliases.iter().map(|(alias, _)| alias.as_str());
            return Err(OpenError::UnknownVariant {
                name: (*unknown).into(),
                nearest: nearest(unknown, names().chain(aliases())).map(String::from),
                variants: names().map(String::from).collect(),
                aliases: aliases().map(String::from).collect(),
            });
        }
        Ok(self.variants.iter().filter(|variant| wanted.contains(&variant.name.as_str())).cloned().collect())
    }
}

/// test262's flags for features, from its `testcfg.py` if it has them.
///
/// # Errors
/// As [`Tables::read`].
pub fn feature_flags(suite_root: &Path, dialect: &Dialect) -> Result<Vec<(String, String)>, OpenError> {
    const SHAPE: &str = "a dictionary from features to flags";
    let source = TableFile::open(suite_root, "testcfg.py")?;
    let Some(found) = source.get("FEATURE_FLAGS")? else {
        return Ok(dialect.feature_flags.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect());
    };
    let ModuleValue::Dict(pairs) = found else { return Err(source.shape("FEATURE_FLAGS", SHAPE)) };
    pairs
        .iter()
        .map(|pair| match pair {
            (ModuleValue::Str(feature), ModuleValue::Str(flag)) => Ok((feature.clone(), flag.clone())),
            _ => Err(source.shape("FEATURE_FLAGS", SHAPE)),
        })
        .collect()
}

/// Features whose tests test262's `testcfg.py` leaves out.
///
/// # Errors
/// As [`Tables::read`].
pub fn skipped_features(suite_root: &Path) -> Result<Vec<String>, OpenError> {
    Ok(TableFile::open(suite_root, "testcfg.py")?.strings("SKIPPED_FEATURES")?.unwrap_or_default())
}

/// The runner's own flags: until V8 13.2 `EXTRA_DEFAULT_FLAGS`, from then on those of the framework. A runner without
/// either has none.
fn runner_flags(
    standard: &TableFile,
    base: &TableFile,
    dialect: &Dialect,
    framework: Framework,
) -> Result<Vec<String>, OpenError> {
    let name = match framework {
        Framework::Standard => "standard_runner",
        Framework::NumFuzzer => "num_fuzzer",
    };
    let by_framework = base.lists("DEFAULT_FLAGS")?.unwrap_or_default();
    if let Some((_, flags)) = by_framework.into_iter().find(|(of, _)| of == name) {
        return Ok(flags);
    }
    if framework == Framework::NumFuzzer {
        return Ok(owned(dialect.number_fuzzer_flags));
    }
    Ok(match standard.strings("EXTRA_DEFAULT_FLAGS")? {
        Some(flags) => flags,
        None if standard.exists => Vec::new(),
        None => owned(dialect.runner_flags),
    })
}

fn dialect_factors(dialect: &Dialect) -> Vec<(String, f64)> {
    dialect.timeouts.builds.iter().map(|(name, factor)| ((*name).to_owned(), *factor)).collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).into()).collect()
}

fn dialect_variants(dialect: &Dialect) -> Vec<Variant> {
    let variant = |(name, flags): &(&str, &[&str])| Variant { name: (*name).into(), flags: owned(flags) };
    dialect.variants.iter().map(variant).collect()
}

/// Slow ones first, fast ones last, and within each kind the source's order.
fn in_order(mut variants: Vec<Variant>, slow: &[String], fast: &[String]) -> Vec<Variant> {
    variants.sort_by_key(|variant| {
        if slow.contains(&variant.name) {
            0
        } else if fast.contains(&variant.name) {
            2
        } else {
            1
        }
    });
    variants
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::v8::dialect::V9_2;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Tables, OpenError>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tables = Tables::read(root.path(), &known(false), Framework::Standard);
        (root, tables)
    }

    /// A tree with the rules of V8 9.2.
    fn known(newer: bool) -> Detected {
        Detected { dialect: &V9_2, version: None, newer, assumed: false }
    }

    fn names(variants: &[Variant]) -> Vec<&str> {
        variants.iter().map(|variant| variant.name.as_str()).collect()
    }

    const VARIANTS_PY: &str = "ALL_VARIANT_FLAGS = {\n  'default': [[]],\n  'b': [['--b']],\n  'slow': [['--s']],\n  'a': [['--a']],\n}\n\
        kHelper = ['--x']\nINCOMPATIBLE_FLAGS_PER_VARIANT = {\n  'a': ['--no-a'] + kHelper,\n}\n\
        INCOMPATIBLE_FLAGS_PER_BUILD_VARIABLE = {'lite_mode': INCOMPATIBLE_FLAGS_PER_VARIANT['a']}\n\
        SLOW_VARIANTS = set([\n  'slow',\n])\nFAST_VARIANTS = {'default'}\nALL_VARIANTS = sorted(ALL_VARIANT_FLAGS.keys(), key=f)\n";

    #[test]
    fn the_trees_own_tables_count() {
        let (_root, tables) = tree(&[
            (VARIANTS_FILE, VARIANTS_PY),
            (STANDARD_RUNNER, "V = ['default']\nM = ['a']\nVARIANT_ALIASES = {'dev': V, 'most': M + V}\n"),
            (BASE_RUNNER, "TEST_MAP = {\n  # c\n  \"default\": [\"mjsunit\"],\n}\n"),
        ]);
        let tables = tables.unwrap();
        assert_eq!(names(&tables.variants), ["slow", "b", "a", "default"]);
        assert_eq!(names(&tables.select(Some("most,b")).unwrap()), ["b", "a", "default"]);
        assert_eq!(names(&tables.select(None).unwrap()), ["default"]);
        assert_eq!(tables.per_variant, [("a".into(), vec!["--no-a".to_string(), "--x".into()])]);
        assert_eq!(tables.per_build[0].1, ["--no-a", "--x"]);
        assert_eq!(tables.groups, Some(vec![("default".into(), vec!["mjsunit".into()])]));
    }

    #[test]
    fn a_tree_without_tables_gets_the_built_in_ones() {
        let (_root, tables) = tree(&[]);
        let tables = tables.unwrap();
        assert_eq!(tables.groups, None);
        assert_eq!(
            names(&tables.select(Some("exhaustive")).unwrap()),
            [
                "stress",
                "jitless",
                "stress_js_bg_compile_wasm_code_gc",
                "stress_incremental_marking",
                "default"
            ]
        );
        assert_eq!(names(&tables.select(Some("infra_staging")).unwrap()).len(), 5);
    }

    #[test]
    fn unknown_variants_are_named_with_what_may_have_been_meant() {
        let (_root, tables) = tree(&[]);
        let error = tables.unwrap().select(Some("stress,jitles")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("unknown variant 'jitles'; did you mean 'jitless'?\n"), "{text}");
        assert_eq!(error.exit_code(), 5);
    }

    #[test]
    fn a_list_within_a_list_of_flags_is_read() {
        let text = "A = ['--a', '--b']\nINCOMPATIBLE_FLAGS_PER_VARIANT = {'x': ['--c', A, '--d']}\n";
        let (_root, tables) = tree(&[(VARIANTS_FILE, text)]);
        assert_eq!(tables.unwrap().per_variant[0].1, ["--c", "--a", "--b", "--d"]);
    }

    #[test]
    fn the_runners_flags_depend_on_the_framework() {
        let flags = |files: &[(&str, &str)], framework| {
            let (root, _) = tree(files);
            Tables::read(root.path(), &known(false), framework).unwrap().runner_flags
        };
        let both = "DEFAULT_FLAGS = {'standard_runner': ['--s'], 'num_fuzzer': ['--f']}\n";
        assert_eq!(flags(&[(BASE_RUNNER, both)], Framework::Standard), ["--s"]);
        assert_eq!(flags(&[(BASE_RUNNER, both)], Framework::NumFuzzer), ["--f"]);
        let before = [(STANDARD_RUNNER, "EXTRA_DEFAULT_FLAGS = ['--e']\n")];
        assert_eq!(flags(&before, Framework::Standard), ["--e"]);
        assert_eq!(flags(&before, Framework::NumFuzzer), V9_2.number_fuzzer_flags);
        assert!(flags(&[(STANDARD_RUNNER, "A = 1\n")], Framework::Standard).is_empty());
    }

    #[test]
    fn what_is_not_understood_in_a_newer_tree_is_told_and_does_no_harm() {
        let (root, refused) = tree(&[(VARIANTS_FILE, "SLOW_VARIANTS = f()\nALL_VARIANT_FLAGS = ['a']\n")]);
        assert!(refused.is_err());
        let tables = Tables::read(root.path(), &known(true), Framework::Standard).unwrap();
        assert_eq!(tables.variants.len(), V9_2.variants.len());
        let [shape, call] = tables.not_understood.as_slice() else { panic!("{:?}", tables.not_understood) };
        assert!(shape.contains("ALL_VARIANT_FLAGS should be a dictionary"), "{shape}");
        assert!(call.starts_with("tools/testrunner/local/variants.py:1:17: "), "{call}");
    }

    #[test]
    fn tables_of_another_shape_are_refused() {
        let (_root, tables) = tree(&[(VARIANTS_FILE, "ALL_VARIANT_FLAGS = ['a']\n")]);
        assert!(tables.unwrap_err().to_string().ends_with(
            "variants.py: ALL_VARIANT_FLAGS should be a dictionary from variants to lists of lists of flags"
        ));
        let (_root, tables) = tree(&[(VARIANTS_FILE, "ALL_VARIANT_FLAGS = f()\n")]);
        let text = tables.unwrap_err().to_string();
        assert!(
            text.starts_with("tools/testrunner/local/variants.py:1:21: calls are not evaluated"),
            "{text}"
        );
    }
}
