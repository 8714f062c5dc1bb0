//! Which tests are on disk.
//!
//! | file | holds |
//! |---|---|
//! | `walk` | suites of which each file is a test |
//! | `listed` | suites whose tests are not simply files: templates, lists, data for fuzzers |
//! | `binary` | programs that list their tests |
//! | `source` | what directives in a test's source say |
//! | `select` | which tests of a suite were asked for by name |

pub mod binary;
pub mod listed;
pub mod select;
pub mod source;
pub mod walk;
