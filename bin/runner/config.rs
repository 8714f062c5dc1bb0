//! The sources of a run's settings: defaults < `runner.toml` < one of its profiles < environment < command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::Error as _;
use toml::{Table, Value};

use crate::options::{ConfigError, Declares, Section, environment, hint_for, lay, read};
use crate::runner::settings::Settings;

/// The value of `--shell` for the built-in shell.
pub const BUILTIN: &str = "builtin";

/// The file's name, in the root of the tree or in the user's configuration directory.
const NAME: &str = "runner.toml";
/// The file has no sections; in the environment's names it counts as one: `FLOTILLA_RUNNER__JOBS`.
const SECTION: &str = "runner";
/// The settings as a section.
const SECTIONS: &[Section] = &[Section { name: SECTION, options: Settings::OPTIONS }];
/// The prefix of variables that are settings, or that look like one and get a warning.
const VARIABLE_PREFIX: &str = "FLOTILLA_RUNNER";
/// The variable that chooses a profile if `--profile` does not.
const PROFILE_VARIABLE: &str = "FLOTILLA_RUNNER__PROFILE";

/// The sources of the settings of one invocation.
pub struct Sources<'a> {
    /// The root of the tree.
    pub root: &'a Path,
    /// Whether `runner.toml` is read.
    pub file: bool,
    /// The profile that `--profile` names.
    pub profile: Option<&'a str>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
    /// The options of the command line.
    pub options: Settings,
}

/// The merged settings.
#[derive(Debug)]
pub struct RunnerConfig {
    /// The settings.
    pub settings: Settings,
    /// One line for each variable that is ignored.
    pub warnings: Vec<String>,
}

/// The settings as the section `runner`.
#[derive(Debug, Deserialize)]
struct Sections {
    #[serde(default)]
    runner: Settings,
}

/// Merges all layers. The file is `runner.toml` in the root, else in the user's configuration directory; both are
/// optional.
///
/// # Errors
/// [`ConfigError`] if a layer is invalid, or there is no such profile.
pub fn load(sources: Sources<'_>) -> Result<RunnerConfig, ConfigError> {
    let Sources { root, file, profile, variables, options } = sources;
    let named = variables.iter().find(|(name, value)| name == PROFILE_VARIABLE && !value.is_empty());
    let named = named.map(|(_, value)| value.to_string_lossy().into_owned());
    // With --no-config, the variable that names a profile is ignored.
    let profile = profile.map(str::to_owned).or(named.filter(|_| file));
    let mut layers = if file { file_layers(root, profile.as_deref())? } else { Vec::new() };
    let foreign = |name: &str| !name.starts_with(VARIABLE_PREFIX) || name == PROFILE_VARIABLE;
    let (variables, warnings) = environment(SECTIONS, foreign, variables, check)?;
    for layer in variables {
        // Cannot fail: `check` has read the layer.
        let Ok(Sections { runner }) = Sections::deserialize(layer.clone()) else { continue };
        let given = |key: &str, _: &Value| layer.get(SECTION).is_some_and(|keys| keys.get(key).is_some());
        layers.push(layer_of(&from_here(runner), given)?);
    }
    layers.push(layer_of(&from_here(options), is_given)?);
    let Sections { runner: settings } = lay(SECTIONS, layers)?;
    Ok(RunnerConfig { settings, warnings })
}

/// The layers of the file: its own settings, then those of the profile.
fn file_layers(root: &Path, profile: Option<&str>) -> Result<Vec<Table>, ConfigError> {
    let candidates = [Some(root.join(NAME)), user_directory().map(|dir| dir.join(NAME))];
    for path in candidates.into_iter().flatten() {
        let Some((settings, mut table)) = read::<Settings>(&path)? else { continue };
        for settings in std::iter::once(&settings).chain(settings.profiles.settings()) {
            settings
                .check()
                .map_err(|detail| ConfigError::Content { path: path.clone(), detail: detail.into() })?;
        }
        let profiles = table.remove("profile");
        let mut layers = vec![section(table)];
        if let Some(name) = profile {
            let chosen = profiles.as_ref().and_then(|profiles| profiles.get(name)).and_then(Value::as_table);
            let chosen = chosen.ok_or_else(|| ConfigError::Profile {
                name: name.to_owned(),
                path: path.clone(),
                hint: other_profiles(name, &settings.profiles.names()),
            })?;
            layers.push(section(chosen.clone()));
        }
        return Ok(layers);
    }
    match profile {
        Some(name) => Err(ConfigError::NoFile(name.to_owned())),
        None => Ok(Vec::new()),
    }
}

