//! The rules of V8 6 to 9.1, told from those of the version behind each.
//!
//! Which versions: those at which something changed in V8's history of `tools/testrunner` and `test/*/testcfg.py`.
//! Keys of build configurations and the order of a command line are here for trees without a runner; one that is there
//! says them itself ([`crate::v8::runner_source`]).

use super::versions::{
    BENCHMARKS, CCTEST, DEBUGGER, DEBUGGING, FUZZER, INSPECTOR, INTL, MESSAGE, MJSUNIT, MKGROKDUMP, MOZILLA,
    SUITE, SUITES_9_2, TEST262, TIMEOUTS_9_2, UNITTESTS, V9_2, WASM_API_TESTS, WASM_JS, WASM_SPEC_TESTS,
    WEBKIT, inverted, key, quiet,
};
use super::{
    BuildRules, ConfigKey, ConfigKeys, Dchecks, Dialect, Directives, Listing, Part, Predictable, SANITIZED,
    Simulator, Since, SuiteRules, SuiteVariants, Suites, Timeouts,
};
use crate::kit::shard::Sharding;

const SUITES_8_4: Suites = Suites::new(&[
    MJSUNIT,
    MESSAGE,
    WEBKIT,
    INTL,
    DEBUGGER,
    SuiteRules { excluded_files: &["protocol-test.js"], ..INSPECTOR },
    TEST262,
    MOZILLA,
    CCTEST,
    UNITTESTS,
    FUZZER,
    BENCHMARKS,
    MKGROKDUMP,
    DEBUGGING,
    WASM_JS,
    WASM_SPEC_TESTS,
    WASM_API_TESTS,
]);

const JS_ONLY: &[&str] = &[".js"];

/// Until V8 7.6 the source of a test said that it is a module.
const MJSUNIT_7_6: SuiteRules = SuiteRules {
    extensions: JS_ONLY,
    excluded_files: &["mjsunit.js", "mjsunit_suppressions.js", "mjsunit_numfuzz.js"],
    directives: Directives { module: true, ..MJSUNIT.directives },
    ..MJSUNIT
};

const MESSAGE_7_6: SuiteRules = SuiteRules {
    extensions: JS_ONLY,
    directives: Directives { module: true, ..MESSAGE.directives },
    ..MESSAGE
};

const DEBUGGER_7_6: SuiteRules = SuiteRules {
    extensions: JS_ONLY,
    directives: Directives { module: true, ..DEBUGGER.directives },
    ..DEBUGGER
};

const INSPECTOR_7_6: SuiteRules =
    SuiteRules { extensions: JS_ONLY, excluded_files: &["protocol-test.js"], ..INSPECTOR };

/// Its templates' tests have neither a seed nor the mode's flags.
const PREPARSER: SuiteRules = SuiteRules {
    name: "preparser",
    listing: Listing::Templates { throws: "--throws", expectation: false, files: false },
    variants: SuiteVariants::Default,
    order: &[Part::Extra, Part::Files, Part::Variant, Part::Status],
    ..SUITE
};

const SUITES_7_8: Suites = Suites::new(&[
    MJSUNIT,
    MESSAGE,
    WEBKIT,
    INTL,
    DEBUGGER,
    SuiteRules { excluded_files: &["protocol-test.js"], ..INSPECTOR },
    TEST262,
    MOZILLA,
    CCTEST,
    UNITTESTS,
    FUZZER,
    BENCHMARKS,
    MKGROKDUMP,
    WASM_JS,
    WASM_SPEC_TESTS,
    WASM_API_TESTS,
    PREPARSER,
]);

const SUITES_7_6: Suites = Suites::new(&[
    MJSUNIT_7_6,
    MESSAGE_7_6,
    SuiteRules { extensions: JS_ONLY, ..WEBKIT },
    INTL_7_6,
    DEBUGGER_7_6,
    INSPECTOR_7_6,
    SuiteRules { extensions: JS_ONLY, ..TEST262 },
    SuiteRules { extensions: JS_ONLY, ..MOZILLA },
    CCTEST,
    UNITTESTS,
    FUZZER,
    BENCHMARKS,
    MKGROKDUMP,
    WASM_JS,
    SuiteRules { extensions: JS_ONLY, ..WASM_SPEC_TESTS },
    WASM_API_TESTS,
    PREPARSER,
]);

