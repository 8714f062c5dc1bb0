//! Our own part of the JSON results: which tests have a verdict. V8's file names those that failed, so that a test which
//! passed cannot be told from one that did not run.

use std::collections::BTreeMap;

use flotilla_messages::TestName;
use serde::{Deserialize, Serialize};

/// Tests by variant (with detail), then by suite and directory: the last parts of their names. Names that share both are
/// written once: 100,000 tests (80,000 of test262, 20,000 of mjsunit) take 3.1 MB, 8.2 MB with full names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Ran {
    /// Takes one more in.
    pub fn add(&mut self, name: &TestName) {
        let path = name.path();
        let (directory, last) = path.rsplit_once('/').unwrap_or(("", &path));
        let variant = match self.0.get_mut(&name.variant) {
            Some(variant) if name.detail.is_none() => variant,
            _ => self.0.entry(name.variant_and_detail()).or_default(),
        };
        match variant.get_mut(directory) {
            Some(names) => names.push(last.to_owned()),
            None => drop(variant.insert(directory.to_owned(), vec![last.to_owned()])),
        }
    }

    /// Variant (with detail) and name of each, in no order that matters.
    pub fn tests(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().flat_map(|(variant, directories)| {
            directories.iter().flat_map(move |(directory, names)| {
                let path = move |last: &String| {
                    let path =
                        if directory.is_empty() { last.clone() } else { format!("{directory}/{last}") };
                    (variant.as_str(), path)
                };
                names.iter().map(path)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str, variant: &str, detail: Option<&str>) -> TestName {
        let (name, variant, detail) = (name.into(), variant.into(), detail.map(str::to_owned));
        TestName { suite: "s".into(), name, variant, detail }
    }

    #[test]
    fn what_was_added_is_written_compactly_and_read_again() {
        let mut ran = Ran::default();
        for one in [name("a", "default", None), name("d/e/b", "default", None), name("a", "stress", None)] {
            ran.add(&one);
        }
        ran.add(&name("a", "default", Some("strict")));
        let text = serde_json::to_string(&ran).unwrap();
        let expected =
            r#"{"default":{"s":["a"],"s/d/e":["b"]},"default strict":{"s":["a"]},"stress":{"s":["a"]}}"#;
        assert_eq!(text, expected);
        let read: Ran = serde_json::from_str(&text).unwrap();
        let all: Vec<(&str, String)> = read.tests().collect();
        let expected =
            [("default", "s/a"), ("default", "s/d/e/b"), ("default strict", "s/a"), ("stress", "s/a")];
        assert_eq!(all, expected.map(|(variant, path)| (variant, path.to_owned())));
    }
}
