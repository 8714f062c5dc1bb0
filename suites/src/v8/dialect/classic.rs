//! The rules of V8 3 to 5, whose runner had no test processors.

use super::older::V7_0;
use super::versions::{
    BENCHMARKS, CCTEST, DEBUGGER, FUZZER, INSPECTOR, INTL, MESSAGE, MJSUNIT, MKGROKDUMP, MOZILLA, SUITE,
    TEST262, UNITTESTS, WASM_SPEC_TESTS, WEBKIT, inverted, key, quiet,
};
use super::{
    BuildRules, ConfigKey, ConfigKeys, Dchecks, Dialect, Directives, Judging, Layout, Listing, NamedBy, Part,
    Predictable, Simulator, Since, SuiteRules, SuiteVariants, Suites, Timeouts,
};
use crate::expectations::{Syntax, Vocabulary};
use crate::kit::shard::Sharding;

/// The order of most suites: what was listed, what the status file and the variant add, the mode, the source. What
/// options add comes last.
const ORDER: &[Part] = &[
    Part::Seed,
    Part::Status,
    Part::Variant,
    Part::Suite,
    Part::Mode,
    Part::Source,
    Part::Files,
    Part::Extra,
];

/// Message tests have their source's flags first.
const SOURCE_FIRST: &[Part] =
    &[Part::Seed, Part::Status, Part::Variant, Part::Source, Part::Mode, Part::Files, Part::Extra];

/// What is generated has no mode's flags.
const NO_MODE: &[Part] = &[Part::Seed, Part::Files, Part::Status, Part::Variant, Part::Extra];

const JS: &[&str] = &[".js"];

const CLASSIC: SuiteRules = SuiteRules { extensions: JS, order: ORDER, ..SUITE };

const MJSUNIT_5: SuiteRules = SuiteRules {
    excluded_files: &["mjsunit.js"],
    directives: Directives { env: false, module: true, ..MJSUNIT.directives },
    extensions: JS,
    order: ORDER,
    ..MJSUNIT
};

const MESSAGE_5: SuiteRules = SuiteRules {
    directives: Directives { module: true, ..MESSAGE.directives },
    extensions: JS,
    order: SOURCE_FIRST,
    variants: SuiteVariants::And("preparser"),
    ..MESSAGE
};

const PREPARSER_5: SuiteRules = SuiteRules {
    name: "preparser",
    order: NO_MODE,
    listing: Listing::Templates { throws: "--throws", expectation: false, files: false },
    variants: SuiteVariants::Default,
    ..CLASSIC
};

/// Until V8 5.0 it had files with expectations as well.
const PREPARSER_4: SuiteRules = SuiteRules {
    listing: Listing::Templates { throws: "--throws", expectation: false, files: true },
    ..PREPARSER_5
};

const FUZZER_5: SuiteRules = SuiteRules {
    order: &[Part::Seed, Part::Files, Part::Extra],
    listing: Listing::Fuzzer {
        dirs: &["json", "parser", "regexp", "wasm", "wasm_asmjs"],
        named_by: NamedBy::First,
    },
    ..FUZZER
};

const BENCHMARKS_5: SuiteRules = SuiteRules { order: ORDER, variants: SuiteVariants::Fast, ..BENCHMARKS };

/// The suite's flags stand behind the mode's.
const MODE_FIRST: &[Part] =
    &[Part::Seed, Part::Status, Part::Variant, Part::Mode, Part::Suite, Part::Files, Part::Extra];

const CCTEST_5: SuiteRules = SuiteRules {
    order: &[Part::Seed, Part::Status, Part::Variant, Part::Files, Part::Mode, Part::Extra],
    ..CCTEST
};

const UNITTESTS_5: SuiteRules = SuiteRules {
    order: &[Part::Seed, Part::Status, Part::Variant, Part::Suite, Part::Mode, Part::Extra],
    ..UNITTESTS
};

