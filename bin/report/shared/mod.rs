//! What several reporters use.

pub mod closing;
pub mod console;
pub mod context;
pub mod failure;
pub mod quote;
pub mod sending;
pub mod told;
