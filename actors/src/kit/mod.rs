//! Small tools of all wings. They know nothing of tests, peers or runs.
//!
//! | file | holds |
//! |---|---|
//! | `clock` | the clocks: time of day, of files, of the reactor |
//! | `death_watch` | [`DeathWatch`]: how the death of an actor is noticed |
//! | `rate_limit` | how often something may happen |
//! | `runtime` | whether an arbiter's runtime is still there |
//! | `shell` | what actors around pure cores have in common: a timer, effects |
//!
//! No thread and no state of its own.

mod clock;
mod death_watch;
pub(crate) mod rate_limit;
pub(crate) mod runtime;
pub(crate) mod shell;

pub use clock::unix_seconds;
pub(crate) use clock::{reactor_now, unix_nanos};
pub use death_watch::{ActorDied, DeathWatch, Watched};
