//! A selected suite of the tree.

use crate::expectations::Expectations;
use crate::files::select::NameFilter;
use crate::kind::SuiteKind;

/// A suite with all that its tests share.
#[derive(Debug)]
pub struct Suite {
    /// Its name, which is its directory's.
    pub name: String,
    /// What is expected of its tests.
    pub status: Expectations,
    /// Which of its tests were asked for.
    pub filter: NameFilter,
    /// What its kind knows of it.
    pub kind: Box<dyn SuiteKind>,
}

impl Suite {
    /// The names of all of its tests, asked for or not.
    pub fn all_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.kind.tests(&|_| true, &mut |name, _| names.push(name.to_owned()), &mut Vec::new());
        names
    }
}
