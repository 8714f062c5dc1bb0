//! mkgrokdump: the output must equal `tools/v8heapconst.py` (V8 9.2 `outproc/mkgrokdump.py`) or, once that file was
//! gone, be plausible (V8 11.7).

use super::text::{quoted, split_lines};
use crate::outcome::Output;

/// The first difference. `None` if there is none or the build is not a shipping build. The exit code does not count.
pub(super) fn failure(output: &Output, expected: &[u8]) -> Option<String> {
    let (stdout, expected) = (output.stdout.text(), String::from_utf8_lossy(expected));
    let (mut actual, mut wanted) = (split_lines(&stdout), split_lines(&expected));
    let mut number = 0;
    let difference = loop {
        number += 1;
        match (wanted.next(), actual.next()) {
            (None, None) => return None,
            (want, got) if want == got => {}
            (want, got) => break format!("line {number} is {}, expected {}", quoted(got), quoted(want)),
        }
    };
    if stdout.contains("generated from a non-shipping build") {
        return None;
    }
    if !stdout.contains("generated from a shipping build") {
        return Some("the output does not say which build it is from".into());
    }
    Some(difference)
}

/// The minimum number of lines of a plausible output.
const MIN_LINES: usize = 300;

/// Texts that a plausible output contains.
const REQUIRED_TEXTS: [&str; 9] = [
    "INSTANCE_TYPES = {",
    "HEAP_NUMBER_TYPE",
    "KNOWN_MAPS = {",
    "HeapNumberMap",
    "KNOWN_OBJECTS = {",
    "TrueValue",
    "HEAP_FIRST_PAGES = {",
    "FRAME_MARKERS = (",
    "INTERPRETED",
];

/// Why the output is implausible, if it is. The exit code does not count.
pub(super) fn implausible(output: &Output) -> Option<String> {
    let stdout = output.stdout.text();
    let lines = split_lines(&stdout).count();
    if lines < MIN_LINES {
        return Some(format!("the output has {lines} lines, expected {MIN_LINES} at least"));
    }
    let missing = REQUIRED_TEXTS.iter().find(|named| !stdout.contains(**named))?;
    Some(format!("the output lacks {}", quoted(Some(missing))))
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    #[test]
    fn a_plausible_output_is_long_and_names_what_it_should() {
        let why = |stdout: &str| implausible(&printed(stdout, Exit::Code(1)));
        let names = REQUIRED_TEXTS.join("\n");
        assert_eq!(why(&format!("{names}{}", "\nx".repeat(MIN_LINES))), None, "whatever the exit code");
        assert_eq!(why(&names).unwrap(), "the output has 9 lines, expected 300 at least");
        let without = names.replace("TrueValue", "");
        assert_eq!(
            why(&format!("{without}{}", "\nx".repeat(MIN_LINES))).unwrap(),
            "the output lacks \"TrueValue\""
        );
    }

    #[test]
    fn only_shipping_builds_are_compared() {
        let why = |stdout: &str| {
            failure(&printed(stdout, Exit::Code(0)), b"# generated from a shipping build\na\n")
        };
        assert_eq!(why("# generated from a shipping build\na\n"), None);
        assert_eq!(why("# generated from a shipping build\nb\n").unwrap(), "line 2 is \"b\", expected \"a\"");
        assert_eq!(why("# generated from a non-shipping build\nb\n"), None);
        assert!(why("b\n").unwrap().contains("which build"));
    }
}
