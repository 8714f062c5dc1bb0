//! The rules of V8 9.3 and later, each told from those of the version before.
//!
//! Sources: V8's `tools/testrunner` and `test/*/testcfg.py` at the last commit of each minor version. A rule stands here
//! if a tree has it in code; what a tree has as data is read from the tree.

use super::builtin::VARIANTS_13_8;
use super::versions::{
    BENCHMARKS, CCTEST, FUZZER, INSPECTOR, MESSAGE, MJSUNIT, MKGROKDUMP, SUITE, SUITES_9_2, TEST262,
    TIMEOUTS_9_2, UNITTESTS, V9_2, WASM_SPEC_TESTS,
};
use super::{
    BuildRules, ConfigKeys, Contradictions, Dialect, Directives, Judging, Listing, NamedBy, NoSimd, Property,
    SANITIZED, Simulator, Since, SuiteRules, SuiteVariants, Suites, TERM_GRACE, Templates, Test262Rules,
    Timeouts, Version,
};
use crate::files::binary::Format;

/// The newest version whose rules are known.
pub const NEWEST_KNOWN: Version = Version::new(13, 8);

/// The rules of that version.
pub const NEWEST: Dialect = V13_8;

/// The versions at which something changed.
pub const VERSIONS: &[Since] = &[
    Since::new(9, 3, &V9_3),
    Since::new(9, 5, &V9_5),
    Since::new(9, 9, &V9_9),
    Since::new(10, 1, &V10_1),
    Since::new(10, 3, &V10_3),
    Since::new(10, 4, &V10_4),
    Since::new(10, 5, &V10_5),
    Since::new(10, 6, &V10_6),
    Since::new(10, 7, &V10_7),
    Since::new(10, 9, &V10_9),
    Since::new(11, 0, &V11_0),
    Since::new(11, 1, &V11_1),
    Since::new(11, 3, &V11_3),
    Since::new(11, 4, &V11_4),
    Since::new(11, 5, &V11_5),
    Since::new(11, 6, &V11_6),
    Since::new(11, 7, &V11_7),
    Since::new(11, 8, &V11_8),
    Since::new(12, 0, &V12_0),
    Since::new(12, 1, &V12_1),
    Since::new(12, 2, &V12_2),
    Since::new(12, 3, &V12_3),
    Since::new(12, 6, &V12_6),
    Since::new(12, 7, &V12_7),
    Since::new(12, 8, &V12_8),
    Since::new(12, 9, &V12_9),
    Since::new(13, 2, &V13_2),
    Since::new(13, 3, &V13_3),
    Since::new(13, 5, &V13_5),
    Since::new(13, 7, &V13_7),
    Since::new(13, 8, &V13_8),
];

const SUITES_9_3: Suites = Suites::with(&SUITES_9_2, &[BIGINT, FUZZILLI]);

/// Its program lists words; that it has a `VariantsGenerator` for the variant `default` has no effect in V8.
const BIGINT: SuiteRules = SuiteRules {
    name: "bigint",
    shell: "bigint_shell",
    shell_flags: &[],
    listing: Listing::Binary(Format::Words),
    ..SUITE
};

/// It looks for files of no extension at all, and so has no tests.
const FUZZILLI: SuiteRules = SuiteRules { name: "fuzzilli", listing: Listing::Nothing, ..SUITE };

/// V8 9.3 and 9.4: flags contradict their own negations; HEAVY tests, which count as SLOW.
const V9_3: Dialect = Dialect {
    name: "V8 9.3",
    suites: &SUITES_9_3,
    contradictions: Contradictions { negations: true, ..V9_2.contradictions },
    heavy_is_slow: true,
    timeouts: Timeouts { builds: BUILDS_9_3, ..TIMEOUTS_9_2 },
    ..V9_2
};

const BUILDS_9_3: &[(&str, f64)] =
    &[("lite_mode", 2.0), ("predictable", 4.0), ("tsan", 2.0), (SANITIZED, 1.5), ("is_full_debug", 4.0)];

/// V8 9.5 to 9.8.
const V9_5: Dialect = Dialect {
    name: "V8 9.5",
    build: BuildRules {
        no_simd: NoSimd { archs: &["loong64", "riscv64"], ..V9_3.build.no_simd },
        ..V9_3.build
    },
    ..V9_3
};

