#!/usr/bin/env python3
"""Times runner against xargs and against V8's own runner on a V8 9.2 tree (test/ and tools/ are enough).

usage: benches/v8.py TREE [--runs N] [--python2 PROGRAM] [--test262]

Every row compares two commands, run in turn (A B A B ...) on this machine, and shows medians and the median of
the ratios pair by pair. The engine is a program that exits at once, so what is timed is the runner itself.
Needs cc, xargs, python2.7 for V8's runner (its rows are left out without it) and target/release/runner:
    cargo build --release --bin runner
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RUNNER = HERE.parent / "target" / "release" / "runner"

# What V8 9.2's build of x64.release writes.
BUILD_CONFIG = {
    "current_cpu": "x64", "dcheck_always_on": False, "is_android": False, "is_asan": False, "is_cfi": False,
    "is_clang": True, "is_component_build": False, "is_debug": False, "is_full_debug": False,
    "is_gcov_coverage": False, "is_ubsan_vptr": False, "is_msan": False, "is_tsan": False, "target_cpu": "x64",
    "v8_current_cpu": "x64", "v8_enable_i18n_support": True, "v8_enable_verify_predictable": False,
    "v8_target_cpu": "x64", "v8_enable_concurrent_marking": True, "v8_enable_verify_csa": False,
    "v8_enable_lite_mode": False, "v8_enable_pointer_compression": True,
    "v8_enable_pointer_compression_shared_cage": True, "v8_control_flow_integrity": False,
    "v8_enable_single_generation": False, "v8_enable_third_party_heap": False, "v8_enable_webassembly": True,
}


def run(command, cwd=None):
    """Runs to the end; returns wall seconds and cpu seconds (children included)."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


