//! Opening a tree: everything that can be wrong before any test runs is found here.

mod conditions;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use flotilla_messages::case::normalize;

use crate::custom;
use crate::expectations::entries::Layer;
use crate::expectations::{EntryFile, Expectations, Reading, Variables, given};
use crate::files::select::{NameFilter, Selector};
use crate::kind::{Candidate, Missing, Opened, Opening};
use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::kit::place::Place;
use crate::plan::cache::Cache;
use crate::plan::choose::{Among, Selected};
use crate::plan::description::Description;
use crate::plan::instance::TestInstance;
use crate::plan::kinds::kinds;
use crate::plan::shard::Members;
use crate::plan::suite::Suite;
use crate::plan::tree::Tree;
use crate::syntax::read::read;
use crate::v8::build::Build;
use crate::v8::conflict::Conflicts;
use crate::v8::dialect::{Dialect, Layout, Property};
use crate::v8::facts::{Ground, RunFacts};
use crate::v8::tables::{DEFAULT, Variant};

use conditions::{missing_keys, variables};

impl Tree {
    /// Opens a tree: reads its build configuration, its tables and the selected suites' status files.
    ///
    /// # Errors
    /// Whatever is wrong with these or with the options; see [`OpenError::exit_code`].
    pub fn open(mut options: Options) -> Result<Self, OpenError> {
        options.root = normalize(&options.root);
        let ground = Ground::read(&options)?;
        let variants = selected_variants(&options, &ground)?;
        let run = Arc::new(RunFacts::new(options, ground)?);
        let variables = variables(&run.options, &run.build, &run.tables, &run.detected, &run.extra_flags)?;
        let mut notes = Notes::of_run(&run);
        notes.not_understood.extend(missing_keys(&run.build, &run.tables, &variables, &run.detected)?);

        let (test_root, kinds) = (run.test_root(), kinds(&run));
        let among = Among { run: &run, test_root: &test_root, kinds: &kinds };
        let Selected { selectors, suites: chosen, directories, unsupported } =
            among.select(&mut notes.warnings)?;
        notes.unsupported(&unsupported, &run);
        let opened = Openings {
            run: &run,
            variables: &variables,
            variants: with_those_of_suites(&variants, &chosen, &run),
            selectors: &selectors,
            directories: &directories,
        }
        .open(chosen, &mut notes)?;

        let holds = |variable: &str| variables.holds(variable);
        let conflicts_of = |variant| Conflicts::new(&run.tables, run.dialect.contradictions, variant, holds);
        let Found { suites, missing, given, variants: all_variants } = opened;
        let names = all_variants.iter().map(|variant| Some(variant.name.as_str()));
        Ok(Self {
            conflicts: names.map(conflicts_of).collect(),
            base_conflicts: conflicts_of(None),
            unsupported,
            not_understood: notes.not_understood.clone(),
            missing,
            selected_variants: variants.len(),
            variants: all_variants,
            selectors,
            suites,
            warnings: [notes.warnings, notes.not_understood].concat(),
            bases: OnceLock::new(),
            members: Members::default(),
            given,
            directories,
            met_skipped: Mutex::default(),
            cache: Cache::default(),
            run,
        })
    }
}

impl Description {
    /// What a tree and its build are, whatever tests are asked for: no suite is looked at.
    ///
    /// # Errors
    /// Whatever is wrong with the build's configuration or the tree's tables.
    pub fn of(mut options: Options) -> Result<Self, OpenError> {
        options.root = normalize(&options.root);
        let ground = Ground::read(&options)?;
        Ok(Self::of_ground(&options, &ground))
    }
}

/// What people should know of a tree.
#[derive(Default)]
struct Notes {
    warnings: Vec<String>,
    /// In a tree that is newer than what is known.
    not_understood: Vec<String>,
}

impl Notes {
    /// What does not depend on the suites.
    fn of_run(run: &RunFacts) -> Self {
        let (options, build) = (&run.options, &run.build);
        let mut warnings: Vec<String> = run.detected.warning().into_iter().collect();
        if run.dialect.layout != Layout::Bare && (options.host.is_some() || !options.features.is_empty()) {
            warnings
                .push("--host and --features are for a checkout of test262 by itself: not looked at".into());
        }
        let unheeded: Vec<&str> =
            options.build_with.iter().map(String::as_str).filter(|with| !build.was_made_with(with)).collect();
        if !unheeded.is_empty() && build.is_configured() {
            let said = unheeded.join(", ");
            warnings.push(format!(
                "the build's v8_build_config.json says what it was made with; not looked at: {said}"
            ));
        }
        Self { warnings, not_understood: run.tables.not_understood.clone() }
    }

    /// Suites of groups of which nothing is known.
    fn unsupported(&mut self, suites: &[String], run: &RunFacts) {
        let test_root = run.test_root();
        match run.detected.newer {
            true => self.not_understood.extend(suites.iter().map(|suite| {
                format!("{}: nothing is known of such a suite: left out", test_root.join(suite).display())
            })),
            false if suites.is_empty() => {}
            false => self.warnings.push(format!(
                "without a known configuration and left out (a {} would say how to run them): {}",
                custom::FILE,
                suites.join(" ")
            )),
        }
    }
}

/// What opening suites needs to know.
struct Openings<'a> {
    run: &'a RunFacts,
    variables: &'a Variables,
    /// All that any test runs in.
    variants: Vec<Variant>,
    selectors: &'a [Selector],
    directories: &'a BTreeSet<String>,
}

