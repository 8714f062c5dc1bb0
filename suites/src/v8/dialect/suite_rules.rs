//! What one suite's rules say: which files and programs its tests are, and how they run and are judged.

use super::Part;
use crate::files::binary::Format;

/// The suites that a version knows: its own, and those of the version it builds on.
#[derive(Clone, Copy, Debug)]
pub struct Suites {
    /// Suites that are new, or that differ from those of [`Self::base`].
    own: &'static [SuiteRules],
    /// All others.
    base: Option<&'static Suites>,
}

impl Suites {
    /// These suites and no others.
    pub const fn new(own: &'static [SuiteRules]) -> Self {
        Self { own, base: None }
    }

    /// The suites of `base`, with these in their place or beside them.
    pub const fn with(base: &'static Suites, own: &'static [SuiteRules]) -> Self {
        Self { own, base: Some(base) }
    }

    /// The rules of the suite called `name`.
    pub fn find(&self, name: &str) -> Option<&'static SuiteRules> {
        let mut suites = Some(self);
        while let Some(Self { own, base }) = suites {
            if let Some(rules) = own.iter().find(|rules| rules.name == name) {
                return Some(rules);
            }
            suites = *base;
        }
        None
    }
}

/// The rules of one suite.
#[derive(Clone, Copy, Debug)]
pub struct SuiteRules {
    /// The name of the directory they hold for; a suite that no version knows has a name of its own.
    pub name: &'static str,
    /// Which shell runs it.
    pub shell: &'static str,
    /// Flags of the shell before all parts.
    pub shell_flags: &'static [&'static str],
    /// The directories to walk, relative to the suite's.
    pub test_dirs: &'static [&'static str],
    /// Extensions of tests, with the dot. The first one wins where a test exists with several.
    pub extensions: &'static [&'static str],
    /// Files that are no tests, by name, at any depth, where the suite's `testcfg.py` does not say.
    pub excluded_files: &'static [&'static str],
    /// Directories that are not walked, by name, at any depth.
    pub excluded_dirs: &'static [&'static str],
    /// The same, in builds without internationalization.
    pub excluded_dirs_without_i18n: &'static [&'static str],
    /// Ends of file names that are no tests.
    pub excluded_suffixes: &'static [&'static str],
    /// Files before the test, relative to the suite's directory.
    pub before: &'static [&'static str],
    /// Files behind it.
    pub after: &'static [&'static str],
    /// A file that follows [`Self::before`] when the number fuzzer runs the tests, relative to the suite's directory.
    pub number_fuzzer_file: Option<&'static str>,
    /// Whether `// NO HARNESS` and `--no-harness` leave [`Self::before`] out.
    pub harness_optional: bool,
    /// Whether the source's `// Files:` come before [`Self::before`] rather than behind it.
    pub files_first: bool,
    /// Which directives sources may have.
    pub directives: Directives,
    /// The suite's flags.
    pub flags: &'static [&'static str],
    /// Flags that its shell never gets.
    pub removed_flags: &'static [&'static str],
    /// Whether `--isolates` doubles the files.
    pub isolates: bool,
    /// How output is judged.
    pub judging: Judging,
    /// Variables of the environment that tests get.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables of the environment that tests must not see.
    pub unset_env: &'static [&'static str],
    /// The order of a command line's parts, if it is not the version's.
    pub order: &'static [Part],
    /// How its tests are found.
    pub listing: Listing,
    /// Which variants its tests run in.
    pub variants: SuiteVariants,
    /// The directories that tests are in, of those in a directory to walk; empty: all.
    pub top_dirs: &'static [&'static str],
    /// A file that is loaded before the test from each directory on the way to it, where it is there.
    pub script_of_dirs: Option<&'static str>,
    /// Flags before those of a test's source, where no proposal of the suite says otherwise.
    pub source_flags: &'static [&'static str],
    /// Whether the suite's `testcfg.py` has tables of flags by proposal.
    pub proposals: bool,
}

