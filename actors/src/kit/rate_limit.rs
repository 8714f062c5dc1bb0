//! Keeps others from filling a log or keeping a disk busy.

use std::time::{Duration, Instant};

/// The default number that may pass in a row.
const IN_A_ROW: u32 = 10;
/// The time after which one more may be.
const EVERY: Duration = Duration::from_secs(1);

/// Lets a few through at once and one each second from then on, and counts those it does not.
#[derive(Debug)]
pub struct RateLimit {
    most: u32,
    passed: u32,
    since: Option<Instant>,
    held_back: u64,
}

impl Default for RateLimit {
    /// Ten in a row: as many lines as one looks at.
    fn default() -> Self {
        Self::in_a_row(IN_A_ROW)
    }
}

impl RateLimit {
    /// Lets this many through at once.
    pub fn in_a_row(most: u32) -> Self {
        Self { most, passed: 0, since: None, held_back: 0 }
    }

    /// How many were held back before this one, if it may pass.
    pub fn pass(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let regained = now.saturating_duration_since(since).as_secs() / EVERY.as_secs();
        if regained > 0 {
            self.passed = self.passed.saturating_sub(u32::try_from(regained).unwrap_or(u32::MAX));
            self.since = Some(now);
        }
        if self.passed >= self.most {
            self.held_back += 1;
            return None;
        }
        self.passed += 1;
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_logged_in_part_and_its_rest_counted() {
        let start = Instant::now();
        let mut limit = RateLimit::default();
        let passed = (0..1000).filter(|_| limit.pass(start).is_some()).count();
        assert_eq!(passed, 10);
        assert_eq!(limit.pass(start + Duration::from_millis(900)), None);
        assert_eq!(limit.pass(start + Duration::from_secs(1)), Some(991));
        assert_eq!(limit.pass(start + Duration::from_secs(1)), None);
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..100).filter(|_| limit.pass(later).is_some()).count(), 10);
    }
}