/// What opening suites found.
struct Found {
    suites: Vec<Suite>,
    /// Programs that are not built, of suites that nobody asked for by name.
    missing: Vec<Missing>,
    /// `--expectations`
    given: Vec<Arc<EntryFile>>,
    /// All that any test runs in.
    variants: Vec<Variant>,
}

impl Openings<'_> {
    fn open(self, chosen: Vec<Candidate<'_>>, notes: &mut Notes) -> Result<Found, OpenError> {
        let (all, selected) = (names(&self.run.tables.variants), names(&self.variants));
        let reading = Reading {
            variables: self.variables,
            all_variants: &all,
            selected: &selected,
            vocabulary: self.run.dialect.vocabulary,
            syntax: self.run.dialect.status_syntax,
            keywords: self.run.tables.status_words.as_ref().map(|words| words.keywords.as_slice()),
        };
        let given = expectations(&self.run.options, self.directories, reading)?;
        let mut suites = Vec::with_capacity(chosen.len());
        let mut missing: Vec<Missing> = Vec::new();
        for Candidate { name, dir, also, open, .. } in chosen {
            let opening = Opening {
                name: &name,
                dir: Place::new(self.run.root(), &dir),
                reading,
                by_group: self.selectors.iter().all(|one| one.suite != name || one.from_group),
                also: also.and_then(|name| self.variants.iter().position(|variant| variant.name == name)),
            };
            let Opened { suite, status, more, missing: lacking, warnings, not_understood } = open(&opening)?;
            notes.warnings.extend(warnings);
            notes.not_understood.extend(not_understood);
            missing.extend(lacking);
            let Some(kind) = suite else { continue };
            let of_suite = |(_, selector): &(usize, &Selector)| selector.suite == name;
            let filter = NameFilter::new(self.selectors.iter().enumerate().filter(of_suite));
            // A suite's own status file, with what its directory and the run put above it.
            let files = more.into_iter().map(Arc::new).chain(given.iter().map(Arc::clone));
            let layers = files.map(|file| Layer::new(&file, &name)).collect();
            suites.push(Suite { status: Expectations::new(status, layers), filter, kind, name });
        }
        if suites.is_empty() {
            return Err(OpenError::NothingBuilt {
                missing: missing.iter().map(Missing::to_string).collect(),
            });
        }
        for suite in &suites {
            notes.not_understood.extend_from_slice(suite.status.own().not_understood());
        }
        Ok(Found { suites, missing, given, variants: self.variants })
    }
}

/// The selected variants, in the order they run.
///
/// # Errors
/// A variant that is none, or more than can be told apart.
fn selected_variants(options: &Options, ground: &Ground) -> Result<Vec<Variant>, OpenError> {
    let restricted = is_restricted(&ground.build, options, ground.detected.dialect);
    let list = if restricted { Some(DEFAULT) } else { options.variants.as_deref() };
    let variants = ground.tables.select(list)?;
    if variants.len() > TestInstance::MAX_VARIANTS {
        return Err(OpenError::Option {
            option: "--variants",
            value: options.variants.clone().unwrap_or_default(),
            reason: format!("it means more than {} variants", TestInstance::MAX_VARIANTS),
        });
    }
    Ok(variants)
}

/// The selected variants, and behind them those that suites run in whether they were selected or not.
fn with_those_of_suites(selected: &[Variant], suites: &[Candidate<'_>], run: &RunFacts) -> Vec<Variant> {
    let mut variants = selected.to_vec();
    for name in suites.iter().filter_map(|suite| suite.also.as_ref()) {
        let known = run.tables.variants.iter().find(|variant| variant.name == *name);
        if let Some(variant) = known.filter(|variant| !variants.contains(variant)) {
            variants.push(variant.clone());
        }
    }
    variants
}

/// Whether a build runs in the default variant only. Whatever was asked for; but V8 3 to 5 let sanitizers' builds run
/// in variants that were named.
fn is_restricted(build: &Build, options: &Options, dialect: &Dialect) -> bool {
    let named = !matches!(options.variants.as_deref(), None | Some("exhaustive"));
    match dialect.layout {
        Layout::Configured | Layout::Bare => build.has(Property::Predictable) || build.has(Property::Msan),
        Layout::PerMode => {
            let sanitized = build.has(Property::Msan) || build.has(Property::Tsan);
            build.has(Property::Predictable) || !named && sanitized
        }
    }
}

fn names(variants: &[Variant]) -> Vec<&str> {
    variants.iter().map(|variant| variant.name.as_str()).collect()
}

/// `--expectations`
fn expectations(
    options: &Options,
    directories: &BTreeSet<String>,
    reading: Reading<'_>,
) -> Result<Vec<Arc<EntryFile>>, OpenError> {
    let suites: Vec<&str> = directories.iter().map(String::as_str).collect();
    let mut files = Vec::with_capacity(options.expectations.len());
    for path in &options.expectations {
        let path = options.root.join(path);
        let bytes = read(&path).map_err(|e| OpenError::Option {
            option: "--expectations",
            value: path.display().to_string(),
            reason: format!("cannot read it: {e}"),
        })?;
        let shown = path.strip_prefix(&options.root).unwrap_or(&path);
        files.push(Arc::new(given(shown, &String::from_utf8_lossy(&bytes), &suites, reading)?));
    }
    Ok(files)
}
