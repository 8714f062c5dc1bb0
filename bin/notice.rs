//! Lines for people on standard error.

/// Writes a line to standard error, as `eprintln!` does, which would panic where it is closed, full or a pipe whose reader
/// has gone: that must not change how a command ends.
macro_rules! notice {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