const SUITES_9_9: Suites = Suites::with(&SUITES_9_3, &[SuiteRules { source_flags: &[], ..WASM_SPEC_TESTS }]);

/// V8 9.9 and 10.0: the list of flags that switch SIMD off has all its commas.
const V9_9: Dialect = Dialect {
    name: "V8 9.9",
    suites: &SUITES_9_9,
    build: BuildRules {
        no_simd: NoSimd {
            flags: &[
                "--noenable-sse3",
                "--no-enable-sse3",
                "--noenable-ssse3",
                "--no-enable-ssse3",
                "--noenable-sse4-1",
                "--no-enable-sse4_1",
            ],
            archs: &["loong64"],
            ..V9_5.build.no_simd
        },
        ..V9_5.build
    },
    ..V9_5
};

const SUITES_10_1: Suites =
    Suites::with(&SUITES_9_9, &[SuiteRules { source_flags: &["--no-stress-opt"], ..MESSAGE }]);

/// V8 10.1 and 10.2: message tests say that they are not to be stressed, which contradicts the variant that stresses
/// them.
const V10_1: Dialect = Dialect { name: "V8 10.1", suites: &SUITES_10_1, ..V9_9 };

const SUITES_10_3: Suites =
    Suites::with(&SUITES_10_1, &[SuiteRules { listing: Listing::Binary(Format::Marked), ..CCTEST }]);

/// V8 10.3.
const V10_3: Dialect = Dialect {
    name: "V8 10.3",
    suites: &SUITES_10_3,
    timeouts: Timeouts {
        words: &[("--stress-opt", 4.0), ("--jitless", 2.0), ("--no-turbofan", 2.0), ("--noenable-vfp3", 2.0)],
        ..V10_1.timeouts
    },
    ..V10_1
};

/// V8 10.4.
const V10_4: Dialect = Dialect { name: "V8 10.4", blank_webkit_passes: true, ..V10_3 };

/// V8 10.5: outcomes leave tests out behind the variants only.
const V10_5: Dialect = Dialect { name: "V8 10.5", filters_before_variants: false, ..V10_4 };

/// V8 10.6: SIGTERM comes before SIGKILL at a test's deadline.
const V10_6: Dialect = Dialect {
    name: "V8 10.6",
    term_grace: Some(TERM_GRACE),
    build: BuildRules {
        no_simd: NoSimd { archs: &["loong64", "riscv32"], ..V10_5.build.no_simd },
        ..V10_5.build
    },
    ..V10_5
};

const SUITES_10_7: Suites = Suites::with(&SUITES_10_3, &[MESSAGE, TEST262_10_7]);

const TEST262_10_7: SuiteRules =
    SuiteRules { excluded_dirs_without_i18n: &["intl402", "Intl402"], ..TEST262 };

/// V8 10.7 and 10.8.
const V10_7: Dialect = Dialect {
    name: "V8 10.7",
    suites: &SUITES_10_7,
    timeouts: Timeouts {
        words: &[("--jitless", 2.0), ("--no-turbofan", 2.0), ("--noenable-vfp3", 2.0)],
        ..V10_6.timeouts
    },
    ..V10_6
};

/// V8 10.9.
const V10_9: Dialect =
    Dialect { name: "V8 10.9", test262: Test262Rules { raw_has_no_harness: true, ..V10_7.test262 }, ..V10_7 };

const UNITTESTS_11_0: SuiteRules = SuiteRules { variants: SuiteVariants::Additional, ..UNITTESTS };
const SUITES_11_0: Suites = Suites::with(&SUITES_10_7, &[UNITTESTS_11_0]);

/// V8 11.0.
const V11_0: Dialect = Dialect { name: "V8 11.0", suites: &SUITES_11_0, ..V10_9 };

const SUITES_11_1: Suites = Suites::with(
    &SUITES_11_0,
    &[SuiteRules {
        excluded_files: &[
            "protocol-test.js",
            "wasm-inspector-test.js",
            "private-class-member-inspector-test.js",
        ],
        ..INSPECTOR
    }],
);

