//! test262 as classic trees ran it (V8 5.4 `test/test262/testcfg.py`): everything stands among the files.

use flotilla_messages::Arg;

use super::prepared::{Prepared, Result};
use super::suite::V8Suite;
use super::test262::{DETACH, strictness};
use crate::v8::frontmatter::V8Frontmatter;

/// What a source says; `test` is its file.
pub fn classic(suite: &V8Suite, test: Arg, source: &[u8]) -> Result {
    let matter = V8Frontmatter::read_classic(source)?;
    let word = |word: &str| Arg::Text(word.into());
    let mut files = suite.before.clone();
    files.extend(matter.includes.iter().map(|include| match include.as_str() {
        DETACH => suite.dir.arg(include),
        _ => suite.dir.arg(&format!("data/harness/{include}")),
    }));
    files.push(word("--harmony"));
    if matter.has_flag("module") {
        files.push(word("--module"));
    }
    files.push(test);
    if matter.negative {
        files.push(word("--throws"));
    }
    if matter.includes.iter().any(|include| include == DETACH) {
        files.push(word("--allow-natives-syntax"));
    }
    let strictness = strictness(&matter);
    Ok(Prepared { files, strictness, exception: matter.negative_type, ..Prepared::default() })
}
