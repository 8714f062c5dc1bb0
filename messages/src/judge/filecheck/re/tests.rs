//! What Python 3.11 finds, for each pattern.

use super::{Budget, PatternError, Regex};

/// A pattern, a text, and the result of `re.search(pattern, text, re.MULTILINE)`: the bytes of the match and of each
/// group.
const FOUND: &[(&str, &str, &str)] = &[
    (r"a|ab", "xab", "1-2"),
    (r"(?:a|ab)(c|bcd)(d*)", "abcd", "0-4 1-4 4-4"),
    (r"(a|ab)(bc|c)?", "abc", "0-3 0-1 1-3"),
    (r"a*?b", "aab", "0-3"),
    (r"(a*)*", "aa", "0-2 2-2"),
    (r"(a|b*)*", "b", "0-1 1-1"),
    (r"(?:(a)|b)*", "ab", "0-2 0-1"),
    (r"(?:(a)|(b))*", "ab", "0-2 0-1 1-2"),
    (r"(a?)*?b", "aab", "0-3 1-2"),
    (r"(?:a?){2,3}?b", "aab", "0-3"),
    (r"(a|ab){2}+c", "aabc", ""),
    (r"(?:a|ab){2}c", "aabc", "0-4"),
    (r"a++ab", "aaab", ""),
    (r"(?>a|ab)c", "abc", ""),
    (r"(?>a*)b", "aaab", "0-4"),
    (r"(.)\1", "abccd", "2-4 2-3"),
    (r"(?i)(.)\1", "aBb", "1-3 1-2"),
    (r"(a)?(?(1)b|c)", "ac", "1-2 -"),
    (r"(a)?(?(1)b|c)", "ab", "0-2 0-1"),
    (r"(?(1)x|y)(a)?", "ya", "0-2 1-2"),
    (r"((?(1)a|b))+", "ba", "0-2 1-2"),
    (r"(?=(a+))a*b\1", "baaabac", "3-6 3-4"),
    (r"(?!foo)...", "foobar", "1-4"),
    (r"(?<=a)b", "bab", "2-3"),
    (r"(?<!a)b", "abb", "2-3"),
    (r"(?<=^)b", "a\nb", "2-3"),
    (r"\bfoo\b", "foobar foo", "7-10"),
    (r"\Boo", "foo", "1-3"),
    (r"^b$", "a\nb\nc", "2-3"),
    (r"\Ab", "a\nb", ""),
    (r"(?-m:^b)", "a\nb", ""),
    (r"(?-m:a$)", "a\na\n", "2-3"),
    (r"a\Z", "a\na", "2-3"),
    (r".+", "\nab\ncd", "1-3"),
    (r"(?s).+", "\nab", "0-3"),
    (r"(?s:.)b(.)?", "\nb\n", "0-2 -"),
    (r"[^a]b", "\nb", "0-2"),
    (r"[]a]+", "a]b", "0-2"),
    (r"[^]a]", "]ab", "2-3"),
    (r"[a-]+", "x-a-", "1-4"),
    (r"[\w.-]+", " a.b-1 ", "1-6"),
    (r"[\d-]+", "a1-2", "1-4"),
    (r"\x41\x42\103\0?", "ABC", "0-3"),
    (r"\d+", "x٣٤", "1-5"),
    (r"(?a)\d+", "x٣1", "3-4"),
    (r"(?a:\w+)\w", "aé", "0-3"),
    (r"(?i)É", "xé", "1-3"),
    (r"(?i)[a-c]+", "xABcd", "1-4"),
    (r"(?i)k", "\u{212a}", "0-3"),
    (r"(?ai)k", "\u{212a}", ""),
    (r"a{2}", "aaa", "0-2"),
    (r"a{,2}", "aaa", "0-2"),
    (r"a{1,}?", "aaa", "0-1"),
    (r"a{x", "a{x", "0-3"),
    (r"a{}", "a{}", "0-3"),
    (r"(?P<n>a|b)(?P=n)", "abb", "1-3 1-2"),
    (r"(?P<n>a)(b)(?P=n)\2", "abab", "0-4 0-1 1-2"),
    (r"(?x) a  b # c", "ab", "0-2"),
    (r"(?#x)a", "a", "0-1"),
    (r"a(?#x)*", "aa", "0-2"),
    (r"(?:^)*a", "a", "0-1"),
    (r"(?=a)*a", "a", "0-1"),
    (r"()*a", "a", "0-1 0-0"),
    (r"(a)*?\1b", "aab", "0-3 0-1"),
    (r"(a*?)*?b", "aab", "0-3 1-2"),
    (r"(?:(a)|b|(c))+?$", "acb", "0-3 0-1 1-2"),
    (r"x*", "b", "0-0"),
    (r"(^|x)b", "ab xb", "3-5 3-4"),
    (r"a.c", "a\nc abc", "4-7"),
    (r"(?:(?=(a))a)+b", "aab", "0-3 1-2"),
    (r"(?:(a)(?!b))*", "aab", "0-1 0-1"),
    (r"\ud800", "a", ""),
    (r"(?:(?>(a))c|a)(?(1)x|y)", "ay", "0-2 -"),
    (r"(?:(?=(a))ac|a)(?(1)x|y)", "ay", "0-2 -"),
    (r"(?:(?:(a)|b)*c|a)(?(1)x|y)", "aby", ""),
    (r"(.*?)\1c", "aabc abc", "3-4 3-3"),
    (r"(a*)b\1c", "aabac", "1-5 1-2"),
    (r"[\U0001f600-\U0001f64f]", "a😀", "1-5"),
];

