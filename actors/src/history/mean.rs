//! A running mean.

/// This many samples make up a mean at most, so that it follows the tests (V8's perfdata.py, MAX_SAMPLES).
pub const MOST_SAMPLES: u32 = 100;

/// How long a test takes, from how long it took: the mean of all its runs, or, after [`MOST_SAMPLES`] of them, one in which
/// each new run weighs a hundredth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    /// Milliseconds. A number, and not below zero, whatever was read.
    millis: f32,
    /// Runs it is of, at most [`MOST_SAMPLES`]; 0: nothing is known.
    samples: u32,
}

impl Mean {
    /// As it was kept. What cannot be a mean is taken for none.
    pub fn of(millis: f64, samples: i64) -> Self {
        let sane = millis.is_finite() && millis >= 0.0 && millis <= f64::from(u32::MAX) && samples > 0;
        if !sane {
            return Self::default();
        }
        let samples = u32::try_from(samples).unwrap_or(MOST_SAMPLES).min(MOST_SAMPLES);
        Self { millis: millis as f32, samples }
    }

    /// After one more run of this many milliseconds.
    #[must_use]
    pub fn with(self, millis: u32) -> Self {
        let samples = (self.samples + 1).min(MOST_SAMPLES);
        // Above zero always: rounding must not make it less.
        let mean = (self.millis + (millis as f32 - self.millis) / samples as f32).max(0.0);
        Self { millis: mean, samples }
    }

    /// Milliseconds, if anything is known.
    pub fn millis(self) -> Option<f32> {
        (self.samples > 0).then_some(self.millis)
    }

    /// Runs it is of.
    pub fn samples(self) -> u32 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn up_to_a_hundred_samples_it_is_their_mean(samples in prop::collection::vec(0..1_000_000_u32, 1..100)) {
            let mean = samples.iter().fold(Mean::default(), |mean, &millis| mean.with(millis));
            let exact = samples.iter().map(|&millis| f64::from(millis)).sum::<f64>() / samples.len() as f64;
            let got = f64::from(mean.millis().unwrap());
            prop_assert!((got - exact).abs() <= exact * 1e-4 + 0.01, "{got} for {exact}");
            prop_assert_eq!(mean.samples() as usize, samples.len());
        }

        #[test]
        fn it_stays_between_what_it_has_seen_and_is_known_again(
            samples in prop::collection::vec(0..u32::MAX, 1..300)
        ) {
            let mean = samples.iter().fold(Mean::default(), |mean, &millis| mean.with(millis));
            let (least, most) = (*samples.iter().min().unwrap() as f32, *samples.iter().max().unwrap() as f32);
            let got = mean.millis().unwrap();
            prop_assert!(got >= least * 0.999 - 1.0 && got <= most * 1.001 + 1.0);
            prop_assert_eq!(Mean::of(f64::from(got.min(4e9)), i64::from(mean.samples())).samples(), mean.samples());
        }

        #[test]
        fn no_numbers_in_a_file_make_nonsense(millis in any::<f64>(), samples in any::<i64>()) {
            let mean = Mean::of(millis, samples).with(10);
            prop_assert!(mean.millis().unwrap().is_finite() && mean.samples() <= MOST_SAMPLES);
        }
    }

    #[test]
    fn old_samples_do_not_hold_it_back() {
        let mean = (0..1000).fold(Mean::default().with(60_000), |mean, _| mean.with(10));
        assert!(mean.millis().unwrap() < 15.0, "{mean:?}");
        assert_eq!(Mean::default().millis(), None);
    }
}
