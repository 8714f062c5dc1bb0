//! What a test is about.

/// What a test is about: for summaries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The first two directories of its path, such as `built-ins/Array`; see [`area`](crate::area).
    pub area: String,
    /// The features that it names: those of `features.txt`.
    pub features: Vec<String>,
    /// Its place in the specification: `sec-array.from`.
    pub esid: Option<String>,
    /// Its place in the fifth edition (2009), if it is as old as that.
    pub es5id: Option<String>,
    /// Its place in the sixth (2015).
    pub es6id: Option<String>,
}