/// The nearest profile name as a hint, else the list of profiles.
fn other_profiles(name: &str, known: &[String]) -> String {
    match hint_for(name, known) {
        hint if !hint.is_empty() => hint,
        _ if known.is_empty() => "; it has none".into(),
        _ => format!("; it has {}", known.join(", ")),
    }
}

/// The settings that were given, as a layer.
fn layer_of(settings: &Settings, given: impl Fn(&str, &Value) -> bool) -> Result<Table, ConfigError> {
    let mut table = Table::try_from(settings)?;
    table.retain(|key, value| given(key, value));
    Ok(section(table))
}

/// Whether a command line with this value has the option: a flag there cannot be false, and an empty list means none
/// was given.
fn is_given(_: &str, value: &Value) -> bool {
    match value {
        Value::Boolean(given) => *given,
        Value::Array(values) => !values.is_empty(),
        _ => true,
    }
}

fn section(table: Table) -> Table {
    Table::from_iter([(SECTION.to_owned(), Value::Table(table))])
}

/// Checks one layer.
fn check(table: Table) -> Result<(), toml::de::Error> {
    let Sections { runner } = Sections::deserialize(table)?;
    runner.check().map_err(toml::de::Error::custom)
}

/// Makes paths absolute: those of the command line and the environment are relative to the current directory. Paths in
/// `runner.toml` are relative to the root, as `--outdir` always is.
fn from_here(mut settings: Settings) -> Settings {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    settings.test_root = settings.test_root.map(absolute);
    settings.expectations = settings.expectations.into_iter().map(absolute).collect();
    settings.shell_dir = settings.shell_dir.map(absolute);
    // Either a file, or the name of a kind of host.
    settings.host = settings.host.map(|host| match Path::new(&host).is_file() {
        true => absolute(host.into()).to_string_lossy().into_owned(),
        false => host,
    });
    settings.shell = settings.shell.map(|shell| match shell.as_str() {
        BUILTIN => shell,
        _ => in_path(&shell).unwrap_or_else(|| absolute(shell.into())).to_string_lossy().into_owned(),
    });
    settings
}

/// Finds a bare program name (`--shell qjs`) in PATH, unless a file in the current directory has that name.
fn in_path(name: &str) -> Option<PathBuf> {
    if name.contains('/') || Path::new(name).exists() {
        return None;
    }
    which::which(name).ok()
}

