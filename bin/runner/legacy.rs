//! Options of V8's runners that have no effect here or another name. Existing commands of people and bots keep working,
//! and print once what to write instead.

use clap::Args;

use crate::runner::settings::Filter;

options! {
    /// The options. Each one that is given gets a line on standard error ([`Legacy::notes`]).
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "Accepted from V8's runners")]
    pub struct Legacy {
        /// Print how to fetch the suites' data that the tree lacks.
        [harmless] #[arg(long)]
        pub download_data: bool,
        /// The same, without running tests.
        [harmless] #[arg(long)]
        pub download_data_only: bool,
        /// The same as --variants=default,nocrankshaft.
        [harmless]
        #[arg(long, alias = "nostress", conflicts_with_all = ["stress_only", "variants", "no_variants", "exhaustive_variants", "quickcheck"])]
        no_stress: bool,
        /// The same as --variants=stress.
        [harmless]
        #[arg(long, conflicts_with_all = ["variants", "no_variants", "exhaustive_variants", "quickcheck"])]
        stress_only: bool,
        /// Without effect: use --pass-fail-tests for tests that may pass or fail.
        [harmless] #[arg(long, value_name = "run|skip|dontcare", hide_possible_values = true)]
        flaky_tests: Option<Filter>,
        /// Without effect: use --variants=ignition.
        [harmless] #[arg(long)]
        ignition: bool,
        /// Without effect: use --variants=ignition_turbofan.
        [harmless] #[arg(long)]
        ignition_turbofan: bool,
        /// Without effect: the suite inspector runs if the build has its shell.
        [harmless] #[arg(long)]
        enable_inspector: bool,
        /// Without effect: V8's presubmit checks are in tools/v8_presubmit.py.
        [harmless] #[arg(long, alias = "nopresubmit")]
        no_presubmit: bool,
        /// Without effect: -v prints each command, and leftover processes are always ended.
        [harmless] #[arg(long)]
        swarming: bool,
        /// Without effect: there is one runner.
        [harmless] #[arg(long, overrides_with = "no_infra_staging")]
        infra_staging: bool,
        /// Without effect: there is one runner.
        [harmless] #[arg(long)]
        no_infra_staging: bool,
        /// Without effect: no bot's name changes anything.
        [harmless] #[arg(long, value_name = "NAME")]
        mastername: Option<String>,
        /// Without effect: no bot's name changes anything.
        [harmless] #[arg(long, value_name = "NAME")]
        buildername: Option<String>,
        /// Without effect: tests run on this machine and its peers, not on Android devices.
        [harmless] #[arg(short, long, value_name = "ID")]
        device: Option<String>,
        /// Without effect, like the other options of V8's run-num-fuzzer.py: see --framework.
        [harmless] #[arg(long, value_name = "N")]
        tests_count: Option<u32>,
        [group] #[command(flatten)]
        fuzzer: Fuzzer,
    }
}

options! {
    /// The other options of V8's number fuzzer, which runs tests with random flags.
    #[derive(Debug, Default, Args)]
    #[command(next_help_heading = "Accepted from V8's runners")]
    struct Fuzzer {
        [harmless] #[arg(long, hide = true)]
        fuzzer_random_seed: Option<String>,
        [harmless] #[arg(long, hide = true)]
        allocation_offset: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_marking: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_scavenge: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_compaction: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_gc: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_stack_size: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_delay_tasks: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_thread_pool_size: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_deopt: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_deopt_min: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        stress_interrupt_budget: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        combine_tests: bool,
        [harmless] #[arg(long, hide = true)]
        combine_max: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        combine_min: Option<u32>,
        [harmless] #[arg(long, hide = true)]
        skip_rare_tests_prob: Option<f64>,
    }
}

impl Legacy {
    /// The variants that the old options stand for.
    pub fn variants(&self) -> Option<String> {
        match (self.stress_only, self.no_stress) {
            (true, _) => Some("stress".into()),
            (false, true) => Some("default,nocrankshaft".into()),
            (false, false) => None,
        }
    }

    /// One line for each option that was given, with what to write instead.
    pub fn notes(&self, num_fuzzer: bool) -> Vec<String> {
        let notes = [
            (self.no_stress, "--no-stress: write --variants=default,nocrankshaft"),
            (self.stress_only, "--stress-only: write --variants=stress"),
            (self.flaky_tests.is_some(), "--flaky-tests has no effect: see --pass-fail-tests"),
            (self.ignition, "--ignition has no effect: --variants=ignition runs tests so"),
            (
                self.ignition_turbofan,
                "--ignition-turbofan has no effect: --variants=ignition_turbofan runs tests so",
            ),
            (
                self.enable_inspector,
                "--enable-inspector has no effect: the suite inspector runs where the build has its shell",
            ),
            (self.no_presubmit, "--no-presubmit has no effect: no presubmit checks run here in any case"),
            (self.swarming, "--swarming has no effect: -v prints each command"),
            (self.infra_staging, "--infra-staging has no effect: there is one runner"),
            (self.no_infra_staging, "--no-infra-staging has no effect: there is one runner"),
            (self.mastername.is_some(), "--mastername has no effect"),
            (self.buildername.is_some(), "--buildername has no effect"),
            (self.device.is_some(), "--device has no effect: tests run on this machine and its peers"),
            (
                self.tests_count.is_some() || self.fuzzer.is_given(),
                match num_fuzzer {
                    true => {
                        "what the number fuzzer would run first is run; options that steer its search have no effect"
                    }
                    false => {
                        "options of V8's number fuzzer have no effect: --framework=num_fuzzer runs what it would run \
                         first"
                    }
                },
            ),
        ];
        notes.into_iter().filter(|(given, _)| *given).map(|(_, note)| note.to_owned()).collect()
    }
}

impl Fuzzer {
    fn is_given(&self) -> bool {
        let numbers = [
            self.allocation_offset,
            self.stress_marking,
            self.stress_scavenge,
            self.stress_compaction,
            self.stress_gc,
            self.stress_stack_size,
            self.stress_delay_tasks,
            self.stress_thread_pool_size,
            self.stress_deopt,
            self.stress_deopt_min,
            self.stress_interrupt_budget,
            self.combine_max,
            self.combine_min,
        ];
        numbers.iter().any(Option::is_some)
            || self.fuzzer_random_seed.is_some()
            || self.skip_rare_tests_prob.is_some()
            || self.combine_tests
    }
}
