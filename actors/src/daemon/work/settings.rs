//! How this machine works for others.

use std::ffi::OsString;
use std::time::Duration;

use super::patience::Patience;

/// How this machine works for others.
#[derive(Clone, Debug)]
pub struct WorkSettings {
    /// Bytes of inputs kept on disk, in whole blocks.
    pub store_limit: u64,
    /// Workspaces that were not used this long are removed.
    pub workspace_age: Duration,
    /// The built-in shell's command, its program an absolute path; empty: there is none here.
    pub builtin: Vec<OsString>,
    /// The command that starts the [reaper](crate::execution::reaper) of each job; the job's id is appended. Without one, a
    /// SIGKILL of this process leaves its tests behind.
    pub reaper: Option<Vec<OsString>>,
    /// Variables that all tests of others get, before all else.
    pub env: Vec<(OsString, OsString)>,
    /// How long clients are waited for.
    pub patience: Patience,
}

impl Default for WorkSettings {
    /// 10 GiB of inputs, two weeks, no built-in shell, no reaper, no variables.
    fn default() -> Self {
        Self {
            store_limit: 10 << 30,
            workspace_age: Duration::from_secs(14 * 24 * 60 * 60),
            builtin: Vec::new(),
            reaper: None,
            env: Vec::new(),
            patience: Patience::default(),
        }
    }
}
