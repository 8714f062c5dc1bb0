//! Flags and seconds that all tests of a run share.

use crate::kit::error::OpenError;
use crate::kit::options::Options;
use crate::syntax::text::shlex;
use crate::v8::build::Build;
use crate::v8::dialect::{Dialect, Property};
use crate::v8::mode::Mode;
use crate::v8::tables::Tables;

/// An option's value, split as a shell would.
///
/// # Errors
/// An open quote.
pub fn split(option: &'static str, value: &str) -> Result<Vec<String>, OpenError> {
    shlex::split(value).map_err(|e| OpenError::Option { option, value: value.into(), reason: e.to_string() })
}

/// The flags of the build's mode, and behind them those of the runner.
pub fn mode_flags(build: &Build, tables: &Tables, dialect: &Dialect) -> Vec<String> {
    let debug = build.mode.has_debug_flags();
    let mode = if debug { &tables.debug_flags } else { &tables.release_flags };
    let of_build = dialect.debug_flags_of.iter().filter(|(of, _)| debug && build.has(*of));
    let of_build = of_build.map(|(_, flag)| String::from(*flag));
    let slow = (build.mode == Mode::SlowRelease).then(|| "--enable-slow-asserts".to_owned());
    let more = of_build.chain(slow).chain(tables.runner_flags.iter().cloned());
    mode.iter().cloned().chain(more).collect()
}

/// `--extra-flags`, and what other options and the build add to them; behind them those that only d8 gets.
pub fn extra_flags(
    options: &Options,
    build: &Build,
    tables: &Tables,
    dialect: &Dialect,
) -> Result<(Vec<String>, Vec<String>), OpenError> {
    let mut flags = Vec::new();
    for value in &options.extra_flags {
        flags.extend(split("--extra-flags", value)?);
    }
    if options.gc_stress {
        flags.extend_from_slice(&tables.gc_stress_flags);
    }
    if options.random_gc_stress {
        flags.extend_from_slice(&tables.random_gc_stress_flags);
    }
    let mut of_d8 = Vec::new();
    if build.has(Property::Asan) {
        let asan = dialect.asan_flags.iter().map(|flag| String::from(*flag));
        if dialect.asan_flags_for_d8 { of_d8.extend(asan) } else { flags.extend(asan) }
    }
    if options.novfp3 {
        flags.push("--noenable-vfp3".into());
    }
    for (property, more) in [
        (Property::Predictable, dialect.predictable_flags),
        (Property::NoSnapshot, dialect.no_snapshot_flags),
    ] {
        if build.has(property) {
            flags.extend(more.iter().map(|flag| String::from(*flag)));
        }
    }
    Ok((flags, of_d8))
}

/// Seconds, with the factors that all tests of the run share.
pub fn base_timeout(options: &Options, build: &Build, tables: &Tables, dialect: &Dialect) -> f64 {
    let timeouts = &dialect.timeouts;
    let mut seconds = options.timeout.map_or(timeouts.default, f64::from) * timeouts.always;
    seconds *= build.mode.patience(timeouts.debug);
    if tables.slow_archs.contains(&build.arch) {
        seconds *= timeouts.slow_arch;
    }
    for (variable, factor) in &tables.factors {
        if build.is(variable) {
            seconds *= factor;
        }
    }
    seconds
}
