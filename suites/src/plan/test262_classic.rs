//! test262 as classic trees ran it (V8 5.4 `test/test262/testcfg.py`): everything stands among the files.

use flotilla_messages::Arg;

use crate::plan::prepare::{Prepared, Result, Strictness};
use crate::plan::suite::Suite;
use crate::v8::frontmatter::V8Frontmatter;

/// The one harness file that V8 has of its own, since it needs natives.
const DETACH: &str = "detachArrayBuffer.js";

/// What a source says; `test` is its file.
pub fn classic(suite: &Suite, test: Arg, source: &[u8]) -> Result {
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
    let strictness = Strictness::of(&matter);
    Ok(Prepared { files, strictness, exception: matter.negative_type, ..Prepared::default() })
}