/// The environment's `LC_ALL` stays.
const INTL_7_6: SuiteRules = SuiteRules { extensions: JS_ONLY, unset_env: &[], ..INTL };

const INTL_7_1: SuiteRules = SuiteRules {
    excluded_files: &["assert.js", "utils.js", "regexp-assert.js", "regexp-prepare.js"],
    before: &["assert.js", "utils.js", "regexp-prepare.js"],
    after: &["regexp-assert.js"],
    ..INTL_7_6
};

/// Of 6.6 to 7.1. intl of 6.9 and before did not read `Environment Variables:` yet; no source there said it.
const SUITES_7_1: Suites = Suites::new(&[
    MJSUNIT_7_6,
    MESSAGE_7_6,
    SuiteRules { extensions: JS_ONLY, ..WEBKIT },
    INTL_7_1,
    DEBUGGER_7_6,
    INSPECTOR_7_6,
    SuiteRules { extensions: JS_ONLY, ..TEST262 },
    SuiteRules { extensions: JS_ONLY, ..MOZILLA },
    CCTEST,
    UNITTESTS,
    FUZZER,
    BENCHMARKS,
    MKGROKDUMP,
    SuiteRules { extensions: JS_ONLY, ..WASM_SPEC_TESTS },
    PREPARSER,
]);

const CONFIG_8_4: &[ConfigKey] = &[
    key("is_asan", "asan"),
    key("is_cfi", "cfi_vptr"),
    key("dcheck_always_on", "dcheck_always_on"),
    key("is_gcov_coverage", "gcov_coverage"),
    quiet("is_android", "is_android", false),
    quiet("is_clang", "is_clang", false),
    quiet("is_debug", "is_debug", false),
    quiet("is_full_debug", "is_full_debug", false),
    key("is_msan", "msan"),
    inverted("v8_enable_i18n_support", "no_i18n"),
    key("v8_enable_verify_predictable", "predictable"),
    key("is_tsan", "tsan"),
    key("is_ubsan_vptr", "ubsan_vptr"),
    key("v8_enable_verify_csa", "verify_csa"),
    key("v8_enable_lite_mode", "lite_mode"),
    key("v8_enable_pointer_compression", "pointer_compression"),
];

const CONFIG_7_0: &[ConfigKey] = &[
    key("is_asan", "asan"),
    key("is_cfi", "cfi_vptr"),
    key("dcheck_always_on", "dcheck_always_on"),
    key("is_gcov_coverage", "gcov_coverage"),
    quiet("is_android", "is_android", false),
    quiet("is_debug", "is_debug", false),
    key("is_msan", "msan"),
    inverted("v8_enable_i18n_support", "no_i18n"),
    inverted("v8_use_snapshot", "no_snap"),
    key("v8_enable_verify_predictable", "predictable"),
    key("is_tsan", "tsan"),
    key("is_ubsan_vptr", "ubsan_vptr"),
];

const MODE_LAST: &[Part] = &[
    Part::Files,
    Part::Seed,
    Part::Extra,
    Part::Variant,
    Part::Mode,
    Part::Source,
    Part::Suite,
    Part::Status,
];

/// The versions at which something changed.
pub(super) const VERSIONS: &[Since] = &[
    Since::new(6, 6, &V6_8),
    Since::new(6, 9, &V7_0),
    Since::new(7, 1, &V7_1),
    Since::new(7, 2, &V7_2),
    Since::new(7, 3, &V7_3),
    Since::new(7, 4, &V7_4),
    Since::new(7, 5, &V7_5),
    Since::new(7, 6, &V7_6),
    Since::new(7, 7, &V7_8),
    Since::new(7, 9, &V7_9),
    Since::new(8, 0, &V8_4),
    Since::new(8, 5, &V8_6),
    Since::new(8, 7, &V8_8),
    Since::new(8, 9, &V9_1),
];

/// V8 8.9 to 9.1.
pub const V9_1: Dialect =
    Dialect { name: "V8 9.1", timeouts: Timeouts { builds: BUILDS_9_1, ..TIMEOUTS_9_2 }, ..V9_2 };

const BUILDS_9_1: &[(&str, f64)] =
    &[("lite_mode", 2.0), ("predictable", 4.0), (SANITIZED, 1.5), ("is_full_debug", 4.0)];