/// V8 11.1 and 11.2: which checks a debug build gets depends on what was built in.
const V11_1: Dialect = Dialect {
    name: "V8 11.1",
    suites: &SUITES_11_1,
    debug_flags: &["--nohard-abort"],
    debug_flags_of: &[
        (Property::VerifyHeap, "--verify-heap"),
        (Property::SlowDchecks, "--enable-slow-asserts"),
    ],
    ..V11_0
};

const UNITTESTS_11_3: SuiteRules = SuiteRules { shell: "v8_unittests", ..UNITTESTS_11_0 };
const SUITES_11_3: Suites = Suites::with(&SUITES_11_1, &[UNITTESTS_11_3]);

/// V8 11.3.
const V11_3: Dialect = Dialect {
    name: "V8 11.3",
    suites: &SUITES_11_3,
    test262: Test262Rules { async_file: Some("harness-done.js"), ..V11_1.test262 },
    ..V11_1
};

const EXPERIMENTAL: &str =
    "V8 is running with experimental features enabled. Stability and security will suffer.";

/// V8 11.4.
const V11_4: Dialect = Dialect {
    name: "V8 11.4",
    templates: Templates { ignored_lines: &[EXPERIMENTAL], ..V11_3.templates },
    test262: Test262Rules { splits_feature_flags: true, ..V11_3.test262 },
    ..V11_3
};

/// What V8's runner asks of a build by itself (V8 13.8 `tools/testrunner/testdata/v8_build_config.json`); what a table
/// of the tree asks for comes on top.
const REQUIRED: &[&str] = &[
    "arch",
    "asan",
    "cfi",
    "dcheck_always_on",
    "debugging_features",
    "full_debug",
    "i18n",
    "is_android",
    "is_ios",
    "lite_mode",
    "msan",
    "simulator_run",
    "tsan",
    "ubsan",
    "use_sanitizer",
    "verify_predictable",
];

/// The keys of V8 11.5 to 13.8 (BUILD.gn, `v8_dump_build_config`), as an ordinary release build for x64 has them.
const UNBUILT: &[(&str, bool)] = &[
    ("DEBUG_defined", false),
    ("asan", false),
    ("atomic_object_field_writes", true),
    ("cet_shadow_stack", false),
    ("cfi", false),
    ("clang", true),
    ("clang_coverage", false),
    ("code_comments", false),
    ("component_build", false),
    ("concurrent_marking", true),
    ("conservative_stack_scanning", false),
    ("dcheck_always_on", false),
    ("debug_code", false),
    ("debugging_features", false),
    ("dict_property_const_tracking", false),
    ("direct_handle", false),
    ("direct_local", false),
    ("disassembler", false),
    ("full_debug", false),
    ("gdbjit", false),
    ("has_jitless", false),
    ("has_maglev", true),
    ("has_turbofan", true),
    ("has_wasm_interpreter", false),
    ("has_webassembly", true),
    ("i18n", true),
    ("is_android", false),
    ("is_ios", false),
    ("js_shared_memory", true),
    ("leaptiering", true),
    ("lite_mode", false),
    ("local_off_stack_check", false),
    ("lower_limits_mode", false),
    ("memory_corruption_api", false),
    ("mips_use_msa", false),
    ("msan", false),
    ("official_build", false),
    ("pointer_compression", true),
    ("pointer_compression_shared_cage", true),
    ("runtime_call_stats", false),
    ("sandbox", true),
    ("shared_ro_heap", true),
    ("simd_mips", false),
    ("simulator_run", false),
    ("single_generation", false),
    ("slow_dchecks", false),
    ("temporal", true),
    ("third_party_heap", false),
    ("tsan", false),
    ("ubsan", false),
    ("use_sanitizer", false),
    ("v8_cfi", false),
    ("verify_csa", false),
    ("verify_heap", false),
    ("verify_predictable", false),
    ("wasm_random_fuzzers", true),
];

const PROPERTIES_11_5: &[(Property, &str)] = &[
    (Property::Android, "is_android"),
    (Property::Asan, "asan"),
    (Property::Cfi, "cfi"),
    (Property::ComponentBuild, "component_build"),
    (Property::Dchecks, "dcheck_always_on"),
    (Property::Debug, "debugging_features"),
    (Property::Ios, "is_ios"),
    (Property::Msan, "msan"),
    (Property::NoI18n, "!i18n"),
    (Property::Predictable, "verify_predictable"),
    (Property::SlowDchecks, "slow_dchecks"),
    (Property::Tsan, "tsan"),
    (Property::Ubsan, "ubsan"),
    (Property::VerifyHeap, "verify_heap"),
];

