//! What a run's header says: what will run, `--report` and `--warn-unused`.

use flotilla_messages::{BuildHeader, Forecast, Rounds, RunHeader};
use flotilla_suites::{Description, Products, Repeats};

/// Which of the things that take time, or lines, the header has.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Whose rules hold.
    pub rules: bool,
    /// How many tests are expected to end how (`--report`).
    pub forecast: bool,
    /// Which rules no test of this run uses (`--warn-unused`).
    pub unused: bool,
}

/// The header of a run of these tests.
pub fn header(products: &Products, asked: Asked) -> RunHeader {
    RunHeader {
        builds: products.descriptions().into_iter().map(|of| build(of, asked.rules)).collect(),
        rounds: rounds(products.repeats()),
        forecast: asked.forecast.then(|| forecast(products)),
        unused_rules: if asked.unused { products.unused_rules() } else { Vec::new() },
    }
}

/// Warns where each run is to have another seed, and none takes one.
pub fn warn_of_seeds(products: &Products) {
    if products.repeats().has_seeds() && !products.passes_seeds() {
        notice!("runner: warning: tests of a tree as old as this are told no seed: all runs are the same");
    }
}

fn build(description: Description, rules: bool) -> BuildHeader {
    let assumed = if description.assumed { ": nothing in the tree says another version" } else { "" };
    BuildHeader {
        rules: rules.then(|| format!("{}{assumed}", description.dialect)),
        build_dir: description.build_dir,
        detected: description.detected,
        arch: description.arch,
        mode: description.mode,
        engine: description.engine,
        variants: description.variants,
    }
}

fn rounds(repeats: Repeats) -> Option<Rounds> {
    let count = match repeats {
        Repeats::Once => return None,
        Repeats::Same(count) | Repeats::Seeds(count) => Some(count.get()),
        Repeats::Endless | Repeats::EndlessSame => None,
    };
    Some(Rounds { count, seeds: repeats.has_seeds() })
}

fn forecast(products: &Products) -> Forecast {
    let mut forecast = Forecast::default();
    for listed in products.listing() {
        if listed.skipped.is_some() {
            forecast.skipped += 1;
            forecast.total += 1;
            continue;
        }
        match products.listed_case(listed.id) {
            Ok(case) => forecast.add_expected(&case.expectation.outcomes),
            Err(_) => {
                forecast.unrunnable += 1;
                forecast.total += 1;
            }
        }
    }
    forecast
}
