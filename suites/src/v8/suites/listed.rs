//! Suites whose tests are not simply files: templates, lists, data for fuzzers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use flotilla_messages::{Arg, Program};

use super::walk_rules::walk_rules;
use crate::files::binary;
use crate::files::binary::Format;
use crate::files::walk::{FoundFile, WalkRules, walk};
use crate::kind::Source;
use crate::kit::error::OpenError;
use crate::kit::place::Place;
use crate::syntax::python::{Generated, generate};
use crate::syntax::read::read;
use crate::syntax::text::shlex;
use crate::v8::dialect::{Listing, NamedBy, SuiteRules};
use crate::v8::facts::PYTHON;
use crate::v8::runner_source::SuiteConfig;

/// A test that is not simply a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTest {
    /// Its name within the suite; templates may give one to several tests.
    pub name: String,
    /// What its command line has in the place of files.
    pub args: Vec<Arg>,
    /// And in that of the suite's flags.
    pub flags: Vec<String>,
    /// The name of its shell, if it is not the suite's.
    pub shell: Option<String>,
    /// What `--cat` shows.
    pub source: Source,
}

/// What a listing may need to know.
pub struct Asking<'a> {
    /// The suite's directory.
    pub dir: &'a Place,
    /// The tree's root.
    pub root: &'a Path,
    /// The suite's own program.
    pub program: &'a Program,
    /// The words before every command.
    pub prefix: &'a [String],
    /// What the suite's `testcfg.py` says.
    pub config: &'a SuiteConfig,
    /// The flags of the whole run.
    pub extra_flags: &'a [String],
    /// `--random-seed`
    pub seed: i64,
    /// How the suite's program is made; empty, or begins with a space.
    pub how_to_make: &'a str,
}

/// The tests of a suite, in V8's order; none where each file is one.
///
/// # Errors
/// A file or directory that cannot be read, a template that is none, a program that does not name its tests.
pub fn list(rules: &SuiteRules, asking: &Asking<'_>) -> Result<Vec<ListedTest>, OpenError> {
    let dir = asking.dir;
    match rules.listing {
        // Files are walked later.
        Listing::Files | Listing::Nothing => Ok(Vec::new()),
        Listing::Templates { throws, expectation, files } => {
            templates(dir, throws, expectation, files, asking.root)
        }
        Listing::Fuzzer { dirs, named_by } => {
            let own = asking.config.sub_tests.clone();
            let dirs = own.unwrap_or_else(|| dirs.iter().map(|dir| (*dir).to_owned()).collect());
            Ok(fuzzer(dir, dirs, named_by))
        }
        Listing::Benchmarks { second_gbemu } => {
            Ok(BENCHMARKS.iter().map(|name| benchmark(dir, name, second_gbemu)).collect())
        }
        Listing::Binary(format) => of_binary(format, asking),
        Listing::ShellItself => Ok(vec![plain(rules.shell, Vec::new(), Source::Text(String::new()))]),
        Listing::Python => python(rules, asking),
        Listing::SimdJs => simdjs(dir),
    }
}

/// A test without anything of its own.
fn plain(name: impl Into<String>, args: Vec<Arg>, source: Source) -> ListedTest {
    ListedTest { name: name.into(), args, flags: Vec::new(), shell: None, source }
}

/// cctest, unittests and their like.
fn of_binary(format: Format, asking: &Asking<'_>) -> Result<Vec<ListedTest>, OpenError> {
    let binary = match asking.program {
        Program::Shell(shell) => PathBuf::from(shell.resolve(asking.root)),
        Program::Builtin => PathBuf::new(),
    };
    let names =
        binary::list(&binary, format, asking.prefix, asking.extra_flags, asking.root).map_err(|source| {
            let hint = if binary.exists() { String::new() } else { asking.how_to_make.to_owned() };
            OpenError::List { binary, hint, source }
        })?;
    let tests = names.into_iter().map(|name| {
        let test = plain(name.clone(), Vec::new(), Source::Text(String::new()));
        match format {
            Format::Words | Format::Marked => ListedTest { args: vec![Arg::Text(name)], ..test },
            Format::GoogleTest => {
                let seed = asking.seed;
                let flags = [
                    format!("--gtest_filter={name}"),
                    format!("--gtest_random_seed={seed}"),
                    "--gtest_print_time=0".into(),
                ];
                ListedTest { flags: flags.into(), ..test }
            }
        }
    });
    Ok(tests.collect())
}