const RENAMED: &[(&str, &str)] = &[
    ("cfi_vptr", "cfi"),
    ("control_flow_integrity", "v8_cfi"),
    ("gcov_coverage", "clang_coverage"),
    ("is_clang", "clang"),
    ("is_full_debug", "full_debug"),
    ("no_i18n", "!i18n"),
    ("predictable", "verify_predictable"),
    ("ubsan_vptr", "ubsan"),
];

const BUILDS_11_5: &[(&str, f64)] =
    &[("full_debug", 4.0), ("lite_mode", 2.0), ("tsan", 2.0), (SANITIZED, 1.5), ("verify_predictable", 4.0)];

/// V8 11.5: every key of a build's configuration is a status variable.
const V11_5: Dialect = Dialect {
    name: "V8 11.5",
    build: BuildRules {
        keys: ConfigKeys::Every { required: REQUIRED, unbuilt: UNBUILT },
        arch_key: "arch",
        properties: PROPERTIES_11_5,
        renamed: RENAMED,
        simulator: Simulator::Key("simulator_run"),
        ..V11_4.build
    },
    timeouts: Timeouts { builds: BUILDS_11_5, ..V11_4.timeouts },
    ..V11_4
};

/// V8 11.6.
const V11_6: Dialect = Dialect {
    name: "V8 11.6",
    build: BuildRules { no_simd: NoSimd { archs: &["loong64"], ..V11_5.build.no_simd }, ..V11_5.build },
    templates: Templates { addresses: true, ..V11_5.templates },
    ..V11_5
};

const SUITES_11_7: Suites = Suites::with(
    &SUITES_11_3,
    &[
        SuiteRules { judging: Judging::PlausibleGrokDump, ..MKGROKDUMP },
        SuiteRules { listing: Listing::Benchmarks { second_gbemu: false }, ..BENCHMARKS },
    ],
);

/// V8 11.7.
const V11_7: Dialect = Dialect { name: "V8 11.7", suites: &SUITES_11_7, ..V11_6 };

/// V8 11.8 and 11.9.
const V11_8: Dialect = Dialect {
    name: "V8 11.8",
    test262: Test262Rules { async_must_complete: true, ..V11_7.test262 },
    ..V11_7
};

/// V8 12.0.
const V12_0: Dialect = Dialect { name: "V8 12.0", flaky_fails: true, writes_logs: true, ..V11_8 };

/// V8 12.1: HEAVY tests come first, and have no more time than others.
const V12_1: Dialect = Dialect { name: "V8 12.1", heavy_is_slow: false, heavy_first: true, ..V12_0 };

/// V8 12.2.
const V12_2: Dialect = Dialect {
    name: "V8 12.2",
    asan_flags_for_d8: true,
    asan_options_of_components: &["detect_odr_violation=0"],
    ..V12_1
};

