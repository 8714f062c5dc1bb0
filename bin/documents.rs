//! Documents generated from the options' declarations: the README's table of options, and the JSON schemas of
//! `runner.toml` and `peerd.toml`. These tests fail if a file differs from what the declarations give;
//! `UPDATE_DOCUMENTS=1 cargo test -p flotilla documents` rewrites the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use serde_json::Value;

use crate::options::{Class, Declares, Item, all};
use crate::peerd;
use crate::runner;

/// Fails unless the file's text is what `wanted` makes of it; with `UPDATE_DOCUMENTS`, writes that text instead.
fn agrees(file: &str, wanted: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let wanted = wanted(&text);
    if wanted != text && std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert_eq!(
        text, wanted,
        "{file} is not what the options' declarations say: UPDATE_DOCUMENTS=1 cargo test -p flotilla documents"
    );
}

/// Each command: its name, its declared options, and its clap command.
fn commands() -> Vec<(&'static str, Vec<&'static [Item]>, Command)> {
    vec![
        ("runner", vec![runner::cli::Cli::OPTIONS], runner::cli::Cli::command()),
        (
            "runner history",
            vec![runner::history_command::HistoryCommand::OPTIONS],
            runner::history_command::HistoryCommand::command(),
        ),
        ("runner diff", vec![runner::diff::Diff::OPTIONS], runner::diff::Diff::command()),
        (
            "peerd",
            vec![
                peerd::cli::PeerdCli::OPTIONS,
                peerd::cli::RunArgs::OPTIONS,
                peerd::cli::LogArgs::OPTIONS,
                peerd::cli::ApproveArgs::OPTIONS,
                peerd::cli::RevokeArgs::OPTIONS,
                peerd::cli::PeersArgs::OPTIONS,
                peerd::cli::StatusArgs::OPTIONS,
            ],
            peerd::cli::PeerdCli::command(),
        ),
    ]
}

/// The ids of the options of a command and its subcommands.
fn ids(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().map(|arg| arg.get_id().to_string());
    own.chain(command.get_subcommands().flat_map(ids)).collect()
}

#[test]
fn every_option_of_every_command_was_declared_with_a_class() {
    for (name, declared, command) in commands() {
        let declared: BTreeSet<String> =
            declared.iter().flat_map(|items| all(items)).map(|option| option.field.to_owned()).collect();
        assert_eq!(ids(&command), declared, "{name}");
    }
}

#[test]
fn what_names_a_program_or_shows_something_is_not_called_harmless() {
    let settings = all(runner::settings::Settings::OPTIONS);
    let classes: BTreeMap<&str, Class> = settings.iter().map(|option| (option.field, option.class)).collect();
    for (field, class) in [
        ("shell", Class::Program),
        ("command_prefix", Class::Program),
        ("extra_flags", Class::Program),
        ("env", Class::Secret),
        ("peer", Class::Network),
        ("junitout", Class::Path),
        ("timeout", Class::Harmless),
    ] {
        assert_eq!(classes.get(field), Some(&class), "{field}");
    }
}

/// An option as the table shows it: `-t/--timeout`, `--slow-tests run\|skip\|dontcare`.
fn spelled(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut text = [short, long].into_iter().flatten().collect::<Vec<_>>().join("/");
    if text.is_empty() {
        return arg.get_value_names().unwrap_or_default().join(" ");
    }
    let values: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let names = arg.get_value_names().unwrap_or_default().join(" ");
    if arg.get_action().takes_values() {
        match values.is_empty() || names.contains('|') {
            true if names.contains('|') => text = format!("{text} {}", names.replace('|', "\\|")),
            true => {}
            false => text = format!("{text} {}", values.join("\\|")),
        }
    }
    text
}

/// The README's table: one row for each heading of `--help`, in the same order.
fn table_of_options() -> String {
    let command = runner::cli::Cli::command();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let heading = match arg.get_help_heading() {
            Some(heading) => heading,
            None if arg.is_positional() => "Which tests",
            None => continue,
        };
        let spelled = spelled(arg);
        match rows.iter_mut().find(|(known, _)| known == heading) {
            Some((_, options)) => options.push(spelled),
            None => rows.push((heading.to_owned(), vec![spelled])),
        }
    }
    let rows = rows.iter().map(|(heading, options)| format!("| {heading} | `{}` |\n", options.join(" ")));
    format!("| task | options |\n|---|---|\n{}", rows.collect::<String>())
}

#[test]
fn the_readmes_table_has_every_option_that_help_has() {
    let (start, end) = ("<!-- options -->\n", "<!-- /options -->");
    agrees("README.md", |text| {
        let (before, rest) = text.split_once(start).expect("the README has the mark <!-- options -->");
        let (_, after) = rest.split_once(end).expect("the README has the mark <!-- /options -->");
        format!("{before}{start}{}{end}{after}", table_of_options())
    });
}

/// The JSON schema of the file that is read as `T`.
fn schema<T: schemars::JsonSchema>(file: &str) -> String {
    let mut schema = serde_json::to_value(schemars::schema_for!(T)).unwrap();
    without_null(&mut schema);
    schema["title"] = file.into();
    // A profile has the same keys, except `profile`.
    if let Some(properties) = schema["properties"].as_object() {
        let (mut inner, own) = (properties.clone(), properties.contains_key("profile"));
        inner.remove("profile");
        if own {
            schema["$defs"]["Profile"] = serde_json::json!({
                "description": "One profile. It cannot hold further profiles.",
                "type": "object",
                "additionalProperties": false,
                "properties": inner,
            });
        }
    }
    format!("{}\n", serde_json::to_string_pretty(&schema).unwrap())
}

/// Removes null from the schema's types: TOML has no null, and keys without a value are left out.
fn without_null(schema: &mut Value) {
    let is_null = |schema: &Value| *schema == "null" || schema["type"] == "null";
    match schema {
        Value::Object(object) => {
            object.remove("writeOnly");
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            for key in ["type", "anyOf"] {
                let Some(Value::Array(all)) = object.get_mut(key) else { continue };
                all.retain(|one| !is_null(one));
                if let [one] = &all[..] {
                    let one = one.clone();
                    match (key, one) {
                        ("anyOf", Value::Object(one)) => {
                            object.remove(key);
                            object.extend(one.into_iter().filter(|(key, _)| key != "description"));
                        }
                        (_, one) => drop(object.insert(key.to_owned(), one)),
                    }
                }
            }
            if let Some(Value::Object(default)) = object.get_mut("default") {
                default.retain(|_, value| !value.is_null());
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(all) => all.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[test]
fn the_schemas_are_those_of_the_types_that_read_the_files() {
    agrees("conf/schemas/runner.schema.json", |_| schema::<runner::settings::Settings>("runner.toml"));
    agrees("conf/schemas/peerd.schema.json", |_| schema::<peerd::config::Settings>("peerd.toml"));
}
