//! Texts that stdout must and must not contain (V8 5.4 `test/promises-aplus/testcfg.py`).

use super::exit::exit_failure;
use super::text::quoted;
use crate::outcome::Output;

/// Why the output is wrong, if it is.
pub(super) fn failure(output: &Output, required: &[String], forbidden: &[String]) -> Option<String> {
    let stdout = output.stdout.text();
    let missing = || required.iter().find(|phrase| !stdout.contains(phrase.as_str()));
    let said = || forbidden.iter().find(|phrase| stdout.contains(phrase.as_str()));
    exit_failure(output.exit)
        .or_else(|| missing().map(|phrase| format!("the output lacks {}", quoted(Some(phrase)))))
        .or_else(|| said().map(|phrase| format!("the output says {}", quoted(Some(phrase)))))
}

#[cfg(test)]
mod tests {
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    #[test]
    fn what_is_said_decides() {
        let why = |stdout: &str, code| {
            failure(&printed(stdout, Exit::Code(code)), &["All run.".into()], &["FAIL:".into()])
        };
        assert_eq!(why("x\nAll run.\n", 0), None);
        assert_eq!(why("x\n", 0).unwrap(), "the output lacks \"All run.\"");
        assert_eq!(why("FAIL: x\nAll run.", 0).unwrap(), "the output says \"FAIL:\"");
        assert!(why("All run.", 1).is_some());
    }
}
