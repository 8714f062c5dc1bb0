//! The keys of a build's configuration, and the status variables they give.

use std::path::Path;

use super::source::{between, text, tokens};
use crate::syntax::python::token::Token;
use crate::v8::dialect::{ConfigKey, ConfigKeys, Dialect};

/// A key of `v8_build_config.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub key: String,
    /// The status variable it gives.
    pub variable: String,
    /// Whether the variable is the key's opposite.
    pub inverted: bool,
    /// What V8's runner prints under "Autodetected" when the variable is true, if anything.
    pub shown: Option<String>,
    /// The variable's value where there is no build configuration.
    pub unbuilt: bool,
}

impl From<&ConfigKey> for Key {
    fn from(key: &ConfigKey) -> Self {
        Self {
            key: key.key.into(),
            variable: key.variable.into(),
            inverted: key.inverted,
            shown: key.shown.map(String::from),
            unbuilt: key.unbuilt,
        }
    }
}

/// The keys that a tree's runner knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// These and no others.
    Named(Vec<Key>),
    /// Whatever keys there are, each a status variable of the same name.
    Every {
        /// Those without which V8's runner does not start.
        required: &'static [&'static str],
        /// Those of a build of which nothing is known, with their values.
        unbuilt: Vec<(String, bool)>,
    },
}

/// Where trees keep it, newer ones first.
const CONFIG_FILES: [&str; 2] = ["tools/testrunner/build_config.py", "tools/testrunner/base_runner.py"];
const BASE_RUNNER: &str = CONFIG_FILES[1];
/// What writes the configuration.
const BUILD_GN: &str = "BUILD.gn";
/// Keys with a value of their own where there is no build; all others are false, or true where they say that something
/// is not.
const KNOWN: [(&str, bool); 3] =
    [("v8_enable_concurrent_marking", true), ("v8_enable_turbofan", true), ("v8_enable_webassembly", true)];

/// The keys that a tree's runner reads; those of its dialect where it has no such code.
pub fn build_keys(root: &Path, dialect: &Dialect) -> Keys {
    let texts = CONFIG_FILES.map(|file| text(root, file));
    let [_, base_runner] = &texts;
    let config = texts.iter().flatten().find(|text| text.contains("class BuildConfig"));
    match dialect.build.keys {
        ConfigKeys::Every { required, unbuilt } => {
            let mut unbuilt: Vec<_> =
                unbuilt.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            // A tree without a build may name what only its own version has.
            for name in dumped(&text(root, BUILD_GN).unwrap_or_default()) {
                if !unbuilt.iter().any(|(known, _)| *known == name) && !is_text(&name) {
                    unbuilt.push((name, false));
                }
            }
            Keys::Every { required, unbuilt }
        }
        ConfigKeys::Named(known) => {
            let found = config.map(|config| keys(config, base_runner.as_deref().unwrap_or_default()));
            Keys::Named(
                found
                    .filter(|found| !found.is_empty())
                    .unwrap_or_else(|| known.iter().map(Key::from).collect()),
            )
        }
    }
}

/// Keys whose values are texts.
fn is_text(key: &str) -> bool {
    key == "arch" || key.ends_with("cpu") || key == "mips_arch_variant"
}

/// The keys that the action `v8_dump_build_config` of a BUILD.gn writes: `"KEY=$VALUE",` in its `args`.
fn dumped(build_gn: &str) -> Vec<String> {
    let Some(start) = build_gn.find("action(\"v8_dump_build_config\")") else { return Vec::new() };
    let action = &build_gn[start..];
    let action = &action[..action.find("\n}").unwrap_or(action.len())];
    let Some(args) = action.find("args = [") else { return Vec::new() };
    let lines = action[args..].lines().skip(1).map(str::trim).take_while(|line| *line != "]");
    let key = |line: &str| {
        let (key, _) = line.strip_prefix('"')?.split_once('=')?;
        let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_word.then(|| key.to_owned())
    };
    lines.filter_map(key).collect()
}

