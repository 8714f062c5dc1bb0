//! Shell patterns as Python's `fnmatch` has them.

/// A pattern: `*` is any text (`/` too), `?` any character, `[abc]`, `[a-z]`, `[!a]` one of a set.
/// A `[` that is never closed stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<GlobPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum GlobPart {
    Any,
    One,
    Char(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl GlobPart {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

impl Glob {
    /// Reads a pattern; every text is one.
    pub fn new(pattern: &str) -> Self {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parts = Vec::with_capacity(chars.len());
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            let part = match c {
                '*' if parts.last() == Some(&GlobPart::Any) => continue,
                '*' => GlobPart::Any,
                '?' => GlobPart::One,
                '[' => match set(&chars[at..]) {
                    Some((part, len)) => {
                        at += len;
                        part
                    }
                    None => GlobPart::Char('['),
                },
                c => GlobPart::Char(c),
            };
            parts.push(part);
        }
        Self { parts }
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        // At a mismatch only the last `*` can give way, by one character more: earlier ones need not.
        let mut part = 0;
        let mut rest = text.chars();
        let mut retry = None;
        loop {
            let here = rest.clone();
            match (self.parts.get(part), rest.next()) {
                (Some(GlobPart::Any), _) => {
                    part += 1;
                    rest = here;
                    retry = Some((part, rest.clone()));
                    continue;
                }
                (Some(own), Some(c)) if own.matches(c) => {
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            let Some((from, start)) = &mut retry else { return false };
            if start.next().is_none() {
                return false;
            }
            part = *from;
            rest = start.clone();
        }
    }

    /// The text that every match begins with.
    pub fn literal_prefix(&self) -> String {
        self.parts
            .iter()
            .map_while(|part| match part {
                GlobPart::Char(c) => Some(*c),
                _ => None,
            })
            .collect()
    }
}

/// The set after a `[`, and its length up to and with the `]`.
fn set(chars: &[char]) -> Option<(GlobPart, usize)> {
    let negated = chars.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` in the first place is a member, not the end.
    let end = start + 1 + chars.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let members = &chars[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((GlobPart::Set { negated, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_as_in_fnmatch() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("fast/*", "fast/js/a", true),
            ("*.js", "a.jsx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("[ab]-[!c]", "b-d", true),
            ("[ab]-[!c]", "b-c", false),
            ("[a-c]*", "bx", true),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("[!]", "[!]", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let text = "a".repeat(5_000);
        assert!(!Glob::new(&"*a".repeat(50)).matches(&format!("{text}b")));
        assert!(Glob::new(&"*a".repeat(50)).matches(&text));
    }

    #[test]
    fn the_literal_prefix_ends_where_choice_begins() {
        assert_eq!(Glob::new("regress/a?b*").literal_prefix(), "regress/a");
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_unless_it_has_specials(text in "[a-z/.-]{0,20}") {
            prop_assert!(Glob::new(&text).matches(&text));
        }

        #[test]
        fn no_pattern_and_text_panic(pattern in any::<String>(), text in any::<String>()) {
            Glob::new(&pattern).matches(&text);
            let star = format!("{}*", Glob::new(&pattern).literal_prefix());
            let _ = Glob::new(&star).matches(&text);
        }

        #[test]
        fn a_star_takes_any_text(before in "[a-z]{0,5}", middle in any::<String>(), after in "[a-z]{0,5}") {
            let glob = Glob::new(&format!("{before}*{after}"));
            let text = format!("{before}{middle}{after}");
            prop_assert!(glob.matches(&text), "{} {}", before, after);
        }
    }
}
