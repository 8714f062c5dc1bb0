//! What another machine needs of the tree to run its tests.

use std::fs;
use std::path::{Path, PathBuf};

use flotilla_messages::{Arg, Program};

use crate::tree::Tree;

/// What lies beside V8's engine and is loaded by it: snapshots, ICU's data, shared libraries of component builds.
const LOADED: [&str; 3] = ["bin", "dat", "so"];

/// The directory of the root in which things of other places appear on another machine.
pub const RESERVED: &str = ".flotilla";
/// A shell that does not end by itself unless a script says so: it is asked for its usage instead of being given an
/// empty one.
const WAITING_SHELL: &str = "inspector-test";
/// An empty script, wherever an engine runs.
const EMPTY: &str = "/dev/null";

/// What another machine needs to run the selected tests: paths relative to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Directories and files, with all that is below them.
    pub chosen: Vec<PathBuf>,
    /// The engines' files, which may be links: what they lead to is needed in their place.
    pub engines: Vec<PathBuf>,
    /// The same of engines that are no part of the tree.
    pub outside: Vec<Outside>,
    /// The engines themselves: absolute paths.
    pub programs: Vec<PathBuf>,
    /// Commands that show whether the engines run: their first words are paths relative to the root.
    pub probes: Vec<Vec<String>>,
    /// Whether any test needs another engine than the built-in shell.
    pub native: bool,
}

/// A file that is no part of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outside {
    /// Where it is.
    pub source: PathBuf,
    /// Where it appears on another machine, relative to the root: below [`RESERVED`].
    pub place: PathBuf,
}

/// Why the tests can run on this machine alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bound {
    /// The words before the command name programs of this machine.
    #[error("--command-prefix is for this machine")]
    Prefix,
    /// A suite is no part of the tree.
    #[error("the suite {0} lies outside the tree")]
    Suite(String),
    /// An engine has no place: it would be looked for in PATH.
    #[error("it is not known where the engine {0} is")]
    Engine(String),
}

impl Tree {
    /// What another machine needs to run the selected tests. Reads the engines' directories.
    ///
    /// The suites' directories with the files that the suites put before and behind each test; `mjsunit`, whose
    /// helpers other suites load by path; `tools`, whose scripts tests load; the engines with what they load. In a tree
    /// that is no V8 checkout, all of it but the build and what is hidden; in one of test262, the harness and the directories
    /// of the tests, where their fixtures are.
    ///
    /// # Errors
    /// [`Bound`] when something is only on this machine.
    pub fn inputs(&self) -> Result<Inputs, Bound> {
        let root = self.options.root.as_path();
        if !self.prefix.is_empty() {
            return Err(Bound::Prefix);
        }
        let mut inputs = Inputs::default();
        let mut dirs = Vec::new();
        for suite in &self.suites {
            let outside = || Bound::Suite(suite.rules.name.into());
            // A bare test262 is one suite whose directory is the root: its test directories are among the others.
            let dir = suite.dir.path().strip_prefix(root).map_err(|_| outside())?;
            if suite.host.is_none() {
                inputs.chosen.push(dir.to_owned());
                inputs.chosen.push(dir.with_file_name("mjsunit"));
            }
            if suite.host.is_some() {
                inputs.chosen.push("harness".into());
                inputs.chosen.extend(suite.filter.directories().map(|dir| Path::new("test").join(dir)));
            }
            for place in suite.test_dirs.iter().filter(|_| suite.host.is_none()) {
                inputs.chosen.push(place.path().strip_prefix(root).map_err(|_| outside())?.to_owned());
            }
            for file in suite.before.iter().chain(&suite.after) {
                if let Arg::Path(path) = file {
                    inputs.chosen.push(path.into());
                }
            }
            match &suite.program {
                Program::Builtin => {}
                Program::Shell(Arg::Path(engine)) => {
                    inputs.native = true;
                    let engine = Path::new(engine);
                    inputs.engines.extend(with_what_it_loads(root, engine));
                    inputs.add_program(root.join(engine), engine, suite.rules.shell);
                }
                Program::Shell(Arg::Text(engine)) if Path::new(engine).is_absolute() => {
                    inputs.native = true;
                    let engine = Path::new(engine);
                    let place = inputs.add_outside(engine, &mut dirs);
                    inputs.add_program(engine.to_owned(), &place, suite.rules.shell);
                }
                Program::Shell(engine) => return Err(Bound::Engine(engine.relative())),
            }
        }
        let is_bare = self.suites.iter().any(|suite| suite.host.is_some());
        if !is_bare {
            inputs.chosen.push("tools".into());
        }
        // A V8 checkout has gigabytes that no test reads. What tests load in another tree, nobody can say.
        if !root.join("tools/testrunner").is_dir() && !is_bare {
            inputs.chosen.extend(self.all_but_the_build());
        }
        inputs.chosen.sort();
        inputs.chosen.dedup();
        inputs.chosen.retain(|path| root.join(path).symlink_metadata().is_ok());
        inputs.engines.sort();
        inputs.engines.dedup();
        inputs.outside.sort();
        inputs.outside.dedup();
        Ok(inputs)
    }
}

