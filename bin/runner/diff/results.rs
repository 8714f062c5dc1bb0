//! Reads files of results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::Ran;

/// Why a file of results cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is not JSON, or does not hold results.
    #[error("cannot compare {}: it holds no results of tests: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
}

/// A test as a file of results names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NamedTest {
    /// `suite/name`.
    pub name: String,
    /// The variant, and the subtest if there is one; empty if the file has none.
    pub variant: String,
    /// The build, such as `x64.release`, if a file has the results of several; else empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build: String,
}

impl fmt::Display for NamedTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match (self.variant.as_str(), self.build.as_str()) {
            ("", "") => Ok(()),
            (variant, "") => write!(f, " ({variant})"),
            ("", build) => write!(f, " ({build})"),
            (variant, build) => write!(f, " ({variant}, {build})"),
        }
    }
}

/// The content of a file of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Tests with unexpected verdicts, and their outcomes.
    pub failing: BTreeMap<NamedTest, String>,
    /// Tests that failed and then passed.
    pub flaky: BTreeSet<NamedTest>,
    /// All tests with a verdict, if the file lists them.
    pub ran: Option<BTreeSet<NamedTest>>,
}

/// One run's results. V8's runners before 9 write a list of them, one for each architecture and mode.
#[derive(Deserialize)]
#[serde(expecting = "an object with results")]
struct ResultsFile {
    arch: Option<String>,
    mode: Option<String>,
    results: Vec<AttemptRecord>,
    ran: Option<Ran>,
}

/// One attempt at one test.
#[derive(Deserialize)]
#[serde(expecting = "an object with name and result")]
struct AttemptRecord {
    name: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default)]
    subtest: Option<String>,
    result: String,
    #[serde(default)]
    expected: Vec<String>,
    #[serde(default)]
    run: u32,
    #[serde(default)]
    flaky: bool,
}

