//! Line-by-line comparison with expected output (webkit, inspector): V8 9.2 `outproc.base.ExpectedOutProc`.

use super::text::{quoted, split_lines, strip};
use crate::outcome::Output;

/// The rules that differ between suites and V8 versions.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) comments: bool,
    pub(super) skip_linker_warnings: bool,
    pub(super) skip_hashes: bool,
}

/// The first difference from the expected lines, if there is one.
///
/// If `==` lines (printed between the runs of --stress-opt) cut the output into blocks, V8 compares only the block
/// between the first two; with exactly one such line it compares nothing.
pub(super) fn failure(output: &Output, expected: &[u8], rules: Rules) -> Option<String> {
    let (stdout, expected) = (output.stdout.text(), String::from_utf8_lossy(expected));
    let (wanted, actual) = sides(&stdout, &expected, rules)?;
    let (mut wanted, mut actual) = (wanted.into_iter(), actual.into_iter());
    let mut number = 0;
    loop {
        number += 1;
        match (wanted.next(), actual.next()) {
            (None, None) => return None,
            (want, got) if want.unwrap_or_default() == got.unwrap_or_default() => {}
            (want, got) => {
                return Some(format!(
                    "line {number} of the output is {}, expected {}",
                    quoted(got),
                    quoted(want)
                ));
            }
        }
    }
}

/// The compared lines, expected ones first; `None` if nothing is compared.
pub(super) fn sides<'a>(
    stdout: &'a str,
    expected: &'a str,
    rules: Rules,
) -> Option<(Vec<&'a str>, Vec<&'a str>)> {
    let lines: Vec<&str> = split_lines(stdout).collect();
    let separators: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with("==")).map(|(i, _)| i).take(2).collect();
    let block = match separators[..] {
        [] => &lines[..],
        [_] => return None,
        [first, second, ..] => &lines[first + 1..second],
    };
    let actual = block.iter().map(|line| strip(line)).filter(|line| !is_ignored(line, rules));
    let wanted = expected
        .split('\n')
        .map(strip)
        .filter(|line| !(line.is_empty() || rules.comments && line.starts_with('#')));
    Some((wanted.collect(), actual.collect()))
}

/// Whether a line of output is excluded from the comparison: empty lines, and those that valgrind, Android and d8
/// add.
fn is_ignored(line: &str, rules: Rules) -> bool {
    line.is_empty()
        || ["==", "**", "ANDROID"].iter().any(|prefix| line.starts_with(prefix))
        || rules.skip_hashes && line.starts_with("###")
        || rules.skip_linker_warnings && line.starts_with("WARNING: linker:")
        || line == "Warning: unknown flag --enable-slow-asserts."
        || line == "Try --help for options"
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    fn differs(stdout: &str, expected: &str) -> bool {
        let rules = Rules { comments: true, skip_linker_warnings: true, skip_hashes: true };
        failure(&printed(stdout, Exit::Code(0)), expected.as_bytes(), rules).is_some()
    }

    #[test]
    fn lines_are_stripped_and_noise_is_left_out() {
        assert!(!differs("  a \n\n** x\nb\nTry --help for options\n", "# c\n\na\nb"));
        assert!(differs("a\n", "a\nb\n"));
        assert!(differs("a\nb\n", "a\n"));
    }

    #[test]
    fn only_the_first_block_counts() {
        assert!(!differs("anything\n== 1\n", "a\n"), "one separator: nothing is compared");
        assert!(!differs("x\n== 1\na\n== 2\nwrong\n== 3\n", "a\n"));
        assert!(differs("a\n== 1\nwrong\n== 2\na\n", "a\n"));
    }

    #[test]
    fn the_difference_is_named() {
        let rules = Rules { comments: false, skip_linker_warnings: true, skip_hashes: true };
        let why = failure(&printed("a\nx\n", Exit::Code(0)), b"a\nb\n", rules).unwrap();
        assert_eq!(why, r#"line 2 of the output is "x", expected "b""#);
    }
}
