//! The unified diff between an output and the file it was compared with, which V8 calls `error_details` (V8 13.8
//! outproc/base.py: `ExpectedOutProc._get_error_details`).
//!
//! V8 compares raw lines. Here the lines are those that the judge compares: a line that matches its template is not a
//! difference, comments of the expected file and ignored output are left out, and line numbers agree with those in
//! the judge's explanation.

use std::collections::HashMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use super::template::TemplateRules;
use super::text::split_lines;
use super::verdict::Judge;
use super::{checks, lines, template};
use crate::outcome::{Captured, Output};

/// The maximum size of a difference in bytes; a longer one is cut at the end of a line and says so.
pub const MOST_DIFFERENCE: usize = 16 << 10;
/// Maximum number of lines compared on each side, starting at the first difference: bounds the time for any two
/// texts.
const MAX_COMPARED_LINES: usize = 1000;
/// Maximum number of characters signed_line of a line.
const SHOWN_CHARS: usize = 400;
/// Lines of context around a difference.
const CONTEXT_LINES: usize = 3;
/// Maximum distance, in lines, between a line of output and the template line that it matches.
const MAX_LINE_DISTANCE: usize = 32;

/// How `output` differs from `expected`, the bytes of the expected file, which is signed_line as `file`. `None` for judges
/// that do not compare with a file, and if no line differs.
pub fn difference(judge: &Judge, output: &Output, expected: Option<&[u8]>, file: &str) -> Option<String> {
    let expected = String::from_utf8_lossy(expected?);
    let (captured, actual_name) = match judge {
        Judge::Checks(checks) if checks.compare?.stream == checks::Stream::Stderr => {
            (&output.stderr, "<actual stderr>")
        }
        _ => (&output.stdout, "<actual>"),
    };
    let text = captured.text();
    let compared = match judge {
        Judge::Template { basename, rules, .. } => {
            let (wanted, actual) = template::sides(&text, &expected, rules);
            Compared::by_template(wanted, actual, basename, rules)
        }
        Judge::Lines { comments, skip_linker_warnings, skip_hashes, .. } => {
            let rules = lines::Rules {
                comments: *comments,
                skip_linker_warnings: *skip_linker_warnings,
                skip_hashes: *skip_hashes,
            };
            let (wanted, actual) = lines::sides(&text, &expected, rules)?;
            Compared::by_text(wanted, actual)
        }
        Judge::Checks(checks) => {
            let (wanted, actual) = checks::sides(&text, &expected, checks.compare?.by_line);
            Compared::by_text(wanted, actual)
        }
        Judge::GrokDump => Compared::by_text(split_lines(&expected).collect(), split_lines(&text).collect()),
        _ => return None,
    };
    compared.unified(file, actual_name, captured)
}

/// The lines of both sides, with numbers that are equal for lines that count as equal.
struct Compared<'a> {
    wanted: Vec<&'a str>,
    actual: Vec<&'a str>,
    wanted_numbers: Vec<usize>,
    actual_numbers: Vec<usize>,
    /// Number of lines left out at the beginning of both sides.
    skipped: usize,
    /// Whether lines were left out at the end.
    cut: bool,
}