/// How the tests of a suite are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Each file is one.
    Files,
    /// `*.pyt` in the suite's directory generate them.
    Templates {
        /// The word that tells the shell to expect an error.
        throws: &'static str,
        /// Whether the error's name follows it (V8 3).
        expectation: bool,
        /// Whether each `*.js` in the directory is a test as well, whose error `preparser.expectation` may say (until
        /// V8 5.0).
        files: bool,
    },
    /// Each file below some directories, for a shell with the directory in its name.
    Fuzzer {
        /// The directories, where the suite's `testcfg.py` does not say.
        dirs: &'static [&'static str],
        /// How many of a file's directories are in the shell's name.
        named_by: NamedBy,
    },
    /// The suite's shell says which there are.
    Binary(Format),
    /// The suite's shell is the one test.
    ShellItself,
    /// Python scripts, whose interpreter runs them, and which run the suite's shell.
    Python,
    /// `shell_test_runner` and what is in `benchmarks`, below `data/src`.
    SimdJs,
    /// Kraken, Octane and SunSpider.
    Benchmarks {
        /// Whether `octane/gbemu-part1` gets its second part (it does not from V8 11.7 on: a slip of V8's).
        second_gbemu: bool,
    },
    /// There are none.
    Nothing,
}

/// Which directories of a fuzzer's file are in its shell's name, `v8_simple_NAME_fuzzer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The first.
    First,
    /// All, with underscores between them (V8 13.3).
    All,
}

/// Which variants a suite's tests run in, of those that are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteVariants {
    /// All.
    All,
    /// All, and this one, whether it is selected or not, if the suite's `testcfg.py` names it.
    And(&'static str),
    /// `default`
    Default,
    /// `default`, and those that ADDITIONAL_VARIANTS in the suite's `testcfg.py` names (V8 11.0).
    Additional,
    /// `default` and `turbofan`, with the flags of FAST_VARIANTS.
    Fast,
}

/// Which directives a suite's sources may have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Directives {
    /// `// Flags:`
    pub flags: bool,
    /// `// Files:`
    pub files: bool,
    /// `// Environment Variables:`
    pub env: bool,
    /// `// Env: TEST_FILE_NAME`
    pub file_name: bool,
    /// `// MODULE`: puts `--module` before the test.
    pub module: bool,
    /// `META:`: scripts and timeout of web platform tests.
    pub meta: bool,
    /// Whether flags can be quoted as for a shell, where [`super::Dialect::quoted_flags`] says they cannot.
    pub quoted: bool,
}

/// How a suite's output is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judging {
    /// By the exit code.
    ExitCode,
    /// By the exit code, of which 255 says that the fuzzer does not want its input (V8 13.5 `outproc/fuzzer.py`).
    Fuzzer,
    /// Against `NAME.out`, a template.
    Template,
    /// Against the lines of `NAME-expected.txt`.
    Lines {
        /// Whether lines of that file that begin with `#` are comments.
        comments: bool,
    },
    /// By the CHECK lines in the test's own file (V8 13.7 `outproc/filecheck.py`).
    FileCheck,
    /// By test262's frontmatter, as V8 reads it.
    Test262,
    /// By the exit code and the word `FAILED!`; tests whose name ends in `-n` must fail.
    Failed,
    /// promises-aplus: by what its runner says; tests whose source says `@negative` must fail.
    Promises,
    /// mkgrokdump: against `tools/v8heapconst.py`.
    GrokDump,
    /// mkgrokdump: by whether it is long enough and names what it should (V8 11.7 `outproc/mkgrokdump.py`).
    PlausibleGrokDump,
}

#[cfg(test)]
mod tests {
    use super::super::versions::SUITE;
    use super::*;

    const BASE: Suites = Suites::new(&[
        SuiteRules { name: "a", shell: "base", ..SUITE },
        SuiteRules { name: "b", shell: "base", ..SUITE },
    ]);
    const NEXT: Suites = Suites::with(
        &BASE,
        &[SuiteRules { name: "b", shell: "next", ..SUITE }, SuiteRules { name: "c", ..SUITE }],
    );

    #[test]
    fn a_version_has_its_own_suites_before_those_it_builds_on() {
        let shell = |name| NEXT.find(name).map(|rules| rules.shell);
        assert_eq!(shell("a"), Some("base"));
        assert_eq!(shell("b"), Some("next"));
        assert_eq!(shell("c"), Some("d8"));
        assert_eq!(shell("d"), None);
    }
}
