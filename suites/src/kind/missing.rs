//! Programs that a build lacks: not every build has all of V8's.

use std::fmt;

/// A program that tests need and that is not built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The suite whose tests need it.
    pub suite: String,
    /// The program, as seen from the root.
    pub program: String,
    /// What ninja calls it.
    pub target: String,
    /// The build's directory, as seen from the root.
    pub dir: String,
}

/// `cctest: out/x64.release/cctest is not built (ninja -C out/x64.release cctest)`
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite, program, target, dir } = self;
        write!(f, "{suite}: {program} is not built (ninja -C {dir} {target})")
    }
}
