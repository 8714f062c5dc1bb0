//! The message suite: stdout against a template (V8 9.2 and 13.8 `outproc/message.py`).

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::exit::exit_failure;
use super::text::{quoted, rstrip, split_lines, strip};
use crate::outcome::Output;

/// What templates can contain and which output lines are ignored: this differs between V8 versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRules {
    /// Whether output lines starting with `WARNING: linker:` are ignored (V8 9).
    pub skip_linker_warnings: bool,
    /// Further output lines that are ignored, compared as a whole.
    pub ignored_lines: Vec<String>,
    /// Whether `{ADDRESS}` matches an address (V8 11.6).
    pub addresses: bool,
    /// Whether `{NUMBER}` may be negative (V8 13.5).
    pub negative_numbers: bool,
}

/// What is wrong with the exit code of a test that must fail (`fails`) or must not.
pub(super) fn wrong_exit(output: &Output, fails: bool) -> Option<String> {
    match (exit_failure(output.exit), fails) {
        (Some(why), false) => Some(why),
        (None, true) => Some("ended with exit code 0, but the test is expected to fail".into()),
        _ => None,
    }
}

/// The first difference from the template, if there is one.
///
/// In a template line `*` matches any text, `{NUMBER}` a number and `{ADDRESS}` an address; `%(basename)s` is the
/// file's name and `%%` a `%`. Lines that start with `#` and blank lines are ignored.
pub(super) fn failure(
    output: &Output,
    template: &[u8],
    basename: &str,
    rules: &TemplateRules,
) -> Option<String> {
    let (stdout, template) = (output.stdout.text(), String::from_utf8_lossy(template));
    let (wanted, actual) = sides(&stdout, &template, rules);
    for (i, want) in wanted.iter().enumerate() {
        let number = i + 1;
        let pattern = match pattern(want, basename, rules) {
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

/// The compared lines, those of the template first.
pub(super) fn sides<'a>(
    stdout: &'a str,
    template: &'a str,
    rules: &TemplateRules,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let wanted = template.split('\n').filter(|line| !line.starts_with('#') && !strip(line).is_empty());
    let actual = split_lines(stdout).filter(|line| !is_ignored(line, rules));
    (wanted.map(rstrip).collect(), actual.collect())
}

/// The template line as an anchored regular expression.
pub(super) fn pattern(line: &str, basename: &str, rules: &TemplateRules) -> Result<Regex, String> {
    let text = interpolate(line, basename)?;
    let number = if rules.negative_numbers { r"-?[0-9]+(?:\.[0-9]*)?" } else { r"[0-9]+(?:\.[0-9]*)?" };
    // As in V8, wildcards are recognised in the escaped text.
    let mut source = regex::escape(&text).replace(r"\*", ".*").replace(r"\{NUMBER\}", number);
    if rules.addresses {
        source = source.replace(r"\{ADDRESS\}", "(0x)?[0-9A-Fa-f]+");
    }
    let source = format!(r"\A{source}\z");
    Regex::new(&source).map_err(|e| format!("cannot be made a pattern: {e}"))
}

/// Python's `%` operator with a dictionary, as far as the files use it: `%(basename)s` and `%%`.
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

/// Whether a line of output is excluded from the comparison: blank lines, and those that valgrind and Android add.
fn is_ignored(line: &str, rules: &TemplateRules) -> bool {
    strip(line).is_empty()
        || ["==", "**", "ANDROID"].iter().any(|prefix| line.starts_with(prefix))
        || rules.skip_linker_warnings && line.starts_with("WARNING: linker:")
        || rules.ignored_lines.iter().any(|ignored| ignored == line)
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    fn rules() -> TemplateRules {
        TemplateRules { skip_linker_warnings: true, ..TemplateRules::default() }
    }

    fn differs_by(rules: &TemplateRules, stdout: &str, template: &str) -> bool {
        failure(&printed(stdout, Exit::Code(0)), template.as_bytes(), "a.js", rules).is_some()
    }

    fn differs(stdout: &str, template: &str) -> bool {
        differs_by(&rules(), stdout, template)
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
        assert!(wrong_exit(&failing, false).is_some());
        assert!(wrong_exit(&failing, true).is_none());
        assert!(wrong_exit(&printed("a\n", Exit::Code(0)), true).is_some());
        assert!(wrong_exit(&printed("a\n", Exit::Signal(6)), true).is_none());
        assert!(failure(&failing, b"a\n", "a.js", &rules()).is_none(), "the text is another matter");
    }

    #[test]
    fn linker_warnings_count_in_older_trees() {
        let output = "WARNING: linker: x\na\n";
        assert!(!differs(output, "a\n"));
        assert!(differs_by(&TemplateRules::default(), output, "a\n"));
    }

    #[test]
    fn addresses_and_negative_numbers_are_known_where_the_version_knows_them() {
        let newer = TemplateRules { addresses: true, negative_numbers: true, ..rules() };
        for address in ["0x1F", "00ff", "deadBEEF"] {
            assert!(!differs_by(&newer, address, "{ADDRESS}"), "{address}");
            assert!(differs(address, "{ADDRESS}"), "{address}");
        }
        assert!(differs_by(&newer, "0xg", "{ADDRESS}"));
        assert!(!differs("{ADDRESS}", "{ADDRESS}"), "there it is a text like any other");
        assert!(!differs_by(&newer, "-1.5", "{NUMBER}") && differs("-1.5", "{NUMBER}"));
    }

    #[test]
    fn lines_that_do_not_count_are_left_out_whole() {
        let newer = TemplateRules { ignored_lines: vec!["Careful!".into()], ..rules() };
        assert!(!differs_by(&newer, "Careful!\na\n", "a\n"));
        assert!(differs_by(&newer, "Careful!!\na\n", "a\n"));
    }

    #[test]
    fn a_lone_percent_sign_is_named_with_its_line() {
        let why = failure(&printed("a\n50%\n", Exit::Code(0)), b"a\n50%\n", "a.js", &rules()).unwrap();
        assert!(why.starts_with("line 2 of the expected file: '%' must be doubled"), "{why}");
    }
}
