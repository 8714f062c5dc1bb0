//! How an option of either program is declared, and how its values come together.
//!
//! An option is declared once, by [`options!`](crate::options): its help, its class, whether a file may hold it, and how a
//! value of one layer meets that of the layer below. Everything else comes from there: `--help` (through clap), the keys
//! of `runner.toml` and `peerd.toml` with their JSON schemas, the names of environment variables, the README's table.
//!
//! ```text
//!   defaults < file < profile < environment < command line       (runner.toml has profiles, peerd.toml has none)
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `declare` | the macro, [`Class`] and [`Declared`] |
//! | `key` | a setting by the names it has in a file, in the environment and behind `--set` |
//! | `layers` | layers laid over one another, by the crate `config` |
//! | `file` | a TOML file, read with the place of what is wrong |
//! | `paths` | paths in a layer, whatever bytes they have |
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
