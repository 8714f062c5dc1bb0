//! Sources that were read lately.

use std::sync::{Arc, Mutex, PoisonError};

use crate::kind::PreparedTest;

/// What a source says, or why the test cannot be run.
pub type Prepared = Result<Box<dyn PreparedTest>, String>;

/// Recently read sources: the variants of one test follow one another.
#[derive(Debug)]
pub struct Cache(Mutex<Vec<Option<Slot>>>);

/// A test's number, and what its source says.
type Slot = (u32, Arc<Prepared>);

impl Default for Cache {
    fn default() -> Self {
        Self(Mutex::new(vec![None; Self::SLOTS]))
    }
}

impl Cache {
    /// A few dozen, so that many threads and a look ahead find their tests.
    const SLOTS: usize = 64;

    /// What is kept under `index`, or what `read` gives. Two threads may both read; neither waits for the other.
    pub fn get(&self, index: u32, read: impl FnOnce() -> Prepared) -> Arc<Prepared> {
        let slot = index as usize % Self::SLOTS;
        // A panic elsewhere cannot leave a slot half written.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((have, found)) = &lock()[slot]
            && *have == index
        {
            return Arc::clone(found);
        }
        let found = Arc::new(read());
        lock()[slot] = Some((index, Arc::clone(&found)));
        found
    }
}
