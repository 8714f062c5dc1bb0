//! Which of the known names a person may have meant.

/// The candidate nearest to `word`, if one is near enough to be worth naming: at most a third of its letters
/// differ (a swap of neighbours counts as one), or `word` is how it begins. Of equally near ones the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let letters = word.chars().count();
    let mut limit = (letters / 3).clamp(1, 8) + 1;
    let mut best = None;
    let mut begins = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        // The distance is at least the difference in length, which costs nothing to know.
        if lower.chars().count().abs_diff(letters) < limit {
            let distance = strsim::osa_distance(&word, &lower);
            if distance < limit {
                limit = distance;
                best = Some(candidate);
            }
        }
        if begins.is_none() && letters > 2 && lower.starts_with(&word) {
            begins = Some(candidate);
        }
    }
    best.or(begins)
}

/// `; did you mean 'x'?`, or nothing.
pub fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean '{nearest}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_named_if_it_is_near() {
        let suites = ["mjsunit", "message", "webkit"];
        assert_eq!(nearest("mjsunt", suites), Some("mjsunit"));
        assert_eq!(nearest("mesage", suites), Some("message"));
        assert_eq!(nearest("MJSUNIT", suites), Some("mjsunit"));
        assert_eq!(nearest("mjs", suites), Some("mjsunit"));
        assert_eq!(nearest("cctest", suites), None);
        assert_eq!(nearest("", suites), None);
    }

    #[test]
    fn inserted_removed_replaced_and_swapped_letters_count_one_each() {
        assert_eq!(nearest("sittin", ["kitten", "setting", "sitting"]), Some("sitting"));
        assert_eq!(nearest("FIAL", ["FLAT", "FAIL"]), Some("FAIL"), "neighbours may swap");
        assert_eq!(nearest("abc", ["xyz"]), None);
        assert_eq!(nearest("ab", ["", "abc", "b"]), Some("abc"), "of equally near ones the first");
    }
}
