//! Commands as they can be pasted into a shell.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use flotilla_messages::TestCase;

/// One word as a POSIX shell reads it: bare where that is safe, else in single quotes, whatever it holds. The crate
/// `shlex` refuses a NUL, quotes `--stack-size=100` and `a,b`, of which the commands of tests are full, and writes
/// `"it's "'$x'` where one pair of quotes and a `'\''` can be read.
pub fn word(text: &OsStr) -> Vec<u8> {
    let bytes = text.as_bytes();
    let safe = |b: &u8| b.is_ascii_alphanumeric() || b"_-+=./,:@%".contains(b);
    if !bytes.is_empty() && bytes.iter().all(safe) {
        return bytes.to_vec();
    }
    let mut quoted = vec![b'\''];
    for &byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// The test's command `argv`, to be run from anywhere: directory, environment, words.
pub fn command(case: &TestCase, root: &Path, argv: &[OsString]) -> Vec<u8> {
    let mut line = b"(cd ".to_vec();
    line.extend(word(root.as_os_str()));
    line.extend_from_slice(b" && ");
    let mut words: Vec<Vec<u8>> = Vec::new();
    if !case.env.is_empty() || !case.unset_env.is_empty() {
        words.push(b"env".to_vec());
        for name in case.unset_env.iter().filter(|name| !case.env.contains_key(*name)) {
            words.push(b"-u".to_vec());
            words.push(word(OsStr::new(name)));
        }
        for (name, value) in &case.env {
            words.push(word(OsStr::new(&format!("{name}={value}"))));
        }
    }
    words.extend(argv.iter().map(|arg| word(arg)));
    line.extend(words.join(&b' '));
    line.push(b')');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        String::from_utf8(word(OsStr::new(text))).unwrap()
    }

    #[test]
    fn words_are_quoted_only_where_needed() {
        assert_eq!(quoted("--a=b/c.js"), "--a=b/c.js");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
        assert_eq!(quoted("~"), "'~'");
    }

    #[test]
    fn quoted_words_come_back_from_a_real_shell() {
        let words = ["a b", "'", "\"$HOME\"", "*", "x\ny", "\\", "#c", "!", "{a,b}", "é"];
        let script = words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(" ");
        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("printf '%s\\0' {script}"))
            .output()
            .unwrap();
        let back: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().split_terminator('\0').collect();
        assert_eq!(back, words);
    }
}
