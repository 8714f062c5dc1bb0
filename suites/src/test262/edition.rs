//! The edition of ECMAScript that a test of test262 needs, as far as its frontmatter says.
//!
//! test262 dates no test. What dates them here: the features they name, each by the edition of ECMA-262 that brought it
//! (from the editions themselves and TC39's list of finished proposals); without features `es5id` means ES5, `es6id` and
//! `esid` mean ES2015, whose section ids both are, and so does being a module. A test of a small addition that has no
//! feature (`Object.values`) counts as older than it is.

use std::fmt;

/// An edition, or what stands for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// ECMA-262 5.1 or older.
    Es5,
    /// The edition of this year, from 2015 on.
    Year(u16),
    /// Standard, and newer than the editions known here.
    Newer,
    /// A proposal that `features.txt` does not count as standard.
    Proposal,
    /// ECMA-402, whichever edition.
    Ecma402,
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Es5 => f.write_str("ES5"),
            Self::Year(year) => write!(f, "ES{year}"),
            Self::Newer => f.write_str("newer"),
            Self::Proposal => f.write_str("proposals"),
            Self::Ecma402 => f.write_str("ECMA-402"),
        }
    }
}

/// What frontmatter says of a test's age.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// Its `features`.
    pub features: &'a [String],
    /// Whether it has an `es6id` or `esid`, or is a module.
    pub since_2015: bool,
    /// Whether it is about ECMA-402: below `intl402`.
    pub intl: bool,
}

impl Edition {
    /// The oldest edition that has all a test asks for. `proposed` are the features that `features.txt` lists as
    /// proposals.
    pub fn of(hints: Hints<'_>, proposed: &[String]) -> Self {
        let base = if hints.since_2015 { Self::Year(2015) } else { Self::Es5 };
        let newest = hints.features.iter().map(|name| Self::of_feature(name, proposed)).fold(base, Self::max);
        match newest {
            Self::Proposal => newest,
            _ if hints.intl => Self::Ecma402,
            _ => newest,
        }
    }

    fn of_feature(name: &str, proposed: &[String]) -> Self {
        // What the checkout says comes first: a proposal may be known here under an old name.
        if proposed.iter().any(|proposal| proposal == name) {
            return Self::Proposal;
        }
        if name.starts_with("Intl") || OLD.contains(&name) {
            return Self::Es5;
        }
        match FEATURES.binary_search_by_key(&name, |(feature, _)| feature) {
            Ok(found) => FEATURES.get(found).map_or(Self::Newer, |(_, year)| Self::Year(*year)),
            Err(_) => Self::Newer,
        }
    }
}

/// The features that a `features.txt` lists before its heading of standard features.
pub fn proposed(features: &str) -> Vec<String> {
    let before = features.lines().take_while(|line| !line.starts_with("## Standard"));
    let names = before.filter_map(|line| line.split('#').next().map(str::trim));
    names.filter(|name| !name.is_empty()).map(String::from).collect()
}

/// Features that say nothing of an edition: of the host, of ECMA-402, or as old as ES5.
const OLD: [&str; 4] = ["caller", "canonical-tz", "host-gc-required", "intl-normative-optional"];

