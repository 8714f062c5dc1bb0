//! Reports that are written to files.

pub mod completion;
pub mod expectations;
pub mod file;
pub mod flakiness;
pub mod json;
pub mod junit;
pub mod keep;
pub mod ran;
pub mod record;
pub mod regenerate;
pub mod schedule;
pub mod system_memory;
pub mod top;
