//! The rules of V8 9.2, from which all others are told.

use super::builtin::VARIANTS_9_2;
use super::{
    BuildRules, ConfigKey, ConfigKeys, Contradictions, Dchecks, Dialect, Directives, Judging, Layout,
    Listing, NamedBy, NoSimd, Part, Predictable, Property, SANITIZED, Simulator, Since, SuiteRules,
    SuiteVariants, Suites, Templates, Test262Rules, Timeouts,
};
use crate::expectations::{Syntax, Vocabulary};
use crate::files::binary::Format;
use crate::kit::shard::Sharding;

/// Most suites are like this one, and say only what is different.
pub(super) const SUITE: SuiteRules = SuiteRules {
    name: "",
    shell: "d8",
    shell_flags: &["--test"],
    test_dirs: &[""],
    extensions: &[".js", ".mjs"],
    excluded_files: &[],
    excluded_dirs: &[],
    excluded_dirs_without_i18n: &[],
    excluded_suffixes: &[],
    before: &[],
    after: &[],
    number_fuzzer_file: None,
    harness_optional: false,
    files_first: true,
    directives: NO_DIRECTIVES,
    flags: &[],
    removed_flags: &[],
    isolates: true,
    judging: Judging::ExitCode,
    env: &[],
    unset_env: &[],
    order: &[],
    listing: Listing::Files,
    variants: SuiteVariants::All,
    top_dirs: &[],
    script_of_dirs: None,
    source_flags: &[],
    proposals: false,
};

const NO_DIRECTIVES: Directives = Directives {
    flags: false,
    files: false,
    env: false,
    file_name: false,
    module: false,
    meta: false,
    quoted: false,
};

pub(super) const MJSUNIT: SuiteRules = SuiteRules {
    name: "mjsunit",
    excluded_files: &["mjsunit.js", "mjsunit_numfuzz.js"],
    before: &["mjsunit.js"],
    number_fuzzer_file: Some("mjsunit_numfuzz.js"),
    harness_optional: true,
    directives: Directives { flags: true, files: true, env: true, file_name: true, ..NO_DIRECTIVES },
    ..SUITE
};

pub(super) const MESSAGE: SuiteRules = SuiteRules {
    name: "message",
    directives: Directives { flags: true, ..NO_DIRECTIVES },
    removed_flags: &["--enable-slow-asserts"],
    isolates: false,
    judging: Judging::Template,
    ..SUITE
};

pub(super) const WEBKIT: SuiteRules = SuiteRules {
    name: "webkit",
    excluded_dirs: &["resources"],
    before: &["resources/standalone-pre.js"],
    after: &["resources/standalone-post.js"],
    directives: Directives { flags: true, files: true, file_name: true, ..NO_DIRECTIVES },
    judging: Judging::Lines { comments: true },
    ..SUITE
};

pub(super) const INTL: SuiteRules = SuiteRules {
    name: "intl",
    excluded_files: &["assert.js", "utils.js"],
    before: &["assert.js", "utils.js"],
    directives: Directives { flags: true, env: true, ..NO_DIRECTIVES },
    flags: &["--allow-natives-syntax"],
    // V8's runner deletes it from its own environment (https://crbug.com/v8/8845).
    unset_env: &["LC_ALL"],
    ..SUITE
};

pub(super) const DEBUGGER: SuiteRules = SuiteRules {
    name: "debugger",
    excluded_files: &["test-api.js"],
    before: &["../mjsunit/mjsunit.js", "test-api.js"],
    files_first: false,
    directives: Directives { flags: true, files: true, ..NO_DIRECTIVES },
    flags: &["--enable-inspector", "--allow-natives-syntax"],
    ..SUITE
};

pub(super) const INSPECTOR: SuiteRules = SuiteRules {
    name: "inspector",
    shell: "inspector-test",
    shell_flags: &[],
    excluded_files: &["protocol-test.js", "wasm-inspector-test.js"],
    excluded_dirs: &["resources"],
    before: &["protocol-test.js"],
    directives: Directives { flags: true, ..NO_DIRECTIVES },
    isolates: false,
    judging: Judging::Lines { comments: false },
    ..SUITE
};

pub(super) const TEST262: SuiteRules = SuiteRules {
    name: "test262",
    test_dirs: &["data/test", "local-tests/test"],
    excluded_dirs_without_i18n: &["intl402"],
    excluded_suffixes: &["_FIXTURE.js"],
    before: &["data/harness/sta.js", "data/harness/assert.js", "harness-adapt.js"],
    isolates: false,
    judging: Judging::Test262,
    ..SUITE
};

