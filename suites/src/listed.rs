//! Suites whose tests are not simply files: templates, lists, data for fuzzers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use flotilla_messages::Arg;

use crate::dialect::Listing;
use crate::error::OpenError;
use crate::python::{Generated, generate};
use crate::read::read;
use crate::suite::Place;

/// A test that is not simply a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTest {
    /// Its name within the suite; templates may give one to several tests.
    pub name: String,
    /// What its command line has in the place of files.
    pub args: Vec<Arg>,
    /// The name of its shell, if it is not the suite's.
    pub shell: Option<String>,
    /// What `--cat` shows.
    pub source: Source,
}

/// A listed test's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This text.
    Text(String),
    /// This file.
    File(PathBuf),
}

/// The tests of a suite in `dir`, in V8's order; none where each file is one.
///
/// # Errors
/// A file or directory that cannot be read, or a template that is none.
pub fn list(dir: &Place, listing: Listing, root: &Path) -> Result<Vec<ListedTest>, OpenError> {
    match listing {
        Listing::Files => Ok(Vec::new()),
        Listing::Templates { throws, expectation } => templates(dir, throws, expectation, root),
        Listing::Fuzzer(kinds) => fuzzer(dir, kinds),
        Listing::Benchmarks => Ok(BENCHMARKS.iter().map(|name| benchmark(dir, name)).collect()),
    }
}

/// The regular files in a directory, by name, in byte order.
fn files(dir: &Path) -> Result<Vec<String>, OpenError> {
    let cannot = |source| OpenError::Read { path: dir.into(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if entry.path().is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The preparser suite: V8 5.4 and, with `expectation`, V8 3.14 `test/preparser/testcfg.py`.
fn templates(
    dir: &Place,
    throws: &'static str,
    expectation: bool,
    root: &Path,
) -> Result<Vec<ListedTest>, OpenError> {
    let names = files(dir.path())?;
    let mut tests = Vec::new();
    let throwing = |error: &str| match expectation {
        true => vec![Arg::Text(throws.into()), Arg::Text(error.into())],
        false => vec![Arg::Text(throws.into())],
    };
    if expectation {
        let expected = expectations(&dir.path().join("preparser.expectation"))?;
        for name in names.iter().filter_map(|name| name.strip_suffix(".js")) {
            let file = format!("{name}.js");
            let mut args = vec![dir.arg(&file)];
            args.extend(
                expected.get(name).filter(|error| !error.is_empty()).into_iter().flat_map(|e| throwing(e)),
            );
            tests.push(ListedTest {
                name: name.into(),
                args,
                shell: None,
                source: Source::File(dir.path().join(file)),
            });
        }
    }
    for name in names.iter().filter_map(|name| name.strip_suffix(".pyt")) {
        let path = dir.path().join(format!("{name}.pyt"));
        let bytes = read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
        let shown = path.strip_prefix(root).unwrap_or(&path);
        for test in generate(shown, &String::from_utf8_lossy(&bytes))? {
            let Generated { name: own, source, expectation, extra_flags } = test;
            // The preparser reads a line.
            let line = source.replace('\n', " ");
            let mut args = vec![Arg::Text("-e".into()), Arg::Text(line)];
            args.extend(expectation.iter().flat_map(|error| throwing(error)));
            args.extend(extra_flags.into_iter().map(Arg::Text));
            tests.push(ListedTest {
                name: format!("{name}/{own}"),
                args,
                shell: None,
                source: Source::Text(source),
            });
        }
    }
    Ok(tests)
}

/// `NAME`, `NAME:ERROR` or `NAME:ERROR:BEGIN,END` a line; the words behind the name, joined as the shell gets them.
fn expectations(path: &Path) -> Result<HashMap<String, String>, OpenError> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(source) => return Err(OpenError::Read { path: path.into(), source }),
    };
    let text = String::from_utf8_lossy(&bytes);
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let is_number = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    let mut found = HashMap::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let parts: Vec<&str> = line.split(':').collect();
        let (name, words) = match parts.as_slice() {
            [name] if is_word(name) => (name, String::new()),
            [name, error] if is_word(name) && is_word(error) => (name, (*error).to_owned()),
            [name, error, place] if is_word(name) && is_word(error) => match place.split_once(',') {
                Some((begin, end)) if is_number(begin) && is_number(end) => {
                    (name, format!("{error} {begin} {end}"))
                }
                _ => continue,
            },
            _ => continue,
        };
        found.insert((*name).to_owned(), words);
    }
    Ok(found)
}

fn fuzzer(dir: &Place, kinds: &[&str]) -> Result<Vec<ListedTest>, OpenError> {
    let mut tests = Vec::new();
    for kind in kinds {
        let data = dir.path().join(kind);
        // Older trees have fewer.
        if !data.is_dir() {
            continue;
        }
        for file in files(&data)? {
            let name = format!("{kind}/{file}");
            tests.push(ListedTest {
                args: vec![dir.arg(&name)],
                shell: Some(format!("v8_simple_{kind}_fuzzer")),
                source: Source::File(dir.path().join(&name)),
                name,
            });
        }
    }
    tests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tests)
}

