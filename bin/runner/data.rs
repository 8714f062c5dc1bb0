//! `--download-data`: where to get suites' data that is not part of the tree.

use std::path::Path;

/// The data of one suite.
struct Data {
    /// Its directory below the test root; the first component is the suite.
    place: &'static str,
    /// A directory in `place` that exists if the data is there; empty: `place` itself.
    holds: &'static str,
    /// Where to get it.
    source: DataSource,
}

impl Data {
    fn suite(&self) -> &'static str {
        self.place.split('/').next().unwrap_or_default()
    }
}

/// Where to get data.
enum DataSource {
    /// A Git repository; `DEPS` names the commit.
    Git(&'static str),
    /// An archive in this Google Storage bucket; the file `tests.tar.gz.sha1` beside the data has its name.
    Bucket(&'static str),
}

/// The data that V8's trees of any age lack until it is fetched. Addresses that no longer exist are replaced by others
/// with the same data.
const ALL_DATA: [Data; 9] = [
    Data {
        place: "test262/data",
        holds: "test",
        source: DataSource::Git("https://github.com/tc39/test262.git"),
    },
    Data {
        place: "test262/harness",
        holds: "src",
        source: DataSource::Git("https://github.com/test262-utils/test262-harness-py.git"),
    },
    Data {
        place: "mozilla/data",
        holds: "js1_5",
        source: DataSource::Git("https://chromium.googlesource.com/v8/deps/third_party/mozilla-tests.git"),
    },
    Data {
        place: "benchmarks/data",
        holds: "octane",
        source: DataSource::Git("https://chromium.googlesource.com/v8/deps/third_party/benchmarks.git"),
    },
    Data {
        place: "simdjs/data",
        holds: "src",
        source: DataSource::Git(
            "https://chromium.googlesource.com/external/github.com/tc39/ecmascript_simd.git",
        ),
    },
    Data {
        place: "promises-aplus/promises-tests",
        holds: "lib",
        source: DataSource::Git("https://github.com/promises-aplus/promises-tests.git"),
    },
    Data { place: "wasm-spec-tests/tests", holds: "", source: DataSource::Bucket("v8-wasm-spec-tests") },
    Data { place: "wasm-js/tests", holds: "", source: DataSource::Bucket("v8-wasm-spec-tests") },
    Data {
        place: "wasm-js/data",
        holds: "test",
        source: DataSource::Git("https://github.com/WebAssembly/spec.git"),
    },
];

/// A suite that lacks its data.
#[derive(Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The suite.
    pub suite: &'static str,
    /// What it lacks, and the command that fetches it.
    pub line: String,
}

/// The wanted suites that lack their data. `test_root` is the directory of the suites. `DEPS` is read only if some data
/// is missing.
pub fn missing(root: &Path, test_root: &Path, wanted: impl Fn(&str) -> bool) -> Vec<Lacking> {
    let is_absent = |data: &&Data| {
        wanted(data.suite())
            && test_root.join(data.suite()).is_dir()
            && !test_root.join(data.place).join(data.holds).is_dir()
    };
    let absent: Vec<&Data> = ALL_DATA.iter().filter(is_absent).collect();
    if absent.is_empty() {
        return Vec::new();
    }
    let deps = std::fs::read_to_string(root.join("DEPS")).unwrap_or_default();
    // Older trees get this data from a bucket, newer ones from a repository: report only the one that applies.
    let does_not_apply = |data: &&&Data| match data.place {
        "wasm-js/tests" => !test_root.join("wasm-js/tests.tar.gz.sha1").is_file(),
        "wasm-js/data" => test_root.join("wasm-js/tests.tar.gz.sha1").is_file(),
        "test262/harness" => !deps.contains("test/test262/harness"),
        _ => false,
    };
    let lacking = |data: &Data| Lacking { suite: data.suite(), line: line(data, root, test_root, &deps) };
    absent.iter().filter(|data| !does_not_apply(data)).map(|data| lacking(data)).collect()
}

fn line(data: &Data, root: &Path, test_root: &Path, deps: &str) -> String {
    let suite = data.suite();
    let path = test_root.join(data.place);
    let path = path.strip_prefix(root).unwrap_or(&path).display().to_string();
    match data.source {
        DataSource::Git(url) => {
            let at = revision(deps, &format!("test/{}", data.place));
            let checkout = at.map(|at| format!(" && git -C {path} checkout {at}")).unwrap_or_default();
            format!("the suite {suite} lacks {path}; this fetches it: git clone {url} {path}{checkout}")
        }
        DataSource::Bucket(bucket) => {
            let dir = path.strip_suffix("/tests").unwrap_or(&path);
            format!(
                "the suite {suite} lacks {path}; this fetches it: curl -L \
                 https://storage.googleapis.com/{bucket}/$(cat {dir}/tests.tar.gz.sha1) | tar xz -C {dir}"
            )
        }
    }
}

/// The commit that `DEPS` names for a place: forty hexadecimal digits after the place's name.
fn revision<'a>(deps: &'a str, place: &str) -> Option<&'a str> {
    const LENGTH: usize = 40;
    let behind = [format!("'{place}'"), format!("\"{place}\""), format!("/{place}\"")]
        .iter()
        .find_map(|name| deps.find(name.as_str()).map(|at| at + name.len()))
        .and_then(|at| deps.get(at..))?;
    // Only up to the next entry.
    let entry = behind.split_inclusive(',').next()?;
    let mut words = entry.split(|c: char| !c.is_ascii_hexdigit());
    words.find(|word| word.len() == LENGTH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REVISION: &str = "6d353a4436747e2de8820efac27ae5ef7e601b60";

    #[test]
    fn each_suite_without_its_data_has_a_line_with_the_command() {
        let root = tempfile::tempdir().unwrap();
        let test = root.path().join("test");
        for dir in ["test262", "mozilla/data/js1_5", "wasm-spec-tests", "mjsunit"] {
            std::fs::create_dir_all(test.join(dir)).unwrap();
        }
        let deps =
            format!("deps = {{\n  'test/test262/data':\n    Var('x') + '/y.git' + '@' + '{REVISION}',\n}}");
        std::fs::write(root.path().join("DEPS"), deps).unwrap();
        let lines =
            missing(root.path(), &test, |_| true).into_iter().map(|data| data.line).collect::<Vec<_>>();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(
            lines[0],
            format!(
                "the suite test262 lacks test/test262/data; this fetches it: git clone \
                 https://github.com/tc39/test262.git test/test262/data && git -C test/test262/data checkout \
                 {REVISION}"
            )
        );
        assert!(lines[1].ends_with("tests.tar.gz.sha1) | tar xz -C test/wasm-spec-tests"), "{}", lines[1]);
    }

    #[test]
    fn a_revision_is_that_of_its_own_place() {
        let deps = format!("'test/a': 'x@' + 'short', 'test/b': 'y@' + '{REVISION}',");
        assert_eq!(revision(&deps, "test/a"), None);
        assert_eq!(revision(&deps, "test/b"), Some(REVISION));
        assert_eq!(revision("", "test/b"), None);
    }

    proptest! {
        #[test]
        fn any_deps_can_be_read(deps in "([a-f0-9]{38,42}|'test/é'|[,'é@ ]|test/b){0,12}") {
            let found = revision(&deps, "test/é");
            prop_assert!(found.is_none_or(|found| found.len() == 40));
        }
    }
}
