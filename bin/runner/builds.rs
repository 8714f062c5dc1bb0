//! The builds that a run tests: one, or one for each requested architecture and mode.

use std::path::{Path, PathBuf};

use clap::Args;
use flotilla_suites::{Options, Shell, Tree, host_arch};

use crate::runner::settings::Settings;

/// Where V8's `gn` puts builds (V8 9.2 `base_runner.py`).
const OUT_GN: &str = "out.gn";
/// Where builds are by default.
const OUT: &str = "out";
/// The file that describes a build.
const CONFIG: &str = "v8_build_config.json";

options! {
    /// Options that choose builds, besides `--outdir`, `--arch` and `--mode`.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "The tree")]
    pub struct Builds {
        /// Architectures with their modes, separated by commas, such as x64.release,ia32.debug.
        [harmless] #[arg(long, value_name = "ARCH.MODE", conflicts_with_all = ["arch", "mode"])]
        arch_and_mode: Option<String>,
        /// Use the newest build in out.gn.
        [harmless] #[arg(long, conflicts_with_all = ["outdir", "buildbot"])]
        gn: bool,
        /// The builds are in OUTDIR/MODE, with MODE as typed (Release), as on V8's bots.
        [harmless] #[arg(long)]
        buildbot: bool,
    }
}

/// Why the requested builds cannot be chosen.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum BuildsError {
    /// A value of `--arch-and-mode` is not like x64.release.
    #[error("the value '{0}' of --arch-and-mode cannot be used: it should be like x64.release")]
    ArchAndMode(String),
    /// A list with nothing between two commas.
    #[error("the value '{value}' of {option} cannot be used: a name is missing")]
    Empty {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// `--buildbot` without a name for the directory.
    #[error("--buildbot needs --mode: it names the directory")]
    NoMode,
    /// `--gn`, but the directory has no build.
    #[error("there is no build in {} (--gn)", .0.display())]
    NoGn(PathBuf),
    /// One of several products has no build.
    #[error("there is no build for {product} in {}", .outdir.display())]
    Missing {
        /// Its label, such as x64.release.
        product: String,
        /// The directory where it should be.
        outdir: PathBuf,
    },
}

/// The options that choose one build to test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    arch: Option<String>,
    mode: Option<String>,
    outdir: Option<PathBuf>,
    shell_dir: Option<PathBuf>,
}

impl Choice {
    /// The options of this build's tree.
    pub fn apply(&self, options: &Options) -> Options {
        Options {
            arch: self.arch.clone(),
            mode: self.mode.clone(),
            outdir: self.outdir.clone().unwrap_or_else(|| options.outdir.clone()),
            shell_dir: self.shell_dir.clone().or_else(|| options.shell_dir.clone()),
            ..options.clone()
        }
    }

    /// Its name in messages.
    pub fn label(&self) -> String {
        let words = [self.arch.as_deref(), self.mode.as_deref()];
        let label = words.into_iter().flatten().collect::<Vec<_>>().join(".");
        match &self.outdir {
            Some(outdir) if label.is_empty() => outdir.display().to_string(),
            _ => label,
        }
    }
}

impl Builds {
    /// Whether any of these options was given.
    pub fn any(&self) -> bool {
        self.arch_and_mode.is_some() || self.gn || self.buildbot
    }