impl Results {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ResultsError`].
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let bytes = std::fs::read(path).map_err(|source| ResultsError::Read { path: path.into(), source })?;
        Self::parse(&bytes).map_err(|source| ResultsError::Content { path: path.into(), source })
    }

    /// Reads a file's content.
    ///
    /// # Errors
    /// The bytes are not JSON, or do not hold results.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let documents: Vec<ResultsFile> = if bytes.trim_ascii_start().starts_with(b"[") {
            serde_json::from_slice(bytes)?
        } else {
            vec![serde_json::from_slice(bytes)?]
        };
        let several = documents.len() > 1;
        // Known only if every document lists its tests.
        let ran = documents.iter().all(|document| document.ran.is_some()).then(BTreeSet::new);
        let mut results = Self { ran, ..Self::default() };
        for document in documents {
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            let build = if several {
                format!("{}.{}", part(&document.arch), part(&document.mode))
            } else {
                String::new()
            };
            results.add(document, &build);
        }
        Ok(results)
    }

    fn add(&mut self, document: ResultsFile, build: &str) {
        let is_ours = document.ran.is_some();
        for record in document.results {
            let mut variant = record.variant.unwrap_or_default();
            if let Some(detail) = record.subtest {
                variant = format!("{variant} {detail}");
            }
            let test = NamedTest { name: record.name, variant, build: build.to_owned() };
            // A file has unexpected results, and those of reruns.
            let rerun_passed = record.run > 1 && record.expected.contains(&record.result);
            if if is_ours { record.flaky } else { rerun_passed } {
                self.failing.remove(&test);
                self.flaky.insert(test);
            } else {
                self.flaky.remove(&test);
                self.failing.insert(test, record.result);
            }
        }
        if let (Some(all), Some(ran)) = (&mut self.ran, document.ran) {
            let test = |(variant, name): (&str, String)| NamedTest {
                name,
                variant: variant.to_owned(),
                build: build.to_owned(),
            };
            all.extend(ran.tests().map(test));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Results {
        Results::parse(text.as_bytes()).unwrap()
    }

    fn names<'a>(tests: impl IntoIterator<Item = &'a NamedTest>) -> Vec<String> {
        tests.into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn our_own_files_say_what_ran() {
        let results = parsed(
            r#"{"results": [
                {"name": "s/a", "variant": "default", "run": 1, "result": "FAIL", "expected": ["PASS"], "flaky": true},
                {"name": "s/a", "variant": "default", "run": 2, "result": "PASS", "expected": ["PASS"], "flaky": true},
                {"name": "s/b", "variant": "default", "subtest": "strict", "run": 2, "result": "FAIL", "expected": ["FAIL"]}
            ], "test_total": 4, "ran": {"default": {"s": ["a", "b"]}, "default strict": {"s": ["b"]}}}"#,
        );
        assert_eq!(names(results.failing.keys()), ["s/b (default strict)"]);
        assert_eq!(names(&results.flaky), ["s/a (default)"]);
        assert_eq!(results.ran.unwrap().len(), 3);
    }

    #[test]
    fn v8s_own_files_of_all_times_are_read() {
        let record = |name: &str, run: u32, result: &str| {
            format!(
                r#"{{"name": "{name}", "variant": "stress", "run": {run}, "result": "{result}", "expected": ["PASS"], "flags": []}}"#
            )
        };
        let of_92 = format!(
            r#"{{"results": [{}, {}, {}, {}], "slowest_tests": [], "duration_mean": 0.1, "test_total": 9}}"#,
            record("s/a", 1, "CRASH"),
            record("s/a", 2, "PASS"),
            record("s/b", 1, "FAIL"),
            record("s/b", 2, "TIMEOUT"),
        );
        let results = parsed(&of_92);
        assert_eq!(
            (names(&results.flaky), names(results.failing.keys())),
            (vec!["s/a (stress)".into()], vec!["s/b (stress)".into()])
        );
        assert_eq!((results.failing.values().next().unwrap().as_str(), results.ran), ("TIMEOUT", None));
        let part = |arch: &str| {
            format!(
                r#"{{"arch": "{arch}", "mode": "release", "results": [{}], "duration_mean": null}}"#,
                record("s/a", 1, "FAIL")
            )
        };
        let results = parsed(&format!("[{}, {}]", part("x64"), part("ia32")));
        assert_eq!(
            names(results.failing.keys()),
            ["s/a (stress, ia32.release)", "s/a (stress, x64.release)"]
        );
        assert_eq!(names(parsed(&format!("[{}]", part("x64"))).failing.keys()), ["s/a (stress)"]);
        assert_eq!(parsed("[]").failing.len(), 0);
    }

    #[test]
    fn what_holds_no_results_is_refused_with_the_place() {
        for (text, said) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("no json", "expected ident at line 1 column 2"),
            ("{\"tests\": []}", "missing field `results` at line 1 column 13"),
            ("{\"results\": 7}", "invalid type: integer `7`, expected a sequence at line 1 column 13"),
            ("{\"results\": [{\"name\": \"a\"}]}", "missing field `result` at line 1 column 26"),
            ("[7]", "invalid type: integer `7`, expected an object with results at line 1 column 2"),
            ("{\"results\": []} {}", "trailing characters at line 1 column 17"),
        ] {
            assert_eq!(Results::parse(text.as_bytes()).unwrap_err().to_string(), said, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Results::parse(&bytes);
        }

        #[test]
        fn a_file_with_some_bytes_changed_is_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)
        ) {
            let text = r#"[{"arch": "x64", "results": [{"name": "s/a", "variant": "v", "run": 2, "result": "FAIL",
                           "expected": ["PASS"], "flaky": true}], "ran": {"v": {"s": ["a", "b"]}}}]"#;
            let mut bytes = text.as_bytes().to_owned();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(results) = Results::parse(&bytes) {
                prop_assert!(results.failing.keys().all(|test| !results.flaky.contains(test)));
            }
        }
    }
}
