//! How long a test is expected to take, in six bits.

use std::time::Duration;

/// A test's expected length: a power of the cube root of two, or unknown. Larger ones are started first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Length(u8);

/// Steps for one doubling.
const STEPS: f64 = 3.0;
/// The longest length that is told apart: 2^(61/3) ms, twenty minutes.
const LONGEST: u8 = 61;
/// What is unknown starts before tests of less than 100 ms: 3 log2(100), rounded down.
const UNKNOWN: u8 = 19;
/// Unknown, but marked SLOW.
const SLOW: u8 = 63;
/// This many times slower than others is a SLOW test taken to be.
const SLOW_FACTOR: f64 = 10.0;

impl Length {
    /// How many there are.
    pub(super) const COUNT: usize = 64;

    /// Of a test that took this long, if that is known.
    pub(super) fn of(expected: Option<Duration>, slow: bool) -> Self {
        let Some(expected) = expected else { return Self(if slow { SLOW } else { UNKNOWN }) };
        let millis = (expected.as_secs_f64() * 1000.0).max(1.0);
        let step = (STEPS * millis.log2()).min(f64::from(LONGEST)) as u8;
        Self(if step < UNKNOWN { step } else { step + 1 })
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// In seconds, if it is known.
    pub(super) fn known(self) -> Option<f64> {
        (!matches!(self.0, UNKNOWN | SLOW)).then(|| self.seconds(0.0))
    }

    /// In seconds, where tests take `typical` seconds whose length is unknown.
    pub(super) fn seconds(self, typical: f64) -> f64 {
        match self.0 {
            UNKNOWN => typical,
            SLOW => typical * SLOW_FACTOR,
            rank => {
                let step = if rank < UNKNOWN { rank } else { rank - 1 };
                ((f64::from(step) + 0.5) / STEPS).exp2() / 1000.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_known_again_within_an_eighth() {
        let mut last = Length(0);
        for millis in 1..1_000_000_u64 {
            if millis > 1000 && millis % 997 != 0 {
                continue;
            }
            let length = Length::of(Some(Duration::from_millis(millis)), false);
            assert!(length >= last);
            last = length;
            let ratio = length.seconds(9e9) * 1000.0 / millis as f64;
            assert!((0.87..1.13).contains(&ratio), "{millis} ms is taken for {ratio} of that");
        }
    }

    #[test]
    fn what_is_unknown_is_typical() {
        assert_eq!(Length::of(None, false).seconds(0.25), 0.25);
        assert_eq!(Length::of(None, true).seconds(0.25), 2.5);
        assert!(Length::of(None, true) > Length::of(Some(Duration::from_secs(100_000)), true));
    }
}
