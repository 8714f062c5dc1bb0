//! Messages on standard error.

/// Writes a line to standard error and ignores errors. `eprintln!` would panic if it is closed, full or a pipe without
/// a reader, and that must not change a command's exit code.
macro_rules! notice {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
