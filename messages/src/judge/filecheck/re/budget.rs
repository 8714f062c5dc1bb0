//! How much work may be done: a test file can come from another machine.

/// The steps that judging one output may take. About a second; what the real tests need is under a hundredth of it.
const STEPS: u64 = 100_000_000;

/// Work that is left. One step is a step of a pattern's program, or a character that was looked at.
#[derive(Debug)]
pub(in crate::judge::filecheck) struct Budget {
    left: u64,
}

/// No work is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge::filecheck) struct Exhausted;

impl Budget {
    /// What judging one output may take.
    pub(in crate::judge::filecheck) fn new() -> Self {
        Self::of(STEPS)
    }

    pub(in crate::judge::filecheck) fn of(steps: u64) -> Self {
        Self { left: steps }
    }

    /// A budget of at most this, within what is left.
    pub(in crate::judge::filecheck) fn part(&self, steps: u64) -> Self {
        Self { left: self.left.min(steps) }
    }

    pub(in crate::judge::filecheck) fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Exhausted)
            }
        }
    }
}
