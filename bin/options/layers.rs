//! Layers of settings, laid over one another.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::declare::{Declared, Item, all};
use super::key::{Section, SettingKey, hint_for, variables};
use super::{ConfigError, Rule};

/// One source of settings. Each was read as the types that take them before it became one, so that what is wrong was said
/// with its place: the crate `config` knows none.
pub type Layer = Table;

/// Lays layers over one another, the first one lowest, and reads the result. `sections`: whose rules say how lists meet
/// and which keys exclude one another.
///
/// # Errors
/// [`ConfigError::Layers`], which no layer that `T` takes should lead to.
pub fn lay<T: DeserializeOwned>(sections: &[Section], layers: Vec<Layer>) -> Result<T, ConfigError> {
    let mut lower: Vec<Layer> = Vec::new();
    for mut layer in layers {
        for Section { name, options } in sections {
            if let Some(Value::Table(upper)) = layer.get_mut(*name) {
                meet(options, name, upper, &mut lower);
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

/// Does what the rules of a section say: `config` itself lets each key of the upper layer replace that of the lower one.
fn meet(options: &[Item], section: &str, upper: &mut Table, lower: &mut [Layer]) {
    for Declared { field, rule: Rule { append, clears, .. }, .. } in all(options) {
        let key = field.replace('_', "-");
        let below = lower.iter_mut().filter_map(|layer| layer.get_mut(section)?.as_table_mut());
        match upper.get_mut(&key) {
            None | Some(Value::Boolean(false)) => {}
            Some(Value::Array(values)) if append => {
                // The layer just below has what is below that one.
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

/// The layers of the environment, a variable each, and what is passed over: a line for each variable of ours that is no
/// setting. `sections`: of this program; `foreign`: whether a variable is another program's, or no setting by intent.
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
    // Sorted, as the system keeps it in no order: of FLOTILLA_LOG__LEVELS and FLOTILLA_LOG__LEVELS__TRUST the second counts.
    for (name, value) in BTreeMap::from_iter(environment) {
        let Some(name) = name.to_str().filter(|name| name.starts_with("FLOTILLA_")) else { continue };
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