impl<'a> Compared<'a> {
    /// Lines are equal if their texts are.
    fn by_text(mut wanted: Vec<&'a str>, mut actual: Vec<&'a str>) -> Self {
        let alike = wanted.iter().zip(&actual).take_while(|(one, other)| one == other).count();
        let (skipped, cut) = trim(&mut wanted, &mut actual, alike);
        let mut known = HashMap::new();
        let mut number = |line: &&'a str| {
            let next = known.len();
            *known.entry(*line).or_insert(next)
        };
        let wanted_numbers = wanted.iter().map(&mut number).collect();
        let actual_numbers = actual.iter().map(&mut number).collect();
        Self { wanted, actual, wanted_numbers, actual_numbers, skipped, cut }
    }

    /// A line is equal to the template line that it matches, to the nearest one if there are several.
    fn by_template(
        mut wanted: Vec<&'a str>,
        mut actual: Vec<&'a str>,
        basename: &str,
        rules: &TemplateRules,
    ) -> Self {
        let fits = |line: &str, template: &str| {
            template::pattern(template, basename, rules).is_ok_and(|pattern| pattern.is_match(line))
        };
        let alike = wanted.iter().zip(&actual).take_while(|(want, line)| fits(line, want)).count();
        let (skipped, cut) = trim(&mut wanted, &mut actual, alike);
        let patterns: Vec<_> =
            wanted.iter().map(|line| template::pattern(line, basename, rules).ok()).collect();
        let mut known = HashMap::new();
        let wanted_numbers: Vec<usize> = wanted
            .iter()
            .map(|line| {
                let next = known.len();
                *known.entry(*line).or_insert(next)
            })
            .collect();
        let fits = |line: &str, at: usize| {
            patterns.get(at).and_then(Option::as_ref).is_some_and(|pattern| pattern.is_match(line))
        };
        let number = |(at, line): (usize, &&'a str)| {
            let near = (0..=MAX_LINE_DISTANCE)
                .flat_map(|away| [at.checked_add(away), at.checked_sub(away)])
                .flatten();
            let found = near.into_iter().find(|place| fits(line, *place));
            // Matches no template line: gets a number of its own, above all those of the template.
            found.and_then(|place| wanted_numbers.get(place).copied()).unwrap_or(known.len() + at)
        };
        let actual_numbers = actual.iter().enumerate().map(number).collect();
        Self { wanted, actual, wanted_numbers, actual_numbers, skipped, cut }
    }

    fn unified(&self, file: &str, actual_name: &str, captured: &Captured) -> Option<String> {
        let ops = capture_diff_slices(Algorithm::Myers, &self.wanted_numbers, &self.actual_numbers);
        if ops.iter().all(|op| op.tag() == DiffTag::Equal) {
            return None;
        }
        let mut text = format!("Output does not match expectation:\n--- {file}\n+++ {actual_name}\n");
        let lines = group_diff_ops(ops, CONTEXT_LINES).into_iter().flat_map(|hunk| self.hunk(&hunk));
        let mut left_out = 0_usize;
        for line in lines {
            if left_out > 0 || text.len() + line.len() > MOST_DIFFERENCE {
                left_out += 1;
            } else {
                text.push_str(&line);
                text.push('\n');
            }
        }
        if left_out > 0 {
            text.push_str(&format!("[... {left_out} lines of the difference left out]\n"));
        }
        if self.cut {
            text.push_str(&format!("[... compared no further than {MAX_COMPARED_LINES} lines]\n"));
        }
        if captured.cut() > 0 {
            text.push_str(&format!("[... {} bytes of the output were not kept]\n", captured.cut()));
        }
        Some(text)
    }

    /// The lines of one hunk, after its header.
    fn hunk(&self, ops: &[DiffOp]) -> Vec<String> {
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return Vec::new() };
        let place = |range: Range<usize>| {
            let (start, length) = (range.start + self.skipped, range.len());
            match length {
                0 => format!("{start},0"),
                1 => format!("{}", start + 1),
                _ => format!("{},{length}", start + 1),
            }
        };
        let old = place(first.old_range().start..last.old_range().end);
        let new = place(first.new_range().start..last.new_range().end);
        let mut lines = vec![format!("@@ -{old} +{new} @@")];
        let all = |sign: char, side: &[&str], range: Range<usize>| {
            side.get(range).unwrap_or_default().iter().map(|line| signed_line(sign, line)).collect::<Vec<_>>()
        };
        for op in ops {
            if op.tag() == DiffTag::Equal {
                lines.extend(all(' ', &self.actual, op.new_range()));
            } else {
                lines.extend(all('-', &self.wanted, op.old_range()));
                lines.extend(all('+', &self.actual, op.new_range()));
            }
        }
        lines
    }
}

