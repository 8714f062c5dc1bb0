//! What a directory is a checkout of, where it is none of V8's.

use std::path::Path;

/// What every checkout's harness has.
const HARNESS: &str = "harness/assert.js";

/// Whether a directory is a checkout of test262, or would be with its harness.
pub fn looks_like_test262(root: &Path) -> bool {
    let dir = |name: &str| root.join(name).is_dir();
    !dir("tools/testrunner")
        && ((has_harness(root) && dir("test")) || (dir("test/language") && dir("test/built-ins")))
}

/// Whether it has its harness.
pub fn has_harness(root: &Path) -> bool {
    root.join(HARNESS).is_file()
}
