//! Where settings come from: defaults < `peerd.toml` < environment < options.
//!
//! Each layer is read on its own first, so that what is wrong is said with its place: a line of the file, a variable,
//! an option. The crate `config` then lays them over one another; it knows none of these places.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

use flotilla_messages::nearest::{hint, nearest};
use serde::Deserialize;
use toml::{Table, Value};

use super::settings::{KEYS, Settings};
use flotilla_actors::trust::identity::Home;

/// The file's name, in the home directory.
pub const NAME: &str = "peerd.toml";

/// Settings that are tables: what they hold can be set one by one.
const TABLES: [(&str, &str); 2] = [("log", "levels"), ("work", "env")];
/// What begins the names of our variables.
const PREFIX: &str = "FLOTILLA_";
/// Variables that are no settings: the home, how much a runner logs, the mark of a run's processes.
const RESERVED: [&str; 3] = ["FLOTILLA_HOME", "FLOTILLA_LOG", flotilla_actors::execution::marker::VARIABLE];

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
    /// A variable's value is none of its setting.
    #[error("cannot use the variable {name}='{value}': {detail}")]
    Variable {
        /// Its name.
        name: String,
        /// What it holds.
        value: String,
        /// What is wrong.
        detail: String,
    },
    /// An option's value is none of its setting.
    #[error("cannot use the option --set {option}: {detail}")]
    Option {
        /// SECTION.KEY=VALUE.
        option: String,
        /// What is wrong.
        detail: String,
    },
    /// The layers do not go together.
    #[error("cannot lay the configuration together: {0}")]
    Layers(#[from] config::ConfigError),
}

/// One `--set SECTION.KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    key: Key,
    value: String,
}

/// Which setting is meant: section, key, and for a table the name in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    section: &'static str,
    key: &'static str,
    name: Option<String>,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// All layers together.
    pub settings: Settings,
    /// What is passed over.
    pub warnings: Vec<String>,
}

/// Reads the home's configuration.
///
/// # Errors
/// [`ConfigError`] when a layer has what it should not.
pub fn load(
    home: &Home,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    options: &[Set],
) -> Result<Loaded, ConfigError> {
    let mut layers = vec![file(home.path().join(NAME))?];
    let mut warnings = Vec::new();
    // Sorted, as the system keeps it in no order: of FLOTILLA_LOG__LEVELS and FLOTILLA_LOG__LEVELS__TRUST the second counts.
    for (name, value) in BTreeMap::from_iter(environment) {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if RESERVED.contains(&name) || value.is_empty() {
            continue;
        }
        let Some(key) = Key::of_variable(name) else {
            let known: Vec<String> = variables().collect();
            let near = hint(nearest(name, known.iter().map(String::as_str)));
            warnings.push(format!("the variable {name} is no setting{near}"));
            continue;
        };
        let table = value.to_str().ok_or_else(|| "not UTF-8".to_owned()).and_then(|value| key.table(value));
        layers.push(table.map_err(|detail| ConfigError::Variable {
            name: name.to_owned(),
            value: value.to_string_lossy().into_owned(),
            detail,
        })?);
    }
    for Set { key, value } in options {
        let table = key.table(value);
        layers
            .push(table.map_err(|detail| ConfigError::Option { option: format!("{key}={value}"), detail })?);
    }
    let mut builder = config::Config::builder();
    for layer in layers {
        builder = builder.add_source(config::File::from_str(&layer.to_string(), config::FileFormat::Toml));
    }
    Ok(Loaded { settings: builder.build()?.try_deserialize()?, warnings })
}

/// What the file says; nothing if there is none.
fn file(path: PathBuf) -> Result<Table, ConfigError> {
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Table::new()),
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    let content = |error: toml::de::Error| error.to_string().trim_end().to_owned();
    // Into the types first: they know line and column.
    let read = toml::from_str::<Settings>(&text).and_then(|_| text.parse());
    read.map_err(|error| ConfigError::Content { path, detail: content(error) })
}

