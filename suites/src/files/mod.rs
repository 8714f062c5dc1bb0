//! Which tests are on disk.
//!
//! | file | holds |
//! |---|---|
//! | `walk` | suites of which each file is a test |
//! | `binary` | programs that list their tests |
//! | `select` | which tests of a suite were asked for by name |

pub mod binary;
pub mod select;
pub mod walk;
