//! What conditions of status files can say: the build's variables and the constants.

use crate::expectations::Variables;
use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::v8::build::Build;
use crate::v8::dialect::{ConfigKeys, Detected};
use crate::v8::tables::Tables;

/// The variables of conditions, and the constants.
///
/// # Errors
/// A key of the build's configuration that is a constant as well (V8 13.8 `local/statusfile.py`: "conflicts with
/// VARIABLES").
pub fn variables(
    options: &Options,
    build: &Build,
    tables: &Tables,
    tree: &Detected,
    extra_flags: &[String],
) -> Result<Variables, OpenError> {
    let dialect = tree.dialect;
    let mut variables = build.variables(options, extra_flags, dialect, &tables.false_variables);
    let names = |names: &[&str]| names.iter().map(|name| String::from(*name)).collect();
    let own = tables.status_words.as_ref().map(|words| words.constants.clone());
    let mut constants: Vec<String> = own.unwrap_or_else(|| names(dialect.constants));
    constants.extend(tables.variants.iter().map(|variant| variant.name.clone()));
    if let Some(file) =
        build.config.as_ref().filter(|_| matches!(dialect.build.keys, ConfigKeys::Every { .. }))
    {
        let clashes = |key: &&str| *key == ALWAYS || constants.iter().any(|constant| constant == key);
        if let Some(key) = build.variable_names().find(clashes) {
            let reason = format!("the key '{key}' is a constant of status files as well");
            return Err(OpenError::BuildConfig { file: file.clone(), reason });
        }
    }
    // Neither the tree nor a build says a version: names of several may be meant.
    if tree.assumed && build.config.is_none() {
        for (name, holds) in build.renamed(dialect) {
            variables.set(name, holds);
        }
    }
    variables.set(ALWAYS, true);
    variables.constants(constants.iter().map(String::as_str));
    for name in dialect.variables {
        variables.set(*name, false);
    }
    if tree.newer {
        variables.allow_unknown();
    }
    Ok(variables)
}

/// The condition that always holds, which is a constant.
const ALWAYS: &str = "ALWAYS";

/// Keys that the build's configuration should have, for the runner or for the table of flags that contradict builds, and
/// has not (V8 13.8 `local/variants.py`: REQUIRED_BUILD_VARIABLES).
///
/// # Errors
/// There are such keys, and the tree's version is known.
pub fn missing_keys(
    build: &Build,
    tables: &Tables,
    variables: &Variables,
    tree: &Detected,
) -> Result<Vec<String>, OpenError> {
    let Some(file) = &build.config else { return Ok(Vec::new()) };
    let of_table = tables.per_build.iter().map(|(key, _)| key.trim_start_matches('!'));
    let unset = of_table.filter(|key| {
        matches!(tree.dialect.build.keys, ConfigKeys::Every { .. }) && variables.get(key).is_none()
    });
    let mut missing: Vec<&str> = build.missing.iter().map(String::as_str).collect();
    for key in unset {
        if !missing.contains(&key) {
            missing.push(key);
        }
    }
    match missing.first() {
        Some(key) if !tree.newer => {
            Err(OpenError::BuildConfig { file: file.clone(), reason: format!("lacks the key '{key}'") })
        }
        _ => Ok(missing
            .iter()
            .map(|key| format!("{} lacks the key '{key}': conditions with it are unknown, for the rest it counts as false", file.display()))
            .collect()),
    }
}