/// The parts of what gets neither the mode's flags nor the variant's.
const PLAIN: &[Part] = &[Part::Files, Part::Seed, Part::Extra];

pub(super) const MOZILLA: SuiteRules = SuiteRules {
    name: "mozilla",
    test_dirs: &["data"],
    top_dirs: &["ecma", "ecma_2", "ecma_3", "js1_1", "js1_2", "js1_3", "js1_4", "js1_5"],
    excluded_files: &["browser.js", "shell.js", "jsref.js", "template.js"],
    excluded_dirs: &["CVS", ".svn"],
    before: &["mozilla-shell-emulation.js"],
    script_of_dirs: Some("shell.js"),
    flags: &["--expose-gc"],
    isolates: false,
    judging: Judging::Failed,
    ..SUITE
};

pub(super) const CCTEST: SuiteRules = SuiteRules {
    name: "cctest",
    shell: "cctest",
    shell_flags: &[],
    listing: Listing::Binary(Format::Words),
    ..SUITE
};

pub(super) const UNITTESTS: SuiteRules = SuiteRules {
    name: "unittests",
    shell: "unittests",
    shell_flags: &[],
    listing: Listing::Binary(Format::GoogleTest),
    variants: SuiteVariants::Default,
    ..SUITE
};

pub(super) const FUZZER: SuiteRules = SuiteRules {
    name: "fuzzer",
    shell: "",
    shell_flags: &[],
    order: PLAIN,
    listing: Listing::Fuzzer { dirs: FUZZERS, named_by: NamedBy::First },
    variants: SuiteVariants::Default,
    ..SUITE
};

/// Of all versions until 13.2; one that is not there does no harm.
const FUZZERS: &[&str] = &[
    "inspector",
    "json",
    "multi_return",
    "parser",
    "regexp",
    "regexp_builtins",
    "wasm",
    "wasm_async",
    "wasm_call",
    "wasm_code",
    "wasm_compile",
    "wasm_data_section",
    "wasm_function_sigs_section",
    "wasm_globals_section",
    "wasm_imports_section",
    "wasm_memory_section",
    "wasm_names_section",
    "wasm_types_section",
];

pub(super) const BENCHMARKS: SuiteRules =
    SuiteRules { name: "benchmarks", listing: Listing::Benchmarks { second_gbemu: true }, ..SUITE };

pub(super) const MKGROKDUMP: SuiteRules = SuiteRules {
    name: "mkgrokdump",
    shell: "mkgrokdump",
    shell_flags: &[],
    order: PLAIN,
    listing: Listing::ShellItself,
    judging: Judging::GrokDump,
    ..SUITE
};

pub(super) const DEBUGGING: SuiteRules = SuiteRules {
    name: "debugging",
    shell_flags: &[],
    order: &[Part::Files],
    listing: Listing::Python,
    excluded_files: &[
        "gdb_rsp.py",
        "testcfg.py",
        "__init__.py",
        "test_basic.py",
        "test_float.py",
        "test_memory.py",
        "test_trap.py",
    ],
    ..SUITE
};

pub(super) const WASM_JS: SuiteRules = SuiteRules {
    name: "wasm-js",
    extensions: &[".any.js"],
    test_dirs: &["tests"],
    before: &["../mjsunit/mjsunit.js", "third_party/testharness.js", "testharness-additions.js", "report.js"],
    after: &["after.js"],
    directives: Directives { meta: true, ..NO_DIRECTIVES },
    source_flags: &["--wasm-staging"],
    proposals: true,
    isolates: false,
    ..SUITE
};

pub(super) const WASM_SPEC_TESTS: SuiteRules = SuiteRules {
    name: "wasm-spec-tests",
    test_dirs: &["tests"],
    source_flags: &["--experimental-wasm-reftypes"],
    proposals: true,
    isolates: false,
    ..SUITE
};

pub(super) const WASM_API_TESTS: SuiteRules =
    SuiteRules { name: "wasm-api-tests", shell: "wasm_api_tests", ..UNITTESTS };