    /// The builds to test, in V8's order: all modes of the first architecture, then those of the second.
    ///
    /// # Errors
    /// [`BuildsError`] for invalid values, and for `--gn` if there is no build.
    pub fn choose(&self, settings: &Settings, root: &Path) -> Result<Vec<Choice>, BuildsError> {
        let outdirs = match self.gn {
            true => vec![Some(latest(&root.join(OUT_GN))?)],
            false => outdirs(settings.outdir.as_deref(), root)?,
        };
        let pairs: Vec<(Option<String>, Option<String>)> = match &self.arch_and_mode {
            Some(pairs) => pairs
                .split(',')
                .map(|pair| match pair.split_once('.') {
                    Some((arch, mode)) if !arch.is_empty() && !mode.is_empty() => {
                        Ok((Some(arch.to_owned()), Some(mode.to_owned())))
                    }
                    _ => Err(BuildsError::ArchAndMode(pairs.clone())),
                })
                .collect::<Result<_, _>>()?,
            None => {
                let archs = list("--arch", settings.arch.as_deref())?;
                let modes = list("--mode", settings.mode.as_deref())?;
                archs.iter().flat_map(|arch| modes.iter().map(|mode| (arch.clone(), mode.clone()))).collect()
            }
        };
        if self.buildbot && pairs.iter().any(|(_, mode)| mode.is_none()) {
            return Err(BuildsError::NoMode);
        }
        let choice = |outdir: &Option<PathBuf>, (arch, mode): (Option<String>, Option<String>)| {
            let mut choice = Choice {
                arch: arch.map(resolved_arch),
                mode: mode.as_deref().map(plain_mode),
                outdir: outdir.clone(),
                shell_dir: None,
            };
            if let Some(folder) = mode.filter(|_| !self.gn) {
                let dir = outdir.as_deref().unwrap_or(Path::new(OUT)).join(folder);
                // A configured build is found without --buildbot (as in V8 7.0 to 8).
                match root.join(&dir).join(CONFIG).is_file() {
                    true => choice.outdir = Some(dir),
                    false if self.buildbot => choice.shell_dir = Some(dir),
                    false => {}
                }
            }
            choice
        };
        let of_outdir = |outdir| pairs.iter().map(move |pair| choice(outdir, pair.clone()));
        Ok(outdirs.iter().flat_map(of_outdir).collect())
    }
}

/// Checks that a build exists, if several were chosen: the built-in shell does not replace any of them.
///
/// # Errors
/// [`BuildsError::Missing`], with the build's label.
pub fn check(choice: &Choice, tree: &Tree, options: &Options) -> Result<(), BuildsError> {
    let anywhere = options.shell != Shell::FromTree || options.shell_dir.is_some();
    if anywhere || tree.description().build_dir.is_some() {
        return Ok(());
    }
    Err(BuildsError::Missing { product: choice.label(), outdir: options.root.join(&options.outdir) })
}

/// The names of a comma-separated list; one `None` if there is no list.
fn list(option: &'static str, value: Option<&str>) -> Result<Vec<Option<String>>, BuildsError> {
    let Some(value) = value else { return Ok(vec![None]) };
    let names: Vec<&str> = value.split(',').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Err(BuildsError::Empty { option, value: value.to_owned() });
    }
    Ok(names.into_iter().map(|name| Some(name.to_owned())).collect())
}

/// The directories of a comma-separated list; a directory whose own name has commas counts as one.
fn outdirs(value: Option<&Path>, root: &Path) -> Result<Vec<Option<PathBuf>>, BuildsError> {
    let Some(value) = value else { return Ok(vec![None]) };
    match value.to_str() {
        Some(text) if text.contains(',') && !root.join(value).is_dir() => {
            let names = list("--outdir", Some(text))?;
            Ok(names.into_iter().map(|name| name.map(PathBuf::from)).collect())
        }
        _ => Ok(vec![Some(value.to_owned())]),
    }
}

/// `auto` and `native` mean this host's architecture (V8 5.4 `run-tests.py`).
fn resolved_arch(arch: String) -> String {
    if matches!(arch.as_str(), "auto" | "native") { host_arch().to_owned() } else { arch }
}

/// Maps the modes of bots, Release_x64 and Debug, to release and debug (V8 5.4 `BuildbotToV8Mode`).
fn plain_mode(mode: &str) -> String {
    mode.strip_suffix("_x64").unwrap_or(mode).to_lowercase()
}

