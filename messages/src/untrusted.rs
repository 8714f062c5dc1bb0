//! Text from other machines, made fit for a log, a terminal and a report.
//!
//! A peer chooses what it calls itself and why it refuses; whatever it sends must not forge lines, move a
//! terminal's cursor, turn the direction of what follows, or fill a disk. There is one rule, and every text of a
//! peer that a person will see goes through it:
//!
//! - Control characters, line and paragraph separators, and characters that are invisible or change the direction
//!   of writing (Unicode's bidirectional controls, "Trojan Source") are escaped: `\n`, `\u{202e}`.
//! - Bytes that are not UTF-8 become U+FFFD.
//! - What is longer than the limit ends with `...`, within the limit.
//!
//! All else is unchanged.

/// The limit of a name, such as that of an operating system, in characters.
pub const NAME: usize = 64;

/// The usual limit of one text on a line, in characters.
pub const SHORT: usize = 200;

/// The limit of an explanation that may take some lines, in characters.
pub const LONG: usize = 2000;

/// What stands at the end of a text that was cut.
const CUT: &str = "...";

/// A text from another machine on one line: see the [rule](self). At most `limit` characters, escapes included.
pub fn untrusted_text(text: impl AsRef<[u8]>, limit: usize) -> String {
    made_fit(text.as_ref(), limit, |_| false)
}

/// As [`untrusted_text`], for a text of several lines, such as a difference: line feeds and tabs stay.
pub fn untrusted_lines(text: impl AsRef<[u8]>, limit: usize) -> String {
    made_fit(text.as_ref(), limit, |char| matches!(char, '\n' | '\t'))
}

fn made_fit(text: &[u8], limit: usize, stays: impl Fn(char) -> bool) -> String {
    // A character has at most four bytes, and becomes at least one character.
    let rest_is_cut = text.len() > limit.saturating_mul(4);
    let text = String::from_utf8_lossy(text.get(..limit.saturating_mul(4)).unwrap_or(text));
    let mut fit = String::with_capacity(text.len().min(limit));
    let mut length = 0;
    // The length in bytes of what leaves room for the sign of a cut.
    let mut with_room = 0;
    for char in text.chars() {
        let before = fit.len();
        if is_harmful(char) && !stays(char) {
            fit.extend(char.escape_debug());
            // `escape_debug` leaves what it takes for printable, such as a variation selector of a later Unicode.
            if fit[before..].contains(is_harmful) {
                fit.truncate(before);
                fit.extend(char.escape_unicode());
            }
        } else {
            fit.push(char);
        }
        length += fit[before..].chars().count();
        if length + CUT.len() <= limit {
            with_room = fit.len();
        }
        if length > limit {
            break;
        }
    }
    if length > limit || rest_is_cut {
        fit.truncate(with_room);
        fit.extend(CUT.chars().take(limit));
    }
    fit
}

/// Whether a character acts on what is around it rather than being seen.
pub fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}' // soft hyphen
            | '\u{61c}' | '\u{180e}' // Arabic letter mark, Mongolian vowel separator
            | '\u{200b}'..='\u{200f}' // zero width, marks of direction
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, embeddings and overrides
            | '\u{2060}'..='\u{206f}' // word joiner, isolates, deprecated format characters
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // byte order mark, interlinear annotation
            | '\u{e0000}'..='\u{e0fff}' // tags, selectors
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_peers_text_cannot_forge_lines_or_move_a_cursor() {
        assert_eq!(untrusted_text("a\n\u{1b}[31mb", SHORT), "a\\n\\u{1b}[31mb");
        assert_eq!(untrusted_text("a\r\tb\0c\u{7f}\u{9b}2J", SHORT), "a\\r\\tb\\0c\\u{7f}\\u{9b}2J");
        assert_eq!(
            untrusted_text("\u{2028}\u{85}\u{200b}\u{feff}", SHORT),
            r"\u{2028}\u{85}\u{200b}\u{feff}"
        );
    }

    #[test]
    fn a_peers_text_cannot_turn_the_direction_of_writing() {
        for turn in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .chars()
        {
            assert_eq!(untrusted_text(turn.to_string(), SHORT), format!("\\u{{{:x}}}", u32::from(turn)));
        }
    }

    #[test]
    fn what_is_too_long_says_that_it_was_cut() {
        assert_eq!(untrusted_text("x".repeat(10), 10), "x".repeat(10));
        assert_eq!(untrusted_text("x".repeat(11), 10), "xxxxxxx...");
        assert_eq!(untrusted_text("é".repeat(11), 10), "ééééééé...");
        assert_eq!(untrusted_text("x".repeat(1000), 10), "xxxxxxx...");
        assert_eq!(untrusted_text("\u{202e}\u{202e}", 12), r"\u{202e}...", "an escape is not cut in two");
        assert_eq!(untrusted_text("xyz", 2), "..");
        assert_eq!(untrusted_text("x", 0), "");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(untrusted_text(b"a\xffb\xc3", SHORT), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn lines_keep_their_ends_and_tabs_and_nothing_else() {
        assert_eq!(untrusted_lines("- a\tb\n+ c\r\x1b[m\n", SHORT), "- a\tb\n+ c\\r\\u{1b}[m\n");
        assert_eq!(untrusted_lines("a\n".repeat(6), 10), "a\na\na\na...");
    }

    /// Text with many characters that must not pass.
    fn hostile() -> impl Strategy<Value = String> {
        let char = prop_oneof![
            any::<char>(),
            (0..0xa0_u32).prop_filter_map("a character", char::from_u32),
            (0x2000..0x2070_u32).prop_filter_map("a character", char::from_u32),
            (0xe0000..0xe0200_u32).prop_filter_map("a character", char::from_u32),
        ];
        prop::collection::vec(char, 0..60).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_harmful_and_nothing_longer_than_the_limit_passes(text in hostile(), limit in 0..80_usize) {
            let fit = untrusted_text(&text, limit);
            prop_assert!(!fit.contains(is_harmful), "{:?}", fit);
            prop_assert!(fit.chars().count() <= limit);
            let lines = untrusted_lines(&text, limit);
            prop_assert!(!lines.contains(|char| is_harmful(char) && char != '\n' && char != '\t'), "{:?}", lines);
            prop_assert!(lines.chars().count() <= limit);
        }

        #[test]
        fn no_bytes_pass_that_are_harmful(bytes in prop::collection::vec(any::<u8>(), 0..300), limit in 0..80_usize) {
            let fit = untrusted_text(&bytes, limit);
            prop_assert!(!fit.contains(is_harmful) && fit.chars().count() <= limit, "{:?}", fit);
        }

        #[test]
        fn what_is_printable_is_unchanged(text in "[ -~¡-¬®-ͯΑ-ωא-תऀ-ॿ一-龥😀-😎]{0,40}") {
            prop_assert_eq!(untrusted_text(&text, 40), text.as_str());
            let many = format!("{text}{}", "x".repeat(41));
            let cut = untrusted_text(&many, 40);
            prop_assert!(cut.ends_with("...") && many.starts_with(cut.trim_end_matches('.').trim_end_matches('.')));
        }

        #[test]
        fn what_was_made_fit_stays_as_it_is(text in hostile(), limit in 0..80_usize) {
            let fit = untrusted_text(&text, limit);
            prop_assert_eq!(untrusted_text(&fit, limit), fit);
        }
    }
}
