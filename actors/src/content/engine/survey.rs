//! What engines need, at the client.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flotilla_messages::packet::Version;

use super::elf::{self, ElfError, Object};
use super::search::{self, Library, Search};
use super::version::numbered;

/// Parts of the C library, which belong to its loader: they cannot be sent without it.
const C_LIBRARY: [&str; 9] = [
    "libc.so.",
    "ld-linux",
    "ld64.so.",
    "libm.so.",
    "libpthread.so.",
    "libdl.so.",
    "librt.so.",
    "libresolv.so.",
    "libc.musl-",
];

/// What engines need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The highest version of each family that a library which is not sent along has to define.
    pub versions: Vec<Version>,
    /// The x86-64 level that any of the files says it needs; 0: none does.
    pub level: u8,
    /// Libraries to send along under these names, so that they are found before all others: they lie where no other
    /// machine can be expected to have them, and not beside the engine.
    pub libraries: BTreeMap<String, PathBuf>,
    /// The first engine that is no ELF program, such as a script: what it loads cannot be told.
    pub untold: Option<PathBuf>,
}

/// Why it cannot be told what engines need, or cannot be sent. Reads well after "cannot ".
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A program or library cannot be read.
    #[error(transparent)]
    Elf(#[from] ElfError),
    /// It runs with a C library that is not the system's.
    #[error("send {} with its own C library {}", engine.display(), library.display())]
    OwnCLibrary {
        /// What loads it.
        engine: PathBuf,
        /// The library.
        library: PathBuf,
    },
}

/// Reads these engines, by absolute paths, and what they load. `environment` is LD_LIBRARY_PATH. Blocks.
///
/// Not told are libraries that an engine loads by `dlopen`.
///
/// # Errors
/// [`SurveyError`].
pub fn survey(engines: &[PathBuf], environment: &[PathBuf]) -> Result<Survey, SurveyError> {
    let search = Search::here(environment.to_vec());
    let mut found = Survey::default();
    let mut versions = BTreeSet::new();
    // What is sent, by name: the loader takes one library of a name.
    let mut sent = BTreeSet::new();
    let mut open = Vec::new();
    for engine in engines {
        match elf::read(engine)? {
            // A program that is started by a link finds what lies beside itself, not beside the link.
            Some(object) => {
                let path = engine.canonicalize().unwrap_or_else(|_| engine.clone());
                open.push((path, object, Vec::new()));
            }
            None => found.untold = found.untold.or_else(|| Some(engine.clone())),
        }
    }
    let dirs: BTreeSet<_> = engines.iter().filter_map(|engine| engine.parent().map(Path::to_owned)).collect();
    while let Some((path, object, inherited)) = open.pop() {
        found.level = found.level.max(object.level);
        versions.extend(object.versions.iter().cloned());
        for name in &object.needed {
            // One that is missing here too, or named by a path, is the probe's matter.
            if name.contains('/') || sent.contains(name) {
                continue;
            }
            let Some(library) = search.find(name, &path, &object, &inherited) else { continue };
            if search::is_systems(&library.path) {
                continue;
            }
            if C_LIBRARY.iter().any(|part| name.starts_with(part)) {
                return Err(SurveyError::OwnCLibrary { engine: path, library: library.path });
            }
            sent.insert(name.clone());
            let Library { path: place, object: library, beside } = library;
            if !(beside && is_in(&place, &dirs)) {
                found.libraries.insert(name.clone(), place.clone());
            }
            open.push((place, library, passed_on(&inherited, &path, &object)));
        }
    }
    versions.retain(|version| !sent.contains(&version.library));
    found.versions = highest(versions);
    Ok(found)
}

/// Whether a library lies directly in one of these: it is sent with what else lies there.
fn is_in(library: &Path, dirs: &BTreeSet<PathBuf>) -> bool {
    let real = |dir: &Path| dir.canonicalize().ok();
    let dir = library.parent().and_then(real);
    dir.is_some() && dirs.iter().any(|known| real(known) == dir)
}

fn passed_on(inherited: &[PathBuf], path: &Path, object: &Object) -> Vec<PathBuf> {
    let mut given = search::given(path, object);
    given.extend_from_slice(inherited);
    given
}

/// Of each library and family the highest version.
fn highest(versions: BTreeSet<Version>) -> Vec<Version> {
    let mut highest: BTreeMap<(String, String), Version> = BTreeMap::new();
    for version in versions {
        let family = numbered(&version.name).map_or(version.name.as_str(), |(family, _)| family);
        let best =
            highest.entry((version.library.clone(), family.to_owned())).or_insert_with(|| version.clone());
        let numbers = |version: &Version| numbered(&version.name).map(|(_, numbers)| numbers);
        if numbers(best) < numbers(&version) {
            *best = version;
        }
    }
    highest.into_values().collect()
}