const PROMISES_5: SuiteRules = SuiteRules {
    name: "promises-aplus",
    order: MODE_FIRST,
    test_dirs: &["promises-tests/lib/tests"],
    before: &["lib/global.js", "lib/require.js", "lib/mocha.js", "lib/adapter.js"],
    after: &["lib/run-tests.js"],
    flags: &["--allow-natives-syntax"],
    isolates: false,
    judging: Judging::Promises,
    ..CLASSIC
};

/// What it adds stands among its files.
const TEST262_5: SuiteRules = SuiteRules {
    extensions: JS,
    order: MODE_FIRST,
    test_dirs: &["data/test"],
    excluded_suffixes: &[],
    ..TEST262
};

const SIMDJS_5: SuiteRules = SuiteRules {
    name: "simdjs",
    order: MODE_FIRST,
    listing: Listing::SimdJs,
    judging: Judging::Failed,
    ..CLASSIC
};

const INTL_5: SuiteRules = SuiteRules {
    extensions: JS,
    order: ORDER,
    excluded_files: &["assert.js", "utils.js", "regexp-assert.js", "regexp-prepare.js"],
    before: &["assert.js", "utils.js", "regexp-prepare.js"],
    after: &["regexp-assert.js"],
    directives: Directives { flags: true, ..CLASSIC.directives },
    unset_env: &[],
    ..INTL
};

/// Until V8 5.0.
const INTL_4: SuiteRules = SuiteRules { before: &["assert.js", "utils.js"], after: &[], ..INTL_5 };

/// In V8 6.5 the files came first.
const FILES_FIRST: &[Part] = &[
    Part::Seed,
    Part::Files,
    Part::Extra,
    Part::Variant,
    Part::Status,
    Part::Suite,
    Part::Mode,
    Part::Source,
];

const fn files_first(rules: SuiteRules) -> SuiteRules {
    SuiteRules { order: FILES_FIRST, ..rules }
}

const SUITES_6_5: Suites = Suites::new(&[
    files_first(MJSUNIT_5),
    files_first(MESSAGE_5),
    files_first(SuiteRules { extensions: JS, ..WEBKIT }),
    files_first(INTL_5),
    files_first(DEBUGGER_5),
    files_first(INSPECTOR_6),
    PREPARSER_5,
    FUZZER_5,
    BENCHMARKS_5,
    CCTEST_5,
    UNITTESTS_5,
    SuiteRules { order: &[Part::Seed, Part::Files, Part::Extra], ..MKGROKDUMP },
]);

const fn suites(intl: SuiteRules, preparser: SuiteRules, inspector: SuiteRules) -> [SuiteRules; 18] {
    [
        MJSUNIT_5,
        MESSAGE_5,
        SuiteRules { extensions: JS, order: ORDER, ..WEBKIT },
        intl,
        preparser,
        FUZZER_5,
        BENCHMARKS_5,
        SuiteRules { order: MODE_FIRST, extensions: JS, ..MOZILLA },
        CCTEST_5,
        UNITTESTS_5,
        SuiteRules {
            name: "inspector_protocol_parser_test",
            shell: "inspector_protocol_parser_test",
            ..UNITTESTS_5
        },
        PROMISES_5,
        SIMDJS_5,
        TEST262_5,
        DEBUGGER_5,
        inspector,
        SuiteRules { order: &[Part::Seed, Part::Files, Part::Extra], ..MKGROKDUMP },
        SuiteRules {
            extensions: JS,
            order: ORDER,
            source_flags: &[],
            proposals: false,
            test_dirs: SUITE.test_dirs,
            ..WASM_SPEC_TESTS
        },
    ]
}

const SUITES_6: Suites = Suites::new(&suites(INTL_5, PREPARSER_5, INSPECTOR_6));
const SUITES_5_4: Suites = Suites::new(&suites(INTL_5, PREPARSER_5, INSPECTOR_5));
const SUITES_4: Suites = Suites::new(&suites(INTL_4, PREPARSER_4, INSPECTOR_5));

/// From V8 5.7 on.
const DEBUGGER_5: SuiteRules = SuiteRules {
    extensions: JS,
    order: ORDER,
    directives: Directives { module: true, ..DEBUGGER.directives },
    ..DEBUGGER
};