pub(super) const SUITES_9_2: Suites = Suites::new(&[
    MJSUNIT,
    MESSAGE,
    WEBKIT,
    INTL,
    DEBUGGER,
    INSPECTOR,
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

/// A key whose variable is shown under its own name.
pub(super) const fn key(key: &'static str, variable: &'static str) -> ConfigKey {
    ConfigKey { key, variable, inverted: false, shown: Some(variable), unbuilt: false }
}

/// A key whose variable is not shown.
pub(super) const fn quiet(name: &'static str, variable: &'static str, unbuilt: bool) -> ConfigKey {
    ConfigKey { shown: None, unbuilt, ..key(name, variable) }
}

/// A key whose variable is its opposite.
pub(super) const fn inverted(name: &'static str, variable: &'static str) -> ConfigKey {
    ConfigKey { inverted: true, ..key(name, variable) }
}

// In the order in which V8's runners print what they detected.
const CONFIG_9_2: &[ConfigKey] = &[
    key("is_asan", "asan"),
    key("is_cfi", "cfi_vptr"),
    key("v8_control_flow_integrity", "control_flow_integrity"),
    quiet("v8_enable_concurrent_marking", "concurrent_marking", true),
    quiet("v8_enable_single_generation", "single_generation", false),
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
    key("v8_enable_pointer_compression_shared_cage", "pointer_compression_shared_cage"),
    key("v8_enable_third_party_heap", "third_party_heap"),
    ConfigKey {
        shown: Some("webassembly"),
        unbuilt: true,
        ..key("v8_enable_webassembly", "has_webassembly")
    },
];

const CONSTANTS: &[&str] = &[
    "debug",
    "release",
    "big",
    "little",
    "android",
    "arm",
    "arm64",
    "ia32",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "x64",
    "ppc",
    "ppc64",
    "s390",
    "s390x",
    "macos",
    "windows",
    "linux",
    "aix",
    "r1",
    "r2",
    "r3",
    "r5",
    "r6",
    "riscv64",
    // Of other versions; a constant that no condition names does no harm.
    "android_arm",
    "android_arm64",
    "android_ia32",
    "android_x64",
    "riscv32",
    "loong64",
    "zos",
    "bullhead",
    "panther",
    "fuchsia",
    "ios",
    "tvos",
    "x87",
    "x32",
    "nacl_ia32",
    "nacl_x64",
    "a64",
];

pub(super) const TIMEOUTS_9_2: Timeouts = Timeouts {
    default: 60.0,
    debug: 4.0,
    slow_arch: 4.5,
    slow_archs: &["arm", "arm64", "mips", "mipsel", "mips64", "mips64el", "s390", "s390x", "riscv64"],
    // ThreadSanitizer counts here and again as a sanitizer.
    builds: &[
        ("lite_mode", 2.0),
        ("predictable", 4.0),
        ("tsan", 1.5),
        (SANITIZED, 1.5),
        ("is_full_debug", 4.0),
    ],
    words: &[("--stress-opt", 4.0), ("--jitless", 2.0), ("--no-opt", 2.0), ("--noenable-vfp3", 2.0)],
    words_in_source: true,
    slow: 4.0,
    always: 1.0,
};

const MODE_FIRST: &[Part] = &[
    Part::Files,
    Part::Seed,
    Part::Mode,
    Part::Extra,
    Part::Variant,
    Part::Source,
    Part::Suite,
    Part::Status,
];

/// What the runner asks of builds of V8 6.6 to 11.4, and `tools/run-tests.py` of those before.
const PROPERTIES: &[(Property, &str)] = &[
    (Property::Android, "is_android"),
    (Property::Asan, "asan"),
    (Property::Cfi, "cfi_vptr"),
    (Property::ComponentBuild, "component_build"),
    (Property::Dchecks, "dcheck_always_on"),
    (Property::Debug, "is_debug"),
    (Property::Msan, "msan"),
    (Property::NoI18n, "no_i18n"),
    (Property::NoSnapshot, "no_snap"),
    (Property::Predictable, "predictable"),
    (Property::SlowDchecks, "slow_dchecks"),
    (Property::Tsan, "tsan"),
    (Property::Ubsan, "ubsan_vptr"),
    (Property::VerifyHeap, "verify_heap"),
];

/// From which version on these rules hold.
pub(super) const VERSIONS: &[Since] = &[Since::new(9, 2, &V9_2)];

/// V8 9.2, from which the rules of all others are told.
pub const V9_2: Dialect = Dialect {
    name: "V8 9.2",
    order: MODE_FIRST,
    debug_flags: &["--nohard-abort", "--enable-slow-asserts", "--verify-heap"],
    debug_flags_of: &[],
    release_flags: &["--nohard-abort"],
    runner_flags: &["--testing-d8-test-runner"],
    number_fuzzer_flags: &[
        "--fuzzing",
        "--exit-on-contradictory-flags",
        "--testing-d8-test-runner",
        "--no-fail",
    ],
    gc_stress_flags: &[
        "--gc-interval=500",
        "--stress-compaction",
        "--concurrent-recompilation-queue-length=64",
        "--concurrent-recompilation-delay=500",
        "--concurrent-recompilation",
        "--stress-flush-bytecode",
        "--wasm-code-gc",
        "--stress-wasm-code-gc",
    ],
    asan_flags: &["--invoke-weak-callbacks"],
    asan_flags_for_d8: false,
    predictable: Predictable::PositiveOnD8,
    predictable_flags: &["--predictable", "--verify-predictable", "--no-inline-new"],
    no_snapshot_flags: &[],
    build: BuildRules {
        keys: ConfigKeys::Named(CONFIG_9_2),
        arch_key: "v8_target_cpu",
        properties: PROPERTIES,
        renamed: &[],
        dchecks: Dchecks::Mode,
        simulator: Simulator::Configured,
        no_simd: NoSimd {
            // V8's list of five lacks a comma between its second and third, so that those two match nothing.
            flags: &["--noenable-sse3", "--no-enable-ssse3", "--noenable-sse4-1", "--no-enable-sse4_1"],
            archs: &[],
            archs_without_msa: &["mips64el", "mipsel"],
        },
    },
    asan_options_of_components: &[],
    arm64_symbolizer: None,
    timeouts: TIMEOUTS_9_2,
    term_grace: None,
    constants: CONSTANTS,
    variables: &[],
    none_variables: &[],
    suites: &SUITES_9_2,
    variants: VARIANTS_9_2,
    slow_variants: &["stress", "stress_snapshot", "nooptimization"],
    aliases: &[
        ("dev", &["default"]),
        ("more", &["jitless", "stress", "stress_js_bg_compile_wasm_code_gc", "stress_incremental_marking"]),
        (
            "exhaustive",
            &[
                "jitless",
                "stress",
                "stress_js_bg_compile_wasm_code_gc",
                "stress_incremental_marking",
                "default",
            ],
        ),
        (
            "extra",
            &[
                "nooptimization",
                "future",
                "no_wasm_traps",
                "turboprop",
                "instruction_scheduling",
                "always_sparkplug",
            ],
        ),
    ],
    contradictions: Contradictions { negations: false, same_flag_agrees: false, whole_command: false },
    heavy_is_slow: false,
    heavy_first: false,
    filters_before_variants: true,
    message_basename_is_js: false,
    templates: Templates { addresses: false, negative_numbers: false, ignored_lines: &[] },
    blank_webkit_passes: false,
    lines_exit_code_counts: true,
    skip_linker_warnings: true,
    lines_skip_hashes: true,
    template_exit_code_counts: true,
    test262: Test262Rules {
        raw_has_no_harness: false,
        async_file: None,
        module_source_file: None,
        splits_feature_flags: false,
        async_must_complete: false,
        local_staging_once: false,
    },
    layout: Layout::Configured,
    vocabulary: Vocabulary::Modern,
    status_syntax: Syntax::Python,
    skips_slow: false,
    quoted_flags: true,
    keeps_extra_flags: false,
    passes_seed: true,
    default_suites_always: false,
    sharding: Sharding::Hash,
    feature_flags: &[
        ("Intl.DateTimeFormat-dayPeriod", "--harmony-intl-dateformat-day-period"),
        ("Intl.Locale-info", "--harmony_intl_locale_info"),
        ("Symbol.prototype.description", "--harmony-symbol-description"),
        ("FinalizationRegistry", "--harmony-weak-refs-with-cleanup-some"),
        ("WeakRef", "--harmony-weak-refs-with-cleanup-some"),
        ("host-gc-required", "--expose-gc-as=v8GC"),
        ("IsHTMLDDA", "--allow-natives-syntax"),
        ("top-level-await", "--harmony-top-level-await"),
        ("regexp-match-indices", "--harmony-regexp-match-indices"),
        ("regexp-named-groups", "--harmony-regexp-match-indices"),
        ("error-cause", "--harmony-error-cause"),
        ("import-assertions", "--harmony-import-assertions"),
    ],
    flaky_fails: false,
    writes_logs: false,
};