/// V8 9.2 `test/debugging/testcfg.py`: `python3 TEST.py -- d8 FLAGS`.
fn python(rules: &SuiteRules, asking: &Asking<'_>) -> Result<Vec<ListedTest>, OpenError> {
    let shell = match asking.program {
        Program::Shell(shell) => shell.clone(),
        Program::Builtin => Arg::Text(rules.shell.into()),
    };
    let mut tests = Vec::new();
    let scripts = SuiteRules { extensions: &[".py"], ..*rules };
    let scripts = walk_rules(&scripts, asking.config, false);
    let mut names = Vec::new();
    let visit = |file: FoundFile<'_>| names.push(file.name.to_owned());
    walk(asking.dir.path(), &scripts, |_| true, visit, &mut Vec::new());
    for name in names {
        let file = format!("{name}.py");
        let path = asking.dir.path().join(&file);
        let bytes = read(&path).map_err(|source| OpenError::Read { path: path.clone(), source })?;
        let mut args = vec![asking.dir.arg(&file), Arg::Text("--".into()), shell.clone()];
        args.extend(python_flags(&String::from_utf8_lossy(&bytes)).into_iter().map(Arg::Text));
        tests.push(ListedTest { shell: Some(PYTHON.into()), ..plain(name, args, Source::File(path)) });
    }
    Ok(tests)
}

/// `# Flags:` of a script; words that cannot be split are left out.
fn python_flags(text: &str) -> Vec<String> {
    let directive = |line: &str| {
        let (_, rest) = line.split_once('#')?;
        let flags = rest.strip_prefix([' ', '\t'])?.trim_start().strip_prefix("Flags:")?;
        shlex::split(flags.trim()).ok()
    };
    text.split('\n').filter_map(directive).flatten().collect()
}

