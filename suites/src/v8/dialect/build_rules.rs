//! How a build's configuration becomes what the runner and status files know of the build.

/// The rules of one version.
#[derive(Clone, Copy, Debug)]
pub struct BuildRules {
    /// The keys of `v8_build_config.json`, where the tree's own runner does not say.
    pub keys: ConfigKeys,
    /// The key of the architecture.
    pub arch_key: &'static str,
    /// What the runner itself looks at, with the status variable that tells it; `!` before a variable stands for its
    /// opposite. A property that is not listed never holds.
    pub properties: &'static [(Property, &'static str)],
    /// Names that variables had in earlier versions, with those they have now; `!` as above. Conditions of trees that say no
    /// version may use both.
    pub renamed: &'static [(&'static str, &'static str)],
    /// What a build with checks but without `is_debug` counts as.
    pub dchecks: Dchecks,
    /// When a run counts as one on a simulator.
    pub simulator: Simulator,
    /// When a build counts as one without SIMD (`no_simd_hardware`).
    pub no_simd: NoSimd,
}

/// The keys of `v8_build_config.json`.
#[derive(Clone, Copy, Debug)]
pub enum ConfigKeys {
    /// These, each of which gives a status variable.
    Named(&'static [ConfigKey]),
    /// Whatever keys there are, each a status variable of the same name (V8 11.5 `build_config.py`).
    Every {
        /// Those without which V8's runner does not start.
        required: &'static [&'static str],
        /// Those of a build of which nothing is known, with their values.
        unbuilt: &'static [(&'static str, bool)],
    },
}

/// A key of `v8_build_config.json`.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    /// The key.
    pub key: &'static str,
    /// The status variable it gives.
    pub variable: &'static str,
    /// Whether the variable is the key's opposite.
    pub inverted: bool,
    /// What V8's runner prints under "Autodetected" when the variable is true, if anything.
    pub shown: Option<&'static str>,
    /// The variable's value in trees without a build configuration.
    pub unbuilt: bool,
}

/// What the runner itself wants to know of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// It is for Android.
    Android,
    /// It has AddressSanitizer.
    Asan,
    /// It checks control flow.
    Cfi,
    /// Its parts are shared libraries.
    ComponentBuild,
    /// It checks assertions, whatever its mode.
    Dchecks,
    /// It is a debug build.
    Debug,
    /// It is for iOS.
    Ios,
    /// It has MemorySanitizer.
    Msan,
    /// It has no internationalization.
    NoI18n,
    /// It has no snapshot.
    NoSnapshot,
    /// It is for predictable runs.
    Predictable,
    /// Its slow assertions can be switched on.
    SlowDchecks,
    /// It has ThreadSanitizer.
    Tsan,
    /// It has the sanitizer of undefined behaviour.
    Ubsan,
    /// Its heap verifier can be switched on.
    VerifyHeap,
}

impl Property {
    /// The sanitizers.
    pub const SANITIZERS: [Self; 5] = [Self::Asan, Self::Cfi, Self::Msan, Self::Tsan, Self::Ubsan];
}

/// What `dcheck_always_on` means in builds that are not debug builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dchecks {
    /// Nothing.
    Ignored,
    /// Status files see `mode == debug`.
    StatusOnly,
    /// That, and a mode of its own, `release+dchecks`, with the time of a debug build.
    Mode,
}

/// When a run counts as one on a simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulator {
    /// The build's `target_cpu` is not its `v8_target_cpu`.
    Configured,
    /// The build's configuration says so under this key (V8 11.5).
    Key(&'static str),
    /// The architecture is one of these and not the host's.
    Foreign(&'static [&'static str]),
}

/// When a build counts as one without SIMD.
#[derive(Clone, Copy, Debug)]
pub struct NoSimd {
    /// One of these is among the extra flags.
    pub flags: &'static [&'static str],
    /// Its architecture is one of these.
    pub archs: &'static [&'static str],
    /// Its architecture is one of these and it does not use MSA, whatever the flags.
    pub archs_without_msa: &'static [&'static str],
}
