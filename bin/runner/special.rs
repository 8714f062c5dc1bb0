//! Options for special runs: each test many times, under Valgrind, for coverage, or to write expected outputs anew.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use flotilla_suites::Repeats;

/// V8's script that runs a command under Valgrind and fails on leaks (V8 3 to 6).
const RUN_VALGRIND: &str = "tools/run-valgrind.py";

options! {
    /// Options for special runs.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "Special runs")]
    pub struct Special {
        /// Run each test N times, and print at the end which tests failed how often. Failures do not end such a run, unless
        /// --exit-after-n-failures is given.
        [harmless] #[arg(long, value_name = "N", conflicts_with = "random_seed_stress_count")]
        stress: Option<NonZeroU32>,
        /// Run each test N times, each time with another seed, or always with that of --random-seed if it is given; 0: until
        /// the run is ended.
        [harmless] #[arg(long, value_name = "N")]
        random_seed_stress_count: Option<u32>,
        /// Run each test through tools/run-valgrind.py.
        [program] #[arg(long)]
        valgrind: bool,
        /// Have the build's sanitizers write coverage to this directory.
        [path] #[arg(long, value_name = "DIR")]
        sancov_dir: Option<PathBuf>,
        /// Overwrite expected files that differ from what their tests print.
        [path] #[arg(long)]
        pub regenerate_expected_files: bool,
    }
}

/// Why a special run is not possible.
#[derive(Debug, thiserror::Error)]
pub enum SpecialError {
    /// The tree has no script for Valgrind.
    #[error(
        "the tree has no {RUN_VALGRIND} for --valgrind; --command-prefix='valgrind --error-exitcode=1' does \
         without"
    )]
    Valgrind,
    /// PATH has no `python`, `python2` or `python3`.
    #[error("there is no Python in PATH to run {RUN_VALGRIND}")]
    Python,
    /// The directory for coverage does not exist.
    #[error("the directory {} of --sancov-dir does not exist", .0.display())]
    CoverageDir(PathBuf),
}

impl Special {
    /// How often each test runs. `seed` is that of `--random-seed`; 0 counts as not given. A given seed is used for all
    /// runs (V8 13.8 testproc/seed.py), so that one can bisect a flaky test with the same seed.
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

    /// Whether each test runs several times to count its failures (`--stress`).
    pub fn is_stress(&self) -> bool {
        self.stress.is_some_and(|count| count.get() > 1)
    }

    /// The words before each command: Valgrind's script, then `prefix`.
    ///
    /// # Errors
    /// [`SpecialError`] if the script or Python is missing.
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
        // V8 calls it `python`, so that name comes first.
        let python =
            ["python", "python2", "python3"].into_iter().find(in_path).ok_or(SpecialError::Python)?;
        Ok(Some(format!("{python} -u {RUN_VALGRIND} {}", prefix.unwrap_or_default())))
    }

    /// The directory for coverage, as an absolute path.
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