/// The seed of fuzz tests that run as ordinary tests: 43 times the letter A.
const UNITTESTS_12_3: SuiteRules = SuiteRules {
    env: &[("FUZZTEST_PRNG_SEED", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
    ..UNITTESTS_11_3
};
const SUITES_12_3: Suites = Suites::with(&SUITES_11_7, &[UNITTESTS_12_3]);

/// V8 12.3 to 12.5.
const V12_3: Dialect = Dialect { name: "V8 12.3", suites: &SUITES_12_3, ..V12_2 };

/// V8 12.6.
const V12_6: Dialect = Dialect {
    name: "V8 12.6",
    templates: Templates {
        ignored_lines: &[EXPERIMENTAL, "Concurrent maglev has been disabled for tracing."],
        ..V12_3.templates
    },
    ..V12_3
};

/// V8 12.7.
const V12_7: Dialect = Dialect {
    name: "V8 12.7",
    contradictions: Contradictions { same_flag_agrees: true, ..V12_6.contradictions },
    test262: Test262Rules { local_staging_once: true, ..V12_6.test262 },
    ..V12_6
};

/// V8 12.8.
const V12_8: Dialect = Dialect {
    name: "V8 12.8",
    predictable_flags: &["--predictable", "--verify-predictable", "--no-inline-new", "--omit-quit"],
    ..V12_7
};

/// V8 12.9 to 13.1.
const V12_9: Dialect = Dialect {
    name: "V8 12.9",
    test262: Test262Rules { module_source_file: Some("harness-abstractmodulesource.js"), ..V12_8.test262 },
    ..V12_8
};

const BUILDS_13_2: &[(&str, f64)] =
    &[("full_debug", 4.0), ("lite_mode", 2.0), ("tsan", 2.0), (SANITIZED, 1.5), ("verify_predictable", 8.0)];

/// V8 13.2: all flags of a command line can contradict each other.
const V13_2: Dialect = Dialect {
    name: "V8 13.2",
    contradictions: Contradictions { whole_command: true, ..V12_9.contradictions },
    // That of the device, on Android.
    none_variables: &["device_type"],
    timeouts: Timeouts { builds: BUILDS_13_2, ..V12_9.timeouts },
    ..V12_9
};

const FUZZER_13_3: SuiteRules = SuiteRules {
    listing: Listing::Fuzzer {
        dirs: &[
            "inspector",
            "json",
            "parser",
            "regexp",
            "regexp_builtins",
            "multi_return",
            "wasm/module",
            "wasm/async",
            "wasm/code",
            "wasm/compile",
            "wasm/compile_all",
            "wasm/compile_simd",
            "wasm/compile_wasmgc",
            "wasm/compile_revec",
            "wasm/init_expr",
            "wasm/streaming",
        ],
        named_by: NamedBy::All,
    },
    ..FUZZER
};
const SUITES_13_3: Suites = Suites::with(
    &SUITES_12_3,
    &[FUZZER_13_3, SuiteRules { source_flags: &["--experimental-wasm-exnref"], ..WASM_SPEC_TESTS }],
);

/// V8 13.3 and 13.4.
const V13_3: Dialect = Dialect { name: "V8 13.3", suites: &SUITES_13_3, ..V13_2 };

const SUITES_13_5: Suites =
    Suites::with(&SUITES_13_3, &[SuiteRules { judging: Judging::Fuzzer, ..FUZZER_13_3 }]);

/// V8 13.5 and 13.6.
const V13_5: Dialect = Dialect {
    name: "V8 13.5",
    suites: &SUITES_13_5,
    templates: Templates { negative_numbers: true, ..V13_3.templates },
    ..V13_3
};

const FILECHECK: SuiteRules = SuiteRules {
    name: "filecheck",
    directives: Directives { flags: true, ..SUITE.directives },
    isolates: false,
    judging: Judging::FileCheck,
    ..SUITE
};
const SUITES_13_7: Suites = Suites::with(&SUITES_13_5, &[FILECHECK]);

/// V8 13.7.
const V13_7: Dialect = Dialect { name: "V8 13.7", suites: &SUITES_13_7, ..V13_5 };

/// The harness comes before what `// Files:` names.
const SUITES_13_8: Suites = Suites::with(&SUITES_13_7, &[SuiteRules { files_first: false, ..MJSUNIT }]);

const MORE_13_8: [&str; 4] =
    ["stress", "stress_js_bg_compile_wasm_code_gc", "stress_incremental_marking", "future"];

/// V8 13.8.
const V13_8: Dialect = Dialect {
    name: "V8 13.8",
    suites: &SUITES_13_8,
    arm64_symbolizer: Some("tools/sanitizers/linux/arm64/llvm-symbolizer"),
    variants: VARIANTS_13_8,
    aliases: &[
        ("dev", &["default"]),
        ("more", &MORE_13_8),
        (
            "exhaustive",
            &[
                "stress",
                "stress_js_bg_compile_wasm_code_gc",
                "stress_incremental_marking",
                "future",
                "default",
            ],
        ),
        (
            "extra",
            &[
                "jitless",
                "nooptimization",
                "no_wasm_traps",
                "instruction_scheduling",
                "always_sparkplug_and_stress_regexp_jit",
                "turboshaft",
            ],
        ),
    ],
    ..V13_7
};