/// The names of all variables that are settings.
fn variables() -> impl Iterator<Item = String> {
    let all = KEYS.iter().flat_map(|(section, keys)| keys.iter().map(move |key| (section, key)));
    all.map(|(section, key)| format!("{PREFIX}{}__{}", upper(section), upper(key)))
}

fn upper(text: &str) -> String {
    text.to_ascii_uppercase().replace('-', "_")
}

impl Key {
    /// The one with these parts, as `same` compares them with a section and a key.
    fn find(parts: [&str; 2], rest: Option<&str>, same: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let (section, keys) = KEYS.iter().find(|(section, _)| same(section, parts[0]))?;
        let key = keys.iter().find(|key| same(key, parts[1]))?;
        let table = TABLES.contains(&(*section, *key));
        let name = match rest {
            Some(name) if table && !name.is_empty() => Some(name.to_owned()),
            None => None,
            Some(_) => return None,
        };
        Some(Self { section, key, name })
    }

    /// `FLOTILLA_WORK__JOBS`, `FLOTILLA_LOG__LEVELS__TRUST`.
    fn of_variable(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.splitn(3, "__");
        let pair = [parts.next()?, parts.next()?];
        let mut key = Self::find(pair, parts.next(), |known, part| upper(known) == part)?;
        // Parts of the daemon have names in lower case.
        if key.section == "log" {
            key.name = key.name.map(|name| name.to_ascii_lowercase());
        }
        Some(key)
    }

    /// Reads a value as this setting: TOML (`4`, `true`, `["a:1"]`), else as it stands, else as a list with commas.
    /// The error says what is wrong.
    fn table(&self, text: &str) -> Result<Table, String> {
        let parsed = Value::from_str(text).ok();
        let written = Value::String(text.to_owned());
        let list = text.split(',').map(|part| Value::String(part.trim().to_owned())).collect();
        let mut wrong = None;
        for value in parsed.into_iter().chain([written, Value::Array(list)]) {
            let table = self.around(value);
            match Settings::deserialize(table.clone()) {
                Ok(_) => return Ok(table),
                // The first way to read it is what was meant.
                Err(error) => wrong = wrong.or_else(|| Some(error.message().to_owned())),
            }
        }
        Err(wrong.unwrap_or_default())
    }

    fn around(&self, value: Value) -> Table {
        let inside = |name: &str, value| Value::Table(Table::from_iter([(name.to_owned(), value)]));
        let value = match &self.name {
            Some(name) => inside(name, value),
            None => value,
        };
        Table::from_iter([(self.section.to_owned(), inside(self.key, value))])
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.section, self.key)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, ".{name}"))
    }
}

impl FromStr for Set {
    type Err = String;

    /// `SECTION.KEY=VALUE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("not SECTION.KEY=VALUE")?;
        let mut parts = name.trim().splitn(3, '.');
        let pair = [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()];
        let key = Key::find(pair, parts.next(), |known, part| known == part).ok_or_else(|| {
            let known: Vec<String> = KEYS
                .iter()
                .flat_map(|(section, keys)| keys.iter().map(move |key| format!("{section}.{key}")))
                .collect();
            format!("no such setting{}", hint(nearest(name, known.iter().map(String::as_str))))
        })?;
        Ok(Self { key, value: value.trim().to_owned() })
    }
}

impl std::fmt::Display for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peerd::config::settings::Level;

    fn loaded(file: &str, environment: &[(&str, &str)], options: &[&str]) -> Result<Loaded, String> {
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
    fn what_is_wrong_is_said_with_its_place() {
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
        fn any_text_is_a_value_of_its_own_setting_or_none(text in "\\PC*|[a-z0-9\\[\\]{}\",= \n#'.]*", which in 0..KEYS.len()) {
            let (section, keys) = KEYS[which];
            for key in keys {
                let key = Key { section, key, name: None };
                let Ok(table) = key.table(&text) else { continue };
                let mut set = Table::try_from(Settings::deserialize(table).unwrap()).unwrap();
                let mut untouched = Table::try_from(Settings::default()).unwrap();
                for settings in [&mut set, &mut untouched] {
                    settings[section].as_table_mut().unwrap().remove(key.key);
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
