//! `runner.toml`: defaults for options, in the root of the tree or in the user's configuration directory.

use std::io;
use std::path::{Path, PathBuf};

use crate::runner::settings::Settings;

/// The file's name, in either place.
const NAME: &str = "runner.toml";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has an unknown key, a value of the wrong type, or is no TOML.
    #[error("cannot use {}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line, column and the line itself.
        detail: String,
    },
}

/// Reads the first of `runner.toml` in `root` and in the user's configuration directory; neither is needed.
///
/// # Errors
/// [`ConfigError`] when a file that is there cannot be read or has what it should not.
pub fn load(root: &Path) -> Result<Settings, ConfigError> {
    let candidates = [Some(root.join(NAME)), user_directory().map(|dir| dir.join(NAME))];
    for path in candidates.into_iter().flatten() {
        match std::fs::read_to_string(&path) {
            Ok(text) => return parse(&text).map_err(|detail| ConfigError::Content { path, detail }),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(source) => return Err(ConfigError::Read { path, source }),
        }
    }
    Ok(Settings::default())
}

/// `$XDG_CONFIG_HOME/flotilla`, else `~/.config/flotilla`.
fn user_directory() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(base.join("flotilla"))
}

fn parse(text: &str) -> Result<Settings, String> {
    let settings: Settings = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    let given = [settings.variants.is_some(), settings.no_variants, settings.exhaustive_variants];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err("give one of variants, no-variants and exhaustive-variants".into());
    }
    if settings.timeout == Some(0) {
        return Err("timeout must be 1 second or more".into());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::settings::{Filter, Progress};

    #[test]
    fn keys_are_the_options_names() {
        let settings = parse("jobs = 3\nslow-tests = \"skip\"\nprogress = \"dots\"\n").unwrap();
        assert_eq!(settings.j, Some(3));
        assert_eq!(settings.slow_tests, Some(Filter::Skip));
        assert_eq!(settings.progress, Some(Progress::Dots));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = parse("jobs = 3\ntimeoot = 4\n").unwrap_err();
        assert!(error.contains("line 2, column 1"), "{error}");
        assert!(error.contains("timeoot"), "{error}");
    }

    #[test]
    fn contradictions_and_zero_deadlines_are_refused() {
        assert!(parse("no-variants = true\nvariants = \"stress\"\n").is_err());
        assert!(parse("timeout = 0\n").is_err());
    }

    #[test]
    fn the_example_file_holds_every_key() {
        let example = include_str!("../../conf/runner.toml");
        let uncommented: String = example
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line))
            .filter(|line| !line.starts_with("no-variants") && !line.starts_with("exhaustive-variants"))
            .map(|line| format!("{line}\n"))
            .collect();
        let settings = parse(&uncommented).unwrap();
        assert!(settings.outdir.is_some() && settings.junittestsuite.is_some() && settings.j.is_some());
    }
}