/// From V8 5.6 on.
const INSPECTOR_6: SuiteRules = SuiteRules {
    extensions: JS,
    order: ORDER,
    excluded_files: &["protocol-test.js"],
    directives: Directives { quoted: true, ..INSPECTOR.directives },
    ..INSPECTOR
};

/// At first it had no flags but its source's, which stood behind the files.
const INSPECTOR_5: SuiteRules = SuiteRules {
    order: &[Part::Seed, Part::Files, Part::Source, Part::Extra],
    directives: INSPECTOR.directives,
    ..INSPECTOR_6
};

const SUITES_3_14: Suites = Suites::new(&suites_3(SOURCE_FIRST));
const SUITES_3_20: Suites = Suites::new(&suites_3(ORDER));

const fn suites_3(mjsunit: &'static [Part]) -> [SuiteRules; 5] {
    [
        SuiteRules {
            directives: Directives { env: false, ..MJSUNIT.directives },
            harness_optional: false,
            order: mjsunit,
            ..MJSUNIT_5
        },
        SuiteRules {
            directives: MESSAGE.directives,
            variants: SuiteVariants::All,
            removed_flags: &[],
            ..MESSAGE_5
        },
        SuiteRules {
            shell: "preparser",
            shell_flags: &[],
            listing: Listing::Templates { throws: "throws", expectation: true, files: true },
            ..PREPARSER_5
        },
        CCTEST_5,
        SuiteRules { extensions: JS, order: ORDER, ..WEBKIT },
    ]
}

const CONFIG_5_4: &[ConfigKey] = &[
    key("is_asan", "asan"),
    key("dcheck_always_on", "dcheck_always_on"),
    quiet("is_debug", "is_debug", false),
    key("is_msan", "msan"),
    inverted("v8_enable_i18n_support", "no_i18n"),
    inverted("v8_use_snapshot", "no_snap"),
    key("is_tsan", "tsan"),
];

/// The versions at which something changed.
pub(super) const VERSIONS: &[Since] = &[
    Since::new(3, 21, &V3_25),
    Since::new(3, 26, &V3_31),
    Since::new(4, 0, &V5_0),
    Since::new(5, 1, &V5_2),
    Since::new(5, 3, &V5_4),
    Since::new(6, 0, &V6_3),
    Since::new(6, 5, &V6_5),
];

/// The same of trees whose status files are written in lines of their own.
pub(super) const VERSIONS_IN_LINES: &[Since] = &[Since::new(3, 14, &V3_14), Since::new(3, 15, &V3_20)];

/// V8 5.4 and its neighbours, from the status files in Python (2013) to the test processors (2017).
pub const V5_4: Dialect = Dialect {
    name: "V8 5.4",
    order: ORDER,
    debug_flags: &[
        "--nohard-abort",
        "--nodead-code-elimination",
        "--nofold-constants",
        "--enable-slow-asserts",
        "--debug-code",
        "--verify-heap",
    ],
    release_flags: &["--nohard-abort", "--nodead-code-elimination", "--nofold-constants"],
    no_snapshot_flags: &[],
    predictable: Predictable::All,
    build: BuildRules {
        keys: ConfigKeys::Named(CONFIG_5_4),
        dchecks: Dchecks::Ignored,
        simulator: Simulator::Foreign(&[
            "arm64", "arm", "mipsel", "mips", "mips64", "mips64el", "ppc", "ppc64",
        ]),
        ..V7_0.build
    },
    timeouts: Timeouts {
        default: 60.0,
        debug: 4.0,
        slow_arch: 2.0,
        slow_archs: &[
            "android_arm",
            "android_arm64",
            "android_ia32",
            "android_x64",
            "arm",
            "mips",
            "mipsel",
            "mips64",
            "mips64el",
            "s390",
            "s390x",
            "x87",
            "arm64",
        ],
        builds: &[("predictable", 2.0)],
        words: &[("--stress-opt", 4.0), ("--noenable-vfp3", 2.0)],
        words_in_source: false,
        slow: 2.0,
        always: 1.0,
    },
    suites: &SUITES_5_4,
    slow_variants: &["stress"],
    variants: &[
        ("default", &[]),
        ("stress", &["--stress-opt", "--always-opt"]),
        ("turbofan", &["--turbo"]),
        ("turbofan_opt", &["--turbo", "--always-opt"]),
        ("nocrankshaft", &["--nocrankshaft"]),
        ("ignition", &["--ignition"]),
        ("ignition_staging", &["--ignition-staging"]),
        ("ignition_turbofan", &["--ignition-staging", "--turbo"]),
        ("preparser", &["--min-preparse-length=0"]),
    ],
    aliases: &[
        ("dev", &["default", "turbofan", "ignition_staging"]),
        ("more", &["ignition", "stress", "turbofan_opt"]),
        ("extra", &["nocrankshaft"]),
        ("exhaustive", &["default", "turbofan", "ignition_staging", "ignition", "stress", "turbofan_opt"]),
    ],
    feature_flags: &[],
    layout: Layout::PerMode,
    vocabulary: Vocabulary::Classic,
    quoted_flags: false,
    keeps_extra_flags: true,
    sharding: Sharding::Subtests,
    template_exit_code_counts: false,
    lines_exit_code_counts: false,
    lines_skip_hashes: false,
    ..V7_0
};