impl Inputs {
    /// An engine, and how it shows that it runs. Several suites may have the same one.
    fn add_program(&mut self, path: PathBuf, place: &Path, shell: &str) {
        if self.programs.contains(&path) {
            return;
        }
        self.programs.push(path);
        // Whichever program stands in for d8 runs files.
        let is_waiting = shell == WAITING_SHELL;
        let word = if is_waiting { "--help" } else { EMPTY };
        self.probes.push(vec![place.to_string_lossy().into_owned(), word.to_owned()]);
    }

    /// An engine of another place, with what it loads; its place in the tree. Files of one directory stay together.
    fn add_outside(&mut self, engine: &Path, dirs: &mut Vec<PathBuf>) -> PathBuf {
        let dir = engine.parent().unwrap_or(Path::new("/"));
        let number = dirs.iter().position(|known| known == dir).unwrap_or_else(|| {
            dirs.push(dir.to_owned());
            dirs.len() - 1
        });
        let place = Path::new(RESERVED).join("engine").join(number.to_string());
        let name = engine.file_name().unwrap_or_default();
        for file in with_what_it_loads(dir, Path::new(name)) {
            self.outside.push(Outside { source: dir.join(&file), place: place.join(&file) });
        }
        place.join(name)
    }
}

impl Tree {
    /// The files and directories in the root, but for the build's and hidden ones.
    fn all_but_the_build(&self) -> impl Iterator<Item = PathBuf> {
        let root = self.options.root.as_path();
        let build = self.build.dir.as_deref().and_then(|dir| dir.strip_prefix(root).ok());
        let outdirs = [Some(self.options.outdir.as_path()), build];
        let first = |path: &Path| path.iter().next().map(std::ffi::OsStr::to_owned);
        let outdirs = outdirs.map(|dir| dir.and_then(first));
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        entries.filter_map(move |entry| {
            let name = entry.file_name();
            let kind = entry.file_type().ok()?;
            let hidden = name.as_encoded_bytes().starts_with(b".");
            let wanted =
                (kind.is_dir() || kind.is_file()) && !hidden && !outdirs.contains(&Some(name.clone()));
            wanted.then(|| name.into())
        })
    }
}

