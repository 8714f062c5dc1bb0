//! The demo tree: green on the built-in shell, and not green to a runner that reads no status files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

fn demo(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
    Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg("--root")
        .arg(root)
        .args(["--no-config", "--exit-after-n-failures=0"])
        .args(args)
        // Not among the user's own.
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap()
}

fn green(args: &[&str]) -> String {
    let output = demo(args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_demo_is_green() {
    let text = green(&[]);
    assert!(text.contains("built-in shell"), "{text}");
    assert!(text.contains("all as expected"), "{text}");
}

#[test]
fn the_demo_is_green_in_all_variants() {
    green(&["--variants=exhaustive"]);
}

#[test]
fn skipped_demo_tests_would_fail() {
    let output = demo(&["--run-skipped"]);
    assert_eq!(output.status.code(), Some(1));
}