/// Drops the equal lines at the beginning except for the context, and the lines above the limit at the end. Returns
/// how many it dropped at the beginning, and whether it dropped any at the end.
fn trim<'a>(wanted: &mut Vec<&'a str>, actual: &mut Vec<&'a str>, alike: usize) -> (usize, bool) {
    let skipped = alike.saturating_sub(CONTEXT_LINES);
    let mut cut = false;
    for side in [wanted, actual] {
        side.drain(..skipped);
        cut |= side.len() > MAX_COMPARED_LINES;
        side.truncate(MAX_COMPARED_LINES);
    }
    (skipped, cut)
}

/// A line after its sign: shortened, and without control characters, which could change the terminal's state.
fn signed_line(sign: char, line: &str) -> String {
    let plain = |char: char| if char.is_control() && char != '\t' { '\u{fffd}' } else { char };
    let more = if line.chars().nth(SHOWN_CHARS).is_some() { "..." } else { "" };
    let text: String = line.chars().take(SHOWN_CHARS).map(plain).collect();
    format!("{sign}{text}{more}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::checks::{Checks, Compare, ExitRule, Patterns, Stream};
    use super::super::verdict::tests::printed;
    use super::*;
    use crate::outcome::Exit;

    fn template() -> Judge {
        Judge::Template {
            fails: false,
            basename: "a.js".into(),
            exit_code_counts: true,
            rules: TemplateRules::default(),
        }
    }

    fn text(by_line: bool) -> Judge {
        let compare = Some(Compare { stream: Stream::Stdout, by_line });
        let (stdout, stderr) = (Patterns::default(), Patterns::default());
        Judge::Checks(Checks { exit: ExitRule::Any, compare, stdout, stderr, error: None })
    }

    fn diff(judge: &Judge, stdout: &str, expected: &str) -> Option<String> {
        difference(judge, &printed(stdout, Exit::Code(1)), Some(expected.as_bytes()), "a.out")
    }

    #[test]
    fn lines_that_fit_their_template_are_no_difference() {
        let expected = "# comment\n*%(basename)s:{NUMBER}: Error\n\none\ntwo {NUMBER}\nthree\n";
        let found = diff(&template(), "/x/a.js:3: Error\none\nmore\ntwo 2\nfour\n", expected).unwrap();
        let wanted = "Output does not match expectation:\n--- a.out\n+++ <actual>\n@@ -1,4 +1,5 @@\n \
                      /x/a.js:3: Error\n one\n+more\n two 2\n-three\n+four\n";
        assert_eq!(found, wanted);
        assert_eq!(diff(&template(), "a.js:3: Error\none\ntwo 2\nthree\n", expected), None);
        assert!(diff(&template(), "50%\n", "50%\n").is_some(), "a line that is no pattern fits nothing");
    }

    #[test]
    fn lines_are_those_that_are_compared() {
        let judge = Judge::Lines {
            comments: true,
            exit_code_counts: true,
            skip_linker_warnings: true,
            skip_hashes: true,
            blank_passes: false,
        };
        let found = diff(&judge, "** noise\n a \nx\n", "# comment\na\nb\n").unwrap();
        assert!(found.ends_with("@@ -1,2 +1,2 @@\n a\n-b\n+x\n"), "{found}");
        assert_eq!(diff(&judge, "x\n== 1\n", "a\n"), None, "nothing is compared");
    }

    #[test]
    fn places_are_told_as_diff_tells_them() {
        let numbered = |range: Range<usize>| range.map(|n| format!("{n}\n")).collect::<String>();
        let expected = numbered(0..3000);
        let found = diff(&text(false), &expected.replace("2990\n", "x\n"), &expected).unwrap();
        assert!(found.contains("@@ -2988,7 +2988,7 @@\n 2987\n 2988\n 2989\n-2990\n+x\n 2991\n"), "{found}");
        let found = diff(&text(true), "", "a\n").unwrap();
        assert!(found.ends_with("@@ -1 +0,0 @@\n-a\n"), "{found}");
        let found = diff(&text(true), "a\nb\n", "").unwrap();
        assert!(found.ends_with("@@ -0,0 +1,2 @@\n+a\n+b\n"), "{found}");
    }

    #[test]
    fn other_judges_have_none() {
        assert_eq!(diff(&Judge::ExitCode, "a", "b"), None);
        let alone = Checks {
            exit: ExitRule::Any,
            compare: None,
            stdout: Patterns::default(),
            stderr: Patterns::default(),
            error: None,
        };
        assert_eq!(diff(&Judge::Checks(alone), "a", "b"), None);
        assert_eq!(difference(&text(true), &printed("a", Exit::Code(0)), None, "a.out"), None);
    }

    #[test]
    fn standard_error_is_named_where_it_is_compared() {
        let compare = Some(Compare { stream: Stream::Stderr, by_line: true });
        let Judge::Checks(checks) = text(true) else { unreachable!() };
        let judge = Judge::Checks(Checks { compare, ..checks });
        let mut output = printed("not this", Exit::Code(0));
        output.stderr = Captured::whole("b\n");
        let found = difference(&judge, &output, Some(b"a\n"), "a.err").unwrap();
        assert!(found.contains("--- a.err\n+++ <actual stderr>\n@@ -1 +1 @@\n-a\n+b\n"), "{found}");
    }

    #[test]
    fn large_and_long_differences_are_cut_and_say_so() {
        let many = |word: &str| format!("{word}\n").repeat(30_000);
        let found = diff(&text(true), &many("actual"), &many("expected")).unwrap();
        assert!(found.len() < MOST_DIFFERENCE + 200, "{}", found.len());
        assert!(found.contains("\n[... compared no further than 1000 lines]\n"), "{found}");
        assert!(found.contains(" lines of the difference left out]\n"), "{found}");
        let found = diff(&template(), &"é".repeat(100_000), &"x".repeat(100_000)).unwrap();
        assert!(found.len() < 2000, "{}", found.len());
        let mut output = printed("a\n", Exit::Code(0));
        output.stdout.total = 100;
        let found = difference(&text(true), &output, Some(b"b\n"), "f").unwrap();
        assert!(found.ends_with("\n[... 98 bytes of the output were not kept]\n"), "{found}");
    }

    proptest! {
        /// Each side can be rebuilt from the difference by removing the signs.
        #[test]
        fn both_sides_can_be_read_from_it(
            one in proptest::collection::vec("[abc]", 0..12),
            other in proptest::collection::vec("[abc]", 0..12),
        ) {
            let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            match diff(&text(true), &joined(&other), &joined(&one)) {
                None => prop_assert_eq!(one, other),
                Some(found) => {
                    let side = |signs: [char; 2]| {
                        let body = found.lines().skip(3).filter(|line| !line.starts_with("@@"));
                        body.filter(|line| line.starts_with(signs)).map(|line| line[1..].to_owned()).collect::<Vec<_>>()
                    };
                    let (minus, plus) = (side([' ', '-']), side([' ', '+']));
                    let has = |whole: &[String], part: &[String]| {
                        let mut rest = whole.iter();
                        part.iter().all(|line| rest.any(|other| other == line))
                    };
                    prop_assert!(has(&one, &minus) && has(&other, &plus), "{}", found);
                    prop_assert_eq!(one.len() as i64 - other.len() as i64, minus.len() as i64 - plus.len() as i64);
                }
            }
        }

        #[test]
        fn no_output_makes_it_panic(stdout in any::<Vec<u8>>(), expected in any::<Vec<u8>>()) {
            let mut output = printed("", Exit::Code(0));
            output.stdout = Captured::whole(stdout);
            for judge in [template(), text(true), text(false), Judge::GrokDump] {
                let _ = difference(&judge, &output, Some(&expected), "f");
            }
        }
    }
}
