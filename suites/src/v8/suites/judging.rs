//! How the output of a test of V8's is judged.

use flotilla_messages::{Arg, Judge, TemplateRules};

use super::case::V8Test;
use crate::files::walk::FileKey;
use crate::v8::dialect::{Dialect, Judging};

impl V8Test {
    /// The judge of an instance, and the file that it compares the output with.
    pub fn judging(&self, name: &str, reverse: bool) -> (Judge, Option<Arg>) {
        let Self { suite, prepared, .. } = self;
        let dialect = suite.run.dialect;
        let file_name = || suite.file_name(name, FileKey::unpack(self.key.0));
        let beside = |suffix: &str| Some(suite.dir.arg(&format!("{name}{suffix}")));
        match suite.rules.judging {
            Judging::ExitCode => (Judge::ExitCode, None),
            // -1 says that it does not want its input.
            Judging::Fuzzer => (Judge::ExitCodes(vec![255]), None),
            Judging::FileCheck => (Judge::FileCheck, Some(suite.dir.arg(&file_name()))),
            Judging::Template => {
                let file = if dialect.message_basename_is_js { format!("{name}.js") } else { file_name() };
                let judge = Judge::Template {
                    // A file called fail.js counts as well as a directory.
                    fails: dialect.template_exit_code_counts && name.split('/').any(|part| part == "fail"),
                    basename: file.rsplit('/').next().unwrap_or_default().into(),
                    exit_code_counts: dialect.template_exit_code_counts,
                    rules: template_rules(dialect),
                };
                (judge, beside(".out"))
            }
            Judging::Lines { comments } => {
                let judge = Judge::Lines {
                    comments,
                    // webkit always looked at it.
                    exit_code_counts: comments || dialect.lines_exit_code_counts,
                    skip_linker_warnings: dialect.skip_linker_warnings,
                    skip_hashes: dialect.lines_skip_hashes,
                    blank_passes: comments && dialect.blank_webkit_passes,
                };
                (judge, beside("-expected.txt"))
            }
            Judging::Failed => {
                let negative = name.ends_with("-n");
                (Judge::Exception { expected: None, negative, must_complete: false }, None)
            }
            Judging::Promises => {
                let judge = Judge::Phrases {
                    required: vec!["All tests have run.".into()],
                    forbidden: vec!["FAIL:".into()],
                    negative: prepared.negative,
                };
                (judge, None)
            }
            Judging::GrokDump => (Judge::GrokDump, Some(Arg::Path("tools/v8heapconst.py".into()))),
            Judging::PlausibleGrokDump => (Judge::PlausibleGrokDump, None),
            Judging::Test262 => {
                let judge = Judge::Exception {
                    expected: prepared.exception.clone(),
                    // V8 asserts that only tests that expect an error are reversed.
                    negative: reverse && prepared.exception.is_some(),
                    must_complete: dialect.test262.async_must_complete && prepared.asynchronous,
                };
                (judge, None)
            }
        }
    }
}

fn template_rules(dialect: &Dialect) -> TemplateRules {
    let templates = dialect.templates;
    TemplateRules {
        skip_linker_warnings: dialect.skip_linker_warnings,
        ignored_lines: templates.ignored_lines.iter().map(|line| (*line).to_owned()).collect(),
        addresses: templates.addresses,
        negative_numbers: templates.negative_numbers,
    }
}
