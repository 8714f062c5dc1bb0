//! The build under test: `v8_build_config.json`, or this host where nothing was built.

mod config;
mod host;
mod locate;
mod properties;
mod stated;
#[cfg(test)]
mod tests;
mod variables;

pub use host::host_arch;
pub use locate::config_of;
pub use properties::Build;