/// Status variables that the runner says are false, whatever the build: `"NAME": False` in
/// `_get_statusfile_variables`. Fuzzers set some of them.
pub fn false_variables(root: &Path) -> Vec<String> {
    let text = text(root, BASE_RUNNER).unwrap_or_default();
    let tokens = tokens(&text);
    let method = [Token::Name("def"), Token::Name("_get_statusfile_variables"), Token::Op("(")];
    let Some(start) = tokens.windows(method.len()).position(|window| window == method) else {
        return Vec::new();
    };
    let body = &tokens[start + method.len()..];
    let body = &body[..body.iter().position(|token| *token == Token::Name("def")).unwrap_or(body.len())];
    let table = between(body, &[Token::Name("return"), Token::Op("{")])
        .or_else(|| between(body, &[Token::Name("update"), Token::Op("("), Token::Op("{")]));
    let mut found = Vec::new();
    for entry in table.unwrap_or_default().windows(3) {
        if let [Token::Str(name), Token::Op(":"), Token::Name("False")] = entry {
            found.push(name.clone());
        }
    }
    found
}

/// `self.VARIABLE = build_config['KEY']` with or without a `not`; and `"NAME": self.build_config.VARIABLE`, where status
/// files call it otherwise.
fn keys(config: &str, base_runner: &str) -> Vec<Key> {
    let config = tokens(config);
    let names = status_names(base_runner);
    let mut found: Vec<Key> = Vec::new();
    for at in 0..config.len() {
        let [Token::Name("self"), Token::Op("."), Token::Name(variable), Token::Op("="), rest @ ..] =
            &config[at..]
        else {
            continue;
        };
        let (inverted, rest) = match rest {
            [Token::Name("not"), rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let [Token::Name("build_config"), Token::Op("["), Token::Str(key), Token::Op("]"), ..] = rest else {
            continue;
        };
        // The architecture's, which are no flags.
        if key.contains("cpu") || key.starts_with("mips_") || found.iter().any(|other| other.key == *key) {
            continue;
        }
        // What stands anywhere behind as a text is what __str__ prints.
        let shown = config[at..].iter().any(|token| matches!(token, Token::Str(text) if text == variable));
        let unbuilt = match KNOWN.iter().find(|(known, _)| known == key) {
            Some((_, unbuilt)) => *unbuilt,
            // What is the opposite of a build's option is there, unless it says that something is not.
            None => inverted && !variable.starts_with("no_"),
        };
        let own = Key {
            key: key.clone(),
            variable: (*variable).into(),
            inverted,
            shown: shown.then(|| (*variable).into()),
            unbuilt,
        };
        let under_its_own = names.iter().any(|(name, of)| name == variable && of == variable);
        let other = names.iter().filter(|(_, of)| of == variable && !under_its_own);
        found.extend(other.map(|(name, _)| Key { variable: name.clone(), shown: None, ..own.clone() }));
        found.push(own);
    }
    found
}

/// The names of status variables that are a property of the build, with the property.
fn status_names(base_runner: &str) -> Vec<(String, String)> {
    let tokens = tokens(base_runner);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if let [
            Token::Str(name),
            Token::Op(":"),
            Token::Name("self"),
            Token::Op("."),
            Token::Name("build_config"),
            Token::Op("."),
            Token::Name(variable),
            Token::Op("," | "}"),
            ..,
        ] = &tokens[at..]
        {
            found.push((name.clone(), (*variable).to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::v8::dialect::{NEWEST, V7_0, V9_2};

    const CONFIG: &str = "class BuildConfig(object):\n  def __init__(self, build_config, options):\n    \
        if build_config['v8_target_cpu'] == 'x86':\n      self.arch = 'ia32'\n    \
        self.arch = build_config['v8_target_cpu']\n    self.asan = build_config['is_asan']\n    \
        self.css = build_config[\n        'v8_enable_css']\n    \
        self.write_barriers = not build_config['v8_disable_write_barriers']\n    \
        self.simulator_run = (build_config['target_cpu'] != 'x')\n    \
        self.maglev = build_config['v8_enable_maglev']\n    \
        self.webassembly = build_config['v8_enable_webassembly']\n    \
        self.mips_use_msa = build_config['mips_use_msa']\n\n  def __str__(self):\n    return ['asan', 'maglev']\n";
    const VARIABLES: &str = "    return {\n      \"asan\": self.build_config.asan,\n      \
        \"has_maglev\": self.build_config.maglev,\n      \"mode\": self.mode if self.build_config.asan else 'x',\n      \
        \"has_webassembly\": self.build_config.webassembly,\n    }\n";

    #[test]
    fn the_keys_of_a_build_are_read_from_the_runner() {
        let found = keys(CONFIG, VARIABLES);
        let shown: Vec<String> = found
            .iter()
            .map(|key| {
                let not = if key.inverted { "not " } else { "" };
                let detected = if key.shown.is_some() { " shown" } else { "" };
                format!("{} = {not}{}{detected} {}", key.variable, key.key, key.unbuilt)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "asan = is_asan shown false",
                "css = v8_enable_css false",
                "write_barriers = not v8_disable_write_barriers true",
                "has_maglev = v8_enable_maglev false",
                "maglev = v8_enable_maglev shown false",
                "has_webassembly = v8_enable_webassembly true",
                "webassembly = v8_enable_webassembly true",
            ]
        );
    }

    #[test]
    fn a_tree_without_a_runner_has_the_keys_of_its_version() {
        let root = tempfile::tempdir().unwrap();
        for dialect in [&V9_2, &V7_0] {
            let ConfigKeys::Named(known) = dialect.build.keys else { panic!("{}", dialect.name) };
            assert_eq!(build_keys(root.path(), dialect), Keys::Named(known.iter().map(Key::from).collect()));
        }
    }

    #[test]
    fn a_tree_without_a_build_knows_what_its_own_gn_file_dumps() {
        let root = tempfile::tempdir().unwrap();
        let gn = "action(\"other\") {\n  args = [\n    \"no=1\",\n  ]\n}\n\
            action(\"v8_dump_build_config\") {\n  x = [ \"y\" ]\n  args = [\n    \"--z\",\n    \"current_cpu=$c\",\n    \
            \"asan=$is_asan\",\n    \"brand_new=$v8_brand_new\",\n  ]\n}\n";
        std::fs::write(root.path().join(BUILD_GN), gn).unwrap();
        assert_eq!(dumped(gn), ["current_cpu", "asan", "brand_new"]);
        let Keys::Every { unbuilt, .. } = build_keys(root.path(), &NEWEST) else { panic!() };
        assert_eq!(unbuilt.iter().filter(|(name, _)| name == "asan").count(), 1);
        assert_eq!(unbuilt.last(), Some(&("brand_new".into(), false)), "no text, and none twice");
    }

    #[test]
    fn variables_that_no_build_sets_are_read_from_the_runner() {
        let found = |body: &str| {
            let root = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(root.path().join("tools/testrunner")).unwrap();
            let text = format!(
                "class R:\n  def _get_statusfile_variables(self):\n{body}\n  def x(self):\n    return {{'n': False}}\n"
            );
            std::fs::write(root.path().join(BASE_RUNNER), text).unwrap();
            false_variables(root.path())
        };
        assert_eq!(
            found("    return {\n        \"a\":\n            False,\n        'b': self.b,\n    }"),
            ["a"]
        );
        assert_eq!(
            found("    v = dict(x)\n    v.update({\n      'c': False, 'd': f() and False})\n    return v"),
            ["c"]
        );
        assert!(found("    pass").is_empty());
    }

    const WORDS: [&str; 17] = [
        "def",
        "_get_statusfile_variables(",
        "self",
        ".",
        "x",
        "=",
        "not",
        "build_config",
        "[",
        "'is_a'",
        "]",
        "\"b\"",
        ":",
        ",",
        "return {",
        "False",
        "}",
    ];

    proptest! {
        #[test]
        fn any_text_is_read_or_not(words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..60), other in ".{0,40}") {
            let text = words.join(" ");
            for (one, two) in [(&text, &other), (&other, &text), (&text, &text)] {
                let found = keys(one, two);
                prop_assert!(found.iter().all(|key| !key.key.is_empty() && !key.variable.is_empty()));
                let _ = dumped(one);
            }
        }
    }
}