/// V8 5.4 and 9.2 `test/benchmarks/testcfg.py`.
fn benchmark(dir: &Place, name: &str) -> ListedTest {
    let file = |name: &str| dir.arg(&format!("data/{name}.js"));
    let mut args = Vec::new();
    if name.starts_with("kraken/") {
        args.push(file(&format!("{name}-data")));
    }
    let octane = name.starts_with("octane/");
    if octane {
        args.push(file("octane/base"));
    }
    args.push(file(name));
    let more: &[&str] = match name {
        "octane/gbemu-part1" => &["octane/gbemu-part2"],
        "octane/typescript" => &["octane/typescript-compiler", "octane/typescript-input"],
        "octane/zlib" => &["octane/zlib-data"],
        _ => &[],
    };
    args.extend(more.iter().map(|name| file(name)));
    if octane {
        args.extend(["-e", "BenchmarkSuite.RunSuites({});"].map(|word| Arg::Text(word.into())));
    }
    let source = Source::File(dir.path().join(format!("data/{name}.js")));
    ListedTest { name: name.into(), args, shell: None, source }
}

/// In V8's order.
const BENCHMARKS: [&str; 55] = [
    "kraken/ai-astar",
    "kraken/audio-beat-detection",
    "kraken/audio-dft",
    "kraken/audio-fft",
    "kraken/audio-oscillator",
    "kraken/imaging-darkroom",
    "kraken/imaging-desaturate",
    "kraken/imaging-gaussian-blur",
    "kraken/json-parse-financial",
    "kraken/json-stringify-tinderbox",
    "kraken/stanford-crypto-aes",
    "kraken/stanford-crypto-ccm",
    "kraken/stanford-crypto-pbkdf2",
    "kraken/stanford-crypto-sha256-iterative",
    "octane/box2d",
    "octane/code-load",
    "octane/crypto",
    "octane/deltablue",
    "octane/earley-boyer",
    "octane/gbemu-part1",
    "octane/mandreel",
    "octane/navier-stokes",
    "octane/pdfjs",
    "octane/raytrace",
    "octane/regexp",
    "octane/richards",
    "octane/splay",
    "octane/typescript",
    "octane/zlib",
    "sunspider/3d-cube",
    "sunspider/3d-morph",
    "sunspider/3d-raytrace",
    "sunspider/access-binary-trees",
    "sunspider/access-fannkuch",
    "sunspider/access-nbody",
    "sunspider/access-nsieve",
    "sunspider/bitops-3bit-bits-in-byte",
    "sunspider/bitops-bits-in-byte",
    "sunspider/bitops-bitwise-and",
    "sunspider/bitops-nsieve-bits",
    "sunspider/controlflow-recursive",
    "sunspider/crypto-aes",
    "sunspider/crypto-md5",
    "sunspider/crypto-sha1",
    "sunspider/date-format-tofte",
    "sunspider/date-format-xparb",
    "sunspider/math-cordic",
    "sunspider/math-partial-sums",
    "sunspider/math-spectral-norm",
    "sunspider/regexp-dna",
    "sunspider/string-base64",
    "sunspider/string-fasta",
    "sunspider/string-tagcloud",
    "sunspider/string-unpack-code",
    "sunspider/string-validate-input",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Place) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("test/s").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let dir = Place::new(root.path(), &root.path().join("test/s"));
        (root, dir)
    }

    fn shown(tests: &[ListedTest]) -> Vec<String> {
        let args = |test: &ListedTest| test.args.iter().map(Arg::relative).collect::<Vec<_>>().join(" ");
        tests.iter().map(|test| format!("{}: {}", test.name, args(test))).collect()
    }

    #[test]
    fn templates_are_tests_in_the_order_of_their_files() {
        let files = [
            ("b.pyt", "Test('x', 'a\\nb', 'e')\nTest('x', 'c', None, ['--f'])"),
            ("a.pyt", "Template('$k', 'v $k')({'k': 'w'}, None)"),
            ("d.js", ""),
        ];
        let (root, dir) = tree(&files);
        let listing = Listing::Templates { throws: "--throws", expectation: false };
        let found = list(&dir, listing, root.path()).unwrap();
        assert_eq!(shown(&found), ["a/w: -e v w", "b/x: -e a b --throws", "b/x: -e c --f"]);
        assert_eq!(found[1].source, Source::Text("a\nb".into()));
    }

    #[test]
    fn the_old_preparser_has_files_with_expectations_too() {
        let expectation = "# c\na:strict_octal:1,2\nb\nc:x\nodd line\n";
        let files = [
            ("preparser.expectation", expectation),
            ("a.js", ""),
            ("b.js", ""),
            ("c.js", ""),
            ("t.pyt", "Test('x', 'y', 'e')"),
        ];
        let (root, dir) = tree(&files);
        let listing = Listing::Templates { throws: "throws", expectation: true };
        let found = list(&dir, listing, root.path()).unwrap();
        assert_eq!(
            shown(&found),
            [
                "a: test/s/a.js throws strict_octal 1 2",
                "b: test/s/b.js",
                "c: test/s/c.js throws x",
                "t/x: -e y throws e"
            ]
        );
    }

    #[test]
    fn a_broken_template_is_named_with_its_place() {
        let (root, dir) = tree(&[("b.pyt", "x = 1\nTest(x)\n")]);
        let listing = Listing::Templates { throws: "--throws", expectation: false };
        let error = list(&dir, listing, root.path()).unwrap_err().to_string();
        assert!(error.starts_with("test/s/b.pyt:2:1: expected a string"), "{error}");
    }

    #[test]
    fn fuzzers_have_a_shell_for_each_kind() {
        let (root, dir) = tree(&[("json/b", ""), ("json/a.x", ""), ("regexp/c", "")]);
        let found = list(&dir, Listing::Fuzzer(&["json", "regexp", "wasm"]), root.path()).unwrap();
        assert_eq!(
            shown(&found),
            ["json/a.x: test/s/json/a.x", "json/b: test/s/json/b", "regexp/c: test/s/regexp/c"]
        );
        assert_eq!(found[2].shell.as_deref(), Some("v8_simple_regexp_fuzzer"));
    }
}
