//! Where the dynamic loader finds a library (ld.so(8)), but for its cache and for variants by processor.

use std::fs;
use std::path::{Path, PathBuf};

use super::elf::{self, Kind, Object};

/// Where systems keep libraries that other machines can be expected to have, or to name as missing.
const SYSTEM: [&str; 8] =
    ["/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32"];
/// Where the loader's own list of directories is.
const LIST: &str = "/etc/ld.so.conf";
/// Lists that name lists are read so deep.
const DEPTH: u32 = 4;

/// The directories outside of programs' own words.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    /// LD_LIBRARY_PATH.
    environment: Vec<PathBuf>,
    /// The system's.
    system: Vec<PathBuf>,
}

/// A library.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub path: PathBuf,
    pub object: Object,
    /// It is where the program that loads it says it is, relative to itself.
    pub beside: bool,
}

impl Search {
    /// This machine's, with these directories of the environment before the system's.
    pub(super) fn here(environment: Vec<PathBuf>) -> Self {
        let mut system = Vec::new();
        listed(Path::new(LIST), DEPTH, &mut system);
        // Multiarch directories, where there is no such list.
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        for dir in ["/lib", "/usr/lib"] {
            system.push(Path::new(dir).join(&triplet));
        }
        system.extend(["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].map(PathBuf::from));
        Self { environment, system }
    }

    /// The library of this name that a program or library at `path` loads; nothing if there is none of its kind.
    /// `inherited` are the directories that those who load it give it.
    pub(super) fn find(
        &self,
        name: &str,
        path: &Path,
        of: &Object,
        inherited: &[PathBuf],
    ) -> Option<Library> {
        let origin = path.parent().unwrap_or(Path::new("/"));
        let own = |words: &[String]| words.iter().map(|word| expand(word, origin)).collect::<Vec<_>>();
        let relative = |word: &String| word.contains("ORIGIN");
        let places = own(&of.rpath)
            .into_iter()
            .zip(of.rpath.iter().map(relative))
            .chain(inherited.iter().map(|dir| (dir.clone(), false)))
            .chain(self.environment.iter().map(|dir| (dir.clone(), false)))
            .chain(own(&of.runpath).into_iter().zip(of.runpath.iter().map(relative)))
            .chain(self.system.iter().map(|dir| (dir.clone(), false)));
        places.into_iter().find_map(|(dir, beside)| {
            let path = dir.join(name);
            let object = of_kind(&path, of.kind)?;
            Some(Library { path, object, beside })
        })
    }

    /// The system's library of this name.
    pub(super) fn of_system(&self, name: &str, kind: Kind) -> Option<Object> {
        self.system.iter().find_map(|dir| of_kind(&dir.join(name), kind))
    }
}

/// The directories that a program gives to what it loads.
pub(super) fn given(path: &Path, object: &Object) -> Vec<PathBuf> {
    let origin = path.parent().unwrap_or(Path::new("/"));
    object.rpath.iter().map(|word| expand(word, origin)).collect()
}

/// Whether a library lies where systems keep theirs.
pub(super) fn is_systems(path: &Path) -> bool {
    SYSTEM.iter().any(|dir| path.starts_with(dir))
}

fn of_kind(path: &Path, kind: Kind) -> Option<Object> {
    // What cannot be read is passed over by the loader too.
    let object = if path.is_file() { elf::read(path).ok().flatten() } else { None };
    object.filter(|object| object.kind == kind)
}

fn expand(word: &str, origin: &Path) -> PathBuf {
    let origin = origin.to_string_lossy();
    PathBuf::from(word.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
}

/// The directories that a list names, with those of the lists it includes (`include /etc/ld.so.conf.d/*.conf`).
fn listed(list: &Path, depth: u32, found: &mut Vec<PathBuf>) {
    let text = fs::read_to_string(list).unwrap_or_default();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include").filter(|rest| rest.starts_with([' ', '\t'])) {
            if depth > 0 {
                for list in included(Path::new(pattern.trim())) {
                    listed(&list, depth - 1, found);
                }
            }
        } else if line.starts_with('/') {
            found.push(line.into());
        }
    }
}

/// The files of a pattern whose only star is in the name, in their order.
fn included(pattern: &Path) -> Vec<PathBuf> {
    let pattern = Path::new("/etc").join(pattern);
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((before, after)) = name.split_once('*') else { return vec![pattern] };
    let dir = pattern.parent().unwrap_or(Path::new("/"));
    let mut found: Vec<_> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        })
        .collect();
    found.sort();
    found
}
