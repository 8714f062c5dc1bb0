//! How the build under test was configured, if it has no `v8_build_config.json`: V8's own options of 2012 to 2017.

use clap::Args;

options! {
    /// The options, each spelled as in V8.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "The build, where it has no v8_build_config.json")]
    pub struct BuildFlags {
        /// The build has AddressSanitizer.
        [harmless] #[arg(long)]
        asan: bool,
        /// The build has MemorySanitizer.
        [harmless] #[arg(long)]
        msan: bool,
        /// The build has ThreadSanitizer.
        [harmless] #[arg(long)]
        tsan: bool,
        /// The build has UndefinedBehaviorSanitizer's vptr checks.
        [harmless] #[arg(long)]
        ubsan_vptr: bool,
        /// The build has control-flow integrity checks.
        [harmless] #[arg(long)]
        cfi_vptr: bool,
        /// The build has no internationalization.
        [harmless] #[arg(long, alias = "noi18n")]
        no_i18n: bool,
        /// The build has no snapshot.
        [harmless] #[arg(long, alias = "nosnap")]
        no_snap: bool,
        /// The build has DCHECKs on in release mode.
        [harmless] #[arg(long)]
        dcheck_always_on: bool,
        /// The build is for predictable runs.
        [harmless] #[arg(long)]
        predictable: bool,
        /// The build measures coverage with gcov.
        [harmless] #[arg(long)]
        gcov_coverage: bool,
        /// The build is for ARM processors without VFP3; applies to any build.
        [harmless] #[arg(long)]
        pub novfp3: bool,
        /// Run tests that status files skip on simulators because they are slow there.
        [harmless] #[arg(long, help_heading = "Which tests")]
        pub dont_skip_slow_simulator_tests: bool,
    }
}

impl BuildFlags {
    /// The status file variables of the options that were given.
    pub fn variables(&self) -> Vec<String> {
        let flags = [
            ("asan", self.asan),
            ("msan", self.msan),
            ("tsan", self.tsan),
            ("ubsan_vptr", self.ubsan_vptr),
            ("cfi_vptr", self.cfi_vptr),
            ("no_i18n", self.no_i18n),
            ("no_snap", self.no_snap),
            ("dcheck_always_on", self.dcheck_always_on),
            ("predictable", self.predictable),
            ("gcov_coverage", self.gcov_coverage),
        ];
        flags.into_iter().filter(|(_, given)| *given).map(|(variable, _)| variable.to_owned()).collect()
    }
}
