//! The history file of a run, and the configuration under which results are kept.

use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use flotilla_actors::Reporter;
use flotilla_actors::history::{DatabaseError, HistoryReader};
use flotilla_actors::run::history::{DurationEstimates, HistoryWriter, Kept};
use flotilla_messages::hash::{Fnv, hash};
use flotilla_messages::port::local::LONGEST_TEXT;
use flotilla_suites::{Description, Products};

use crate::runner::settings::Settings;

/// The name of the built-in shell in a description.
const BUILTIN: &str = "built-in shell";
/// How long a run waits at its end for its results to be written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The history of a run.
pub struct History {
    writer: HistoryWriter,
    configuration: String,
}

impl History {
    /// Starts to read the history. `None` if there is no place for one, or no thread can be started.
    pub fn open(products: &Products, root: &Path, settings: &Settings) -> Option<Self> {
        let descriptions = products.descriptions();
        let configuration = configuration(&descriptions, settings);
        let Some(path) = place(&descriptions, root) else {
            log::info!("no history is kept: there is neither a build nor a cache directory");
            return None;
        };
        log::info!("the history is {}, for {configuration}", path.display());
        let engines: Vec<&str> = descriptions.iter().map(|one| one.engine.as_str()).collect();
        let build = build(&engines.join(", "), root);
        match HistoryWriter::start(path, configuration.clone(), build) {
            Ok(writer) => Some(Self { writer, configuration }),
            Err(error) => {
                notice!("runner: no history is kept: no thread is left: {error}");
                None
            }
        }
    }

    /// The tests' durations in earlier runs.
    pub fn known(&self) -> DurationEstimates {
        self.writer.known()
    }

    /// Collects this run's durations for the daemon.
    pub fn tell(&self) {
        self.writer.tell();
    }

    /// The configuration under which results are kept.
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// The reporter that records the tests' results.
    pub fn recorder(&self) -> Box<dyn Reporter> {
        Box::new(self.writer.recorder())
    }

    /// Waits until the results are written, and prints the writer's messages.
    pub fn close(self) -> Kept {
        let kept = self.writer.end(CLOSE_TIMEOUT);
        for notice in &kept.notices {
            notice!("runner: {notice}");
        }
        kept
    }
}

/// The ids of the tests that failed or were flaky when they last ran in this configuration, according to this file.
/// `None` if no test ever ran in it.
///
/// # Errors
/// [`DatabaseError`].
pub fn failed_last(path: &Path, configuration: &str) -> Result<Option<Vec<String>>, DatabaseError> {
    let Some(reader) = HistoryReader::open(path)? else { return Ok(None) };
    let mut any = false;
    let failed = reader.tests(configuration, |_, record| {
        any = true;
        record.failed_last()
    })?;
    Ok(any.then(|| failed.into_iter().map(|kept| kept.id).collect()))
}

/// Where the history lies: in the build's directory, because results of one build do not hold for another. With several
/// builds, it lies beside them. A tree without a build is not written to; its history is in the user's cache directory.
pub fn place(descriptions: &[Description], root: &Path) -> Option<PathBuf> {
    let build = match descriptions {
        [one] => one.build_dir.as_deref(),
        several => several.first().and_then(|first| first.build_dir.as_deref()).and_then(Path::parent),
    };
    match build {
        Some(build) => Some(build.join(".flotilla/history.sqlite")),
        None => {
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            let key = hash(&root.to_string_lossy());
            Some(cache_directory()?.join(format!("history/{name}-{key:016x}.sqlite")))
        }
    }
}

/// A hash that identifies the engines' builds: size and time of the programs, and of the libraries and snapshots beside
/// them; 0 if a program cannot be found. It tells whether another engine may be the cause of a changed outcome.
fn build(engines: &str, root: &Path) -> u64 {
    let mut hash = Fnv::default();
    for engine in engines.split(", ") {
        let program = if engine == BUILTIN { std::env::current_exe().ok() } else { Some(root.join(engine)) };
        let Some(program) = program.filter(|program| program.is_file()) else { return 0 };
        let beside = program.parent().and_then(|directory| directory.read_dir().ok());
        let parts = beside.into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".bin") || name.ends_with(".dat") || name.contains(".so")
        });
        let mut parts: Vec<PathBuf> = parts.chain([program]).collect();
        parts.sort();
        for part in parts {
            let Ok(metadata) = part.metadata() else { continue };
            let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let time = modified.unwrap_or_default().as_nanos();
            hash.write(format!("{} {} {time};", part.display(), metadata.len()).as_bytes());
        }
    }
    hash.finish()
}

