//! Writes the actors' log to standard error: warnings and errors, or the level that FLOTILLA_LOG gives.

use log::LevelFilter;

/// Starts logging. Warns of an invalid level and ignores it.
pub fn start() {
    let given = std::env::var("FLOTILLA_LOG").ok();
    let level = match given.as_deref().map(str::parse) {
        None => LevelFilter::Warn,
        Some(Ok(level)) => level,
        Some(Err(_)) => {
            notice!("runner: warning: FLOTILLA_LOG is none of off, error, warn, info, debug, trace");
            LevelFilter::Warn
        }
    };
    let started = fern::Dispatch::new()
        .format(|out, message, record| {
            let level = record.level().as_str().to_lowercase();
            out.finish(format_args!("runner: {level}: {message}"));
        })
        .level(level)
        // fern itself would panic where standard error cannot be written to.
        .chain(fern::Output::call(|record| notice!("{}", record.args())))
        .apply();
    if let Err(error) = started {
        notice!("runner: cannot start logging: {error}");
    }
}