/// V8 5.4 `test/simdjs/testcfg.py`; V8 has the benchmarks in the order of the directory.
fn simdjs(dir: &Place) -> Result<Vec<ListedTest>, OpenError> {
    let test = |name: String| {
        let file = format!("data/src/{name}.js");
        let source = Source::File(dir.path().join(&file));
        let word = |word: &str| Arg::Text(word.into());
        let args = vec![
            dir.arg("harness-adapt.js"),
            word("--harmony"),
            word("--harmony-simd"),
            dir.arg(&file),
            dir.arg("harness-finish.js"),
        ];
        plain(name, args, source)
    };
    let data = dir.path().join("data/src/benchmarks");
    if !data.is_dir() {
        return Ok(Vec::new());
    }
    let names = files(&data)?;
    let of_suite = |name: &&String| {
        name.ends_with(".js") && !["run.js", "run_browser.js", "base.js"].contains(&name.as_str())
    };
    let benchmarks = names.iter().filter(of_suite).map(|name| {
        let stem = name.split('.').next().unwrap_or_default();
        test(format!("benchmarks/{stem}"))
    });
    Ok([test("shell_test_runner".into())].into_iter().chain(benchmarks).collect())
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
    with_files: bool,
    root: &Path,
) -> Result<Vec<ListedTest>, OpenError> {
    let names = files(dir.path())?;
    let mut tests = Vec::new();
    let throwing = |error: &str| match expectation {
        true => vec![Arg::Text(throws.into()), Arg::Text(error.into())],
        false => vec![Arg::Text(throws.into())],
    };
    if with_files {
        let expected = expectations(&dir.path().join("preparser.expectation"))?;
        for name in names.iter().filter_map(|name| name.strip_suffix(".js")) {
            let file = format!("{name}.js");
            let mut args = vec![dir.arg(&file)];
            args.extend(
                expected.get(name).filter(|error| !error.is_empty()).into_iter().flat_map(|e| throwing(e)),
            );
            tests.push(plain(name, args, Source::File(dir.path().join(file))));
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
            tests.push(plain(format!("{name}/{own}"), args, Source::Text(source)));
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

/// V8 9.2 to 13.8 `test/fuzzer/testcfg.py`: every file below these directories, those that are not there left out.
fn fuzzer(dir: &Place, mut kinds: Vec<String>, named_by: NamedBy) -> Vec<ListedTest> {
    let rules = WalkRules::all_files();
    let mut tests = Vec::new();
    kinds.sort_unstable();
    for kind in kinds {
        let visit = |file: FoundFile<'_>| {
            let name = format!("{kind}/{}", file.name);
            let dirs = match named_by {
                NamedBy::First => name.split('/').next().unwrap_or_default().to_owned(),
                NamedBy::All => {
                    name.rsplit_once('/').map(|(dirs, _)| dirs.replace('/', "_")).unwrap_or_default()
                }
            };
            let (args, source) = (vec![dir.arg(&name)], Source::File(dir.path().join(&name)));
            tests.push(ListedTest {
                shell: Some(format!("v8_simple_{dirs}_fuzzer")),
                ..plain(name, args, source)
            });
        };
        walk(&dir.path().join(&kind), &rules, |_| true, visit, &mut Vec::new());
    }
    tests
}

/// V8 5.4 to 13.8 `test/benchmarks/testcfg.py`.
fn benchmark(dir: &Place, name: &str, second_gbemu: bool) -> ListedTest {
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
        "octane/gbemu-part1" if second_gbemu => &["octane/gbemu-part2"],
        "octane/typescript" => &["octane/typescript-compiler", "octane/typescript-input"],
        "octane/zlib" => &["octane/zlib-data"],
        _ => &[],
    };
    args.extend(more.iter().map(|name| file(name)));
    if octane {
        args.extend(["-e", "BenchmarkSuite.RunSuites({});"].map(|word| Arg::Text(word.into())));
    }
    let source = Source::File(dir.path().join(format!("data/{name}.js")));
    plain(name, args, source)
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

    fn listed(root: &Path, dir: &Place, listing: Listing) -> Result<Vec<ListedTest>, OpenError> {
        listed_with(root, dir, listing, &SuiteConfig::default())
    }

    fn listed_with(
        root: &Path,
        dir: &Place,
        listing: Listing,
        config: &SuiteConfig,
    ) -> Result<Vec<ListedTest>, OpenError> {
        let rules = SuiteRules { listing, ..*crate::v8::dialect::V9_2.suites.find("mjsunit").unwrap() };
        let program = &Program::Builtin;
        list(
            &rules,
            &Asking { dir, root, program, prefix: &[], config, extra_flags: &[], seed: 7, how_to_make: "" },
        )
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
        let listing = Listing::Templates { throws: "--throws", expectation: false, files: false };
        let found = listed(root.path(), &dir, listing).unwrap();
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
        let listing = Listing::Templates { throws: "throws", expectation: true, files: true };
        let found = listed(root.path(), &dir, listing).unwrap();
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
        let listing = Listing::Templates { throws: "--throws", expectation: false, files: false };
        let error = listed(root.path(), &dir, listing).unwrap_err().to_string();
        assert!(error.starts_with("test/s/b.pyt:2:1: expected a string"), "{error}");
    }

    #[test]
    fn fuzzers_have_a_shell_for_each_kind() {
        let (root, dir) =
            tree(&[("json/b", ""), ("json/a.x", ""), ("json/n/README.md", ""), ("regexp/c", "")]);
        let listing = Listing::Fuzzer { dirs: &["regexp", "json", "wasm"], named_by: NamedBy::First };
        let found = listed(root.path(), &dir, listing).unwrap();
        assert_eq!(
            shown(&found),
            [
                "json/a.x: test/s/json/a.x",
                "json/b: test/s/json/b",
                "json/n/README.md: test/s/json/n/README.md",
                "regexp/c: test/s/regexp/c"
            ]
        );
        let shells: Vec<_> = found.iter().filter_map(|test| test.shell.as_deref()).collect();
        assert_eq!(
            shells,
            [
                "v8_simple_json_fuzzer",
                "v8_simple_json_fuzzer",
                "v8_simple_json_fuzzer",
                "v8_simple_regexp_fuzzer"
            ]
        );
    }

    #[test]
    fn fuzzers_in_directories_of_directories_are_called_after_all_of_them() {
        let (root, dir) = tree(&[("wasm/async/x", ""), ("json/y", ""), ("other/z", "")]);
        let listing = Listing::Fuzzer { dirs: &["json"], named_by: NamedBy::All };
        let config = SuiteConfig {
            sub_tests: Some(vec!["wasm/async".into(), "json".into()]),
            ..SuiteConfig::default()
        };
        let found = listed_with(root.path(), &dir, listing, &config).unwrap();
        assert_eq!(shown(&found), ["json/y: test/s/json/y", "wasm/async/x: test/s/wasm/async/x"]);
        assert_eq!(found[1].shell.as_deref(), Some("v8_simple_wasm_async_fuzzer"));
    }

    #[test]
    fn python_tests_run_the_shell_with_their_flags() {
        let script = "import x\n# Flags: --a 'b c'\n  #  Flags: --d\n#Flags: --no\n";
        let (root, dir) = tree(&[("wasm/t.py", script), ("testcfg.py", "")]);
        let rules = crate::v8::dialect::V9_2.suites.find("debugging").unwrap();
        let program = Program::Shell(Arg::Path("out/d8".into()));
        let asking = Asking {
            dir: &dir,
            root: root.path(),
            program: &program,
            prefix: &[],
            config: &SuiteConfig::default(),
            extra_flags: &[],
            seed: 7,
            how_to_make: "",
        };
        let found = list(rules, &asking).unwrap();
        assert_eq!(shown(&found), ["wasm/t: test/s/wasm/t.py -- out/d8 --a b c --d"]);
    }
}