/// V8 8.7 and 8.8.
pub const V8_8: Dialect = Dialect { name: "V8 8.8", lines_exit_code_counts: false, ..V9_1 };

/// V8 8.5 and 8.6.
pub const V8_6: Dialect = Dialect { name: "V8 8.6", suites: &SUITES_9_2, ..V8_4 };

const TIMEOUTS_8_4: Timeouts = Timeouts {
    slow_archs: &["arm", "arm64", "mips", "mipsel", "mips64", "mips64el", "s390", "s390x"],
    builds: BUILDS_9_1,
    ..TIMEOUTS_9_2
};

/// V8 8.0 to 8.4.
pub const V8_4: Dialect = Dialect {
    name: "V8 8.4",
    order: MODE_LAST,
    build: BuildRules {
        keys: ConfigKeys::Named(CONFIG_8_4),
        dchecks: Dchecks::StatusOnly,
        simulator: Simulator::Foreign(&[
            "arm64", "arm", "mipsel", "mips", "mips64", "mips64el", "ppc", "ppc64", "s390", "s390x",
        ]),
        ..V9_1.build
    },
    timeouts: TIMEOUTS_8_4,
    suites: &SUITES_8_4,
    lines_exit_code_counts: false,
    skip_linker_warnings: false,
    ..V9_2
};

/// V8 7.9: modules are tests of their own since 7.7.
pub const V7_9: Dialect = Dialect {
    name: "V8 7.9",
    runner_flags: &[],
    no_snapshot_flags: &["--no-turbo-verify-allocation"],
    timeouts: Timeouts { slow_arch: 4.0, ..TIMEOUTS_8_4 },
    suites: &SUITES_7_8,
    ..V8_4
};

/// V8 7.7 and 7.8.
pub const V7_8: Dialect =
    Dialect { name: "V8 7.8", asan_flags: &["--invoke-weak-callbacks", "--omit-quit"], ..V7_9 };

/// V8 7.6.
pub const V7_6: Dialect =
    Dialect { name: "V8 7.6", suites: &SUITES_7_6, message_basename_is_js: true, ..V7_8 };

/// V8 7.5.
pub const V7_5: Dialect = Dialect { name: "V8 7.5", timeouts: TIMEOUTS_7_0, ..V7_6 };

/// V8 7.4: tests are loaded as they are needed, and shards told by a hash.
pub const V7_4: Dialect = Dialect {
    name: "V8 7.4",
    predictable_flags: &["--predictable", "--verify_predictable", "--no-inline-new"],
    ..V7_5
};

/// V8 7.3.
pub const V7_3: Dialect = Dialect {
    name: "V8 7.3",
    sharding: Sharding::Tests,
    slow_variants: &["stress", "nooptimization"],
    ..V7_4
};

/// V8 7.2.
pub const V7_2: Dialect =
    Dialect { name: "V8 7.2", build: BuildRules { dchecks: Dchecks::Ignored, ..V7_3.build }, ..V7_3 };

/// V8 7.1.
pub const V7_1: Dialect = Dialect { name: "V8 7.1", suites: &SUITES_7_1, ..V7_2 };

const TIMEOUTS_7_0: Timeouts = Timeouts {
    default: 60.0,
    debug: 4.0,
    slow_arch: 2.0,
    slow_archs: &["arm", "mips", "mipsel", "mips64", "mips64el", "s390", "s390x", "arm64"],
    builds: &[("predictable", 2.0)],
    words: &[("--stress-opt", 4.0), ("--noenable-vfp3", 2.0)],
    words_in_source: true,
    slow: 1.0,
    always: 2.0,
};

/// V8 6.9 and 7.0.
pub const V7_0: Dialect = Dialect {
    name: "V8 7.0",
    gc_stress_flags: &[
        "--gc-interval=500",
        "--stress-compaction",
        "--concurrent-recompilation-queue-length=64",
        "--concurrent-recompilation-delay=500",
        "--concurrent-recompilation",
    ],
    predictable: Predictable::Positive,
    build: BuildRules { keys: ConfigKeys::Named(CONFIG_7_0), ..V7_1.build },
    ..V7_1
};

/// V8 6.6 to 6.8.
pub const V6_8: Dialect = Dialect { name: "V8 6.8", no_snapshot_flags: &[], ..V7_0 };
