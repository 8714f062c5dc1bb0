//! Layers of settings, and how they are merged.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::declare::{Item, all};
use super::key::{PREFIX, Section, SettingKey, hint_for, variables};
use super::{ConfigError, Rule};

/// One source of settings. It was read into its types before, so that errors have a place: the crate `config` reports
/// none.
pub type Layer = Table;

/// Merges layers, the first one lowest, and reads the result. The rules of `sections` say which lists are appended and
/// which keys exclude one another.
///
/// # Errors
/// [`ConfigError::Layers`], which should not happen if `T` accepts each layer.
pub fn lay<T: DeserializeOwned>(sections: &[Section], mut layers: Vec<Layer>) -> Result<T, ConfigError> {
    // Most runs have the command line alone. `config` reads each layer's text again, which takes 6 % of an empty run.
    if layers.len() == 1 {
        let only = layers.remove(0).try_into();
        return only.map_err(|error| config::ConfigError::Message(error.to_string()).into());
    }
    let mut lower: Vec<Layer> = Vec::new();
    for mut layer in layers {
        for Section { name, options } in sections {
            if let Some(Value::Table(upper)) = layer.get_mut(*name) {
                apply_rules(options, name, upper, &mut lower);
            }
        }
        lower.push(layer);
    }
    let mut builder = config::Config::builder();
    for layer in lower {
        builder = builder.add_source(config::File::from_str(&layer.to_string(), config::FileFormat::Toml));
    }
    Ok(builder.build()?.try_deserialize()?)
}

/// Applies the rules of a section. The crate `config` only replaces keys of a lower layer by those of an upper one.
fn apply_rules(options: &[Item], section: &str, upper: &mut Table, lower: &mut [Layer]) {
    for option in all(options) {
        let (key, Rule { append, clears, .. }) = (option.key(), option.rule);
        let below = lower.iter_mut().filter_map(|layer| layer.get_mut(section)?.as_table_mut());
        match upper.get_mut(&key) {
            None | Some(Value::Boolean(false)) => {}
            Some(Value::Array(values)) if append => {
                // The layer just below already includes the lists of those below it.
                let before = below.filter_map(|layer| layer.get(&key)?.as_array().cloned()).last();
                values.splice(..0, before.unwrap_or_default());
            }
            Some(_) => {
                for layer in below {
                    clears.iter().for_each(|key| drop(layer.remove(*key)));
                }
            }
        }
    }
}

/// The layers of the environment, one for each variable, and one warning for each variable with our prefix that is not
/// a setting. `sections` are those of this program; `foreign` accepts variables to skip: those of another program, and
/// those that are not meant as settings.
///
/// # Errors
/// [`ConfigError::Variable`]
pub fn environment(
    sections: &[Section],
    foreign: impl Fn(&str) -> bool,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    check: impl Fn(Table) -> Result<(), toml::de::Error>,
) -> Result<(Vec<Layer>, Vec<String>), ConfigError> {
    let (mut layers, mut warnings) = (Vec::new(), Vec::new());
    // Sorted, because the environment has no defined order: FLOTILLA_LOG__LEVELS__TRUST overrides FLOTILLA_LOG__LEVELS.
    for (name, value) in BTreeMap::from_iter(environment) {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if value.is_empty() || foreign(name) {
            continue;
        }
        let Some(key) = SettingKey::of_variable(sections, name) else {
            warnings
                .push(format!("the variable {name} is no setting{}", hint_for(name, &variables(sections))));
            continue;
        };
        let table = value.to_str().ok_or_else(|| "not UTF-8".to_owned());
        layers.push(table.and_then(|value| key.table(value, &check)).map_err(|detail| {
            ConfigError::Variable {
                name: name.to_owned(),
                value: value.to_string_lossy().into_owned(),
                detail,
            }
        })?);
    }
    Ok((layers, warnings))
}
