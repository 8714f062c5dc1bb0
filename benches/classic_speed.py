#!/usr/bin/env python3
"""Times runner against xargs (and V8's own runner) on a classic V8 tree's default run.

usage: benches/classic_speed.py TREE [--runs N] [--shell D8] [--v8] [--python2 PROGRAM] [TEST...]

TREE is a checkout of V8 3.21 to 6.3 (test/ and tools/); TESTs are suites and prefixes, by default mjsunit, message, preparser
and webkit (5359 tests of V8 5.4). Runs `runner -j2` and `xargs -P2` over the same commands in turn (A B A B
...) and shows the medians, and the median of the ratios of the pairs; target <= 1.05. --v8 also runs the tree's own
run-tests.py once.

Without --shell the engine is a program that exits at once, so only the runner is timed. --shell D8 uses a real engine,
whose directory must contain the files that it loads; xargs runs it through a wrapper (xargs.py), since it may die of a
signal. The bench fails if a run of xargs skips a line. Needs cc, xargs and target/release/runner (or RUNNER):
    cargo build --release --bin runner
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import measuring
import trees
import xargs

TESTS = ["mjsunit", "message", "preparser", "webkit"]


def words_of(test, tree):
    return [str(tree / word) if word.startswith("test/") else word for word in test["argv"][1:]]


def measure(options, tree, work):
    out = work / "out" / "x64.release"
    out.mkdir(parents=True)
    if options.shell:
        shell = options.shell.resolve()
        # In the directory with the files that it loads.
        for name in os.listdir(shell.parent):
            (out / name).symlink_to(shell.parent / name)
        if shell.name != "d8":
            (out / "d8").symlink_to(shell)
    else:
        measuring.compile_c(measuring.STUB, out / "d8")
    tests = options.tests or [name for name in TESTS if (tree / "test" / name).is_dir()]
    common = ["--outdir", out.parent, "-j2", "--random-seed=42", "--arch=x64", "--mode=release", *tests]
    ours = [trees.runner(), "--root", tree, "--no-config", "--no-history", "--no-network",
            "--exit-after-n-failures=0", *common]
    listing = subprocess.run([*ours, "--list-format=json"], check=True, capture_output=True)
    found = [json.loads(line) for line in listing.stdout.splitlines()]
    found = [test for test in found if not test["skipped"]]
    measuring.check_ran(ours, tree, len(found))
    through_xargs = xargs.Xargs(work, out / "d8", [words_of(test, tree) for test in found],
                                may_die=options.shell is not None)
    print(f"{len(found)} tests ({' '.join(tests)}), "
          f"{'the shell ' + str(options.shell) if options.shell else 'an engine that exits at once'}, two jobs; "
          f"median of {options.runs} pairs.\n")
    measuring.table()
    measuring.pairs("whole run against `xargs -P2` over the same words", lambda: measuring.run(ours, cwd=tree),
                    lambda: through_xargs.run(tree), options.runs, "<= 1.05")
    if options.v8:
        text = (tree / "tools" / "run-tests.py").read_text()
        theirs = [options.python2 or trees.interpreter("python2.7"), "tools/run-tests.py", *common, "--no-network"]
        if "no-presubmit" in text:
            theirs.append("--no-presubmit")
        if "exit-after-n-failures" in text:
            theirs.append("--exit-after-n-failures=0")
        measuring.pairs("whole run against the tree's run-tests.py -j2", lambda: measuring.run(ours, cwd=tree),
                        lambda: measuring.run(theirs, cwd=tree), 1, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--shell", type=pathlib.Path)
    parser.add_argument("--v8", action="store_true")
    parser.add_argument("--python2")
    parser.add_argument("tests", nargs="*")
    options = parser.parse_intermixed_args()
    tree = options.tree.resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="flotilla-bench-"))
    try:
        measure(options, tree, work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
