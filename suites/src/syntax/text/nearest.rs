//! What a person may have meant.

/// The candidate nearest to `word`, if one is near enough to be worth naming: at most a third of its letters
/// differ, or `word` is how it begins. Of equally near ones the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let mut limit = (word.len() / 3).clamp(1, 8) + 1;
    let mut best = None;
    let mut begins = None;
    let mut rows = Rows::default();
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        if letters.len().abs_diff(word.len()) < limit {
            let distance = rows.distance(&word, &letters, limit);
            if distance < limit {
                limit = distance;
                best = Some(candidate);
            }
        }
        if begins.is_none() && word.len() > 2 && letters.starts_with(&word) {
            begins = Some(candidate);
        }
    }
    best.or(begins)
}

/// `; did you mean 'x'?`, or nothing.
pub fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean '{nearest}'?"))
}

/// The last three rows of the distance table, kept from one candidate to the next.
#[derive(Default)]
struct Rows {
    above_last: Vec<usize>,
    last: Vec<usize>,
    this: Vec<usize>,
}

impl Rows {
    /// How many letters must be inserted, removed, replaced or swapped with their neighbour (optimal string
    /// alignment); `limit` if that many or more.
    fn distance(&mut self, a: &[char], b: &[char], limit: usize) -> usize {
        self.last.clear();
        self.last.extend(0..=b.len());
        for (i, x) in a.iter().enumerate() {
            self.this.clear();
            self.this.push(i + 1);
            let mut left = i + 1;
            let mut least = left;
            for (j, y) in b.iter().enumerate() {
                let replaced = self.last[j] + usize::from(x != y);
                let mut here = replaced.min(self.last[j + 1] + 1).min(left + 1);
                if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                    here = here.min(self.above_last[j - 1] + 1);
                }
                self.this.push(here);
                left = here;
                least = least.min(here);
            }
            // A swap reaches back over one row, by one: it cannot undercut the row between by more.
            if least > limit {
                return limit;
            }
            std::mem::swap(&mut self.above_last, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.this);
        }
        self.last[b.len()].min(limit)
    }
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
    fn distance_counts_single_letters() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let distance = |a, b, limit| Rows::default().distance(&letters(a), &letters(b), limit);
        assert_eq!(distance("kitten", "sitting", 9), 3);
        assert_eq!(distance("", "ab", 9), 2);
        assert_eq!(distance("abc", "xyz", 2), 2);
        assert_eq!(distance("FIAL", "FAIL", 9), 1, "neighbours may swap");
    }
}
