//! The message suite: stdout against a template (V8 9.2 `outproc/message.py`).

use regex::Regex;

use super::exit::exit_failure;
use super::text::{quoted, rstrip, split_lines, strip};
use crate::outcome::Output;

/// What differs between tests and V8 versions.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) basename: &'a str,
    pub(super) skip_linker_warnings: bool,
}

/// What is wrong with the exit code of a test that should fail or not.
pub(super) fn exit(output: &Output, fails: bool) -> Option<String> {
    match (exit_failure(output.exit), fails) {
        (Some(why), false) => Some(why),
        (None, true) => Some("ended with exit code 0, but the test is expected to fail".into()),
        _ => None,
    }
}

/// What differs from the template, unless nothing does.
///
/// In a template line `*` is any text, `{NUMBER}` a number, `%(basename)s` the file's name and `%%` a `%`;
/// lines that start with `#` and blank ones are left out.
pub(super) fn failure(output: &Output, template: &[u8], rules: Rules<'_>) -> Option<String> {
    let (stdout, template) = (output.stdout.text(), String::from_utf8_lossy(template));
    let (wanted, actual) = sides(&stdout, &template, rules);
    for (i, want) in wanted.iter().enumerate() {
        let number = i + 1;
        let pattern = match pattern(want, rules.basename) {
            Ok(pattern) => pattern,
            Err(why) => return Some(format!("line {number} of the expected file: {why}")),
        };
        let got = actual.get(i).copied();
        if !got.is_some_and(|got| pattern.is_match(got)) {
            return Some(format!(
                "line {number} of the output is {}, expected {}",
                quoted(got),
                quoted(Some(want))
            ));
        }
    }
    let (wanted, actual) = (wanted.len(), actual.len());
    (actual > wanted).then(|| format!("the output has {actual} lines, expected {wanted}"))
}

/// The lines that are compared, those of the template first.
pub(super) fn sides<'a>(
    stdout: &'a str,
    template: &'a str,
    rules: Rules<'_>,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let wanted = template.split('\n').filter(|line| !line.starts_with('#') && !strip(line).is_empty());
    let actual = split_lines(stdout).filter(|line| !ignored(line, rules));
    (wanted.map(rstrip).collect(), actual.collect())
}

/// The template line as an anchored expression.
pub(super) fn pattern(line: &str, basename: &str) -> Result<Regex, String> {
    let text = interpolate(line, basename)?;
    let mut source = String::from(r"\A");
    for (i, part) in text.split('*').enumerate() {
        if i > 0 {
            source.push_str(".*");
        }
        let literal: Vec<String> = part.split("{NUMBER}").map(regex::escape).collect();
        source.push_str(&literal.join(r"[0-9]+(?:\.[0-9]*)?"));
    }
    source.push_str(r"\z");
    Regex::new(&source).map_err(|e| format!("cannot be made a pattern: {e}"))
}

/// Python's `%` with a dictionary, of which the files use `%(basename)s` and `%%`.
fn interpolate(line: &str, basename: &str) -> Result<String, String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("%(basename)s") {
            out.push_str(basename);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("%%") {
            out.push('%');
            rest = after;
        } else {
            return Err(format!("'%' must be doubled or begin %(basename)s, in {}", quoted(Some(line))));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Lines of output that are no part of the comparison: blank ones, and what valgrind and Android add.
fn ignored(line: &str, rules: Rules<'_>) -> bool {
    strip(line).is_empty()
        || ["==", "**", "ANDROID"].iter().any(|prefix| line.starts_with(prefix))
        || rules.skip_linker_warnings && line.starts_with("WARNING: linker:")
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    const RULES: Rules<'_> = Rules { basename: "a.js", skip_linker_warnings: true };

    fn differs(stdout: &str, template: &str) -> bool {
        failure(&printed(stdout, Exit::Code(0)), template.as_bytes(), RULES).is_some()
    }

    #[test]
    fn templates_know_stars_numbers_and_the_base_name() {
        assert!(!differs("/x/a.js:3: Error\n", "# c\n*%(basename)s:{NUMBER}: Error  \n\n"));
        assert!(!differs("1 12.5\n", "1 {NUMBER}\n"));
        assert!(differs("12.5.6\n", "{NUMBER}\n"));
        assert!(!differs("50%3\n", "50%%3\n"));
        assert!(differs("a+b\n", "a.b\n"), "no character but * is special");
    }

    #[test]
    fn blanks_of_an_actual_line_count() {
        assert!(differs(" a\n", "a\n"));
        assert!(differs("a \n", "a\n"));
        assert!(!differs("a\n", "a  \n"));
    }

    #[test]
    fn line_counts_must_agree() {
        assert!(differs("a\nb\n", "a\n"));
        assert!(differs("a\n", "a\nb\n"));
        assert!(differs("#x\na\n", "#x\na\n"), "'#x' is a comment in the template, a line in the output");
    }

    #[test]
    fn the_exit_code_must_be_the_expected_one() {
        let failing = printed("a\n", Exit::Code(1));
        assert!(exit(&failing, false).is_some());
        assert!(exit(&failing, true).is_none());
        assert!(exit(&printed("a\n", Exit::Code(0)), true).is_some());
        assert!(exit(&printed("a\n", Exit::Signal(6)), true).is_none());
        assert!(failure(&failing, b"a\n", RULES).is_none(), "the text is another matter");
    }

    #[test]
    fn linker_warnings_count_in_older_trees() {
        let output = printed("WARNING: linker: x\na\n", Exit::Code(0));
        assert!(failure(&output, b"a\n", RULES).is_none());
        assert!(failure(&output, b"a\n", Rules { skip_linker_warnings: false, ..RULES }).is_some());
    }

    #[test]
    fn a_lone_percent_sign_is_named_with_its_line() {
        let why = failure(&printed("a\n50%\n", Exit::Code(0)), b"a\n50%\n", RULES).unwrap();
        assert!(why.starts_with("line 2 of the expected file: '%' must be doubled"), "{why}");
    }
}
