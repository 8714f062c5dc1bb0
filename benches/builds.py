#!/usr/bin/env python3
"""Makes a build directory with the configuration that the tree's own BUILD.gn dumps, and with programs that exit at once.

usage: benches/builds.py TREE OUT KIND     writes OUT/v8_build_config.json, d8 and the programs of the other suites
       benches/builds.py --kinds

TREE is V8 6.7 to 13.8. Which keys the file has, and which GN variable each shows, is read from the action
v8_dump_build_config; the values of the variables are those below, for x64 on Linux. Programs that list their own tests
name a few, including those in their status file. Needs cc.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import trees

# GN variables that are not false in an ordinary release build.
RELEASE = {
    "arch": "x64", "current_cpu": "x64", "target_cpu": "x64", "v8_current_cpu": "x64", "v8_target_cpu": "x64",
    "mips_arch_variant_var": "", "is_clang": True, "js_shared_memory": True, "v8_enable_i18n_support": True,
    "v8_enable_temporal_support": True, "v8_enable_concurrent_marking": True, "v8_enable_atomic_marking_state": True,
    "v8_enable_atomic_object_field_writes": True, "v8_enable_gdbjit": True, "v8_enable_leaptiering": True,
    "v8_enable_maglev": True, "v8_enable_pointer_compression": True, "v8_enable_pointer_compression_shared_cage": True,
    "v8_enable_sandbox": True, "v8_enable_shared_ro_heap": True, "v8_enable_turbofan": True,
    "v8_enable_virtual_memory_cage": True, "v8_enable_webassembly": True, "v8_wasm_random_fuzzers": True,
    "v8_use_snapshot": True, "v8_enable_embedded_builtins": True,
}

# The GN arguments of each kind, with what //gni and BUILD.gn derive from them in addition to derived() below. debug and
# optdebug are as in tools/dev/gm.py.
NO_CAGE = {"v8_enable_pointer_compression": False, "v8_enable_pointer_compression_shared_cage": False,
           "v8_enable_sandbox": False, "v8_enable_virtual_memory_cage": False}
DEBUG = {"is_component_build": True, "is_debug": True, "v8_enable_debugging_features": True}
KINDS = {
    "release": {},
    "debug": {**DEBUG, "is_full_debug": True, "v8_enable_slow_dchecks": True},
    "optdebug": DEBUG,
    "dchecks": {"dcheck_always_on": True, "v8_dcheck_always_on": True},
    "asan": {"is_asan": True},
    "tsan": {"is_tsan": True},
    "ubsan": {"is_ubsan": True, "is_ubsan_vptr": True},
    "msan": {"is_msan": True},
    "cfi": {"is_cfi": True},
    "predictable": {"v8_enable_verify_predictable": True},
    "lite": {"v8_enable_lite_mode": True, "v8_jitless": True, "v8_enable_webassembly": False,
             "v8_enable_turbofan": False, "v8_enable_maglev": False},
    "no-i18n": {"v8_enable_i18n_support": False},
    "no-wasm": {"v8_enable_webassembly": False},
    "ia32": {**NO_CAGE, "arch": "ia32", "current_cpu": "x86", "target_cpu": "x86", "v8_current_cpu": "x86",
             "v8_target_cpu": "x86", "v8_enable_maglev": False},
    # Pointer authentication is on by default in a simulator.
    "arm64-simulator": {"arch": "arm64", "v8_current_cpu": "arm64", "v8_target_cpu": "arm64",
                        "v8_enable_gdbjit": False, "v8_control_flow_integrity": True},
}
# Kinds that run only the default variant, whatever variants are requested.
DEFAULT_ONLY = {"predictable", "msan"}

PROGRAMS = ["d8", "inspector-test", "mkgrokdump"]

# Suites whose programs list their own tests, and these programs; the stub builds of the trees lack them.
LISTING = {"bigint": ["bigint_shell"], "cctest": ["cctest"], "unittests": ["unittests", "v8_unittests"],
           "wasm-api-tests": ["wasm_api_tests"]}
OTHER_SUITES = [*LISTING, "fuzzer"]
LISTER = """#!/bin/sh
case "$1" in --list | --gtest_list_tests) cat "$0.list" ;; esac
"""


def derived(gn, version):
    """The variables that BUILD.gn derives for every build."""
    debugging = gn.get("v8_enable_debugging_features", False)
    checks = debugging or gn.get("v8_dcheck_always_on", False)
    gn["is_DEBUG_defined"] = gn["v8_enable_debug_code"] = checks
    for name in ("v8_enable_verify_heap", "v8_enable_disassembler", "v8_code_comments"):
        gn[name] = debugging
    gn["use_sanitizer"] = any(gn.get(f"is_{name}") for name in ("asan", "cfi", "msan", "tsan", "ubsan"))
    gn["simulator_run"] = gn["target_cpu"] != gn["v8_target_cpu"]
    gn["v8_enable_pointer_compression"] &= version >= (8, 4)
    gn["v8_enable_sandbox"] &= version >= (10, 0)
    gn["v8_enable_maglev"] &= version >= (11, 0)
    # 13.0 to 13.7 have an option; 13.8 has no alternative.
    gn["use_leaptiering"] = gn["v8_enable_sandbox"]
    if version < (13, 8):
        gn["v8_enable_leaptiering"] = gn["v8_enable_sandbox"] or gn["v8_current_cpu"] == "arm64"


def dumped(tree):
    """(key, GN variable) of each line of the configuration, except those that only mips builds have."""
    text = (pathlib.Path(tree) / "BUILD.gn").read_text()
    start = text.find('action("v8_dump_build_config")')
    if start < 0:
        sys.exit(f"{tree}: BUILD.gn dumps no build configuration")
    action = text[start:text.index("\n}\n", start)]
    action = re.sub(r'if \(v8_current_cpu == "mips.*?\n  }', "", action, flags=re.DOTALL)
    return re.findall(r'^\s+"(\w+)=(?:"\s*\+\s*")?(?:\\")?\$(\w+)', action, re.MULTILINE)


def config(tree, kind):
    gn = {**RELEASE, **KINDS[kind]}
    derived(gn, trees.version(tree))
    return {key: gn.get(variable, False) for key, variable in dumped(tree)}


def listed(tree, suite):
    """The test list that the suite's program prints."""
    status = pathlib.Path(tree) / "test" / suite / f"{suite}.status"
    rules = re.findall(r"^\s*'([\w./-]+)'\s*:", status.read_text(), re.MULTILINE) if status.exists() else []
    if suite == "bigint":
        return "Add Burnikel Karatsuba\nToString\n"
    if suite == "cctest":
        names = ["test-zeta/Last", *dict.fromkeys(name for name in rules if "/" in name), "test-alpha/First"]
        if trees.version(tree) < (10, 3):
            return "".join(f"{name}\n" for name in names)
        return "".join(f"**>Test: {name}\n" for name in names) + f"Total number of tests: {len(names)}\n"
    cases = {"ZoneTest": ["Size", "Alignment"], "Values/Typed/0": ["First  # TypeParam = int"]}
    for name in rules:
        case, _, test = name.partition(".")
        if test:
            cases.setdefault(case, []).append(test)
    return "".join(f"{case}.\n" + "".join(f"  {test}\n" for test in dict.fromkeys(tests))
                   for case, tests in cases.items())


