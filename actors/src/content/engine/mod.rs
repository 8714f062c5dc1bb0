//! What an engine needs of a machine, and whether a machine has it: told from files before anything is sent or run.
//!
//! The client reads the engine and what it loads, as the dynamic loader would find it: libraries that the peer cannot be
//! expected to have are sent along, and of the others the highest versions of symbols that are asked for are named in
//! the work packet. The peer compares these with what its own libraries define. What this does not see (a library that
//! is missing there, another loader), the probe run does.
//!
//! | file | holds |
//! |---|---|
//! | `elf` | what one ELF file says of itself |
//! | `search` | where the dynamic loader finds a library |
//! | `survey` | [`survey`]: what an engine needs, at the client |
//! | `host` | [`Host`]: what a machine has, at the peer |
//! | `version` | how versions of symbols compare |

mod elf;
mod host;
mod search;
mod survey;
#[cfg(test)]
mod tests;
mod version;

pub use elf::ElfError;
pub use host::Host;
pub use survey::{Survey, SurveyError, survey};
