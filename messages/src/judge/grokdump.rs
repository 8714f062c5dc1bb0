//! mkgrokdump: what it prints is what `tools/v8heapconst.py` holds (V8 9.2 `outproc/mkgrokdump.py`).

use super::text::{quoted, split_lines};
use crate::outcome::Output;

/// What differs, unless nothing does or the build is none that is shipped. The exit code does not count.
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

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

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