def fuzzers(tree):
    """Programs of the suite fuzzer: named after a directory (until V8 13.2), and after its whole path."""
    root = pathlib.Path(tree) / "test" / "fuzzer"
    for folder in root.rglob("*/"):
        if folder.is_dir():
            parts = folder.relative_to(root).parts
            yield from {f"v8_simple_{'_'.join(parts)}_fuzzer", f"v8_simple_{parts[0]}_fuzzer"}


def write(tree, out, kind):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "v8_build_config.json").write_text(json.dumps(config(tree, kind), indent=1, sort_keys=True) + "\n")
    with tempfile.TemporaryDirectory() as work:
        stub = pathlib.Path(work) / "stub"
        subprocess.run(["cc", "-O2", "-static", "-x", "c", "-", "-o", stub], input=b"int main(void) { return 0; }\n",
                       check=True)
        for name in {*PROGRAMS, *fuzzers(tree)}:
            shutil.copy(stub, out / name)
    for suite, programs in LISTING.items():
        for program in programs:
            (out / program).write_text(LISTER)
            (out / program).chmod(0o755)
            (out / f"{program}.list").write_text(listed(tree, suite))


def main():
    if sys.argv[1:] == ["--kinds"]:
        print(" ".join(KINDS))
    elif len(sys.argv) == 4 and sys.argv[3] in KINDS:
        write(*sys.argv[1:])
    else:
        sys.exit(f"{__doc__}\nkinds: {' '.join(KINDS)}")


if __name__ == "__main__":
    main()
