//! The sources of settings: defaults < `peerd.toml` < environment < options.

use std::ffi::OsString;
use std::str::FromStr;

use flotilla_actors::trust::identity::Home;
use serde::Deserialize;
use toml::Table;

use super::settings::{SECTIONS, Settings};
use crate::options::{ConfigError, SettingKey, all, environment, lay, read};

/// The file's name, in the home directory.
pub const NAME: &str = "peerd.toml";

/// Variables that are not settings: the home, the log level, the marker of a run's processes.
const OTHER_VARIABLES: [&str; 3] =
    ["FLOTILLA_HOME", "FLOTILLA_LOG", flotilla_actors::execution::marker::VARIABLE];
/// The prefix of the runner's variables.
const RUNNER_PREFIX: &str = "FLOTILLA_RUNNER__";

/// One `--set SECTION.KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    key: SettingKey,
    value: String,
}

/// The merged configuration.
#[derive(Debug)]
pub struct PeerdConfig {
    /// The settings, merged from all layers.
    pub settings: Settings,
    /// One line for each variable that is ignored.
    pub warnings: Vec<String>,
}

/// Reads the home's configuration.
///
/// # Errors
/// [`ConfigError`] if a layer is invalid.
pub fn load(
    home: &Home,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    options: &[Set],
) -> Result<PeerdConfig, ConfigError> {
    let file = read::<Settings>(&home.path().join(NAME))?;
    let mut layers: Vec<Table> = file.into_iter().map(|(_, table)| table).collect();
    let foreign = |name: &str| OTHER_VARIABLES.contains(&name) || name.starts_with(RUNNER_PREFIX);
    let (variables, warnings) = environment(SECTIONS, foreign, variables, check)?;
    layers.extend(variables);
    for Set { key, value } in options {
        let table = key.table(value, check);
        layers
            .push(table.map_err(|detail| ConfigError::Option { option: format!("{key}={value}"), detail })?);
    }
    Ok(PeerdConfig { settings: lay(SECTIONS, layers)?, warnings })
}

/// The list of all settings with their help, for `--help`.
pub fn help() -> String {
    let mut text =
        "Settings, for --set, for peerd.toml and for the environment (FLOTILLA_WORK__JOBS=4):".to_owned();
    for section in SECTIONS {
        for option in all(section.options) {
            let (name, help) = (format!("{}.{}", section.name, option.key()), option.help.trim());
            text.push_str(&format!(
                "\n  {name:<24}{}",
                help.split_whitespace().collect::<Vec<_>>().join(" ")
            ));
        }
    }
    text
}

/// Checks that a layer consists of settings.
fn check(table: Table) -> Result<(), toml::de::Error> {
    Settings::deserialize(table).map(|_| ())
}

impl FromStr for Set {
    type Err = String;

