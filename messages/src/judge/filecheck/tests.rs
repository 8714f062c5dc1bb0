//! Whole tests against whole outputs. Each passes or fails as in filecheck 1.0.1 (benches/compare_filecheck.py).

use proptest::prelude::*;

use super::matcher::{failure, failure_within};
use super::re::Budget;
use crate::judge::verdict::tests::printed;
use crate::outcome::{Captured, Exit};

fn why(test: &str, output: &str) -> Option<String> {
    failure(&printed(output, Exit::Code(1)), test.as_bytes())
}

#[track_caller]
fn passes(test: &str, output: &str) {
    assert_eq!(why(test, output), None);
}

#[track_caller]
fn fails(test: &str, output: &str, reason: &str) {
    assert_eq!(why(test, output).as_deref(), Some(reason));
}

#[test]
fn check_looks_from_the_last_match_on() {
    passes("// CHECK: a\n// CHECK: b c\n", "x a\ny\nb  \t c\n");
    passes("// CHECK: a\n// CHECK: b\n", "ab");
    fails(
        "// CHECK: a\n\n// CHECK: a\n",
        "x a\nb\n",
        r#"CHECK in line 3 of the test found no "a" in the output from line 1 on; line 1 is "x a""#,
    );
    fails(
        "// CHECK: function 6: megamorphic\n",
        "zero\nfunction 6: polymorphic\n",
        r#"CHECK in line 1 of the test found no "function 6: megamorphic" in the output from line 1 on; line 1 is "zero"; a possible match is line 2 of the output, "function 6: polymorphic""#,
    );
}

#[test]
fn check_next_is_for_the_next_line_alone() {
    passes("CHECK: a\nCHECK-NEXT: b\n", "a\nxb\n");
    passes("CHECK-NEXT: a\n", "a\n");
    fails(
        "CHECK: a\nCHECK-NEXT: b\n",
        "a\nx\nb\n",
        r#"CHECK-NEXT in line 2 of the test expected "b", but found line 2 of the output, "x""#,
    );
    fails(
        "CHECK: a\nCHECK-NEXT: bailout end.\n",
        "a\nx\nbailout end.\n",
        r#"CHECK-NEXT in line 2 of the test expected "bailout end.", but found line 2 of the output, "x"; a possible match is line 3 of the output, "bailout end.""#,
    );
    fails(
        "CHECK: a\nCHECK-NEXT: b\n",
        "x\na",
        r#"CHECK-NEXT in line 2 of the test found no line after line 2 of the output, "a", the last one"#,
    );
}

#[test]
fn check_same_is_for_the_rest_of_the_line() {
    passes("CHECK: a\nCHECK-SAME: b\n", "a b\n");
    fails(
        "CHECK: a\nCHECK-SAME: b\n",
        "b a c\nb\n",
        r#"CHECK-SAME in line 2 of the test found no "b" in the rest of line 1 of the output; line 1 is "b a c""#,
    );
}

