//! Options for runs of a special kind: each test many times, under a tool, for its coverage or its expected output.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use flotilla_suites::Repeats;

/// Runs a command under Valgrind and fails where it leaks (V8 3 to 6).
const RUN_VALGRIND: &str = "tools/run-valgrind.py";

options! {
    /// The options.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "Special runs")]
    pub struct Special {
        /// Run each test so often, and say at the end which failed how often; no number of failures ends such a run, unless
        /// --exit-after-n-failures says so.
        [harmless] #[arg(long, value_name = "N", conflicts_with = "random_seed_stress_count")]
        stress: Option<NonZeroU32>,
        /// Run each test so often, with a seed of its own each time, or with that of --random-seed each time if it is given; 0:
        /// until the run is ended.
        [harmless] #[arg(long, value_name = "N")]
        random_seed_stress_count: Option<u32>,
        /// Run each test through tools/run-valgrind.py.
        [program] #[arg(long)]
        valgrind: bool,
        /// Let the sanitizers of the build collect coverage in this directory.
        [path] #[arg(long, value_name = "DIR")]
        sancov_dir: Option<PathBuf>,
        /// Write what tests print to the files it is compared with, where it is not what they say.
        [path] #[arg(long)]
        pub regenerate_expected_files: bool,
    }
}

/// Why a run of this kind cannot be.
#[derive(Debug, thiserror::Error)]
pub enum SpecialError {
    /// The tree has no script for it.
    #[error(
        "the tree has no {RUN_VALGRIND} for --valgrind; --command-prefix='valgrind --error-exitcode=1' does \
         without"
    )]
    Valgrind,
    /// Neither `python` nor its like is in PATH.
    #[error("there is no Python in PATH to run {RUN_VALGRIND}")]
    Python,
    /// There must be a directory.
    #[error("the directory {} of --sancov-dir does not exist", .0.display())]
    CoverageDir(PathBuf),
}

impl Special {
    /// How often each test runs. `seed`: what `--random-seed` says; 0 is as good as nothing. A given one is for all runs (V8
    /// 13.8 testproc/seed.py): who looks for the change that made a test flaky tries one seed again and again.
    pub fn repeats(&self, seed: Option<i32>) -> Repeats {
        let several = |count: NonZeroU32| count.get() > 1;
        let seeds = self.random_seed_stress_count.map(NonZeroU32::new);
        let given = seed.is_some_and(|seed| seed != 0);
        match (self.stress.filter(|count| several(*count)), seeds) {
            (Some(count), _) => Repeats::Same(count),
            (None, Some(None)) if given => Repeats::EndlessSame,
            (None, Some(None)) => Repeats::Endless,
            (None, Some(Some(count))) if several(count) && given => Repeats::Same(count),
            (None, Some(Some(count))) if several(count) => Repeats::Seeds(count),
            (None, _) => Repeats::Once,
        }
    }

    /// Whether each test runs several times for the count of its failures (`--stress`).
    pub fn is_stress(&self) -> bool {
        self.stress.is_some_and(|count| count.get() > 1)
    }

    /// The words before each command: those that were asked for, behind Valgrind's.
    ///
    /// # Errors
    /// [`SpecialError`] where the script or what runs it is missing.
    pub fn command_prefix(
        &self,
        root: &Path,
        prefix: Option<String>,
    ) -> Result<Option<String>, SpecialError> {
        if !self.valgrind {
            return Ok(prefix);
        }
        if !root.join(RUN_VALGRIND).is_file() {
            return Err(SpecialError::Valgrind);
        }
        let in_path = |name: &&str| which::which(name).is_ok();
        // The name V8 calls it by comes first.
        let python =
            ["python", "python2", "python3"].into_iter().find(in_path).ok_or(SpecialError::Python)?;
        Ok(Some(format!("{python} -u {RUN_VALGRIND} {}", prefix.unwrap_or_default())))
    }

    /// Where coverage is collected: an absolute path.
    ///
    /// # Errors
    /// [`SpecialError::CoverageDir`]
    pub fn coverage_dir(&self) -> Result<Option<PathBuf>, SpecialError> {
        let Some(dir) = &self.sancov_dir else { return Ok(None) };
        match dir.canonicalize() {
            Ok(found) if found.is_dir() => Ok(Some(found)),
            _ => Err(SpecialError::CoverageDir(dir.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_say_how_often_tests_run() {
        let stress = |count| Special { stress: NonZeroU32::new(count), ..Special::default() }.repeats(None);
        let seeds = |count, seed| {
            Special { random_seed_stress_count: Some(count), ..Special::default() }.repeats(seed)
        };
        let times = |count| NonZeroU32::new(count).unwrap();
        assert_eq!(Special::default().repeats(Some(7)), Repeats::Once);
        assert_eq!((stress(1), stress(5)), (Repeats::Once, Repeats::Same(times(5))));
        for seed in [None, Some(0)] {
            assert_eq!((seeds(0, seed), seeds(1, seed)), (Repeats::Endless, Repeats::Once));
            assert_eq!(seeds(3, seed), Repeats::Seeds(times(3)));
        }
        assert_eq!((seeds(0, Some(7)), seeds(1, Some(7))), (Repeats::EndlessSame, Repeats::Once));
        assert_eq!(seeds(3, Some(-7)), Repeats::Same(times(3)));
    }

    #[test]
    fn valgrind_comes_before_other_words_where_the_tree_has_its_script() {
        let root = tempfile::tempdir().unwrap();
        let special = Special { valgrind: true, ..Special::default() };
        let refused = special.command_prefix(root.path(), None).unwrap_err();
        assert!(refused.to_string().contains("--command-prefix="), "{refused}");
        std::fs::create_dir(root.path().join("tools")).unwrap();
        std::fs::write(root.path().join(RUN_VALGRIND), "").unwrap();
        match special.command_prefix(root.path(), Some("nice".into())) {
            Ok(words) => assert!(words.unwrap().ends_with(" -u tools/run-valgrind.py nice")),
            Err(error) => assert!(matches!(error, SpecialError::Python)),
        }
        let plain = Special::default().command_prefix(root.path(), Some("nice".into())).unwrap();
        assert_eq!(plain.as_deref(), Some("nice"));
    }

    #[test]
    fn coverage_needs_a_directory() {
        let dir =
            |path: &Path| Special { sancov_dir: Some(path.into()), ..Special::default() }.coverage_dir();
        let there = tempfile::tempdir().unwrap();
        assert_eq!(dir(there.path()).unwrap(), Some(there.path().canonicalize().unwrap()));
        assert!(dir(&there.path().join("no")).unwrap_err().to_string().contains("does not exist"));
    }
}
