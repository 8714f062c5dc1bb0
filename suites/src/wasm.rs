//! What wasm-js and wasm-spec-tests say beside their files: proposals, META directives (V8 9.2 `testcfg.py` of both).

use std::path::Path;

use crate::error::OpenError;
use crate::python::Value;
use crate::tables::Source;

/// The prefix of scripts that stand for the suite's own.
const WPT_ROOT: &str = "/wasm/jsapi/";

/// Proposals by the name of their directory, with the flags that their tests need.
pub type Proposals = Vec<(String, Vec<String>)>;

/// The proposals of a suite, from its `testcfg.py`.
///
/// # Errors
/// The file cannot be read, or the table has another shape.
pub fn proposals(suite_root: &Path) -> Result<Proposals, OpenError> {
    const NAME: &str = "proposal_flags";
    const SHAPE: &str = "a list of dictionaries with 'name' and 'flags'";
    let source = Source::open(suite_root, "testcfg.py")?;
    let Some(found) = source.get(NAME)? else { return Ok(Vec::new()) };
    let Value::List(items) = found else { return Err(source.shape(NAME, SHAPE)) };
    let proposal = |item: &Value| {
        let Value::Dict(pairs) = item else { return None };
        let of = |key: &str| pairs.iter().find(|(k, _)| *k == Value::Str(key.into())).map(|(_, value)| value);
        match (of("name")?, of("flags")?.strings()?) {
            (Value::Str(name), flags) => Some((name.clone(), flags)),
            _ => None,
        }
    };
    items.iter().map(|item| proposal(item).ok_or_else(|| source.shape(NAME, SHAPE))).collect()
}

/// The proposal that a test is for, by its name.
pub fn proposal_of<'a>(name: &str, proposals: &'a Proposals) -> Option<&'a (String, Vec<String>)> {
    proposals.iter().find(|(proposal, _)| name.contains(&format!("proposals/{proposal}")))
}

/// What META directives say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Scripts before the test, relative to the directory of tests.
    pub scripts: Vec<String>,
    /// `timeout=long`
    pub long: bool,
}

/// Reads the META directives of a test called `name`.
///
/// # Errors
/// A script with an absolute path of another kind.
pub fn meta(source: &[u8], name: &str, proposals: &Proposals) -> Result<Meta, String> {
    let text = String::from_utf8_lossy(source);
    let mut found = Meta::default();
    let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut timeouts = 0;
    for line in text.split('\n') {
        let Some((_, rest)) = line.split_once("META:") else { continue };
        let rest = rest.trim_start();
        if let Some(script) = rest.strip_prefix("script=") {
            let script = script.trim_end_matches('\r');
            found.scripts.push(match script.strip_prefix(WPT_ROOT) {
                // The last proposal that the directory names counts, as there each replaces the one before.
                Some(below) => {
                    let within =
                        proposals.iter().rfind(|(p, _)| directory.contains(&format!("proposals/{p}")));
                    within.map_or_else(|| below.to_owned(), |(p, _)| format!("proposals/{p}/{below}"))
                }
                None if script.starts_with('/') => {
                    return Err(format!("its script '{script}' is neither relative nor below {WPT_ROOT}"));
                }
                None if directory.is_empty() => script.to_owned(),
                None => format!("{directory}/{script}"),
            });
        } else if let Some(timeout) = rest.strip_prefix("timeout=") {
            timeouts += 1;
            found.long |= timeouts == 1 && timeout.trim_end_matches('\r') == "long";
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposals() -> Proposals {
        vec![("simd".into(), vec!["--s".into()]), ("memory64".into(), vec!["--m".into()])]
    }

    #[test]
    fn scripts_are_found_where_the_suite_has_them() {
        let source =
            b"// META: global=jsshell\n// META: script=/wasm/jsapi/assertions.js\n// META:script=../b.js\n";
        let found = meta(source, "proposals/simd/limits", &proposals()).unwrap();
        assert_eq!(found.scripts, ["proposals/simd/assertions.js", "proposals/simd/../b.js"]);
        assert!(!found.long);
        let found = meta(source, "limits", &proposals()).unwrap();
        assert_eq!(found.scripts, ["assertions.js", "../b.js"]);
        assert!(meta(b"// META: script=/other/a.js", "a", &proposals()).unwrap_err().contains("/other/a.js"));
    }

    #[test]
    fn only_the_first_timeout_counts() {
        let long = |text: &str| meta(text.as_bytes(), "a", &proposals()).unwrap().long;
        assert!(long("// META: timeout=long\r\n"));
        assert!(!long("// META: timeout=short\n// META: timeout=long\n"));
    }

    #[test]
    fn a_test_belongs_to_the_first_proposal_in_its_name() {
        assert_eq!(proposal_of("proposals/memory64/a", &proposals()).unwrap().0, "memory64");
        assert!(proposal_of("a", &proposals()).is_none());
    }
}
