//! Kinds of builds: release, debug and what lies between.

use crate::kit::error::OpenError;

/// Kinds of builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Optimized, without checks.
    Release,
    /// Optimized, with checks: status files and deadlines treat it as a debug build.
    ReleaseWithDchecks,
    /// A debug build.
    Debug,
    /// Classic trees: a debug build with optimizations.
    OptDebug,
    /// Classic trees: a release build with checks, for which status files hold that are for debug builds.
    TryRelease,
    /// The same with slow checks.
    SlowRelease,
}

impl Mode {
    /// The name V8's runner gives it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::ReleaseWithDchecks => "release+dchecks",
            Self::Debug => "debug",
            Self::OptDebug => "optdebug",
            Self::TryRelease => "tryrelease",
            Self::SlowRelease => "slowrelease",
        }
    }

    /// What `--mode` may say of classic trees.
    const CLASSIC: [Self; 5] =
        [Self::Release, Self::Debug, Self::OptDebug, Self::TryRelease, Self::SlowRelease];

    /// The mode's part of a build directory's name in classic trees.
    pub fn folder(self) -> &'static str {
        match self {
            Self::TryRelease | Self::SlowRelease => Self::Release.label(),
            mode => mode.label(),
        }
    }

    /// Whether tests get the flags of debug builds.
    pub fn has_debug_flags(self) -> bool {
        matches!(self, Self::Debug | Self::OptDebug)
    }

    /// Whether status files hold that are for debug builds.
    pub fn counts_as_debug(self) -> bool {
        !matches!(self, Self::Release | Self::ReleaseWithDchecks)
    }

    /// By how much tests may take longer than in a release build; `debug`: in a debug build.
    pub fn patience(self, debug: f64) -> f64 {
        match self {
            Self::Release | Self::TryRelease => 1.0,
            Self::SlowRelease => 2.0,
            Self::ReleaseWithDchecks | Self::Debug | Self::OptDebug => debug,
        }
    }
}

/// The mode of a classic tree that is called so.
pub fn classic_mode(name: &str) -> Result<Mode, OpenError> {
    Mode::CLASSIC.into_iter().find(|mode| mode.label() == name).ok_or_else(|| OpenError::Option {
        option: "--mode",
        value: name.into(),
        reason: format!("it is none of {}", Mode::CLASSIC.map(Mode::label).join(", ")),
    })
}

/// The error for one that is none, in a tree of V8 6 or later.
pub fn unknown_mode(mode: &str) -> OpenError {
    OpenError::Option {
        option: "--mode",
        value: mode.into(),
        reason: "it is neither debug nor release".into(),
    }
}
