//! Programs in PATH.

/// The path of a program that is found in PATH; its bare name if it is not.
pub fn on_path(program: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.map_or_else(|| program.to_owned(), |path| path.to_string_lossy().into_owned())
}