#[test]
fn check_not_is_for_what_lies_between_two_matches() {
    let test = "CHECK: a\nCHECK-NOT: x\nCHECK: b\n";
    passes(test, "x\na\nb\nx\n");
    fails(test, "a\n1 x\nb\n", r#"CHECK-NOT in line 2 of the test found "x" in line 2 of the output, "1 x""#);
    fails(
        "CHECK: a\nCHECK-NOT: x\n",
        "a\nb\nx\n",
        r#"CHECK-NOT in line 2 of the test found "x" in line 3 of the output, "x""#,
    );
    // A peculiarity of filecheck 1.0.1: the last character does not count.
    passes("CHECK: a\nCHECK-NOT: x\n", "a\nx");
    fails(
        "CHECK-NOT: x\nCHECK-DAG: b\nCHECK-DAG: a\n",
        "a\nx\nb\n",
        r#"CHECK-NOT in line 1 of the test found "x" in line 2 of the output, "x""#,
    );
}

#[test]
fn a_check_not_sees_what_the_match_after_it_captures() {
    let test = "CHECK: a\nCHECK-NOT: <[[V]]>\nCHECK: [[V:b+]]!\n";
    passes(test, "a\n<b>\nbb!\n");
    assert!(why(test, "a\n<bb>\nbb!\n").unwrap().starts_with("CHECK-NOT in line 2 of the test found"));
}

#[test]
fn check_dags_match_in_any_order() {
    let test = "CHECK: start\nCHECK-DAG: a\nCHECK-DAG: b\nCHECK: end\n";
    passes(test, "start\nb\na\nend\n");
    passes(test, "start\na\nb\nend\n");
    fails(
        "CHECK: start\nCHECK-DAG: x\nCHECK-DAG: b\n",
        "start\nb\nend\n",
        r#"CHECK-DAG in line 2 of the test found no "x" in the output from line 1 on; line 1 is "start""#,
    );
    passes("CHECK-DAG: a\nCHECK-DAG: a\n", "a a\n");
    assert!(why("CHECK-DAG: a\nCHECK-DAG: a\n", "b a\n").is_some(), "what one has matched is taken");
    assert!(why("CHECK-DAG: b\nCHECK-DAG: a\nCHECK: a\n", "a\nb\n").is_some(), "what follows is behind all");
}

#[test]
fn labels_cut_the_output_first() {
    let test = "CHECK-LABEL: one\nCHECK: x\nCHECK-LABEL: two\nCHECK: y\n";
    passes(test, "one\nx\ntwo\ny\n");
    fails(
        test,
        "one\ntwo\nx\ny\n",
        r#"CHECK in line 2 of the test found no "x" in the output from line 1 on, up to the next CHECK-LABEL's match in line 2; line 1 is "one""#,
    );
    fails(
        test,
        "two\nx\none\ny\n",
        r#"CHECK-LABEL in line 3 of the test found no "two" in the output from line 3 on; line 3 is "one""#,
    );
    fails(
        "CHECK: a\nCHECK-NEXT: {{.*}}\nCHECK-LABEL: b\n",
        "a b\nc\n",
        r#"CHECK-NEXT in line 2 of the test goes past the match of the next CHECK-LABEL in line 1 of the output, "a b""#,
    );
    fails(
        "CHECK-NOT: x\nCHECK-LABEL: two\n",
        "x\ntwo\n",
        r#"CHECK-NOT in line 1 of the test found "x" in line 1 of the output, "x""#,
    );
}

#[test]
fn check_empty_is_for_an_empty_line() {
    passes("CHECK: a\nCHECK-EMPTY:\nCHECK-NEXT: b\n", "a\n\nb\n");
    passes("CHECK: a\nCHECK-EMPTY:\n", "a\n");
    fails(
        "CHECK: a\nCHECK-EMPTY:\n",
        "a\nb\n",
        r#"CHECK-EMPTY in line 2 of the test expected an empty line, but found line 2 of the output, "b""#,
    );
}

#[test]
fn check_count_matches_that_often() {
    passes("CHECK-COUNT-2: a\nCHECK-NOT: a\n", "a\nxa\n\n");
    fails(
        "CHECK-COUNT-3: a\n",
        "a\nxa\n",
        r#"CHECK-COUNT-3 in line 1 of the test found no "a" in the output from line 2 on; line 2 is "xa""#,
    );
    fails("\nCHECK-COUNT-0: a\n", "a\n", "line 2 of the test: CHECK-COUNT of 0");
}

#[test]
fn literal_checks_know_no_patterns() {
    passes("CHECK{LITERAL}: [[X]] {{a}}\n", "[[X]] {{a}}\n");
    passes("CHECK-NEXT{LITERAL}: {{\n", "{{\n");
    assert!(why("CHECK{LITERAL}: {{a}}\n", "a\n").is_some());
}

#[test]
fn variables_hold_text() {
    passes("CHECK: mov [[REG:r[0-9]+]]\nCHECK: add [[REG]], 1\n", "mov r12\nadd r12, 1\n");
    passes("CHECK: [[A:.]] [[B:.]]\nCHECK: [[B]][[A]]\n", "x .\n.x\n");
    assert!(why("CHECK: [[A:.]]\nCHECK: [[A]]\n", ".\nx\n").is_some(), "what it holds is no pattern");
    fails(
        "CHECK: [[REG]]\n",
        "a\n",
        "CHECK in line 1 of the test cannot be checked: the variable REG is not set",
    );
    // V8's deopt-too-much-feedback.js.
    let pointer = "CHECK: function [[MODULE:(0x)?[0-9a-fA-F]+]]#6\nCHECK: function [[MODULE]]#6\n";
    passes(pointer, "function 0x1f#6\nfunction 0x1f#6\n");
    assert!(why(pointer, "function 0x1f#6\nfunction 0x2f#6\n").is_some());
}

#[test]
fn a_variable_can_be_used_where_it_is_set() {
    let test = "CHECK: {{^}}[[X:.+]] [[X]]{{$}}\n";
    passes(test, "a b a\nab c ab c\n");
    assert!(why(test, "a b a\n").is_some());
    passes("CHECK: [[X:a+]][[X]]b\n", "aaaab\n");
}

#[test]
fn numbers_are_captured_and_written_in_decimal() {
    passes("CHECK: [[#NUM:]]\nCHECK: <[[#NUM]]>\n", "007\n<7>\n");
    passes("CHECK: [[#%x,NUM:]]\nCHECK: <[[NUM]]>\n", "ffffffffffffffffffff\n<1208925819614629174706175>\n");
    passes("CHECK: [[#%d,NUM:]]\nCHECK: <[[#NUM]]>\n", "-0012\n<-12>\n");
    passes("CHECK: [[#%.2u,NUM:]]\nCHECK: <[[#NUM]]>\n", "123\n<12>\n");
    passes("CHECK: a[[#]]b\n", "a12b\n");
    fails(
        "CHECK: [[#NUM:]]\nCHECK: [[#NUM+1]]\n",
        "1\n2\n",
        r#"CHECK in line 2 of the test cannot be checked: filecheck 1.0.1 cannot compute "[[#NUM+1]]""#,
    );
    fails(
        "CHECK: [[#%.0u,NUM:]]\n",
        "1\n",
        r#"CHECK in line 1 of the test cannot be checked: it captures "", which is no number"#,
    );
}

#[test]
fn regexes_are_those_of_python() {
    passes("CHECK: {{a|b}}c\n", "bc\n");
    passes("CHECK: {{[[:alpha:]]+}}!\n", "1ab!\n");
    passes("CHECK: {{a(?=b)}}\n", "ac ab\n");
    passes("CHECK: {{([ab])\\1}}\n", "abaa\n");
    passes("CHECK: {{\\<}}a\\d{{a++}}b\n", "<a\\daaab\n");
    assert!(why("CHECK: a{{[^b]*}}c\n", "a\nc\n").is_some(), "[^b] takes no newline");
    fails(
        "CHECK: {{[b-a]}}\n",
        "a\n",
        r#"CHECK in line 1 of the test cannot be checked: the regular expression "[b-a]": bad character range"#,
    );
    fails(
        "CHECK: x{{\\N{BULLET} }}\n",
        "x\n",
        r#"CHECK in line 1 of the test cannot be checked: the regular expression "x\\N{BULLET} ": \N{...}, a character by its name, is not supported"#,
    );
    fails("CHECK: [[X:[[:punct:]]]]\n", "a\n", "line 1 of the test: filecheck 1.0.1 does not know [:punct:]");
}

#[test]
fn which_lines_are_directives() {
    for test in [
        "// COM: CHECK: a",
        "// RUN: x | CHECK",
        "// XCHECK: a",
        "// MY-CHECK: a",
        "// CHECK-FOO: a",
        "// CHECKS: a",
    ] {
        fails(test, "b\n", "the test has no CHECK lines");
    }
    for test in ["1CHECK: a", "/*CHECK:a*/ CHECK: b", "// CHECK-LABEL CHECK: a\r", "é CHECK: a\u{a0}\u{1c}"]
    {
        passes(test, "/*CHECK:a*/ CHECK: a*/ CHECK: b a");
    }
    fails("a\n// CHECK: \n", "b\n", r#"line 2 of the test: nothing to look for in "// CHECK:""#);
    fails("// CHECK: [[a\n", "b\n", r#"line 1 of the test: "[[a" has no ]]"#);
    fails("// CHECK: {{a\n", "b\n", r#"line 1 of the test: "{{a" has no }}"#);
    fails(
        "// CHECK: [[9]]\n",
        "b\n",
        r#"line 1 of the test: "[[9]]" is no substitution that filecheck 1.0.1 knows"#,
    );
}

#[test]
fn text_is_read_as_python_reads_it() {
    passes("CHECK: a\r\nCHECK-NEXT: b\rCHECK-NEXT: c", "a\r\nb\rc\r\n");
    fails("CHECK: a", "", "the output is empty, which no CHECK line can hold for");
    fails("CHECK: a", "\r\n", "the output is empty, which no CHECK line can hold for");
    let broken = failure(&printed("a\n", Exit::Code(0)), b"CHECK: a\n\xff");
    assert_eq!(broken.as_deref(), Some("line 2 of the test is not UTF-8"));
    let mut output = printed("", Exit::Code(0));
    output.stdout = Captured::whole(b"a\xffb\n");
    assert_eq!(failure(&output, "CHECK: a\u{fffd}b".as_bytes()), None);
}

#[test]
fn output_that_was_cut_passes_only_what_its_start_shows() {
    let mut output = printed("a\nb\n", Exit::Code(0));
    output.stdout.total += 100;
    assert_eq!(failure(&output, b"CHECK: a\n"), None);
    let why = |test: &[u8]| failure(&output, test).unwrap();
    assert_eq!(
        why(b"CHECK: a\nCHECK-NOT: x\n"),
        "CHECK-NOT in line 2 of the test cannot be checked: the end of the output is missing (the last 100 bytes of the output were not kept)"
    );
    assert!(why(b"CHECK: a\nCHECK-NOT: b\n").contains("found \"b\" in line 2"));
    assert!(why(b"CHECK: b\nCHECK-EMPTY:\n").contains("CHECK-EMPTY in line 2 of the test cannot be checked"));
    assert!(why(b"CHECK: c\n").ends_with("(the last 100 bytes of the output were not kept)"));
}

/// Like [`why`], with at most a hundredth of the work.
fn why_soon(test: &str, output: &str) -> Option<String> {
    failure_within(&printed(output, Exit::Code(0)), test.as_bytes(), Budget::of(1_000_000))
}

#[test]
fn too_much_work_fails() {
    let reason = "CHECK in line 1 of the test cannot be checked: matching takes more steps than are allowed";
    for regex in ["(a*)*b", "(?:a|a)*b", "(?=(a+)+b)", "(a?){60}b", "(?:){4000000000}a", r"(a+)+\1b"] {
        let why = why_soon(&format!("CHECK: {{{{{regex}}}}}\n"), &"a".repeat(60));
        assert_eq!(why.as_deref(), Some(reason), "{regex}");
    }
    assert_eq!(why_soon("CHECK: {{(?:ab|c)*$}}\n", &"ab".repeat(1 << 20)).as_deref(), Some(reason));
    let endless = why_soon("CHECK-COUNT-99999999999: {{a*}}\n", "b\n").unwrap();
    assert!(endless.contains("more steps than are allowed"), "{endless}");
    let many = why_soon(&"CHECK-NOT: {{[a-z]?[a-z]?[a-z]?x}}\n".repeat(1000), &"a".repeat(10_000)).unwrap();
    assert!(many.contains("more steps than are allowed"), "{many}");
}

#[test]
fn large_patterns_are_refused() {
    let long = "a".repeat(1 << 18);
    let growing = format!("CHECK: [[X:.*]]\nCHECK: {}\n", "[[X]]".repeat(10));
    assert!(why(&growing, &long).unwrap().contains("more than 1 MiB, which is not supported"));
    assert!(why("CHECK: a[[X:.*]]\nCHECK: [[X]]a\n", &long).unwrap().contains("found no"));
    assert!(
        why("CHECK: [[X:.*]]\nCHECK: [[X]]a\n", &long)
            .unwrap()
            .contains("262,144 characters is not supported")
    );
    let nested = |depth| format!("CHECK: {{{{{}a{}}}}}\n", "(".repeat(depth), ")".repeat(depth));
    passes(&nested(150), "a");
    assert!(why(&nested(10_000), "a").unwrap().contains("nested deeper than 200 is not supported"));
    let conditions = format!("CHECK: {{{{(a){}}}}}\n", "(?(1)".repeat(10_000));
    assert!(why(&conditions, "a").unwrap().contains("nested deeper than 200 is not supported"));
}

#[test]
fn what_looks_at_every_character_once_is_not_much_work() {
    let lines =
        "an ordinary line of eighty characters, more or less, as an engine prints them 1\n".repeat(1000);
    for regex in
        [".*!", "[[X:.*]]{{!}}", "[[X:.*]]!", "{{[^!]*}}!", "{{ +}}[[X:.+]]!", "!", "{{.*?}}!", "{{^.*$}}!"]
    {
        let why = why_soon(&format!("CHECK: {regex}\n"), &lines).unwrap();
        assert!(why.contains("found no"), "{regex}: {why}");
    }
}

/// Text that is likely to contain CHECK lines, with all kinds of mistakes in them.
fn text() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "CHECK",
        "-NEXT",
        "-SAME",
        "-NOT",
        "-DAG",
        "-LABEL",
        "-EMPTY",
        "-COUNT-2",
        "{LITERAL}",
        ": ",
        "\n",
        "\n",
        " ",
        "[[X:",
        "[[X",
        "]]",
        "[[#",
        "N:",
        "%x,",
        "{{",
        "}}",
        "(",
        ")",
        "(?",
        "(?:",
        "(?<=",
        "(?(1)",
        "[",
        "]",
        "[^",
        "[:alpha:]",
        "{2}",
        "{,3}",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        "\\",
        "\\1",
        "\\b",
        "a",
        "b",
        "é",
        "\u{10000}",
        "\r",
    ];
    prop::collection::vec(prop::sample::select(PARTS), 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(test in text(), output in text()) {
        let _ = why(&format!("CHECK: {test}\nCHECK{test}"), &output);
        let _ = why(&test, &output);
    }

    #[test]
    fn no_bytes_make_it_panic(test in prop::collection::vec(any::<u8>(), 0..200), output in ".*") {
        let _ = failure(&printed(&output, Exit::Code(0)), &[b"CHECK: ", &*test].concat());
    }

    #[test]
    fn lines_of_the_output_in_order_pass(
        lines in prop::collection::vec("[ -~é]{0,6}[!-~é][ -~é]{0,6}", 1..10),
        left_out in any::<u16>(),
    ) {
        let kept = lines.iter().enumerate().filter(|(i, _)| left_out >> i & 1 == 0);
        let test: String = kept.map(|(_, line)| format!("// CHECK{{LITERAL}}: {line}\n")).collect();
        prop_assume!(!test.is_empty());
        prop_assert_eq!(why(&test, &(lines.join("\n") + "\n")), None);
    }

    #[test]
    fn all_lines_pass_as_next_ones(lines in prop::collection::vec("[!-~é]{1,6}", 1..10)) {
        let test: String = lines.iter().map(|line| format!("CHECK-NEXT{{LITERAL}}: {line}\n")).collect();
        prop_assert_eq!(why(&test, &lines.join("\n")), None);
        let other = test.replacen("NEXT{LITERAL}: ", "NEXT{LITERAL}: \u{fffd}", 1);
        prop_assert!(why(&other, &lines.join("\n")).is_some());
    }
}
