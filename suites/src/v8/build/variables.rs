//! The variables of status file conditions.

use super::Build;
use super::host::{host_system, lacks_simd};
use crate::expectations::{Variable, Variables};
use crate::kit::options::Options;
use crate::v8::dialect::{Dchecks, Dialect, Property};

/// Keys of a configuration, with the status variables that are computed from them.
const COMPUTED: [(&str, &str); 4] = [
    ("debugging_features", "mode"),
    ("dcheck_always_on", "mode"),
    ("is_android", "system"),
    ("is_ios", "system"),
];

impl Build {
    /// The variables of status file conditions. `extra_flags` are those of the whole run, `never` those that the tree's
    /// runner sets to false whatever the build.
    pub fn variables(
        &self,
        options: &Options,
        extra_flags: &[String],
        dialect: &Dialect,
        never: &[String],
    ) -> Variables {
        let mut variables = Variables::default();
        // V8 7.9 still names no_snap, and its builds no longer say it.
        for name in ["deopt_fuzzer", "endurance_fuzzer", "no_snap"] {
            variables.set(name, false);
        }
        for (name, value) in &self.variables {
            // Until V8 11.4 status files do not see these two.
            if !(self.has_named_keys() && matches!(name.as_str(), "is_android" | "is_debug")) {
                variables.set(name, value.clone());
            }
        }
        // Whatever the configuration says (V8 13.8 base_runner.py 627 to 652).
        for name in never {
            variables.set(name, false);
        }
        for name in dialect.none_variables {
            variables.set(*name, Variable::None);
        }
        // V8 10.3 to 11.4: builds whose isolates cannot share memory.
        if self.variables.contains_key("shared_ro_heap") && !self.variables.contains_key("js_shared_memory") {
            let cages = self.is("pointer_compression") && !self.is("pointer_compression_shared_cage");
            let barriers = self.variables.get("write_barriers") != Some(&Variable::Bool(false));
            variables.set("no_js_shared_memory", !self.is("shared_ro_heap") || cages || !barriers);
        }
        variables.set("novfp3", options.novfp3);
        variables.set("gc_fuzzer", options.random_gc_stress);
        variables.set("arch", self.arch.as_str());
        variables.set("byteorder", if cfg!(target_endian = "big") { "big" } else { "little" });
        variables.set("gc_stress", options.gc_stress || options.random_gc_stress);
        variables.set("isolates", options.isolates);
        variables.set("no_harness", options.no_harness);
        let dchecks = self.has(Property::Dchecks) && dialect.build.dchecks != Dchecks::Ignored;
        let debug = self.mode.counts_as_debug() || dchecks;
        variables.set("mode", if debug { "debug" } else { "release" });
        let system = match (self.has(Property::Android), self.has(Property::Ios)) {
            (true, _) => "android",
            (_, true) => "ios",
            _ => host_system(),
        };
        variables.set("system", system);
        variables.set("simulator_run", self.simulator && !options.slow_simulator_tests);
        // V8 7.0: as simulator_run, but for these architectures only.
        let simulator = ["mipsel", "arm", "arm64"].contains(&self.arch.as_str()) && self.simulator;
        variables.set("simulator", simulator);
        variables.set("optimize_for_size", extra_flags.iter().any(|flag| flag == "--optimize-for-size"));
        // From V8 11.5 on the configuration says both.
        if !self.variables.contains_key("mips_arch_variant") {
            variables.set(
                "mips_arch_variant",
                match &self.mips {
                    Some(mips) => Variable::Text(mips.variant.clone()),
                    None => Variable::Bool(false),
                },
            );
        }
        let simd_mips = match &self.mips {
            Some(mips) => mips.variant == "r6" && mips.msa,
            None => self.is("simd_mips"),
        };
        variables.set("simd_mips", simd_mips);
        let no_simd = self.lacks_simd(extra_flags, dialect, simd_mips);
        variables.set("no_simd_hardware", no_simd);
        // Its name in V8 9.1.
        variables.set("no_simd_sse", no_simd);
        for key in &self.missing {
            variables.forget(key);
            // What is computed from it.
            for (of, computed) in COMPUTED {
                if key == of {
                    variables.forget(computed);
                }
            }
        }
        variables
    }

    /// What properties were called in earlier versions, for conditions of trees that say no version.
    pub fn renamed(&self, dialect: &Dialect) -> impl Iterator<Item = (&'static str, bool)> {
        dialect.build.renamed.iter().map(|(old, new)| (*old, self.holds(new)))
    }

    fn lacks_simd(&self, extra_flags: &[String], dialect: &Dialect, simd_mips: bool) -> bool {
        let rules = &dialect.build.no_simd;
        let arch = self.arch.as_str();
        if rules.archs_without_msa.contains(&arch) {
            return !simd_mips;
        }
        extra_flags.iter().any(|flag| rules.flags.contains(&flag.as_str()))
            || rules.archs.contains(&arch)
            || !self.simulator && lacks_simd(arch)
    }
}