/// Features of published editions, by name.
const FEATURES: [(&str, u16); 158] = [
    ("AggregateError", 2021),
    ("Array.fromAsync", 2026),
    ("Array.prototype.at", 2022),
    ("Array.prototype.flat", 2019),
    ("Array.prototype.flatMap", 2019),
    ("Array.prototype.includes", 2016),
    ("Array.prototype.values", 2015),
    ("ArrayBuffer", 2015),
    ("Atomics", 2017),
    ("Atomics.waitAsync", 2024),
    ("BigInt", 2020),
    ("DataView", 2015),
    ("DataView.prototype.getFloat32", 2015),
    ("DataView.prototype.getFloat64", 2015),
    ("DataView.prototype.getInt16", 2015),
    ("DataView.prototype.getInt32", 2015),
    ("DataView.prototype.getInt8", 2015),
    ("DataView.prototype.getUint16", 2015),
    ("DataView.prototype.getUint32", 2015),
    ("DataView.prototype.setUint8", 2015),
    ("Error.isError", 2026),
    ("FinalizationRegistry", 2021),
    ("Float16Array", 2025),
    ("Float32Array", 2015),
    ("Float64Array", 2015),
    ("Int16Array", 2015),
    ("Int32Array", 2015),
    ("Int8Array", 2015),
    ("IsHTMLDDA", 2019),
    ("Map", 2015),
    ("Math.sumPrecise", 2026),
    ("Object.fromEntries", 2019),
    ("Object.hasOwn", 2022),
    ("Object.is", 2015),
    ("Promise", 2015),
    ("Promise.allSettled", 2020),
    ("Promise.any", 2021),
    ("Promise.prototype.finally", 2018),
    ("Proxy", 2015),
    ("Reflect", 2015),
    ("Reflect.construct", 2015),
    ("Reflect.set", 2015),
    ("Reflect.setPrototypeOf", 2015),
    ("RegExp.escape", 2025),
    ("Set", 2015),
    ("SharedArrayBuffer", 2017),
    ("String.fromCodePoint", 2015),
    ("String.prototype.at", 2022),
    ("String.prototype.endsWith", 2015),
    ("String.prototype.includes", 2015),
    ("String.prototype.isWellFormed", 2024),
    ("String.prototype.matchAll", 2020),
    ("String.prototype.replaceAll", 2021),
    ("String.prototype.toWellFormed", 2024),
    ("String.prototype.trimEnd", 2019),
    ("String.prototype.trimStart", 2019),
    ("Symbol", 2015),
    ("Symbol.asyncIterator", 2018),
    ("Symbol.hasInstance", 2015),
    ("Symbol.isConcatSpreadable", 2015),
    ("Symbol.iterator", 2015),
    ("Symbol.match", 2015),
    ("Symbol.matchAll", 2020),
    ("Symbol.prototype.description", 2019),
    ("Symbol.replace", 2015),
    ("Symbol.search", 2015),
    ("Symbol.species", 2015),
    ("Symbol.split", 2015),
    ("Symbol.toPrimitive", 2015),
    ("Symbol.toStringTag", 2015),
    ("Symbol.unscopables", 2015),
    ("TypedArray", 2015),
    ("TypedArray.prototype.at", 2022),
    ("Uint16Array", 2015),
    ("Uint32Array", 2015),
    ("Uint8Array", 2015),
    ("Uint8ClampedArray", 2015),
    ("WeakMap", 2015),
    ("WeakRef", 2021),
    ("WeakSet", 2015),
    ("__getter__", 2017),
    ("__proto__", 2015),
    ("__setter__", 2017),
    ("align-detached-buffer-semantics-with-web-reality", 2021),
    ("arbitrary-module-namespace-names", 2022),
    ("array-find-from-last", 2023),
    ("array-grouping", 2024),
    ("arraybuffer-transfer", 2024),
    ("arrow-function", 2015),
    ("async-functions", 2017),
    ("async-iteration", 2018),
    ("change-array-by-copy", 2023),
    ("class", 2015),
    ("class-fields-private", 2022),
    ("class-fields-private-in", 2022),
    ("class-fields-public", 2022),
    ("class-methods-private", 2022),
    ("class-static-block", 2022),
    ("class-static-fields-private", 2022),
    ("class-static-fields-public", 2022),
    ("class-static-methods-private", 2022),
    ("coalesce-expression", 2020),
    ("computed-property-names", 2015),
    ("const", 2015),
    ("cross-realm", 2015),
    ("default-parameters", 2015),
    ("destructuring-assignment", 2015),
    ("destructuring-binding", 2015),
    ("dynamic-import", 2020),
    ("error-cause", 2022),
    ("exponentiation", 2016),
    ("export-star-as-namespace-from-module", 2020),
    ("for-in-order", 2020),
    ("for-of", 2015),
    ("generators", 2015),
    ("globalThis", 2020),
    ("hashbang", 2023),
    ("import-attributes", 2025),
    ("import.meta", 2020),
    ("iterator-helpers", 2025),
    ("iterator-sequencing", 2026),
    ("json-modules", 2025),
    ("json-parse-with-source", 2026),
    ("json-superset", 2019),
    ("let", 2015),
    ("logical-assignment-operators", 2021),
    ("new.target", 2015),
    ("numeric-separator-literal", 2021),
    ("object-rest", 2018),
    ("object-spread", 2018),
    ("optional-catch-binding", 2019),
    ("optional-chaining", 2020),
    ("promise-try", 2025),
    ("promise-with-resolvers", 2024),
    ("proxy-missing-checks", 2020),
    ("regexp-dotall", 2018),
    ("regexp-duplicate-named-groups", 2025),
    ("regexp-lookbehind", 2018),
    ("regexp-match-indices", 2022),
    ("regexp-modifiers", 2025),
    ("regexp-named-groups", 2018),
    ("regexp-unicode-property-escapes", 2018),
    ("regexp-v-flag", 2024),
    ("resizable-arraybuffer", 2024),
    ("rest-parameters", 2015),
    ("set-methods", 2025),
    ("stable-array-sort", 2019),
    ("stable-typedarray-sort", 2020),
    ("string-trimming", 2019),
    ("super", 2015),
    ("symbols-as-weakmap-keys", 2023),
    ("tail-call-optimization", 2015),
    ("template", 2015),
    ("top-level-await", 2022),
    ("u180e", 2016),
    ("uint8array-base64", 2026),
    ("upsert", 2026),
    ("well-formed-json-stringify", 2019),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(features: &[&str], since_2015: bool, intl: bool) -> String {
        let features: Vec<String> = features.iter().map(|name| (*name).into()).collect();
        let proposed = ["decorators".to_owned()];
        Edition::of(Hints { features: &features, since_2015, intl }, &proposed).to_string()
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(FEATURES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn the_newest_feature_decides() {
        assert_eq!(edition(&[], false, false), "ES5");
        assert_eq!(edition(&[], true, false), "ES2015");
        assert_eq!(edition(&["BigInt", "let"], true, false), "ES2020");
        assert_eq!(edition(&["host-gc-required"], false, false), "ES5");
        assert_eq!(edition(&["let", "not-known-here"], true, false), "newer");
        assert_eq!(edition(&["let", "decorators", "not-known-here"], true, false), "proposals");
        assert_eq!(edition(&["Intl.Locale", "BigInt"], true, true), "ECMA-402");
    }

    #[test]
    fn proposals_are_what_comes_before_the_standard() {
        let text = "## Proposed language features\n# Decorators\n# https://x\ndecorators\nimport-defer # y\n\n\
                    ## Standard language features\nlet\n";
        assert_eq!(proposed(text), ["decorators", "import-defer"]);
    }
}
