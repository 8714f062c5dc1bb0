//! The styles of `-p`: how the progress of a run looks. Each shows failures and the run's end as well.

pub mod bar;
pub mod compact;
pub mod dots;
pub mod plain;
pub mod stream;
pub mod verbose;