/// `$XDG_CONFIG_HOME/flotilla`, else `~/.config/flotilla`.
fn user_directory() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(base.join("flotilla"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::runner::cli::Cli;
    use crate::runner::settings::{Filter, Progress};

    /// Loads the settings of a tree with this file, these variables and this command line.
    fn loaded(file: &str, variables: &[(&str, &str)], words: &[&str]) -> Result<RunnerConfig, String> {
        let root = tempfile::tempdir().unwrap();
        if !file.is_empty() {
            std::fs::write(root.path().join(NAME), file).unwrap();
        }
        let cli = Cli::parse_from(std::iter::once("runner").chain(words.iter().copied()));
        let sources = Sources {
            root: root.path(),
            file: !cli.no_config,
            profile: cli.profile.as_deref(),
            variables: variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            options: cli.settings,
        };
        load(sources).map_err(|error| error.to_string())
    }

    fn settings(file: &str, variables: &[(&str, &str)], words: &[&str]) -> Settings {
        loaded(file, variables, words).unwrap().settings
    }

    #[test]
    fn keys_are_the_options_names() {
        let settings = settings("jobs = 3\nslow-tests = \"skip\"\nprogress = \"dots\"\n", &[], &[]);
        assert_eq!(settings.jobs, Some(3));
        assert_eq!(settings.slow_tests, Some(Filter::Skip));
        assert_eq!(settings.progress, Some(Progress::Dots));
    }

    #[test]
    fn each_layer_comes_before_the_one_below() {
        let file = "timeout = 1\n[profile.ci]\ntimeout = 2\n";
        let variable = [("FLOTILLA_RUNNER__TIMEOUT", "3")];
        let timeout = |variables: &[_], words: &[_]| settings(file, variables, words).timeout;
        assert_eq!(timeout(&[], &[]), Some(1));
        assert_eq!(timeout(&[], &["--profile=ci"]), Some(2));
        assert_eq!(timeout(&[(PROFILE_VARIABLE, "ci")], &[]), Some(2));
        assert_eq!(timeout(&variable, &["--profile=ci"]), Some(3));
        assert_eq!(timeout(&variable, &["-t4"]), Some(4));
        assert_eq!(timeout(&[], &["--no-config"]), None);
        assert_eq!(timeout(&[(PROFILE_VARIABLE, "ci")], &["--no-config"]), None);
        assert_eq!(
            timeout(&[("FLOTILLA_RUNNER__TIMEOUT", "")], &[]),
            Some(1),
            "an empty variable says nothing"
        );
    }

    #[test]
    fn lists_that_may_be_given_several_times_are_added_to_and_others_replaced() {
        let file = "extra-flags = [\"--a\"]\npeer = [\"a\"]\n[profile.p]\nextra-flags = [\"--b\"]\n";
        let variables = [("FLOTILLA_RUNNER__EXTRA_FLAGS", "--c")];
        let words = ["--profile=p", "--extra-flags=--d", "--peer=b", "--peer=c"];
        let settings = settings(file, &variables, &words);
        assert_eq!(settings.extra_flags, ["--a", "--b", "--c", "--d"]);
        assert_eq!(settings.peer, ["b", "c"]);
    }

    #[test]
    fn options_that_exclude_one_another_replace_what_lower_layers_say() {
        let variants = |file: &str, words: &[_]| settings(file, &[], words).chosen_variants();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(variants("exhaustive-variants = true\n", &["--variants=stress"]), text("stress"));
        assert_eq!(variants("exhaustive-variants = true\n", &["--no-variants"]), text("default"));
        assert_eq!(variants("variants = \"stress\"\n", &["--exhaustive-variants"]), text("exhaustive"));
        assert_eq!(variants("variants = \"stress\"\nno-variants = false\n", &[]), text("stress"));
        let network = |file: &str, words: &[_]| {
            let settings = settings(file, &[], words);
            (settings.network, settings.no_network)
        };
        assert_eq!(network("no-network = true\n", &["--network"]), (true, false));
        assert_eq!(network("no-network = true\n", &["--peer=a"]), (false, false));
        assert_eq!(network("network = true\n", &["--no-network"]), (false, true));
    }

    #[test]
    fn a_profile_can_switch_a_flag_off() {
        let file = "time = true\n[profile.quiet]\ntime = false\n";
        assert!(settings(file, &[], &[]).time);
        assert!(!settings(file, &[], &["--profile=quiet"]).time);
    }

    #[test]
    fn a_variable_can_switch_a_flag_off() {
        let off = [("FLOTILLA_RUNNER__TIME", "false")];
        assert!(!settings("time = true\n", &off, &[]).time);
        assert!(settings("time = true\n", &off, &["--time"]).time);
    }

    #[test]
    fn an_unknown_profile_is_refused_with_the_nearest_name() {
        let refused = |file: &str, words: &[_]| loaded(file, &[], words).unwrap_err();
        let file = "[profile.ci]\n[profile.nightly]\n";
        assert!(refused(file, &["--profile=nihgtly"]).contains("did you mean 'nightly'?"));
        assert!(refused(file, &["--profile=other"]).ends_with("it has ci, nightly"));
        assert!(refused("jobs = 1\n", &["--profile=ci"]).ends_with("it has none"));
        assert!(refused("", &["--profile=ci"]).ends_with("there is no runner.toml"));
        let error = refused("[profile.a]\ntimeoot = 4\n", &[]);
        assert!(error.contains("line 2, column 1") && error.contains("timeoot"), "{error}");
        let error = refused("[profile.a.profile.b]\ntimeout = 4\n", &[]);
        assert!(error.contains("a profile has no profiles"), "{error}");
        assert!(refused("[profile.a]\ntimeout = 0\n", &[]).contains("timeout must be"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = loaded("jobs = 3\ntimeoot = 4\n", &[], &[]).unwrap_err();
        assert!(error.contains("line 2, column 1"), "{error}");
        assert!(error.contains("timeoot"), "{error}");
    }

    #[test]
    fn contradictions_and_zero_deadlines_are_refused() {
        assert!(loaded("no-variants = true\nvariants = \"stress\"\n", &[], &[]).is_err());
        assert!(loaded("timeout = 0\n", &[], &[]).is_err());
        let error = loaded("", &[("FLOTILLA_RUNNER__TIMEOUT", "0")], &[]).unwrap_err();
        assert!(error.contains("FLOTILLA_RUNNER__TIMEOUT='0'") && error.contains("1 second"), "{error}");
    }

    #[test]
    fn a_variable_is_one_setting_or_passed_over_with_a_warning() {
        let variables = [
            ("FLOTILLA_RUNNER__PROGRESS", "dots"),
            ("FLOTILLA_RUNNER__JOB", "1"),
            ("FLOTILLA_WORK__JOBS", "1"),
            ("FLOTILLA_RUN", "1.2"),
            ("FLOTILLA_HOME", "/x"),
        ];
        let loaded = loaded("", &variables, &[]).unwrap();
        assert_eq!(loaded.settings, Settings { progress: Some(Progress::Dots), ..Settings::default() });
        let near = "the variable FLOTILLA_RUNNER__JOB is no setting; did you mean 'FLOTILLA_RUNNER__JOBS'?";
        assert_eq!(loaded.warnings, [near]);
    }

    #[test]
    fn a_path_of_the_command_line_keeps_its_bytes() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let odd = PathBuf::from(OsStr::from_bytes(b"/a\xff b"));
        let options =
            Settings { outdir: Some(odd.clone()), inputs: vec![odd.clone()], ..Settings::default() };
        let root = tempfile::tempdir().unwrap();
        // With a file there is a layer below, so that the path goes through one.
        std::fs::write(root.path().join(NAME), "jobs = 1\n").unwrap();
        let sources =
            Sources { root: root.path(), file: true, profile: None, variables: Vec::new(), options };
        let settings = load(sources).unwrap().settings;
        assert_eq!((settings.outdir, settings.inputs), (Some(odd.clone()), vec![odd]));
    }

    #[test]
    fn the_example_file_holds_every_key() {
        let example = include_str!("../../conf/runner.toml");
        let uncommented: String = example
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = ") || rest.starts_with('['))
                    .unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let table: Table = uncommented.parse().unwrap();
        let known = crate::options::all(Settings::OPTIONS);
        let missing: Vec<_> =
            known.iter().map(crate::options::Declared::key).filter(|key| !table.contains_key(key)).collect();
        assert_eq!(missing, [""; 0]);
        let variants =
            |line: &&str| !line.starts_with("no-variants") && !line.starts_with("exhaustive-variants");
        let one_of_three: Vec<&str> = uncommented.lines().filter(variants).collect();
        let settings = settings(&one_of_three.join("\n"), &[], &["--profile=ci"]);
        assert_eq!((settings.progress, settings.timeout), (Some(Progress::Ci), Some(60)));
    }
}
