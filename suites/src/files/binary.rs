//! Asking a test binary for its tests: cctest, GoogleTest.

use crate::kit::error::ListError;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};

/// A binary's tests may be listed that often before it is given up (V8 9.2 tries as often).
const ATTEMPTS: usize = 3;
/// The most bytes of its output that an error shows.
const SHOWN: usize = 2000;

/// How a binary lists its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `--list`: words.
    Words,
    /// `--list`: a line `**>Test: NAME` for each, and `Total number of tests: N` (V8 10.3 `test/cctest/testcfg.py`).
    Marked,
    /// `--gtest_list_tests`: a case ends with `.`, the tests below it are indented.
    GoogleTest,
}

impl Format {
    /// The option by which a binary lists its tests.
    pub fn option(self) -> &'static str {
        match self {
            Self::Words | Self::Marked => "--list",
            Self::GoogleTest => "--gtest_list_tests",
        }
    }
}

/// The names of a binary's tests, sorted. The command is the prefix, the binary, the listing option and `extra`.
///
/// # Errors
/// [`ListError`]. A run without these tests would be a smaller one than was asked for, so it is no warning.
pub fn list(
    binary: &Path,
    format: Format,
    prefix: &[String],
    extra: &[String],
    root: &Path,
) -> Result<Vec<String>, ListError> {
    let mut words: Vec<OsString> = prefix.iter().map(OsString::from).collect();
    words.push(binary.into());
    words.push(format.option().into());
    words.extend(extra.iter().map(OsString::from));
    let mut total = None;
    let mut names = Ask { env: &BTreeMap::new(), unset: &[], root }.names(&words, |text| match format {
        Format::Words => text.split_whitespace().map(String::from).collect(),
        Format::Marked => {
            let (names, said) = marked_tests(text);
            total = Some(said);
            names
        }
        Format::GoogleTest => google_tests(text),
    })?;
    if let Some(said) = total.filter(|said| said.parse() != Ok(names.len())) {
        return Err(ListError::Miscounted { named: names.len(), said });
    }
    names.sort_unstable();
    Ok(names)
}

/// The names on lines that are marked as tests', and how many the binary says there are. What stands before a mark on its
/// line is not the binary's.
fn marked_tests(text: &str) -> (Vec<String>, String) {
    const MARK: &str = "**>Test: ";
    const TOTAL: &str = "Total number of tests: ";
    let names = text.lines().filter_map(|line| line.split_once(MARK)).map(|(_, name)| name.to_owned());
    let total = text.lines().filter_map(|line| line.strip_prefix(TOTAL)).next_back();
    (names.collect(), total.unwrap_or("none").to_owned())
}

/// What a command that lists tests is run with.
pub struct Ask<'a> {
    /// Variables of the environment that it gets.
    pub env: &'a BTreeMap<String, String>,
    /// Those that it must not see.
    pub unset: &'a [String],
    /// Where it runs.
    pub root: &'a Path,
}

impl Ask<'_> {
    /// The names that `read` finds in what a command prints, at least one.
    ///
    /// # Errors
    /// [`ListError`]
    pub fn names(
        &self,
        words: &[OsString],
        read: impl FnOnce(&str) -> Vec<String>,
    ) -> Result<Vec<String>, ListError> {
        let [program, args @ ..] = words else { return Err(ListError::Nothing(String::new())) };
        let mut command = Command::new(program);
        command.args(args).current_dir(self.root).stdin(Stdio::null()).envs(self.env);
        // They would leave tests out.
        for name in ["GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_FILTER"] {
            command.env_remove(name);
        }
        self.unset.iter().for_each(|name| {
            command.env_remove(name);
        });
        let mut attempt = 0;
        let output = loop {
            attempt += 1;
            let output = command.output()?;
            if output.status.success() {
                break output;
            }
            if attempt == ATTEMPTS {
                return Err(ListError::Failed { how: ended(output.status), printed: printed(&output) });
            }
        };
        let names = read(&String::from_utf8_lossy(&output.stdout));
        if names.is_empty() { Err(ListError::Nothing(printed(&output))) } else { Ok(names) }
    }
}

/// The tests that a GoogleTest binary lists: a case ends with `.`, the tests below it are indented.
pub fn google_tests(text: &str) -> Vec<String> {
    let mut case = "";
    let mut names = Vec::new();
    for word in text.lines().filter_map(|line| line.split_whitespace().next()) {
        if word.ends_with('.') {
            case = word;
        } else if !case.is_empty() {
            names.push(format!("{case}{word}"));
        }
    }
    names
}

fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("it was ended by signal {signal}");
    }
    status.code().map_or_else(|| "it failed".into(), |code| format!("it ended with exit code {code}"))
}

/// What it printed, as lines below a message.
fn printed(output: &Output) -> String {
    let mut shown = String::new();
    for (what, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
        for line in text.trim_end().lines() {
            shown.push_str(&format!("\n    {what}: {line}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn run(script: &str, format: Format) -> Result<Vec<String>, String> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("list.sh");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // Through a shell: a script that was just written may be held open by a child of another test.
        list(&path, format, &["/bin/sh".into()], &["--extra".into()], root.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn words_and_cases_are_names() {
        assert_eq!(run("echo b/2 a/1; echo c", Format::Words).unwrap(), ["a/1", "b/2", "c"]);
        let listing = "printf 'note\\n\\nB.\\n  two  # comment\\n  one\\nA/0.  # TypeParam = int\\n  x\\n'";
        assert_eq!(run(listing, Format::GoogleTest).unwrap(), ["A/0.x", "B.one", "B.two"]);
    }

    #[test]
    fn marked_lines_are_names_and_are_counted() {
        let script = |total: &str| {
            format!(
                "echo '**>Test: b/x'; echo 'noise **>Test: a/y'; echo other; echo 'Total number of tests: {total}'"
            )
        };
        assert_eq!(run(&script("2"), Format::Marked).unwrap(), ["a/y", "b/x"]);
        assert_eq!(
            run(&script("3"), Format::Marked).unwrap_err(),
            "it names 2 tests and says that there are 3"
        );
        assert_eq!(
            run("echo '**>Test: a'", Format::Marked).unwrap_err(),
            "it names 1 tests and says that there are none"
        );
        assert_eq!(run("echo a b", Format::Marked).unwrap_err(), "it names none\n    stdout: a b");
    }

    #[test]
    fn the_option_and_extra_flags_are_given_and_shards_taken_away() {
        let script = "echo \"$1\" \"$2\" \"${GTEST_TOTAL_SHARDS:-none}\"";
        assert_eq!(run(script, Format::Words).unwrap(), ["--extra", "--list", "none"]);
    }

    #[test]
    fn a_binary_that_cannot_list_is_an_error_with_its_words() {
        let crashed = run("echo why >&2; kill -SEGV $$", Format::GoogleTest).unwrap_err();
        assert_eq!(crashed, "it was ended by signal 11\n    stderr: why");
        assert_eq!(
            run("echo x; exit 3", Format::Words).unwrap_err(),
            "it ended with exit code 3\n    stdout: x"
        );
        assert_eq!(run("echo", Format::Words).unwrap_err(), "it names none");
        let missing = list(Path::new("/nonexistent/x"), Format::Words, &[], &[], Path::new("/"));
        assert!(matches!(missing, Err(ListError::Start(_))));
    }

    #[test]
    fn a_second_attempt_counts() {
        let script = "f=\"$PWD/once\"; [ -e \"$f\" ] && { echo a; exit 0; }; touch \"$f\"; exit 1";
        assert_eq!(run(script, Format::Words).unwrap(), ["a"]);
    }
}
