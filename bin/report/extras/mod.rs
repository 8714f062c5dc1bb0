//! What is printed besides the progress, whatever its style.

pub mod commands;
pub mod conformance;
pub mod explain;
pub mod header;
pub mod repeats;
pub mod slowest;
