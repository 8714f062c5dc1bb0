//! Programs in PATH.

/// The path of a program that is found in PATH; its bare name if it is not.
pub fn on_path(program: &str) -> String {
    which::which(program).ok().map_or_else(|| program.to_owned(), |path| path.to_string_lossy().into_owned())
}
