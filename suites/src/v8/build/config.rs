//! `v8_build_config.json`: from its text to status variables.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::stated::{Mips, StatedConfig};
use crate::expectations::Variable;
use crate::v8::dialect::{Dialect, Simulator};
use crate::v8::runner_source::{Key, Keys};

/// Architectures whose builds say which MIPS revision they are for.
const MIPS: [&str; 4] = ["mips", "mipsel", "mips64", "mips64el"];

/// What a configuration says.
///
/// `lenient`: the tree is newer than what is known, so that keys which V8's runner of the newest known version wants
/// may be missing; they are false for the runner, unknown to conditions, and named in [`StatedConfig::missing`].
///
/// # Errors
/// What is wrong with it, with the key.
pub fn read(bytes: &[u8], dialect: &Dialect, keys: &Keys, lenient: bool) -> Result<StatedConfig, String> {
    let config: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|e| format!("is no JSON object: {e}"))?;
    match keys {
        Keys::Named(keys) => named(&config, dialect, keys),
        Keys::Every { required, .. } => every(&config, dialect, required, lenient),
    }
}

fn lacks(key: &str) -> String {
    format!("lacks the key '{key}'")
}

fn text(config: &Map<String, Value>, key: &str) -> Result<String, String> {
    match config.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("the key '{key}' should be a string")),
        None => Err(lacks(key)),
    }
}

fn flag(config: &Map<String, Value>, key: &str) -> Result<bool, String> {
    match config.get(key) {
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(format!("the key '{key}' should be true or false")),
        None => Err(lacks(key)),
    }
}

/// V8 until 11.4.
fn named(config: &Map<String, Value>, dialect: &Dialect, keys: &[Key]) -> Result<StatedConfig, String> {
    let cpu = text(config, dialect.build.arch_key)?;
    // In V8's land, GN's x86 is called ia32.
    let arch = if cpu == "x86" { "ia32".into() } else { cpu.clone() };
    let mut variables = BTreeMap::new();
    for key in keys {
        variables.insert(key.variable.clone(), Variable::Bool(flag(config, &key.key)? != key.inverted));
    }
    let mips = if MIPS.contains(&arch.as_str()) {
        Some(Mips { variant: text(config, "mips_arch_variant")?, msa: flag(config, "mips_use_msa")? })
    } else {
        None
    };
    let simulator = match dialect.build.simulator {
        Simulator::Configured => Some(text(config, "target_cpu")? != cpu),
        Simulator::Key(key) => Some(flag(config, key)?),
        Simulator::Foreign(_) => None,
    };
    Ok(StatedConfig { arch, variables, mips, simulator, missing: Vec::new() })
}

/// V8 from 11.5 on: every key is a variable, of whatever type.
fn every(
    config: &Map<String, Value>,
    dialect: &Dialect,
    required: &[&str],
    lenient: bool,
) -> Result<StatedConfig, String> {
    let arch = text(config, dialect.build.arch_key)?;
    let missing: Vec<String> =
        required.iter().filter(|key| !config.contains_key(**key)).map(|key| (*key).to_owned()).collect();
    if let Some(key) = missing.first().filter(|_| !lenient) {
        return Err(lacks(key));
    }
    let mut variables: BTreeMap<String, Variable> =
        config.iter().map(|(key, value)| (key.clone(), variable(value))).collect();
    for key in &missing {
        variables.insert(key.clone(), Variable::Bool(false));
    }
    let simulator = match dialect.build.simulator {
        Simulator::Key(key) => Some(variables.get(key).is_some_and(Variable::is_true)),
        _ => None,
    };
    Ok(StatedConfig { arch, variables, mips: None, simulator, missing })
}

/// A value as conditions see it.
fn variable(value: &Value) -> Variable {
    match value {
        Value::Bool(value) => Variable::Bool(*value),
        Value::String(text) => Variable::Text(text.clone()),
        Value::Number(number) => number.as_i64().map_or(Variable::Other(true), Variable::Int),
        Value::Array(items) => Variable::Many(items.iter().map(variable).collect()),
        Value::Object(entries) => Variable::Other(!entries.is_empty()),
        Value::Null => Variable::None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::v8::dialect::{ConfigKeys, NEWEST, V9_2};
    use crate::v8::runner_source::build_keys;

    fn keys(dialect: &Dialect) -> Keys {
        build_keys(std::path::Path::new("/nonexistent"), dialect)
    }

    fn newest(changes: &[(&str, Option<Value>)], lenient: bool) -> Result<StatedConfig, String> {
        let ConfigKeys::Every { required, .. } = NEWEST.build.keys else { panic!() };
        let mut config: Map<String, Value> =
            required.iter().map(|key| ((*key).to_owned(), Value::Bool(false))).collect();
        config.insert("arch".into(), "x64".into());
        for (key, value) in changes {
            match value {
                Some(value) => config.insert((*key).into(), value.clone()),
                None => config.remove(*key),
            };
        }
        read(&serde_json::to_vec(&config).unwrap(), &NEWEST, &keys(&NEWEST), lenient)
    }

    #[test]
    fn every_key_is_a_variable_whatever_it_is_called() {
        let changes = [
            ("brand_new", Some(Value::Bool(true))),
            ("flavour", Some("sweet".into())),
            ("level", Some(3.into())),
            ("odd", Some(Value::Array(Vec::new()))),
        ];
        let said = newest(&changes, false).unwrap();
        assert_eq!(said.variables["brand_new"], Variable::Bool(true));
        assert_eq!(said.variables["flavour"], Variable::Text("sweet".into()));
        assert_eq!(said.variables["level"], Variable::Int(3));
        assert_eq!(said.variables["odd"], Variable::Many(Vec::new()));
        assert_eq!((said.arch.as_str(), said.simulator), ("x64", Some(false)));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(newest(&[("arch", None)], true).unwrap_err(), "lacks the key 'arch'");
        assert_eq!(
            newest(&[("arch", Some(1.into()))], false).unwrap_err(),
            "the key 'arch' should be a string"
        );
        assert_eq!(newest(&[("tsan", None)], false).unwrap_err(), "lacks the key 'tsan'");
        let said = newest(&[("tsan", None)], true).unwrap();
        assert_eq!(
            (said.missing, said.variables["tsan"].clone()),
            (vec!["tsan".into()], Variable::Bool(false))
        );
    }

    #[test]
    fn broken_configurations_are_refused_with_the_key() {
        for dialect in [&V9_2, &NEWEST] {
            let refused = |text: &[u8]| read(text, dialect, &keys(dialect), false).unwrap_err();
            assert!(refused(b"{").starts_with("is no JSON object: EOF"));
            assert!(refused(b"[1]").starts_with("is no JSON object: "));
            assert!(refused(b"").starts_with("is no JSON object: "));
            assert_eq!(refused(b"{}"), format!("lacks the key '{}'", dialect.build.arch_key));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in "[{}\\[\\]\":,a-z0-9 ]{0,60}") {
            for dialect in [&V9_2, &NEWEST] {
                let _ = read(text.as_bytes(), dialect, &keys(dialect), true);
            }
        }
    }
}