/// V8 6.0 to 6.4.
pub const V6_3: Dialect = Dialect { name: "V8 6.3", suites: &SUITES_6, ..V5_4 };

/// V8 6.5, between two runners.
pub const V6_5: Dialect = Dialect {
    name: "V8 6.5",
    suites: &SUITES_6_5,
    timeouts: Timeouts { slow: 1.0, always: 2.0, ..V5_4.timeouts },
    ..V6_3
};

/// V8 5.1 and 5.2: Ignition could be an option rather than a variant.
pub const V5_2: Dialect = Dialect { name: "V8 5.2", variables: &["ignition"], ..V5_4 };

/// V8 4 and 5.0.
pub const V5_0: Dialect = Dialect { name: "V8 5.0", suites: &SUITES_4, ..V5_2 };

/// V8 3.21 to 3.31: slow tests had no more time.
pub const V3_31: Dialect =
    Dialect { name: "V8 3.31", timeouts: Timeouts { slow: 1.0, ..V5_4.timeouts }, ..V5_0 };

/// V8 3.21 to 3.25: tests were told no seed.
pub const V3_25: Dialect = Dialect { name: "V8 3.25", passes_seed: false, ..V3_31 };

/// V8 3.14 and its neighbours (2012): status files in lines of their own.
pub const V3_14: Dialect = Dialect {
    name: "V8 3.14",
    order: SOURCE_FIRST,
    debug_flags: &[
        "--nobreak-on-abort",
        "--nodead-code-elimination",
        "--enable-slow-asserts",
        "--debug-code",
        "--verify-heap",
    ],
    release_flags: &["--nobreak-on-abort", "--nodead-code-elimination"],
    gc_stress_flags: &[],
    timeouts: Timeouts {
        slow_archs: &["android_arm", "android_ia32", "arm", "mipsel", "mips"],
        words: &[("--stress-opt", 4.0)],
        slow: 1.0,
        ..V5_4.timeouts
    },
    suites: &SUITES_3_14,
    variants: &[
        ("default", &[]),
        ("stress", &["--stress-opt", "--always-opt"]),
        ("nocrankshaft", &["--nocrankshaft"]),
    ],
    aliases: &[
        ("dev", &["default", "stress", "nocrankshaft"]),
        ("exhaustive", &["default", "stress", "nocrankshaft"]),
    ],
    status_syntax: Syntax::Lines,
    skips_slow: true,
    passes_seed: false,
    default_suites_always: true,
    ..V5_4
};

/// V8 3.15 to 3.20.
pub const V3_20: Dialect = Dialect { name: "V8 3.20", suites: &SUITES_3_20, ..V3_14 };
