//! Which variants a suite's tests run in.

/// Which of a run's variants the tests of a suite run in, unless a status file says otherwise of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantChoice {
    /// These of the selected ones; empty: all.
    pub only: Vec<String>,
    /// Whether they run in the fast ones, with flags of their own, as tests marked FAST_VARIANTS do.
    pub fast: bool,
    /// The one that they run in whether it was selected or not, by its index among the run's.
    pub also: Option<usize>,
}
