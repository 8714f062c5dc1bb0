//! Why a configuration cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the configuration of either program cannot be used. Each variant names the place of the fault.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file has an unknown key or a value of the wrong type, or is not TOML.
    #[error("cannot use {}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line, column and the line itself.
        detail: String,
    },
    /// The file has no such profile.
    #[error("there is no profile '{name}' in {}{hint}", path.display())]
    Profile {
        /// The requested profile.
        name: String,
        /// The file.
        path: PathBuf,
        /// `; did you mean 'ci'?`, or the list of known profiles.
        hint: String,
    },
    /// A profile was requested, but there is no file.
    #[error("there is no profile '{0}': there is no runner.toml")]
    NoFile(String),
    /// A variable's value is not valid for its setting.
    #[error("cannot use the variable {name}='{value}': {detail}")]
    Variable {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong.
        detail: String,
    },
    /// An option's value is not valid for its setting.
    #[error("cannot use the option --set {option}: {detail}")]
    Option {
        /// SECTION.KEY=VALUE.
        option: String,
        /// What is wrong.
        detail: String,
    },
    /// The command line's options cannot be written as TOML: a number is out of TOML's range.
    #[error("cannot use the options: {0}")]
    Options(#[from] toml::ser::Error),
    /// The layers cannot be merged.
    #[error("cannot lay the configuration together: {0}")]
    Layers(#[from] config::ConfigError),
}
