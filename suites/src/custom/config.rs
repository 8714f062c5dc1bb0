//! What a `suite.toml` says.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use flotilla_messages::{Compare, ExitRule, Patterns, Stream};
use globset::GlobSet;
use serde::Deserialize;
use toml::Spanned;

use super::template::{Allowed, Hole, Template};
use super::words;
use crate::expectations::table::{Expect, OneOrMany, toml_problem};
use crate::syntax::python::{Diagnostic, Problem};

/// A `suite.toml`, understood.
#[derive(Clone, Debug)]
pub struct Config {
    /// How its tests are found.
    pub kind: CustomKind,
    /// What runs one.
    pub command: Template,
    /// The directory of its tests, relative to the suite's.
    pub dir: String,
    /// Flags for every test.
    pub flags: Vec<String>,
    /// Variables of the environment that tests get.
    pub env: BTreeMap<String, String>,
    /// Those that they must not see.
    pub unset_env: Vec<String>,
    /// By how much its tests may take longer.
    pub timeout_factor: f64,
    /// Whether its tests run in all selected variants; else only in `default`.
    pub variants: bool,
    /// Paths relative to the root that tests need on other machines.
    pub inputs: Vec<PathBuf>,
    /// What begins a comment that may be a directive.
    pub directives: Option<String>,
    /// How outputs are judged.
    pub judge: JudgeConfig,
    /// What is expected.
    pub expect: Vec<Expect>,
}

/// How the tests of a suite are found.
#[derive(Clone, Debug)]
pub enum CustomKind {
    /// Files are tests.
    Files {
        /// Which.
        include: GlobSet,
        /// Which of these are none.
        exclude: GlobSet,
        /// Whether names keep the files' extensions.
        keep_extensions: bool,
    },
    /// A GoogleTest binary names them.
    GoogleTest {
        /// The binary.
        program: Template,
    },
    /// A command names them, one a line.
    List {
        /// The command.
        list: Template,
    },
}