/// The most recently changed directory in `dir`.
fn latest(dir: &Path) -> Result<PathBuf, BuildsError> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let built = entries.filter_map(|entry| {
        let found = std::fs::metadata(entry.path()).ok().filter(std::fs::Metadata::is_dir)?;
        Some((found.modified().ok()?, entry.file_name()))
    });
    let (_, name) = built.max().ok_or_else(|| BuildsError::NoGn(dir.to_owned()))?;
    Ok(Path::new(OUT_GN).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(builds: &Builds, arch: Option<&str>, mode: Option<&str>) -> Vec<String> {
        let settings =
            Settings { arch: arch.map(Into::into), mode: mode.map(Into::into), ..Settings::default() };
        let chosen = builds.choose(&settings, Path::new("/v8")).unwrap();
        chosen.iter().map(Choice::label).collect()
    }

    #[test]
    fn each_architecture_comes_with_each_mode() {
        let plain = Builds::default();
        assert_eq!(labels(&plain, None, None), [""]);
        assert_eq!(labels(&plain, Some("x64"), None), ["x64"]);
        assert_eq!(
            labels(&plain, Some("ia32,x64"), Some("release,debug")),
            ["ia32.release", "ia32.debug", "x64.release", "x64.debug"]
        );
        assert_eq!(labels(&plain, Some("native"), Some("Debug_x64")), [format!("{}.debug", host_arch())]);
        let pairs = Builds { arch_and_mode: Some("ia32.release,x64.debug".into()), ..Builds::default() };
        assert_eq!(labels(&pairs, Some("arm"), None), ["ia32.release", "x64.debug"]);
    }

    #[test]
    fn an_invalid_list_is_refused() {
        let refused = |builds: Builds, arch: &str| {
            let settings = Settings { arch: Some(arch.into()), ..Settings::default() };
            builds.choose(&settings, Path::new("/v8")).unwrap_err().to_string()
        };
        assert!(refused(Builds::default(), "x64,,arm").contains("'x64,,arm' of --arch"));
        for odd in ["x64", "x64.release,", ".debug"] {
            let builds = Builds { arch_and_mode: Some(odd.into()), ..Builds::default() };
            assert!(refused(builds, "x64").contains("--arch-and-mode"), "{odd}");
        }
        let gn = Builds { gn: true, ..Builds::default() };
        assert_eq!(refused(gn, "x64"), "there is no build in /v8/out.gn (--gn)");
    }

    #[test]
    fn each_directory_is_a_separate_build() {
        let root = tempfile::tempdir().unwrap();
        let chosen = |value: &str| -> Vec<String> {
            let settings = Settings { outdir: Some(value.into()), ..Settings::default() };
            let chosen = Builds::default().choose(&settings, root.path()).unwrap();
            chosen.iter().map(Choice::label).collect()
        };
        assert_eq!(chosen("out.gn/a,out.gn/b"), ["out.gn/a", "out.gn/b"]);
        std::fs::create_dir(root.path().join("a,b")).unwrap();
        assert_eq!(chosen("a,b"), ["a,b"]);
    }

    #[test]
    fn gn_takes_the_newest_build() {
        let root = tempfile::tempdir().unwrap();
        for (build, age) in [("old", 50), ("new", 10), ("older", 90)] {
            let dir = root.path().join(OUT_GN).join(build);
            std::fs::create_dir_all(&dir).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            std::fs::File::open(&dir).unwrap().set_modified(then).unwrap();
        }
        std::fs::write(root.path().join(OUT_GN).join("file"), "").unwrap();
        let builds = Builds { gn: true, ..Builds::default() };
        let chosen = builds.choose(&Settings::default(), root.path()).unwrap();
        assert_eq!(chosen[0].outdir.as_deref(), Some(Path::new("out.gn/new")));
    }

    #[test]
    fn buildbot_finds_builds_by_the_name_of_the_mode() {
        let root = tempfile::tempdir().unwrap();
        let configured = root.path().join("out/Debug");
        std::fs::create_dir_all(&configured).unwrap();
        std::fs::write(configured.join(CONFIG), "{}").unwrap();
        let builds = Builds { buildbot: true, ..Builds::default() };
        let settings = Settings { mode: Some("Release,Debug".into()), ..Settings::default() };
        let chosen = builds.choose(&settings, root.path()).unwrap();
        assert_eq!(chosen[0].shell_dir.as_deref(), Some(Path::new("out/Release")));
        assert_eq!((chosen[0].mode.as_deref(), chosen[0].outdir.as_deref()), (Some("release"), None));
        assert_eq!(chosen[1].outdir.as_deref(), Some(Path::new("out/Debug")));
        let plain = Builds::default().choose(&settings, root.path()).unwrap();
        assert_eq!((plain[0].shell_dir.as_deref(), plain[0].outdir.as_deref()), (None, None));
        assert_eq!(plain[1].outdir.as_deref(), Some(Path::new("out/Debug")));
        let without = builds.choose(&Settings::default(), root.path());
        assert_eq!(without, Err(BuildsError::NoMode));
    }
}
