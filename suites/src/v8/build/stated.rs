//! What a build's configuration says.

use std::collections::BTreeMap;

use crate::expectations::Variable;

/// What a configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedConfig {
    /// The architecture, as V8 calls it.
    pub arch: String,
    /// Status variables.
    pub variables: BTreeMap<String, Variable>,
    /// Of MIPS builds until V8 11.4.
    pub mips: Option<Mips>,
    /// Whether tests run on a simulator, if the configuration says so.
    pub simulator: Option<bool>,
    /// Keys that it should have and has not.
    pub missing: Vec<String>,
}

/// What is special about builds for MIPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mips {
    /// The revision, such as `r6`.
    pub variant: String,
    /// Whether it uses MSA.
    pub msa: bool,
}
