//! What a run has shown of its executors' speed, for the next one.

use std::time::Instant;

use super::capacity::Executor;
use super::core::Core;
use crate::execution::executor::ExecutorId;

impl Core {
    /// How fast peers are, as far as this run has shown: tests each finishes in the time in which one job slot of this
    /// machine finishes 1000. Nothing where too little ran.
    pub fn rates(&self, now: Instant) -> Vec<(ExecutorId, u32)> {
        let here = self.executors.values().find(|executor| executor.is_local());
        let Some(slot) = here.and_then(|here| Some(here.measured(now)? / here.slots() as f64)) else {
            return Vec::new();
        };
        let rate = |(&id, executor): (&ExecutorId, &Executor)| {
            let rate = executor.measured(now).filter(|_| !executor.is_local())?;
            Some((id, (1000.0 * rate / slot).clamp(1.0, 1e9) as u32))
        };
        self.executors.iter().filter_map(rate).collect()
    }
}
