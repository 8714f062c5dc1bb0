//! The names of a setting: `work.jobs` for `--set`, `FLOTILLA_WORK__JOBS` in the environment.

use std::str::FromStr;

use flotilla_messages::nearest::{hint, nearest};
use toml::{Table, Value};

use super::declare::{Declared, Item, all};

/// The prefix of our environment variables.
pub const PREFIX: &str = "FLOTILLA_";

/// A section of a file, or a whole file without sections.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Its options.
    pub options: &'static [Item],
}

/// A setting, found by one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingKey {
    /// The section's name.
    pub section: &'static str,
    /// The option.
    pub option: Declared,
    /// The entry's name, if the setting is one entry of a table.
    pub entry: Option<String>,
}

impl SettingKey {
    /// Finds the setting in `sections` by its section and key; `same` compares a known name with the given part.
    fn find(
        sections: &[Section],
        parts: [&str; 2],
        rest: Option<&str>,
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<Self> {
        let section = sections.iter().find(|section| same(section.name, parts[0]))?;
        let option = all(section.options).into_iter().find(|option| same(&option.key(), parts[1]))?;
        let entry = match rest {
            Some(entry) if option.rule.table && !entry.is_empty() => Some(entry.to_owned()),
            None => None,
            Some(_) => return None,
        };
        Some(Self { section: section.name, option, entry })
    }

    /// The setting of a variable, such as `FLOTILLA_WORK__JOBS` or `FLOTILLA_LOG__LEVELS__TRUST`; `None` if it is not
    /// one.
    pub fn of_variable(sections: &[Section], name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.splitn(3, "__");
        let pair = [parts.next()?, parts.next()?];
        let mut key = Self::find(sections, pair, parts.next(), |known, part| upper(known) == part)?;
        // The entries of `log.levels` name parts of the daemon, in lower case.
        if key.section == "log" {
            key.entry = key.entry.map(|entry| entry.to_ascii_lowercase());
        }
        Some(key)
    }

    /// The setting of a name such as `work.jobs` or `log.levels.trust`.
    ///
    /// # Errors
    /// There is no such setting; the text suggests the nearest one.
    pub fn named(sections: &[Section], name: &str) -> Result<Self, String> {
        let mut parts = name.trim().splitn(3, '.');
        let pair = [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()];
        Self::find(sections, pair, parts.next(), |known, part| known == part).ok_or_else(|| {
            let known: Vec<String> = named(sections, |section, key| format!("{section}.{key}")).collect();
            format!("no such setting{}", hint_for(name, &known))
        })
    }

    /// Reads a value of this setting: as TOML (`4`, `true`, `["a:1"]`), else as a plain string, else as a
    /// comma-separated list.
    /// `check` decides whether the sections accept it.
    ///
    /// # Errors
    /// Why `check` rejects the value's first reading.
    pub fn table(
        &self,
        text: &str,
        check: impl Fn(Table) -> Result<(), toml::de::Error>,
    ) -> Result<Table, String> {
        let parsed = Value::from_str(text).ok();
        let written = Value::String(text.to_owned());
        let list = text.split(',').map(|part| Value::String(part.trim().to_owned())).collect();
        let mut first_error = None;
        for value in parsed.into_iter().chain([written, Value::Array(list)]) {
            let table = self.around(value);
            match check(table.clone()) {
                Ok(()) => return Ok(table),
                // The error of the first reading is the most useful one.
                Err(error) => first_error = first_error.or_else(|| Some(error.message().to_owned())),
            }
        }
        Err(first_error.unwrap_or_default())
    }

    fn around(&self, value: Value) -> Table {
        let inside = |name: &str, value| Value::Table(Table::from_iter([(name.to_owned(), value)]));
        let value = match &self.entry {
            Some(entry) => inside(entry, value),
            None => value,
        };
        Table::from_iter([(self.section.to_owned(), inside(&self.option.key(), value))])
    }
}

impl std::fmt::Display for SettingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.section, self.option.key())?;
        self.entry.as_ref().map_or(Ok(()), |entry| write!(f, ".{entry}"))
    }
}

/// The names of the variables of all settings.
pub fn variables(sections: &[Section]) -> Vec<String> {
    named(sections, |section, key| format!("{PREFIX}{}__{}", upper(section), upper(key))).collect()
}

/// `; did you mean 'work.jobs'?`, or nothing.
pub fn hint_for(name: &str, known: &[String]) -> String {
    hint(nearest(name, known.iter().map(String::as_str)))
}

fn named(sections: &[Section], name: impl Fn(&str, &str) -> String) -> impl Iterator<Item = String> {
    let keys = |section: &Section| {
        let options = all(section.options).into_iter();
        options.map(|option| name(section.name, &option.key())).collect::<Vec<_>>()
    };
    sections.iter().flat_map(keys).collect::<Vec<_>>().into_iter()
}

fn upper(text: &str) -> String {
    text.to_ascii_uppercase().replace('-', "_")
}
