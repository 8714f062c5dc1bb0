//! What a tree's own runner says in code rather than in tables: the keys of a build configuration, and the order of a
//! command line's parts. Both changed with nearly every version of V8; none of the code is run.

use std::path::Path;

use crate::dialect::{ConfigKey, Dialect, Part, V7_0, V9_2};
use crate::python::token::{Spanned, Token, tokenize};
use crate::read::read;

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

/// Where trees keep it, newer ones first.
const CONFIG_FILES: [&str; 2] = ["tools/testrunner/build_config.py", "tools/testrunner/base_runner.py"];
/// Where the order is.
const TEST_CASE: &str = "tools/testrunner/objects/testcase.py";

/// The keys that a tree's runner reads; those of its dialect where it has no such code.
pub fn config_keys(root: &Path, dialect: &Dialect) -> Vec<Key> {
    let of_dialect = || dialect.config.iter().map(Key::from).collect();
    let texts = CONFIG_FILES.map(|file| text(root, file));
    let [_, base_runner] = &texts;
    let Some(config) = texts.iter().flatten().find(|text| text.contains("class BuildConfig")) else {
        return of_dialect();
    };
    let found = keys(config, base_runner.as_deref().unwrap_or_default());
    if found.is_empty() { of_dialect() } else { found }
}

/// The order in which a tree's runner puts a command line together, if it has one that can be read.
pub fn order(root: &Path) -> Option<Vec<Part>> {
    parts(&text(root, TEST_CASE)?)
}

fn text(root: &Path, file: &str) -> Option<String> {
    read(&root.join(file)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// The tokens of a text; none if it is no Python.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let spanned: Vec<Spanned<'_>> = tokenize(text).unwrap_or_default();
    spanned.into_iter().map(|spanned| spanned.token).filter(|token| *token != Token::Newline).collect()
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
        let known = V9_2.config.iter().chain(V7_0.config).find(|known| known.key == key);
        let unbuilt = match known {
            Some(known) => known.unbuilt,
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

/// What `_get_cmd_params` adds up.
fn parts(test_case: &str) -> Option<Vec<Part>> {
    let tokens = tokens(test_case);
    let start =
        tokens.windows(2).position(|two| two == [Token::Name("def"), Token::Name("_get_cmd_params")])?;
    let body = &tokens[start + 2..];
    let end = body.iter().position(|token| *token == Token::Name("def")).unwrap_or(body.len());
    let known = |token: &Token<'_>| match token {
        Token::Name("_get_files_params") => Some(Some(Part::Files)),
        Token::Name("_get_random_seed_flags") => Some(Some(Part::Seed)),
        Token::Name("_get_mode_flags") => Some(Some(Part::Mode)),
        Token::Name("_get_extra_flags") => Some(Some(Part::Extra)),
        Token::Name("_get_variant_flags") => Some(Some(Part::Variant)),
        Token::Name("_get_source_flags") => Some(Some(Part::Source)),
        Token::Name("_get_suite_flags") => Some(Some(Part::Suite)),
        Token::Name("_get_statusfile_flags") => Some(Some(Part::Status)),
        Token::Name(name) if name.starts_with("_get_") => Some(None),
        _ => None,
    };
    // With a part that is not known here, the order is not either.
    let mut parts: Vec<Part> = body[..end].iter().filter_map(known).collect::<Option<_>>()?;
    // Until V8 6.6 the seed was one of the shell's own flags.
    if !parts.contains(&Part::Seed) {
        parts.insert(0, Part::Seed);
    }
    let once = (1..parts.len()).all(|at| !parts[..at].contains(&parts[at]));
    (parts.len() > 6 && once).then_some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
    fn the_order_of_a_command_line_is_read_from_the_runner() {
        let body = |parts: &[&str]| {
            let calls: Vec<String> = parts.iter().map(|part| format!("self._get_{part}()")).collect();
            format!(
                "class TestCase:\n  def get_command(self):\n    self._get_cmd_env()\n  def _get_cmd_params(self):\n    \
                \"\"\"text\"\"\"\n    return (\n        {}\n    )\n  def _get_other(self):\n    pass\n",
                calls.join(" +\n        ")
            )
        };
        let six = [
            "files_params",
            "extra_flags",
            "variant_flags",
            "statusfile_flags",
            "mode_flags",
            "source_flags",
        ];
        let found = parts(&body(&six)).unwrap();
        assert_eq!(
            found,
            [Part::Seed, Part::Files, Part::Extra, Part::Variant, Part::Status, Part::Mode, Part::Source]
        );
        assert_eq!(parts(&body(&six[..3])), None);
        let unknown: Vec<&str> = six.into_iter().chain(["new_flags"]).collect();
        assert_eq!(parts(&body(&unknown)), None, "a part that nothing is known of");
        assert_eq!(parts("x = 1\n"), None);
        assert_eq!(parts("x = '"), None);
    }

    #[test]
    fn a_tree_without_a_runner_has_the_keys_of_its_version() {
        let root = tempfile::tempdir().unwrap();
        let found = config_keys(root.path(), &V9_2);
        assert_eq!(found.len(), V9_2.config.len());
        assert_eq!(order(root.path()), None);
    }

    const WORDS: [&str; 19] = [
        "def",
        "_get_cmd_params",
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
        "\n",
        "_get_files_params",
        "_get_new_flags",
        "(",
        "'",
    ];

    proptest! {
        #[test]
        fn any_text_is_read_or_not(words in prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..60), other in ".{0,40}") {
            let text = words.join(" ");
            for (one, two) in [(&text, &other), (&other, &text), (&text, &text)] {
                let found = keys(one, two);
                prop_assert!(found.iter().all(|key| !key.key.is_empty() && !key.variable.is_empty()));
                if let Some(parts) = parts(one) {
                    prop_assert!(parts.contains(&Part::Seed) && parts.len() > 6);
                }
            }
        }
    }
}
