//! Why a configuration cannot be used.

use std::io;
use std::path::PathBuf;

/// Why the configuration of either program cannot be used: each says where the fault is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has an unknown key, a value of the wrong type, or is no TOML.
    #[error("cannot use {}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line, column and the line itself.
        detail: String,
    },
    /// The file that is read has no such profile.
    #[error("there is no profile '{name}' in {}{hint}", path.display())]
    Profile {
        /// What was asked for.
        name: String,
        /// The file.
        path: PathBuf,
        /// `; did you mean 'ci'?`, or which there are.
        hint: String,
    },
    /// A profile was asked for, and there is no file.
    #[error("there is no profile '{0}': there is no runner.toml")]
    NoFile(String),
    /// A variable's value is none of its setting.
    #[error("cannot use the variable {name}='{value}': {detail}")]
    Variable {
        /// Its name.
        name: String,
        /// What it holds.
        value: String,
        /// What is wrong.
        detail: String,
    },
    /// An option's value is none of its setting.
    #[error("cannot use the option --set {option}: {detail}")]
    Option {
        /// SECTION.KEY=VALUE.
        option: String,
        /// What is wrong.
        detail: String,
    },
    /// The options of the command line cannot be a layer: a number is larger than TOML has.
    #[error("cannot use the options: {0}")]
    Options(#[from] toml::ser::Error),
    /// The layers do not go together.
    #[error("cannot lay the configuration together: {0}")]
    Layers(#[from] config::ConfigError),
}