fn search(pattern: &str, text: &str, start: usize) -> String {
    let regex = Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let Some(found) = regex.search(text, start, &mut Budget::new()).unwrap() else { return String::new() };
    let at = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let groups = (0..).map_while(|group| found.group(text, group)).skip(1);
    let mut out = format!("{}-{}", found.start, found.end);
    for group in groups {
        match group {
            Some(part) => out.push_str(&format!(" {}-{}", at(part), at(part) + part.len())),
            None => out.push_str(" -"),
        }
    }
    out
}

#[test]
fn patterns_find_what_they_find_in_python() {
    for (pattern, text, found) in FOUND {
        assert_eq!(search(pattern, text, 0), *found, "{pattern} in {text:?}");
    }
}

#[test]
fn what_lies_before_the_start_is_seen() {
    assert_eq!(search("^b", "ab", 1), "");
    assert_eq!(search("^b", "a\nb", 2), "2-3");
    assert_eq!(search(r"\bb", "ab b", 1), "3-4");
    assert_eq!(search("(?<=a)b", "ab", 1), "1-2");
    assert_eq!(search("x*", "ab", 2), "2-2");
    assert_eq!(search("x*", "ab", 3), "");
    assert!(Regex::new("b").unwrap().match_at("ab", 0, &mut Budget::new()).unwrap().is_none());
    assert!(Regex::new("b").unwrap().match_at("ab", 1, &mut Budget::new()).unwrap().is_some());
}

#[test]
fn what_python_refuses_is_malformed() {
    let refused = [
        r"a**",
        r"a{2}{3}",
        r"a*+*",
        r"*a",
        r"^*",
        r"$?",
        r"a{3,2}",
        r"(",
        r")",
        r"(?:a",
        r"(?a",
        r"(?P<n>",
        r"(?P<1>a)",
        r"(?P<n>a)(?P<n>b)",
        r"(?P=n)",
        r"(?P>n)",
        r"\1",
        r"(a\1)",
        r"(\2)(b)",
        r"[",
        r"[a",
        r"[]",
        r"[b-a]",
        r"[\d-z]",
        r"[a-\d]",
        r"\q",
        r"\8",
        r"[\8]",
        r"\x4",
        r"\u12",
        r"\U00110000",
        r"\400",
        r"[\400]",
        r"a(?i)",
        r"a|(?i)b",
        r"(?i",
        r"(?i-)",
        r"(?-:a)",
        r"(?i-i:a)",
        r"(?au:a)",
        r"(?a)(?u)a",
        r"(?L)a",
        r"(?<a)",
        r"(?<=a*)b",
        r"(?<=a|bc)",
        r"(?<=(a)\1)",
        r"(?(1)a)",
        r"(?(0)a)",
        r"(?(n)a)",
        r"(a)(?(1)a|b|c)",
        r"(?#a",
        r"(?q)",
        r"a{4294967295}",
        r"(?",
    ];
    for pattern in refused {
        let error = Regex::new(pattern).err();
        assert!(matches!(error, Some(PatternError::Malformed(_))), "{pattern}: {error:?}");
    }
}

#[test]
fn what_is_not_supported_says_so() {
    let why = |pattern: &str| Regex::new(pattern).unwrap_err().to_string();
    assert_eq!(why(r"\N{BULLET}"), r"\N{...}, a character by its name, is not supported");
    assert_eq!(why(&"a".repeat(300_000)), "a pattern of more than 262,144 characters is not supported");
    let deep = format!("{}{}", "(?:".repeat(300), ")".repeat(300));
    assert_eq!(why(&deep), "a pattern with groups nested deeper than 200 is not supported");
}