# A process's peak begins with what it was forked from, and Python is larger than runner: so this starts it.
PEAK = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  (void)argc;
  pid_t pid = fork();
  if (pid == 0) {
    if (!freopen("/dev/null", "w", stdout)) return 127;
    execv(argv[1], argv + 1);
    return 127;
  }
  int status;
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) < 0) return 127;
  printf("%ld\n", usage.ru_maxrss);
  return 0;
}
"""


def pairs(name, ours, theirs, runs, target):
    """One row: medians of both and of the ratios."""
    a, b = [], []
    for i in range(runs + 1):
        x, y = ours(), theirs()
        if i:  # the first pair warms the caches
            a.append(x)
            b.append(y)
    ratio = statistics.median(x[0] / y[0] for x, y in zip(a, b))
    cpu = statistics.median(x[1] / y[1] for x, y in zip(a, b))
    print(f"| {name} | {statistics.median(x[0] for x in a):.3f} s | {statistics.median(y[0] for y in b):.3f} s "
          f"| {ratio:.2f} | {cpu:.2f} | {target} |", flush=True)


def xargs_line(words):
    return " ".join("'" + w.replace("'", "'\\''") + "'" if "'" not in w else '"' + w + '"' for w in words)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--python2", default="python2.7")
    parser.add_argument("--test262", action="store_true", help="measure the listing of test262 too (needs its data)")
    options = parser.parse_args()
    tree = options.tree.resolve()
    if not RUNNER.exists():
        sys.exit("build it first: cargo build --release --bin runner")
    work = pathlib.Path(tempfile.mkdtemp(prefix="flotilla-bench-"))
    try:
        measure(options, tree, work)
    finally:
        shutil.rmtree(work)


def measure(options, tree, work):
    out = work / "out"
    out.mkdir()
    (out / "v8_build_config.json").write_text(json.dumps(BUILD_CONFIG))
    (work / "stub.c").write_text("int main(void) { return 0; }\n")
    subprocess.run(["cc", "-O2", "-static", "-o", out / "d8", work / "stub.c"], check=True)
    shutil.copy(out / "d8", out / "inspector-test")
    common = ["--root", tree, "--outdir", out, "--no-config", "--random-seed=42"]

    def runner(*args):
        return lambda: run([RUNNER, *common, *args], cwd=tree)

    # The same words for xargs, one test a line; xargs reads quotes as a shell does, but for newlines.
    listing = subprocess.run([RUNNER, *common, "--list-format=json", "mjsunit"], check=True, capture_output=True)
    tests = [json.loads(line) for line in listing.stdout.splitlines()]
    tests = [test for test in tests if not test["skipped"]]
    words = []
    for test in tests:
        words.append(xargs_line([w if not w.startswith("test/") else str(tree / w) for w in test["argv"][1:]]))
    (work / "words").write_text("\n".join(words) + "\n")
    xargs = ["xargs", "-a", work / "words", "-P2", "-L1", out / "d8"]

    python2 = shutil.which(options.python2)
    v8 = [python2, tree / "tools" / "run-tests.py", "--outdir", out, "--random-seed=42", "-j2"]
    print(f"{len(tests)} mjsunit tests, an engine that exits at once, two jobs; median of {options.runs} pairs.\n")
    print("| what (A against B) | A | B | A/B wall | A/B cpu | target |")
    print("|---|---|---|---|---|---|")
    pairs("whole run against `xargs -P2 -L1`, output to /dev/null", runner("-j2", "mjsunit"), lambda: run(xargs, cwd=tree),
          options.runs, "<= 1.00")
    if python2:
        pairs("whole run against run-tests.py -j2", runner("-j2", "mjsunit"), lambda: run([*v8, "mjsunit"], cwd=tree),
              min(options.runs, 3), "<= 0.20")
        lister = HERE / "list_modern.py"
        pairs("listing mjsunit exhaustive against V8's own listing",
              runner("--list-format=json", "--variants=exhaustive", "mjsunit"),
              lambda: run([python2, lister, tree, work / "ref.json", "exhaustive", "mjsunit", "--", "--outdir", out],
                          cwd=tree), options.runs, "<= 0.25")
    else:
        print(f"(V8's own rows left out: no {options.python2})")

    print("\n| what | median | worst | target |\n|---|---|---|---|")

    def single(name, command, pick, unit, target):
        run_once = [command() for _ in range(options.runs + 1)][1:]
        values = [pick(x) for x in run_once]
        print(f"| {name} | {statistics.median(values):.1f} {unit} | {max(values):.1f} {unit} | {target} |", flush=True)

    single("empty run (intl has no slow test): `--slow-tests=run intl`", runner("--slow-tests=run", "intl"),
           lambda x: x[0] * 1000, "ms", "<= 30 ms")
    single("one test: `intl/date-format/en-format-range-to-parts`", runner("intl/date-format/en-format-range-to-parts"),
           lambda x: x[0] * 1000, "ms", "")
    first_test(options, tree, work, common)
    (work / "peak.c").write_text(PEAK)
    subprocess.run(["cc", "-O2", "-static", "-o", work / "peak", work / "peak.c"], check=True)

    def peak(*args):
        def measured():
            command = [work / "peak", RUNNER, *common, *args]
            return (int(subprocess.run(command, cwd=tree, capture_output=True, check=True).stdout) / 1024,)
        return measured

    single(f"peak memory of a run of {len(tests)} tests", peak("-j2", "mjsunit"), lambda x: x[0], "MiB", "<= 60 MB")
    if options.test262:
        single("peak memory of `--list --variants exhaustive test262`",
               peak("--list", "--variants=exhaustive", "test262"), lambda x: x[0], "MiB", "<= 120 MB")
        single("time of the same", runner("--list", "--variants=exhaustive", "test262"), lambda x: x[0], "s", "")


def first_test(options, tree, work, common):
    """From the runner's start to the start of its first test in the default group of the tree."""
    marking = work / "marking"
    marking.mkdir()
    shutil.copy(work / "out" / "v8_build_config.json", marking)
    (work / "mark.c").write_text(
        '#include <fcntl.h>\n#include <stdio.h>\n#include <time.h>\n#include <unistd.h>\n'
        'int main(void) {\n'
        f'  int fd = open("{work}/first", O_CREAT | O_EXCL | O_WRONLY, 0600);\n'
        '  if (fd < 0) return 0;\n'
        '  struct timespec t;\n'
        '  clock_gettime(CLOCK_MONOTONIC, &t);\n'
        '  char text[64];\n'
        '  return write(fd, text, snprintf(text, 64, "%lld.%09ld", (long long)t.tv_sec, t.tv_nsec)) < 0;\n'
        '}\n')
    subprocess.run(["cc", "-O2", "-static", "-o", marking / "d8", work / "mark.c"], check=True)
    shutil.copy(marking / "d8", marking / "inspector-test")
    values = []
    for i in range(options.runs + 1):
        (work / "first").unlink(missing_ok=True)
        start = time.clock_gettime(time.CLOCK_MONOTONIC)
        command = [RUNNER, *common, "--outdir", marking, "-j2", "d8_default", "inspector"]
        process = subprocess.Popen(command, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (work / "first").exists() or not (work / "first").read_text():
            if process.poll() is not None:
                sys.exit("the run ended without starting a test")
        process.terminate()
        process.wait()
        if i:
            values.append((float((work / "first").read_text()) - start) * 1000)
    print(f"| first test starts (debugger mjsunit webkit message intl inspector) | {statistics.median(values):.1f} ms "
          f"| {max(values):.1f} ms | <= 100 ms |", flush=True)


if __name__ == "__main__":
    main()
