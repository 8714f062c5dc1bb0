//! The first lines of a run: what will run, `--report` and `--warn-unused`.

use flotilla_actors::Reporter;
use flotilla_messages::{BuildHeader, Event, EventKind, Forecast, Rounds, RunHeader};

use crate::report::shared::console::Console;

/// Prints them.
pub struct Header {
    console: Console,
}

impl Header {
    /// Writes to `console`.
    pub fn new(console: Console) -> Self {
        Self { console }
    }
}

impl Reporter for Header {
    fn event(&mut self, event: &Event) {
        if let EventKind::RunStarted(header) = &event.kind {
            lines(header).iter().for_each(|line| self.console.line(line));
        }
    }
}

fn lines(header: &RunHeader) -> Vec<String> {
    let mut lines: Vec<String> = header.builds.iter().flat_map(build).collect();
    lines.extend(header.rounds.map(rounds));
    lines.extend(header.forecast.iter().flat_map(forecast));
    lines.extend(header.unused_rules.iter().map(|rule| format!("Unused rule: {rule}")));
    lines
}

/// `Running tests for x64.release with out/build/d8; variants: default`, after where the build was found.
fn build(build: &BuildHeader) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(dir) = &build.build_dir {
        let detected = match build.detected.as_slice() {
            [] => String::new(),
            detected => format!(" ({})", detected.join(", ")),
        };
        lines.push(format!("Build found: {}{detected}", dir.display()));
    }
    let BuildHeader { arch, mode, engine, variants, .. } = build;
    lines.push(format!("Running tests for {arch}.{mode} with {engine}; variants: {}", variants.join(", ")));
    lines.extend(build.rules.as_ref().map(|rules| format!("Rules: {rules}")));
    lines
}

fn rounds(Rounds { count, seeds }: Rounds) -> String {
    let times = count.map_or_else(|| "again and again".to_owned(), |count| format!("{count} times"));
    let seeds = if seeds { ", each time with another seed" } else { "" };
    format!("Each test runs {times}{seeds}.")
}

/// `--report`: kinds in the order of their words, those without a test left out.
fn forecast(forecast: &Forecast) -> Vec<String> {
    let kinds = [
        (forecast.fail, "are expected to fail"),
        (forecast.pass, "are expected to pass"),
        (forecast.unrunnable, "cannot be run"),
        (forecast.may_crash, "may crash"),
        (forecast.either, "may pass or fail"),
        (forecast.skipped, "will be skipped"),
    ];
    let mut lines = vec![format!("Total: {} tests", forecast.total)];
    let some = kinds.iter().filter(|(count, _)| *count > 0);
    lines.extend(some.map(|(count, kind)| format!(" * {count:6} tests {kind}")));
    lines
}
