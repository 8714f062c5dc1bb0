//! What another machine needs of the tree to run its tests.

use std::fs;
use std::path::{Path, PathBuf};

use flotilla_messages::{Arg, Program};

use crate::kind::{Bound, Engine, Needs};
use crate::plan::suite::Suite;
use crate::v8::dialect::SANITIZED;
use crate::v8::facts::{RunFacts, SYMBOLIZER};

/// What lies beside V8's engine and is loaded by it: snapshots, ICU's data, shared libraries of component builds.
const LOADED: [&str; 3] = ["bin", "dat", "so"];

/// The directory of the root in which things of other places appear on another machine.
pub const RESERVED: &str = ".flotilla";
/// Where engines of other places appear, below [`RESERVED`].
const ENGINES: &str = "engine";
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

/// What another machine needs to run the tests of these suites that were asked for. Reads the engines' directories.
///
/// # Errors
/// [`Bound`] when something is only on this machine.
pub fn inputs(run: &RunFacts, suites: &[Suite]) -> Result<Inputs, Bound> {
    let root = run.root();
    if !run.prefix.is_empty() {
        return Err(Bound::Prefix);
    }
    if run.options.coverage_dir.is_some() {
        return Err(Bound::Coverage);
    }
    let mut inputs = Inputs::default();
    let mut dirs = Vec::new();
    let mut may_need_more = false;
    for suite in suites {
        let Needs { paths, engines, native, rest } = suite.kind.needs(&suite.name, &suite.filter)?;
        inputs.chosen.extend(paths);
        inputs.native |= native;
        may_need_more |= rest;
        for engine in engines {
            inputs.add(&engine, root, &mut dirs)?;
        }
    }
    if may_need_more {
        inputs.chosen.push("tools".into());
    }
    if run.build.is(SANITIZED) {
        inputs.chosen.push(SYMBOLIZER.into());
    }
    // A V8 checkout has gigabytes that no test reads. What tests load in another tree, nobody can say.
    if !root.join("tools/testrunner").is_dir() && may_need_more {
        inputs.chosen.extend(all_but_the_build(run));
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

impl Inputs {
    /// Adds what another product needs. Engines outside of the tree get places that none of these has.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { chosen, engines, outside, programs, probes, native } = other;
        let number = |place: &Path| -> Option<usize> {
            let below = place.strip_prefix(Path::new(RESERVED).join(ENGINES)).ok()?;
            below.iter().next()?.to_str()?.parse().ok()
        };
        let first =
            self.outside.iter().filter_map(|known| number(&known.place)).max().map_or(0, |last| last + 1);
        // Files of one directory stay together, wherever that is.
        let moved = |place: &Path| -> PathBuf {
            let name = place.file_name().unwrap_or_default();
            let source = outside.iter().find(|outside| outside.place == place);
            let dir = source.and_then(|outside| outside.source.parent());
            let known = self.outside.iter().find(|known| dir.is_some() && known.source.parent() == dir);
            match (known.and_then(|known| known.place.parent()), number(place)) {
                (Some(known), _) => known.join(name),
                (None, Some(own)) => {
                    Path::new(RESERVED).join(ENGINES).join((first + own).to_string()).join(name)
                }
                (None, None) => place.to_owned(),
            }
        };
        let more: Vec<Outside> = outside
            .iter()
            .map(|outside| Outside { place: moved(&outside.place), source: outside.source.clone() })
            .collect();
        for mut probe in probes {
            if let Some(word) = probe.first_mut() {
                *word = moved(Path::new(word)).to_string_lossy().into_owned();
            }
            if !self.probes.contains(&probe) {
                self.probes.push(probe);
            }
        }
        self.outside.extend(more);
        self.chosen.extend(chosen);
        self.engines.extend(engines);
        for program in programs {
            if !self.programs.contains(&program) {
                self.programs.push(program);
            }
        }
        self.native |= native;
        for paths in [&mut self.chosen, &mut self.engines] {
            paths.sort();
            paths.dedup();
        }
        self.outside.sort();
        self.outside.dedup();
    }

    /// A program that a suite needs.
    fn add(&mut self, engine: &Engine, root: &Path, dirs: &mut Vec<PathBuf>) -> Result<(), Bound> {
        let (path, place) = match &engine.program {
            Program::Builtin => return Ok(()),
            Program::Shell(Arg::Path(engine)) => {
                let engine = Path::new(engine);
                self.engines.extend(with_what_it_loads(root, engine));
                (root.join(engine), engine.to_owned())
            }
            Program::Shell(Arg::Text(engine)) if Path::new(engine).is_absolute() => {
                let engine = Path::new(engine);
                (engine.to_owned(), self.add_outside(engine, dirs))
            }
            Program::Shell(engine) => return Err(Bound::Engine(engine.relative())),
        };
        self.native = true;
        self.add_program(path, &place, engine.probe);
        Ok(())
    }

    /// An engine, and how it shows that it runs. Several suites may have the same one.
    fn add_program(&mut self, path: PathBuf, place: &Path, probe: Option<&str>) {
        if self.programs.contains(&path) {
            return;
        }
        self.programs.push(path);
        self.probes.extend(probe.map(|word| vec![place.to_string_lossy().into_owned(), word.to_owned()]));
    }

    /// An engine of another place, with what it loads; its place in the tree. Files of one directory stay together.
    fn add_outside(&mut self, engine: &Path, dirs: &mut Vec<PathBuf>) -> PathBuf {
        let dir = engine.parent().unwrap_or(Path::new("/"));
        let number = dirs.iter().position(|known| known == dir).unwrap_or_else(|| {
            dirs.push(dir.to_owned());
            dirs.len() - 1
        });
        let place = Path::new(RESERVED).join(ENGINES).join(number.to_string());
        let name = engine.file_name().unwrap_or_default();
        for file in with_what_it_loads(dir, Path::new(name)) {
            self.outside.push(Outside { source: dir.join(&file), place: place.join(&file) });
        }
        place.join(name)
    }
}

/// The files and directories in the root, but for the build's and hidden ones.
fn all_but_the_build(run: &RunFacts) -> impl Iterator<Item = PathBuf> {
    let root = run.root();
    let build = run.build.dir.as_deref().and_then(|dir| dir.strip_prefix(root).ok());
    let outdirs = [Some(run.options.outdir.as_path()), build];
    let first = |path: &Path| path.iter().next().map(std::ffi::OsStr::to_owned);
    let outdirs = outdirs.map(|dir| dir.and_then(first));
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let name = entry.file_name();
        let kind = entry.file_type().ok()?;
        let hidden = name.as_encoded_bytes().starts_with(b".");
        let wanted = (kind.is_dir() || kind.is_file()) && !hidden && !outdirs.contains(&Some(name.clone()));
        wanted.then(|| name.into())
    })
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::kind::EMPTY;
    use crate::kit::options::{Options, Shell};
    use crate::plan::tree::Tree;

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
    fn products_share_what_is_the_same_and_keep_what_is_not() {
        let inputs = |engines: &[&str]| {
            let mut inputs = Inputs::default();
            let mut dirs = Vec::new();
            for engine in engines {
                let engine = Path::new(engine);
                let place = inputs.add_outside(engine, &mut dirs);
                inputs.add_program(engine.to_owned(), &place, Some(EMPTY));
            }
            inputs
        };
        let mut all = inputs(&["/a/d8"]);
        all.merge(inputs(&["/a/d8"]));
        assert_eq!(all, inputs(&["/a/d8"]));
        all.merge(inputs(&["/b/d8", "/a/inspector-test"]));
        let places: Vec<(&str, &str)> = all
            .outside
            .iter()
            .map(|outside| (outside.source.to_str().unwrap(), outside.place.to_str().unwrap()))
            .collect();
        let expected = [
            ("/a/d8", ".flotilla/engine/0/d8"),
            ("/a/inspector-test", ".flotilla/engine/0/inspector-test"),
            ("/b/d8", ".flotilla/engine/1/d8"),
        ];
        assert_eq!(places, expected);
        let probes: BTreeSet<&str> = all.probes.iter().map(|probe| probe[0].as_str()).collect();
        assert_eq!(probes, expected.map(|(_, place)| place).into_iter().collect::<BTreeSet<_>>());
        assert_eq!(all.programs, paths(&["/a/d8", "/b/d8", "/a/inspector-test"]));
    }

    #[test]
    fn each_engine_shows_that_it_runs_in_its_own_way() {
        let mut inputs = Inputs::default();
        for (path, word) in [("/r/out/d8", EMPTY), ("/r/out/d8", EMPTY), ("/r/out/inspector-test", "--help")]
        {
            let path = Path::new(path);
            inputs.add_program(path.to_owned(), path.strip_prefix("/r").unwrap(), Some(word));
        }
        inputs.add_program("/r/other".into(), Path::new("other"), None);
        assert_eq!(inputs.probes, [["out/d8", "/dev/null"], ["out/inspector-test", "--help"]]);
        assert_eq!(inputs.programs.len(), 3);
    }

    #[test]
    fn what_is_only_here_is_named() {
        let root = tree();
        let bound = |shell, prefix| inputs(root.path(), shell, prefix).unwrap_err();
        assert_eq!(bound(Shell::Builtin, "rr record"), Bound::Prefix);
    }

    fn own(root: &Path, suite: &str, toml: &str, shell: Shell) -> Result<Inputs, Bound> {
        fs::create_dir_all(root.join("test").join(suite)).unwrap();
        fs::create_dir_all(root.join("tools/testrunner")).unwrap();
        fs::write(root.join("test").join(suite).join("suite.toml"), toml).unwrap();
        fs::write(root.join("test").join(suite).join("a.js"), "").unwrap();
        let options =
            Options { root: root.to_owned(), tests: vec![suite.into()], shell, ..Options::default() };
        Tree::open(options).unwrap().inputs()
    }

    #[test]
    fn own_suites_need_what_they_name() {
        let root = tree();
        let files = "kind = 'files'\nfiles = '*.js'\ndir = '../own'\ninputs = ['lib', 'none']\n";
        let found = own(root.path(), "own", files, Shell::Builtin).unwrap();
        assert!(!found.native);
        assert_eq!(found.chosen, paths(&["lib", "test/mjsunit", "test/own", "tools"]));
        // The engine shows that it runs, other programs are not asked.
        let found = own(root.path(), "own", files, Shell::Path("bin/qjs".into())).unwrap();
        assert_eq!(found.probes, [["bin/qjs", "/dev/null"]]);
        let with =
            |command: &str| format!("kind = 'files'\nfiles = '*.js'\ncommand = '{command} {{file}}'\n");
        let found = own(root.path(), "own", &with("bin/qjs"), Shell::Builtin).unwrap();
        assert!(found.native && found.probes.is_empty());
        assert_eq!(found.engines, paths(&["bin/icudtl.dat", "bin/libv8.so.1", "bin/qjs"]));
        let found =
            own(root.path(), "own", &with("lib/a.js {shell}"), Shell::Path("bin/qjs".into())).unwrap();
        assert_eq!(found.programs, [root.path().join("lib/a.js"), root.path().join("bin/qjs")]);
        assert_eq!(found.probes, [["bin/qjs", "/dev/null"]]);
        // Tests that are programs.
        let itself = "kind = 'files'\nfiles = '*.js'\ncommand = '{file}'\n";
        let found = own(root.path(), "own", itself, Shell::Builtin).unwrap();
        assert!(found.native && found.engines.is_empty() && found.programs.is_empty());
        // What is told of an engine of another place would be wrong there.
        let bound = own(root.path(), "own", &with("lib/a.js {shell}"), Shell::Path("/opt/js".into()));
        assert_eq!(bound.unwrap_err(), Bound::Argument("/opt/js".into()));
    }

    /// The directory of the build was taken for the fuzzers' engine, and the fuzzers were not sent.
    #[test]
    fn fuzzers_are_sent_and_the_whole_build_is_not() {
        let root = tree();
        for file in [
            "test/fuzzer/fuzzer.status",
            "test/fuzzer/json/a",
            "test/debugging/debugging.status",
            "test/debugging/a.py",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "[]").unwrap();
        }
        let inputs = |suite: &str| {
            let options = Options {
                root: root.path().to_owned(),
                tests: vec![suite.into()],
                shell_dir: Some("bin".into()),
                ..Options::default()
            };
            Tree::open(options).unwrap().inputs().unwrap()
        };
        let beside = |engine: &str| paths(&["bin/icudtl.dat", "bin/libv8.so.1", engine]);
        assert_eq!(inputs("fuzzer").engines, beside("bin/v8_simple_json_fuzzer"));
        // The scripts run d8; their interpreter stays here.
        let mut found = inputs("debugging").engines;
        found.sort();
        let mut expected = beside("bin/d8");
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_binary_that_lists_its_tests_is_not_made_to_run_them() {
        use std::os::unix::fs::PermissionsExt;
        let root = tree();
        let units = root.path().join("bin/units");
        fs::write(&units, "#!/bin/sh\nprintf 'A.\\n  a\\n'\n").unwrap();
        fs::set_permissions(&units, fs::Permissions::from_mode(0o755)).unwrap();
        let toml = "kind = 'gtest'\nprogram = '{root}/bin/units'\n";
        let found = own(root.path(), "own", toml, Shell::Builtin).unwrap();
        assert_eq!(found.probes, [["bin/units", "--gtest_list_tests"]]);
    }
}