    /// `SECTION.KEY=VALUE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("not SECTION.KEY=VALUE")?;
        Ok(Self { key: SettingKey::named(SECTIONS, name)?, value: value.trim().to_owned() })
    }
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::peerd::config::settings::Level;

    fn loaded(file: &str, environment: &[(&str, &str)], options: &[&str]) -> Result<PeerdConfig, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(NAME), file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let options: Vec<Set> = options.iter().map(|option| option.parse()).collect::<Result<_, _>>()?;
        load(&Home::at(dir.path()), environment, &options).map_err(|error| error.to_string())
    }

    fn jobs(file: &str, environment: &[(&str, &str)], options: &[&str]) -> u16 {
        loaded(file, environment, options).unwrap().settings.work.jobs.unwrap().get()
    }

    #[test]
    fn variables_for_tests_keep_their_names_and_are_texts() {
        let file = "[work.env]\nMixed_Case = \"file\"\nA = \"file\"\n";
        let loaded = loaded(file, &[("FLOTILLA_WORK__ENV__A", "4")], &["work.env.B=x y"]).unwrap();
        let env: Vec<_> = loaded.settings.work.env.into_iter().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(env, [pair("A", "4"), pair("B", "x y"), pair("Mixed_Case", "file")]);
    }

    #[test]
    fn options_come_before_the_environment_and_that_before_the_file() {
        let (file, variable) = ("[work]\njobs = 1\n", [("FLOTILLA_WORK__JOBS", "2")]);
        assert_eq!(jobs(file, &[], &[]), 1);
        assert_eq!(jobs(file, &variable, &[]), 2);
        assert_eq!(jobs(file, &variable, &["work.jobs=3", "work.jobs=4"]), 4);
        assert_eq!(jobs(file, &[("FLOTILLA_WORK__JOBS", "")], &[]), 1, "an empty variable says nothing");
        let none = load(&Home::at("/no/such/home"), [], &[]).unwrap();
        assert_eq!(none.settings, Settings::default());
    }

    #[test]
    fn layers_leave_what_they_do_not_name() {
        let file = "[work]\naddress = \"[::1]:7\"\n[log]\nlevels = { trust = \"debug\", rustls = \"off\" }\n";
        let variables =
            [("FLOTILLA_LOG__LEVELS__TRUST", "trace"), ("FLOTILLA_DISCOVERY__GROUP_V4", "239.1.2.3")];
        let settings = loaded(file, &variables, &["work.jobs=2", "log.levels.link=warn"]).unwrap().settings;
        assert_eq!(settings.work.address, "[::1]:7".parse().unwrap());
        assert_eq!(settings.discovery.group_v4, std::net::Ipv4Addr::new(239, 1, 2, 3));
        let levels: Vec<_> = settings.log.levels.into_iter().collect();
        let expected = [("link", Level::Warn), ("rustls", Level::Off), ("trust", Level::Trace)];
        assert_eq!(levels, expected.map(|(name, level)| (name.to_owned(), level)));
    }

    #[test]
    fn values_outside_of_a_file_need_no_quotes() {
        let options = [
            "discovery.enabled=false",
            "local.address=127.0.0.1:0",
            "work.address=[::]:0",
            "discovery.peers=a:1, b:2",
            "discovery.interfaces=[\"eth0\"]",
            "log.file=5",
            "log.levels={ trust = \"warn\" }",
        ];
        let settings = loaded("", &[], &options).unwrap().settings;
        assert!(!settings.discovery.enabled);
        assert_eq!(settings.local.address.port(), 0);
        assert_eq!(settings.work.address, "[::]:0".parse().unwrap());
        assert_eq!(settings.discovery.peers.len(), 2);
        assert_eq!(settings.discovery.interfaces, ["eth0"]);
        assert_eq!(settings.log.file, PathBuf::from("5"));
        assert_eq!(settings.log.levels.get("trust"), Some(&Level::Warn));
    }

    #[test]
    fn errors_name_their_place() {
        let file = |text| loaded(text, &[], &[]).unwrap_err();
        for (text, parts) in [
            ("[work]\njobz = 1\n", ["peerd.toml", "line 2, column 1", "jobz"]),
            ("[work]\njobs = \"many\"\n", ["peerd.toml", "line 2, column 8", "many"]),
            ("[wrok]\njobs = 1\n", ["peerd.toml", "line 1, column 2", "wrok"]),
            ("[work\n", ["peerd.toml", "line 1", "[work"]),
        ] {
            let error = file(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
        let variable = loaded("", &[("FLOTILLA_WORK__JOBS", "many")], &[]).unwrap_err();
        assert!(variable.contains("FLOTILLA_WORK__JOBS='many'"), "{variable}");
        let option = loaded("", &[], &["log.level=loud"]).unwrap_err();
        assert!(option.contains("--set log.level=loud") && option.contains("trace"), "{option}");
        let unknown = loaded("", &[], &["work.job=1"]).unwrap_err();
        assert!(unknown.contains("did you mean 'work.jobs'"), "{unknown}");
        assert!(loaded("", &[], &["work.jobs.x=1"]).is_err());
        assert!(loaded("", &[], &["work.jobs"]).is_err());
        let more = loaded("", &[("FLOTILLA_WORK__JOBS", "1\n[trust]\ndepth = 9")], &[]);
        assert!(more.is_err(), "one variable sets one key");
    }

    #[test]
    fn an_unknown_variable_is_a_warning_with_the_nearest_name() {
        let variables = [
            ("FLOTILLA_WORK__JOB", "1"),
            ("FLOTILLA_WORK_JOBS", "1"),
            ("FLOTILLA_HOME", "/x"),
            ("FLOTILLA_LOG", "debug"),
            ("FLOTILLA_RUN", "1.2"),
            ("FLOTILLA_RUNNER__JOBS", "4"),
            ("FLOTILLANT", "1"),
        ];
        let loaded = loaded("", &variables, &[]).unwrap();
        assert_eq!(loaded.settings, Settings::default());
        let near = "is no setting; did you mean 'FLOTILLA_WORK__JOBS'?";
        let expected =
            ["FLOTILLA_WORK_JOBS", "FLOTILLA_WORK__JOB"].map(|name| format!("the variable {name} {near}"));
        assert_eq!(loaded.warnings, expected);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_value_of_its_own_setting_or_none(text in "\\PC*|[a-z0-9\\[\\]{}\",= \n#'.]*", which in 0..SECTIONS.len()) {
            let section = SECTIONS[which];
            for option in all(section.options) {
                let key = SettingKey { section: section.name, option, entry: None };
                let Ok(table) = key.table(&text, check) else { continue };
                let mut set = Table::try_from(Settings::deserialize(table).unwrap()).unwrap();
                let mut untouched = Table::try_from(Settings::default()).unwrap();
                for settings in [&mut set, &mut untouched] {
                    settings[section.name].as_table_mut().unwrap().remove(&option.key());
                }
                proptest::prop_assert_eq!(set, untouched);
            }
        }

        #[test]
        fn any_text_is_an_option_or_refused(text in "\\PC*|(log|work)\\.(levels|jobs)(\\.\\PC*)?=\\PC*") {
            if let Ok(set) = text.parse::<Set>() {
                proptest::prop_assert_eq!(set.to_string().parse::<Set>(), Ok(set), "as start passes it on");
            }
        }
    }
}
