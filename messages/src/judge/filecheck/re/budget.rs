//! Limits the work of matching: a test file can come from another machine.

/// The maximum number of steps for judging one output: about a second. V8's tests need less than a hundredth of it.
const STEPS: u64 = 100_000_000;

/// The remaining work. One step is a step of a pattern's program, or a character examined.
#[derive(Debug)]
pub(in crate::judge::filecheck) struct Budget {
    left: u64,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge::filecheck) struct Exhausted;

impl Budget {
    /// The budget for judging one output.
    pub(in crate::judge::filecheck) fn new() -> Self {
        Self::of(STEPS)
    }

    pub(in crate::judge::filecheck) fn of(steps: u64) -> Self {
        Self { left: steps }
    }

    /// A budget of at most `steps`, limited by what remains.
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
