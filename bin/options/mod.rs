//! How the options of both programs are declared, and how their values are merged.
//!
//! An option is declared once, by [`options!`](crate::options!): its help, its class, whether a file may hold it, and
//! how a value is merged with that of the layer below. Everything else follows from that: `--help` (through clap), the
//! keys of `runner.toml` and `peerd.toml` with their JSON schemas, the names of environment variables, the README's table.
//!
//! ```text
//!   defaults < file < profile < environment < command line       (runner.toml has profiles, peerd.toml has none)
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `declare` | the macro, [`Class`] and [`Declared`] |
//! | `key` | the names of a setting in a file, in the environment and for `--set` |
//! | `layers` | layers of settings, merged by the crate `config` |
//! | `file` | a TOML file; errors have their place |
//! | `paths` | paths in a layer, with any bytes |
//!
//! Imports no other module of `bin`.

#[macro_use]
mod declare;
mod error;
mod file;
mod key;
mod layers;
pub mod paths;

pub use declare::{Class, Declared, Declares, Item, Rule, all};
pub use error::ConfigError;
pub use file::read;
pub use key::{Section, SettingKey, hint_for};
pub use layers::{Layer, environment, lay};
