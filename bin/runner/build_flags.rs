//! What the build under test was made with, where no configuration says so: V8's own options of 2012 to 2017.

use clap::Args;

options! {
    /// The options, each spelled as V8's.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "The build, where it has no v8_build_config.json")]
    pub struct BuildFlags {
        /// Made with AddressSanitizer.
        [harmless] #[arg(long)]
        asan: bool,
        /// With MemorySanitizer.
        [harmless] #[arg(long)]
        msan: bool,
        /// With ThreadSanitizer.
        [harmless] #[arg(long)]
        tsan: bool,
        /// With the sanitizer of undefined behaviour.
        [harmless] #[arg(long)]
        ubsan_vptr: bool,
        /// With checks of control flow.
        [harmless] #[arg(long)]
        cfi_vptr: bool,
        /// Without internationalization.
        [harmless] #[arg(long, alias = "noi18n")]
        no_i18n: bool,
        /// Without a snapshot.
        [harmless] #[arg(long, alias = "nosnap")]
        no_snap: bool,
        /// With checks in release builds.
        [harmless] #[arg(long)]
        dcheck_always_on: bool,
        /// For predictable runs.
        [harmless] #[arg(long)]
        predictable: bool,
        /// For measuring coverage.
        [harmless] #[arg(long)]
        gcov_coverage: bool,
        /// For ARM processors without VFP3; holds for any build.
        [harmless] #[arg(long)]
        pub novfp3: bool,
        /// Run what status files skip on simulators because it is slow there.
        [harmless] #[arg(long, help_heading = "Which tests")]
        pub dont_skip_slow_simulator_tests: bool,
    }
}

impl BuildFlags {
    /// The status variables of what was said.
    pub fn variables(&self) -> Vec<String> {
        let said = [
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
        said.into_iter().filter(|(_, said)| *said).map(|(variable, _)| variable.to_owned()).collect()
    }
}