/// `$XDG_CACHE_HOME/flotilla`, else `~/.cache/flotilla`.
fn cache_directory() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?;
    Some(base.join("flotilla"))
}

/// The name of a configuration: architecture, mode, engine, and everything else that changes how a test runs. Variants
/// are part of a test's identity instead. The engine is the one that runs scripts, whichever suites are selected. Only
/// its name counts, not its path, so that trees can share durations through the daemon.
pub fn configuration(descriptions: &[Description], settings: &Settings) -> String {
    let one = |description: &Description| {
        let engine = description.main_engine.rsplit('/').next().unwrap_or_default();
        let detected = description.detected.iter().map(|word| format!(" {word}")).collect::<String>();
        format!("{} with {engine}{detected}", description.product())
    };
    let mut text = descriptions.iter().map(one).collect::<Vec<_>>().join("; ");
    let switches = [
        (settings.isolates, "--isolates"),
        (settings.gc_stress, "--gc-stress"),
        (settings.random_gc_stress, "--random-gc-stress"),
        (settings.no_harness, "--no-harness"),
    ];
    let switches = switches.into_iter().filter_map(|(on, name)| on.then_some(name.to_owned()));
    let prefix = settings.command_prefix.iter().filter(|prefix| !prefix.is_empty());
    let prefix = prefix.map(|prefix| format!("--command-prefix={prefix}"));
    for word in switches.chain(prefix).chain(settings.extra_flags.iter().cloned()) {
        text.push(' ');
        text.push_str(&word);
    }
    // The daemon accepts no longer texts.
    if text.len() > LONGEST_TEXT {
        let key = hash(&text);
        while text.len() > LONGEST_TEXT - 20 {
            text.pop();
        }
        text.push_str(&format!(" {key:016x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(engine: &str) -> Description {
        Description {
            build_dir: None,
            arch: "x64".into(),
            mode: "release".into(),
            detected: vec!["asan".into()],
            variants: vec!["default".into()],
            engine: engine.into(),
            main_engine: engine.into(),
            suites: Vec::new(),
            dialect: String::new(),
            assumed: false,
        }
    }

    #[test]
    fn configurations_differ_by_what_changes_tests() {
        let plain = Settings::default();
        let one = configuration(&[description("out/x64/d8")], &plain);
        assert_eq!(one, "x64.release with d8 asan");
        assert_eq!(one, configuration(&[description("out.gn/d8")], &plain));
        let more = Description { engine: "out/x64/d8, out/x64/cctest".into(), ..description("out/x64/d8") };
        assert_eq!(one, configuration(&[more], &plain), "whichever suites were asked for");
        let stressed =
            Settings { gc_stress: true, extra_flags: vec!["--jitless".into()], ..Settings::default() };
        assert_eq!(
            configuration(&[description("qjs")], &stressed),
            "x64.release with qjs asan --gc-stress --jitless"
        );
    }

    #[test]
    fn another_build_of_the_engine_is_told_from_the_same() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).unwrap();
        write("d8", "engine");
        let first = build("d8", root.path());
        write("results.json", "something else");
        assert_eq!(build("d8", root.path()), first);
        write("snapshot_blob.bin", "another one");
        assert_ne!(build("d8", root.path()), first);
        assert_eq!((build("d9", root.path()), build(BUILTIN, root.path()) == 0), (0, false));
    }

    #[test]
    fn long_configurations_are_cut_and_stay_different() {
        let with = |flags: String| {
            let settings = Settings { extra_flags: vec![flags], ..Settings::default() };
            configuration(&[description("d8")], &settings)
        };
        let (one, other) = (with("é".repeat(2000) + "1"), with("é".repeat(2000) + "2"));
        assert!(one.len() <= LONGEST_TEXT && one != other);
    }

    #[test]
    fn the_place_is_the_builds_or_one_of_the_users() {
        let root = Path::new("/home/me/test262");
        let built = |dir: &str| Description { build_dir: Some(dir.into()), ..description("d8") };
        let build = place(&[built("/v8/out/build")], root).unwrap();
        assert_eq!(build, Path::new("/v8/out/build/.flotilla/history.sqlite"));
        let both = place(&[built("/v8/out/x64.release"), built("/v8/out/x64.debug")], root).unwrap();
        assert_eq!(both, Path::new("/v8/out/.flotilla/history.sqlite"));
        let own = place(&[description("d8")], root).unwrap();
        assert!(own.file_name().unwrap().to_str().unwrap().starts_with("test262-"), "{own:?}");
        assert_ne!(own, place(&[description("d8")], Path::new("/home/you/test262")).unwrap());
    }
}