/// How outputs are judged: all of it must hold.
#[derive(Clone, Debug)]
pub struct JudgeConfig {
    /// How the process must end.
    pub exit: ExitRule,
    /// What a stream is compared with.
    pub expected: Option<(Template, Compare)>,
    /// Patterns of standard output.
    pub stdout: Patterns,
    /// Patterns of standard error.
    pub stderr: Patterns,
    /// Whether the sources' frontmatter says which error a test must end with.
    pub test262: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Raw {
    kind: RawKind,
    #[serde(default)]
    files: Option<OneOrMany>,
    #[serde(default)]
    exclude: Option<OneOrMany>,
    #[serde(default)]
    keep_extensions: Option<Spanned<bool>>,
    #[serde(default)]
    program: Option<Spanned<String>>,
    #[serde(default)]
    list: Option<OneOrMany>,
    #[serde(default)]
    command: Option<OneOrMany>,
    #[serde(default)]
    dir: Option<Spanned<String>>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    unset_env: Vec<String>,
    #[serde(default)]
    timeout_factor: Option<Spanned<f64>>,
    #[serde(default)]
    variants: bool,
    #[serde(default)]
    inputs: Vec<Spanned<String>>,
    #[serde(default)]
    directives: Option<Spanned<String>>,
    #[serde(default)]
    judge: RawJudge,
    #[serde(default)]
    expect: Vec<Expect>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    Files,
    Gtest,
    List,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct RawJudge {
    exit_code: Option<RawExit>,
    expected: Option<Spanned<String>>,
    compare: RawCompare,
    stream: RawStream,
    stdout: OneOrMany,
    stdout_not: OneOrMany,
    stderr: OneOrMany,
    stderr_not: OneOrMany,
    test262: Option<Spanned<bool>>,
}

/// A number, or a word.
#[derive(Clone, Copy)]
struct RawExit(ExitRule);

impl<'de> Deserialize<'de> for RawExit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ExpectRule;
        impl serde::de::Visitor<'_> for ExpectRule {
            type Value = ExitRule;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an exit code from 0 to 255, \"failure\" (any but 0) or \"any\"")
            }

            fn visit_i64<E: serde::de::Error>(self, code: i64) -> Result<ExitRule, E> {
                let known = u8::try_from(code).map(|code| ExitRule::Code(code.into()));
                known.map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(code), &self))
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ExitRule, E> {
                match word {
                    "failure" => Ok(ExitRule::Failure),
                    "any" => Ok(ExitRule::Any),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(ExpectRule).map(Self)
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawCompare {
    #[default]
    Lines,
    Exact,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawStream {
    #[default]
    Stdout,
    Stderr,
}

const OF_FILES: Allowed = &[
    Hole::Shell,
    Hole::File,
    Hole::Name,
    Hole::Flags,
    Hole::Files,
    Hole::Seed,
    Hole::Root,
    Hole::Suite,
    Hole::Dir,
    Hole::Build,
];
const OF_GTEST: Allowed = &[
    Hole::Program,
    Hole::Shell,
    Hole::Name,
    Hole::Flags,
    Hole::Seed,
    Hole::Root,
    Hole::Suite,
    Hole::Dir,
    Hole::Build,
];
const OF_LIST: Allowed =
    &[Hole::Shell, Hole::Name, Hole::Flags, Hole::Seed, Hole::Root, Hole::Suite, Hole::Dir, Hole::Build];
/// What is the same for all tests.
const OF_SUITE: Allowed = &[Hole::Shell, Hole::Root, Hole::Suite, Hole::Dir, Hole::Build];
const PROGRAM: Allowed = &[Hole::Root, Hole::Suite, Hole::Dir, Hole::Build];
const EXPECTED_OF_FILES: Allowed = &[Hole::File, Hole::Name, Hole::Root, Hole::Suite, Hole::Dir];
const EXPECTED: Allowed = &[Hole::Name, Hole::Root, Hole::Suite, Hole::Dir];

/// How a file is run where the suite does not say.
const FILE_COMMAND: &str = "{shell} {flags} {files} {file}";
/// How a GoogleTest binary runs one test (V8 9.2 `test/unittests/testcfg.py`).
const GTEST_COMMAND: &str =
    "{program} --gtest_filter={name} --gtest_random_seed={seed} --gtest_print_time=0 {flags}";

impl Config {
    /// Reads the text of a `suite.toml`.
    ///
    /// # Errors
    /// What is wrong with it, with its position; for keys and kinds with those there are.
    pub fn read(path: &Path, text: &str) -> Result<Self, Diagnostic> {
        let raw = toml::from_str::<Raw>(text).map_err(|error| toml_problem(&error));
        raw.and_then(|raw| understand(text, raw)).map_err(|problem| problem.located(path, text))
    }

    /// Whether it takes something of the build.
    pub fn needs_build(&self) -> bool {
        let listing = match &self.kind {
            CustomKind::Files { .. } => None,
            CustomKind::GoogleTest { program } => Some(program),
            CustomKind::List { list } => Some(list),
        };
        std::iter::once(&self.command).chain(listing).any(|template| template.has(Hole::Build))
    }
}

fn understand(text: &str, raw: Raw) -> Result<Config, Problem> {
    misplaced(&raw)?;
    let missing =
        |key: &str, kind: &str| Problem::new(0, format!("a suite of the kind {kind} needs the key `{key}`"));
    let (allowed, default, expected_holes) = match raw.kind {
        RawKind::Files => (OF_FILES, Some(FILE_COMMAND), EXPECTED_OF_FILES),
        RawKind::Gtest => (OF_GTEST, Some(GTEST_COMMAND), EXPECTED),
        RawKind::List => (OF_LIST, None, EXPECTED),
    };
    let kind = match raw.kind {
        RawKind::Files => CustomKind::Files {
            include: words::globs(raw.files.as_ref().ok_or_else(|| missing("files", "files"))?)?,
            exclude: words::globs(&raw.exclude.unwrap_or_default())?,
            keep_extensions: raw.keep_extensions.is_some_and(Spanned::into_inner),
        },
        RawKind::Gtest => {
            let program = raw.program.as_ref().ok_or_else(|| missing("program", "gtest"))?;
            CustomKind::GoogleTest { program: words::path(text, program, PROGRAM)? }
        }
        RawKind::List => {
            let list = raw.list.as_ref().ok_or_else(|| missing("list", "list"))?;
            CustomKind::List { list: words::command(text, list, OF_SUITE)? }
        }
    };
    let command = match (&raw.command, default) {
        (Some(command), _) => words::command(text, command, allowed)?,
        (None, Some(default)) => {
            let words: Vec<_> = default.split(' ').map(|word| (0, word.to_owned())).collect();
            Template::read(text, &words, allowed)?
        }
        (None, None) => return Err(missing("command", "list")),
    };
    let key = match raw.kind {
        RawKind::Files => Hole::File,
        RawKind::Gtest | RawKind::List => Hole::Name,
    };
    // A file may be found by its name too.
    if !command.has(key) && !command.has(Hole::Name) {
        let at = raw.command.and_then(|command| command.texts.first().map(|word| word.span().start));
        let all_same =
            format!("without {{{}}} in its command, all tests of the suite are the same", key.name());
        return Err(Problem::new(at.unwrap_or_default(), all_same));
    }
    if let Some(factor) = raw
        .timeout_factor
        .as_ref()
        .filter(|factor| !(*factor.get_ref() > 0.0 && factor.get_ref().is_finite()))
    {
        return Err(Problem::new(factor.span().start, "the factor must be more than 0"));
    }
    if let Some(sign) = raw.directives.as_ref().filter(|sign| sign.get_ref().trim().is_empty()) {
        return Err(Problem::new(
            sign.span().start,
            "expected what begins a comment, such as \"//\" or \"#\"",
        ));
    }
    for (name, value) in &raw.env {
        if name.get_ref().is_empty() || name.get_ref().contains(['=', '\0']) || value.contains('\0') {
            return Err(Problem::new(name.span().start, "no variable can have this name or value"));
        }
    }
    let judge = judge(text, raw.judge, expected_holes)?;
    Ok(Config {
        kind,
        command,
        dir: raw.dir.map(Spanned::into_inner).unwrap_or_default(),
        flags: raw.flags,
        env: raw.env.into_iter().map(|(name, value)| (name.into_inner(), value)).collect(),
        unset_env: raw.unset_env,
        timeout_factor: raw.timeout_factor.map_or(1.0, Spanned::into_inner),
        variants: raw.variants,
        inputs: raw.inputs.iter().map(input).collect::<Result<_, _>>()?,
        directives: raw.directives.map(|sign| sign.into_inner().trim().to_owned()),
        judge,
        expect: raw.expect,
    })
}

/// A path below the root.
fn input(value: &Spanned<String>) -> Result<PathBuf, Problem> {
    let path = Path::new(value.get_ref());
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let outside =
        || Problem::new(value.span().start, "inputs are paths relative to the tree's root, and below it");
    (is_below && !value.get_ref().is_empty()).then(|| path.to_owned()).ok_or_else(outside)
}

/// Keys that mean nothing for a kind are mistakes.
fn misplaced(raw: &Raw) -> Result<(), Problem> {
    let first = |value: &Option<OneOrMany>| {
        value.as_ref().map(|value| value.texts.first().map_or(0, |text| text.span().start))
    };
    let of_files = RawKind::Files;
    let keys = [
        ("files", first(&raw.files), of_files, "files"),
        ("exclude", first(&raw.exclude), of_files, "files"),
        ("keep-extensions", raw.keep_extensions.as_ref().map(|value| value.span().start), of_files, "files"),
        ("directives", raw.directives.as_ref().map(|value| value.span().start), of_files, "files"),
        ("judge.test262", raw.judge.test262.as_ref().map(|value| value.span().start), of_files, "files"),
        ("program", raw.program.as_ref().map(|value| value.span().start), RawKind::Gtest, "gtest"),
        ("list", first(&raw.list), RawKind::List, "list"),
    ];
    for (key, at, kind, name) in keys {
        if let Some(at) = at.filter(|_| kind != raw.kind) {
            return Err(Problem::new(at, format!("the key `{key}` is for suites of the kind {name}")));
        }
    }
    Ok(())
}

fn judge(text: &str, raw: RawJudge, holes: Allowed) -> Result<JudgeConfig, Problem> {
    let stream = match raw.stream {
        RawStream::Stdout => Stream::Stdout,
        RawStream::Stderr => Stream::Stderr,
    };
    let expected = match &raw.expected {
        None => None,
        // All tests may well have to print the same.
        Some(path) => Some((
            words::path(text, path, holes)?,
            Compare { stream, by_line: raw.compare == RawCompare::Lines },
        )),
    };
    Ok(JudgeConfig {
        exit: raw.exit_code.map_or(ExitRule::Code(0), |RawExit(rule)| rule),
        expected,
        stdout: words::patterns(&raw.stdout, &raw.stdout_not)?,
        stderr: words::patterns(&raw.stderr, &raw.stderr_not)?,
        test262: raw.test262.is_some_and(Spanned::into_inner),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(Path::new("suite.toml"), text).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_not_said_has_defaults() {
        let files = read("kind = 'files'\nfiles = '*.js'\n").unwrap();
        assert!(files.command.has(Hole::File) && !files.needs_build() && !files.variants);
        assert_eq!((files.timeout_factor, files.judge.exit), (1.0, ExitRule::Code(0)));
        let gtest = read("kind = 'gtest'\nprogram = '{build}/units'\n").unwrap();
        assert!(gtest.command.has(Hole::Name) && gtest.command.has(Hole::Seed) && gtest.needs_build());
    }

    #[test]
    fn patterns_of_files_stay_within_directories_unless_told_otherwise() {
        let is = |pattern: &str, path: &str| {
            let config = read(&format!("kind = 'files'\nfiles = '{pattern}'\n")).unwrap();
            matches!(config.kind, CustomKind::Files { include, .. } if include.is_match(path))
        };
        assert!(is("*.js", "a.js") && !is("*.js", "d/a.js"));
        assert!(is("**/*.js", "a.js") && is("**/*.js", "d/e/a.js"));
        assert!(is("d/**", "d/e/a.js") && is("{a,b}/*.m?s", "b/x.mjs"));
    }

    #[test]
    fn judges_are_understood() {
        let judge = |text: &str| {
            read(&format!("kind = 'files'\nfiles = '*'\n[judge]\n{text}")).map(|config| config.judge)
        };
        let all = judge("exit-code = 'any'\nexpected = '{file}.err'\ncompare = 'exact'\nstream = 'stderr'\nstdout = ['a', 'b']\nstderr-not = 'c'\n").unwrap();
        assert_eq!(all.exit, ExitRule::Any);
        assert_eq!(all.expected.unwrap().1, Compare { stream: Stream::Stderr, by_line: false });
        assert_eq!(
            (all.stdout.required, all.stderr.forbidden),
            (vec!["a".into(), "b".into()], vec!["c".into()])
        );
        assert_eq!(judge("exit-code = 'failure'").unwrap().exit, ExitRule::Failure);
        assert!(judge("exit-code = 'bad'").unwrap_err().contains("expected an exit code from 0 to 255"));
        assert!(judge("compare = 'fuzzy'").unwrap_err().contains("expected `lines` or `exact`"));
        assert!(judge("expected = '{flags}'").unwrap_err().contains("{flags} cannot stand here"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = read(&text);
        }

        #[test]
        fn any_values_are_read_or_refused_with_their_place(
            kind in "files|gtest|list|other",
            key in "files|exclude|program|list|command|dir|inputs|directives|judge.stdout|judge.expected|flags",
            value in "[a-z*?\\[\\]{}()/ .'-]{0,16}",
        ) {
            let text = format!("kind = '{kind}'\nfiles = '*'\n{key} = \"{value}\"\n");
            if let Err(problem) = Config::read(Path::new("suite.toml"), &text) {
                prop_assert!((1..=4).contains(&problem.line), "{}", problem);
            }
        }
    }
}