/// The engine and the files beside it that it loads, relative to the root.
fn with_what_it_loads(root: &Path, engine: &Path) -> Vec<PathBuf> {
    let dir = engine.parent().unwrap_or(Path::new(""));
    let loaded = |name: &Path| {
        let known = name.extension().is_some_and(|kind| LOADED.iter().any(|loaded| kind == *loaded));
        known || name.to_string_lossy().contains(".so.")
    };
    let beside = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
    let beside = beside
        .map(|entry| entry.file_name())
        .filter(|name| loaded(Path::new(name)) && root.join(dir).join(name).is_file())
        .map(|name| dir.join(name));
    std::iter::once(engine.to_owned()).chain(beside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Options, Shell};

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("test/mjsunit/mjsunit.status", "[]"),
            ("test/mjsunit/mjsunit.js", ""),
            ("test/webkit/webkit.status", "[]"),
            ("test/webkit/a.js", ""),
            ("tools/a.js", ""),
            ("lib/a.js", ""),
            (".hidden/a.js", ""),
            ("out/a.js", ""),
            ("bin/qjs", ""),
            ("bin/icudtl.dat", ""),
            ("bin/libv8.so.1", ""),
            ("bin/notes.txt", ""),
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn inputs(root: &Path, shell: Shell, command_prefix: &str) -> Result<Inputs, Bound> {
        let options = Options {
            root: root.to_owned(),
            tests: vec!["webkit".into()],
            shell,
            command_prefix: command_prefix.into(),
            ..Options::default()
        };
        Tree::open(options).unwrap().inputs()
    }

    fn paths(of: &[&str]) -> Vec<PathBuf> {
        of.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn what_tests_need_is_the_suite_its_helpers_and_the_engine_with_what_it_loads() {
        let root = tree();
        let found = inputs(root.path(), Shell::Path("bin/qjs".into()), "").unwrap();
        assert!(found.native);
        assert_eq!(found.engines, paths(&["bin/icudtl.dat", "bin/libv8.so.1", "bin/qjs"]));
        assert!(
            paths(&["test/mjsunit", "test/webkit", "tools"]).iter().all(|path| found.chosen.contains(path))
        );
        let has = |found: &Inputs, path: &str| found.chosen.contains(&path.into());
        assert!(has(&found, "lib") && !has(&found, ".hidden") && !has(&found, "out"), "{found:?}");
        fs::create_dir_all(root.path().join("tools/testrunner")).unwrap();
        let builtin = inputs(root.path(), Shell::Builtin, "").unwrap();
        assert!(!has(&builtin, "lib"), "a V8 checkout is large");
        assert!(!builtin.native && builtin.engines.is_empty() && builtin.probes.is_empty());
    }

    #[test]
    fn engines_outside_of_the_tree_get_a_place_in_it() {
        let (root, apart) = (tree(), tempfile::tempdir().unwrap());
        for file in ["qjs", "snapshot_blob.bin", "notes.txt"] {
            fs::write(apart.path().join(file), "").unwrap();
        }
        let qjs = apart.path().join("qjs");
        let found = inputs(root.path(), Shell::Path(qjs.clone()), "").unwrap();
        assert!(found.native && found.engines.is_empty());
        let placed = |name: &str| Outside {
            source: apart.path().join(name),
            place: Path::new(".flotilla/engine/0").join(name),
        };
        assert_eq!(found.outside, [placed("qjs"), placed("snapshot_blob.bin")]);
        assert_eq!(found.programs, [qjs]);
        assert_eq!(found.probes, [[".flotilla/engine/0/qjs", "/dev/null"]]);
    }

    #[test]
    fn each_engine_shows_that_it_runs_in_its_own_way() {
        let mut inputs = Inputs::default();
        for (path, shell) in
            [("/r/out/d8", "d8"), ("/r/out/d8", "d8"), ("/r/out/inspector-test", "inspector-test")]
        {
            let path = Path::new(path);
            inputs.add_program(path.to_owned(), path.strip_prefix("/r").unwrap(), shell);
        }
        assert_eq!(inputs.probes, [["out/d8", "/dev/null"], ["out/inspector-test", "--help"]]);
    }

    #[test]
    fn what_is_only_here_is_named() {
        let root = tree();
        let bound = |shell, prefix| inputs(root.path(), shell, prefix).unwrap_err();
        assert_eq!(bound(Shell::Builtin, "rr record"), Bound::Prefix);
    }
}
