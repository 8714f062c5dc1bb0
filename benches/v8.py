#!/usr/bin/env python3
"""Times runner against xargs and against V8's own runner on a V8 9.2 to 13.8 tree (test/, tools/, BUILD.gn and include/).

usage: benches/v8.py TREE [--runs N] [--test262]

Every row compares two commands in alternating runs (A B A B ...) on this machine, and shows both medians and the median
of the ratios of the pairs. The engine is a program that exits at once, so only the runner is timed.
Needs cc, xargs, the Python of the tree's own runner (trees.py) and target/release/runner (or RUNNER):
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

import builds
import measuring
import trees
import xargs

# A process inherits the peak memory of the process that forked it, and Python is larger than runner: so this starts it.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--test262", action="store_true", help="measure the listing of test262 too (needs its data)")
    options = parser.parse_args()
    tree = options.tree.resolve()
    trees.runner()
    work = pathlib.Path(tempfile.mkdtemp(prefix="flotilla-bench-"))
    try:
        measure(options, tree, work)
    finally:
        shutil.rmtree(work)


def measure(options, tree, work):
    out = work / "out"
    builds.write(tree, out, "release")
    # Tests that are expected to fail pass with such an engine; there are more of them than the default failure limit.
    all_of_them = "--exit-after-n-failures=0"
    common = ["--root", tree, "--outdir", out, "--no-config", "--random-seed=42", all_of_them]

    def runner(*args, good=(0, 1, 2)):
        return lambda: measuring.run([trees.RUNNER, *common, *args], cwd=tree, good=good)

    # The same commands for xargs, one test per line.
    listing = subprocess.run([trees.RUNNER, *common, "--list-format=json", "mjsunit"], check=True, capture_output=True)
    tests = [json.loads(line) for line in listing.stdout.splitlines()]
    tests = [test for test in tests if not test["skipped"]]
    through_xargs = xargs.Xargs(work, out / "d8", [
        [str(tree / word) if word.startswith("test/") else word for word in test["argv"][1:]] for test in tests])
    python = trees.python_of(tree)
    v8 = [python, tree / "tools" / "run-tests.py", "--outdir", out, "--random-seed=42", all_of_them, "-j2", "mjsunit"]
    ours = [trees.RUNNER, *common, "-j2", "mjsunit"]
    for command in (v8, ours):
        measuring.check_ran(command, tree, len(tests))
    print(f"V8 {'.'.join(map(str, trees.version(tree)))}: {len(tests)} mjsunit tests, an engine that exits at once, two jobs; "
          f"median of {options.runs} pairs. V8's own runner under {pathlib.Path(python).name}.\n")
    measuring.table()
    measuring.pairs("whole run against `xargs -P2 -L1`, output to /dev/null", runner("-j2", "mjsunit"),
                    lambda: through_xargs.run(tree), options.runs, "<= 1.00")
    measuring.pairs("whole run against run-tests.py -j2", runner("-j2", "mjsunit"),
                    lambda: measuring.run(v8, cwd=tree, good=(0, 1)), min(options.runs, 3), "<= 0.20")
    lister = trees.HERE / "list_modern.py"
    measuring.pairs("listing mjsunit exhaustive against V8's own listing",
                    runner("--list-format=json", "--variants=exhaustive", "mjsunit", good=(0,)),
                    lambda: measuring.run([python, lister, tree, out, "/dev/null", "exhaustive", "mjsunit"], cwd=tree,
                                          good=(0,)),
                    options.runs, "<= 0.10")

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
    measuring.compile_c(PEAK, work / "peak")

    def peak(*args):
        def measured():
            command = [work / "peak", trees.RUNNER, *common, *args]
            return (int(subprocess.run(command, cwd=tree, capture_output=True, check=True).stdout) / 1024,)
        return measured

    single(f"peak memory of a run of {len(tests)} tests", peak("-j2", "mjsunit"), lambda x: x[0], "MiB", "<= 60 MB")
    if options.test262:
        single("peak memory of `--list --variants exhaustive test262`",
               peak("--list", "--variants=exhaustive", "test262"), lambda x: x[0], "MiB", "<= 120 MB")
        single("time of the same", runner("--list", "--variants=exhaustive", "test262"), lambda x: x[0], "s", "")


def first_test(options, tree, work, common):
    """The time from the runner's start to the start of its first test in the default group of the tree."""
    marking = work / "marking"
    marking.mkdir()
    shutil.copy(work / "out" / "v8_build_config.json", marking)
    mark = (
        '#include <fcntl.h>\n#include <stdio.h>\n#include <time.h>\n#include <unistd.h>\n'
        'int main(void) {\n'
        f'  int fd = open("{work}/first", O_CREAT | O_EXCL | O_WRONLY, 0600);\n'
        '  if (fd < 0) return 0;\n'
        '  struct timespec t;\n'
        '  clock_gettime(CLOCK_MONOTONIC, &t);\n'
        '  char text[64];\n'
        '  return write(fd, text, snprintf(text, 64, "%lld.%09ld", (long long)t.tv_sec, t.tv_nsec)) < 0;\n'
        '}\n')
    measuring.compile_c(mark, marking / "d8")
    shutil.copy(marking / "d8", marking / "inspector-test")
    values = []
    for i in range(options.runs + 1):
        (work / "first").unlink(missing_ok=True)
        start = time.clock_gettime(time.CLOCK_MONOTONIC)
        command = [trees.RUNNER, *common, "--outdir", marking, "-j2", "d8_default", "inspector"]
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
