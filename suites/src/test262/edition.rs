//! Which edition of ECMA-262 a test is about: a hint, from the features that it names. test262 itself has no such list.

use super::case::Labels;

/// Features by the year of the edition that brought them, from the list of finished proposals (tc39/proposals). What is not
/// here is of 2015, but for those in [`LATER`].
const FEATURES: &[(u16, &[&str])] = &[
    (2016, &["Array.prototype.includes", "exponentiation", "u180e"]),
    (2017, &["async-functions", "Atomics", "SharedArrayBuffer", "__getter__", "__setter__"]),
    (
        2018,
        &[
            "async-iteration",
            "object-rest",
            "object-spread",
            "Promise.prototype.finally",
            "regexp-dotall",
            "regexp-lookbehind",
            "regexp-named-groups",
            "regexp-unicode-property-escapes",
            "Symbol.asyncIterator",
        ],
    ),
    (
        2019,
        &[
            "Array.prototype.flat",
            "Array.prototype.flatMap",
            "IsHTMLDDA",
            "json-superset",
            "Object.fromEntries",
            "optional-catch-binding",
            "stable-array-sort",
            "string-trimming",
            "String.prototype.trimEnd",
            "String.prototype.trimStart",
            "Symbol.prototype.description",
            "well-formed-json-stringify",
        ],
    ),
    (
        2020,
        &[
            "BigInt",
            "coalesce-expression",
            "dynamic-import",
            "export-star-as-namespace-from-module",
            "for-in-order",
            "globalThis",
            "import.meta",
            "optional-chaining",
            "Promise.allSettled",
            "proxy-missing-checks",
            "String.prototype.matchAll",
            "Symbol.matchAll",
        ],
    ),
    (
        2021,
        &[
            "AggregateError",
            "align-detached-buffer-semantics-with-web-reality",
            "FinalizationRegistry",
            "host-gc-required",
            "logical-assignment-operators",
            "numeric-separator-literal",
            "Promise.any",
            "String.prototype.replaceAll",
            "WeakRef",
        ],
    ),
    (
        2022,
        &[
            "arbitrary-module-namespace-names",
            "Array.prototype.at",
            "class-fields-private",
            "class-fields-private-in",
            "class-fields-public",
            "class-methods-private",
            "class-static-block",
            "class-static-fields-private",
            "class-static-fields-public",
            "class-static-methods-private",
            "error-cause",
            "Object.hasOwn",
            "regexp-match-indices",
            "String.prototype.at",
            "top-level-await",
            "TypedArray.prototype.at",
        ],
    ),
    (
        2023,
        &[
            "array-find-from-last",
            "change-array-by-copy",
            "hashbang",
            "stable-typedarray-sort",
            "symbols-as-weakmap-keys",
        ],
    ),
    (
        2024,
        &[
            "array-grouping",
            "arraybuffer-transfer",
            "Atomics.waitAsync",
            "promise-with-resolvers",
            "regexp-v-flag",
            "resizable-arraybuffer",
            "String.prototype.isWellFormed",
            "String.prototype.toWellFormed",
        ],
    ),
    (
        2025,
        &[
            "Float16Array",
            "import-attributes",
            "iterator-helpers",
            "json-modules",
            "promise-try",
            "RegExp.escape",
            "regexp-duplicate-named-groups",
            "regexp-modifiers",
            "set-methods",
        ],
    ),
    (
        2026,
        &[
            "Array.fromAsync",
            "Error.isError",
            "iterator-sequencing",
            "json-parse-with-source",
            "Math.sumPrecise",
            "uint8array-base64",
            "upsert",
        ],
    ),
];

/// Features of no edition yet, and those of ECMA-402 (their names begin with `Intl`).
const LATER: &[&str] = &[
    "Atomics.pause",
    "await-dictionary",
    "canonical-tz",
    "decorators",
    "error-stack-accessor",
    "explicit-resource-management",
    "export-defer",
    "immutable-arraybuffer",
    "import-bytes",
    "import-defer",
    "import-text",
    "iterator-chunking",
    "iterator-includes",
    "Iterator.prototype.join",
    "joint-iteration",
    "legacy-regexp",
    "nonextensible-applies-to-private",
    "ShadowRealm",
    "source-phase-imports",
    "source-phase-imports-module-source",
    "Temporal",
];

impl Labels {
    /// The year of the edition that a test is about, 2011 (5.1) to 2026: that of its newest feature. `None` for features
    /// of no edition yet and of ECMA-402, and for all of intl402 and staging.
    pub fn edition(&self) -> Option<u16> {
        let area = self.area.as_str();
        if ["intl402", "staging"].iter().any(|dir| area == *dir || area.starts_with(&format!("{dir}/"))) {
            return None;
        }
        let mut newest = if self.es5id.is_some() { 2011 } else { 2015 };
        for feature in &self.features {
            let feature = feature.as_str();
            if LATER.contains(&feature) || feature.starts_with("Intl") || feature.starts_with("intl") {
                return None;
            }
            let of = FEATURES.iter().find(|(_, features)| features.contains(&feature));
            newest = newest.max(of.map_or(2015, |(year, _)| *year));
        }
        Some(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(area: &str, es5id: Option<&str>, features: &[&str]) -> Option<u16> {
        let features = features.iter().map(|feature| (*feature).to_owned()).collect();
        Labels { area: area.into(), features, es5id: es5id.map(String::from), ..Labels::default() }.edition()
    }

    #[test]
    fn the_newest_feature_decides() {
        assert_eq!(edition("built-ins/Array", Some("15.4"), &[]), Some(2011));
        assert_eq!(edition("built-ins/Array", None, &[]), Some(2015));
        assert_eq!(edition("built-ins/Array", Some("15.4"), &["Symbol", "BigInt"]), Some(2020));
        assert_eq!(edition("built-ins/Array", None, &["BigInt", "Temporal"]), None);
        assert_eq!(edition("intl402/Locale", None, &[]), None);
        assert_eq!(edition("staging", None, &[]), None);
    }
}
