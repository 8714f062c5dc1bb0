//! What wasm-js and wasm-spec-tests say beside their files: flags by what a test's name says, META directives (V8 9.2 to
//! 13.8 `testcfg.py` of both).

use std::path::Path;

use crate::kit::error::OpenError;
use crate::syntax::python::ModuleValue;
use crate::v8::table_file::TableFile;

/// The prefix of scripts that stand for the suite's own.
const WPT_ROOT: &str = "/wasm/jsapi/";

/// Names with the flags that their tests need.
type Flags = Vec<(String, Vec<String>)>;

/// What flags tests need by what their names say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagTables {
    /// By the proposal whose directory a test is in.
    proposals: Flags,
    /// By how a test in the directory of web platform tests begins (V8 13.6).
    wpt: Flags,
}

impl FlagTables {
    /// The tables of a suite, from its `testcfg.py`.
    ///
    /// # Errors
    /// The file cannot be read, or a table has another shape.
    pub fn read(suite_root: &Path) -> Result<Self, OpenError> {
        let source = TableFile::open(suite_root, "testcfg.py")?;
        Ok(Self { proposals: table(&source, "proposal_flags")?, wpt: table(&source, "wpt_flags")? })
    }

    /// The flags of the test called `name`, if a table names it; the first entry counts.
    pub fn flags(&self, name: &str) -> Option<&[String]> {
        let of = |table: &'_ Flags, dir: &str| {
            table.iter().position(|(entry, _)| name.contains(&format!("{dir}/{entry}")))
        };
        let proposal = of(&self.proposals, "proposals").map(|at| &self.proposals[at]);
        let found = proposal.or_else(|| of(&self.wpt, "wpt").map(|at| &self.wpt[at]));
        found.map(|(_, flags)| flags.as_slice())
    }

    /// The directory whose scripts stand for `/wasm/jsapi/` in tests of `directory`, with a slash behind. Of several that
    /// it names the last counts, as in V8 each replaces the one before.
    fn scripts(&self, directory: &str) -> String {
        if directory.contains("wpt") {
            return "wpt/".into();
        }
        let within =
            self.proposals.iter().rfind(|(proposal, _)| directory.contains(&format!("proposals/{proposal}")));
        within.map(|(proposal, _)| format!("proposals/{proposal}/")).unwrap_or_default()
    }
}

fn table(source: &TableFile, name: &'static str) -> Result<Flags, OpenError> {
    const SHAPE: &str = "a list of dictionaries with 'name' and 'flags'";
    let Some(found) = source.get(name)? else { return Ok(Vec::new()) };
    let ModuleValue::List(items) = found else { return Err(source.shape(name, SHAPE)) };
    let entry = |item: &ModuleValue| {
        let ModuleValue::Dict(pairs) = item else { return None };
        let of = |key: &str| {
            pairs.iter().find(|(k, _)| *k == ModuleValue::Str(key.into())).map(|(_, value)| value)
        };
        match (of("name")?, of("flags")?.strings()?) {
            (ModuleValue::Str(name), flags) => Some((name.clone(), flags)),
            _ => None,
        }
    };
    items.iter().map(|item| entry(item).ok_or_else(|| source.shape(name, SHAPE))).collect()
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
pub fn meta(source: &[u8], name: &str, tables: &FlagTables) -> Result<Meta, String> {
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
                Some(below) => format!("{}{below}", tables.scripts(directory)),
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

    fn tables() -> FlagTables {
        let flags = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, flag)| ((*name).to_owned(), vec![(*flag).to_owned()])).collect()
        };
        FlagTables {
            proposals: flags(&[("simd", "--s"), ("memory64", "--m")]),
            wpt: flags(&[("memory", "--w")]),
        }
    }

    #[test]
    fn scripts_are_found_where_the_suite_has_them() {
        let source =
            b"// META: global=jsshell\n// META: script=/wasm/jsapi/assertions.js\n// META:script=../b.js\n";
        let found = meta(source, "proposals/simd/limits", &tables()).unwrap();
        assert_eq!(found.scripts, ["proposals/simd/assertions.js", "proposals/simd/../b.js"]);
        assert!(!found.long);
        let found = meta(source, "limits", &tables()).unwrap();
        assert_eq!(found.scripts, ["assertions.js", "../b.js"]);
        let found = meta(source, "wpt/memory/limits", &tables()).unwrap();
        assert_eq!(found.scripts, ["wpt/assertions.js", "wpt/memory/../b.js"]);
        assert!(meta(b"// META: script=/other/a.js", "a", &tables()).unwrap_err().contains("/other/a.js"));
    }

    #[test]
    fn only_the_first_timeout_counts() {
        let long = |text: &str| meta(text.as_bytes(), "a", &tables()).unwrap().long;
        assert!(long("// META: timeout=long\r\n"));
        assert!(!long("// META: timeout=short\n// META: timeout=long\n"));
    }

    #[test]
    fn a_test_has_the_flags_of_the_first_entry_that_its_name_has() {
        assert_eq!(tables().flags("proposals/memory64/a").unwrap(), ["--m"]);
        assert_eq!(tables().flags("wpt/memory/a").unwrap(), ["--w"]);
        assert_eq!(tables().flags("wpt/table/a"), None);
        assert_eq!(tables().flags("a"), None);
    }
}
