//! Where the build is.

use std::io;
use std::path::{Path, PathBuf};

use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::syntax::read::read;
use crate::v8::mode::classic_mode;

/// What says what a build is.
const CONFIG_FILE: &str = "v8_build_config.json";
/// Where V8's developers have their builds, one directory each: by `tools/dev/gm.py`, and by `gn` alone.
const BUILDS: [&str; 2] = ["out", "out.gn"];

/// A build's configuration.
#[derive(Debug)]
pub struct LocatedBuild {
    /// The build's directory.
    pub dir: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The build that the options mean: in `--outdir` or its `build`, where V8's runner looks; in `OUTDIR/ARCH.MODE`, if both
/// are given; and without `--outdir`, the only one there is in `out/*/` and `out.gn/*/`.
///
/// # Errors
/// A configuration that cannot be read; several builds of which none is chosen.
pub fn find(options: &Options) -> Result<Option<LocatedBuild>, OpenError> {
    let outdir = options.root.join(&options.outdir);
    let mut candidates = vec![outdir.clone()];
    if outdir.file_name().is_none_or(|name| name != "build") {
        candidates.push(outdir.join("build"));
    }
    if let (Some(arch), Some(mode)) = (&options.arch, &options.mode) {
        candidates.push(outdir.join(format!("{arch}.{mode}")));
    }
    for dir in candidates {
        if let Some(found) = in_directory(dir)? {
            return Ok(Some(found));
        }
    }
    if options.outdir != Options::default().outdir {
        return Ok(None);
    }
    match among(&options.root, options) {
        Chosen::One(dir) => in_directory(dir),
        Chosen::None => Ok(None),
        Chosen::Several(found) => Err(OpenError::SeveralBuilds { found }),
    }
}

/// The configuration of the build that the options mean, if there is just one and it can be read; for those who only want
/// a look at it.
pub fn config_of(options: &Options) -> Option<Vec<u8>> {
    find(options).ok().flatten().map(|found| found.bytes)
}

/// The build in `dir`, if it says what it is.
pub fn in_directory(dir: PathBuf) -> Result<Option<LocatedBuild>, OpenError> {
    let file = dir.join(CONFIG_FILE);
    match read(&file) {
        Ok(bytes) => Ok(Some(LocatedBuild { dir, file, bytes })),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(OpenError::Read { path: file, source }),
    }
}

enum Chosen {
    None,
    One(PathBuf),
    /// As seen from the root.
    Several(Vec<String>),
}

/// The builds in directories of their own, as seen from the root, in order.
pub fn builds(root: &Path) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for place in BUILDS {
        let entries = std::fs::read_dir(root.join(place)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        found.extend(
            names
                .map(|name| format!("{place}/{name}"))
                .filter(|dir| root.join(dir).join(CONFIG_FILE).is_file()),
        );
    }
    found.sort_unstable();
    found
}

/// The build that is meant where no directory was named. `--arch` and `--mode` choose among several by name, as in
/// `x64.release`.
fn among(root: &Path, options: &Options) -> Chosen {
    let mut found = builds(root);
    if found.len() > 1 && (options.arch.is_some() || options.mode.is_some()) {
        let fitting: Vec<String> = found.iter().filter(|dir| fits(dir, options)).cloned().collect();
        if fitting.len() == 1 {
            found = fitting;
        }
    }
    match found.as_slice() {
        [] => Chosen::None,
        [dir] => Chosen::One(root.join(dir)),
        _ => Chosen::Several(found),
    }
}

/// Whether a directory is called `ARCH.MODE` of the options, as far as they say.
fn fits(dir: &str, options: &Options) -> bool {
    let name = dir.rsplit('/').next().unwrap_or_default();
    let Some((arch, mode)) = name.split_once('.') else { return false };
    options.arch.as_deref().is_none_or(|wanted| wanted == arch)
        && options.mode.as_deref().is_none_or(|wanted| wanted == mode)
}

/// Builds of classic trees, which only their directory's name describes: those in `outdir` called `ARCH.MODE`, in order.
pub fn classic(outdir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(outdir).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.split_once('.').is_some_and(|(_, mode)| classic_mode(mode).is_ok()))
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(builds: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for dir in builds {
            fs::create_dir_all(root.path().join(dir)).unwrap();
            fs::write(root.path().join(dir).join(CONFIG_FILE), dir).unwrap();
        }
        root
    }

    /// The build that is found, as seen from the root.
    fn found(builds: &[&str], change: impl FnOnce(&mut Options)) -> Result<Option<String>, String> {
        let root = tree(builds);
        let mut options = Options { root: root.path().into(), ..Options::default() };
        change(&mut options);
        let found = find(&options).map_err(|error| error.to_string())?;
        Ok(found.map(|found| {
            assert_eq!(found.file, found.dir.join(CONFIG_FILE));
            String::from_utf8(found.bytes).unwrap()
        }))
    }

    fn is(found: Result<Option<String>, String>, dir: &str) {
        assert_eq!(found, Ok(Some(dir.into())));
    }

    #[test]
    fn the_only_build_is_found_wherever_developers_have_it() {
        is(found(&["out/x64.release"], |_| ()), "out/x64.release");
        is(found(&["out.gn/mine"], |_| ()), "out.gn/mine");
        assert_eq!(found(&["elsewhere/x64.release"], |_| ()), Ok(None));
        assert_eq!(found(&[], |_| ()), Ok(None));
    }

    #[test]
    fn where_v8_looks_comes_first() {
        is(found(&["out", "out/build", "out/x64.release"], |_| ()), "out");
        is(found(&["out/build", "out/x64.release"], |_| ()), "out/build");
    }

    #[test]
    fn of_several_builds_options_choose_one() {
        let builds = ["out/x64.release", "out/x64.debug", "out/ia32.release", "out.gn/mine"];
        let refused = found(&builds, |_| ()).unwrap_err();
        assert!(
            refused.contains("out.gn/mine out/ia32.release out/x64.debug out/x64.release")
                && refused.contains("--outdir"),
            "{refused}"
        );
        is(found(&builds, |options| options.mode = Some("debug".into())), "out/x64.debug");
        is(found(&builds, |options| options.arch = Some("ia32".into())), "out/ia32.release");
        assert!(found(&builds, |options| options.arch = Some("x64".into())).is_err());
        is(found(&builds, |options| options.outdir = "out.gn/mine".into()), "out.gn/mine");
        assert_eq!(found(&builds, |options| options.outdir = "elsewhere".into()), Ok(None));
        let both = |options: &mut Options| {
            (options.arch, options.mode) = (Some("x64".into()), Some("release".into()));
        };
        is(found(&builds, both), "out/x64.release");
    }
}
