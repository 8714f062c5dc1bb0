#!/usr/bin/env python3
"""Compares runner's verdicts with those of V8's own runner on real runs.

usage: benches/compare_outcomes.py TREE OUTDIR [--v8 DIR] [SUITE...]

Runs tools/run-tests.py of the tree under python2.7 and runner, both with --json-test-results, on the suites
(default: message webkit mjsunit), and lists each test whose unexpected outcome is not the same. --v8 DIR reads V8's
results from DIR/v8real.SUITE.json where they are there already.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RUNNER = HERE.parent / "target" / "release" / "runner"


def unexpected(path):
    document = json.loads(path.read_text())
    return document["test_total"], {
        (record["name"], record["variant"]): (record["result"], record["exit_code"]) for record in document["results"]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("outdir")
    parser.add_argument("--v8", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    parser.add_argument("suites", nargs="*")
    options = parser.parse_intermixed_args()
    tree = options.tree.resolve()
    common = ["--outdir", options.outdir, "-j2", "--random-seed=42", "--exit-after-n-failures=0"]
    print("| suite | tests, V8 | tests, runner | unexpected, V8 | unexpected, runner | differences |\n|---|---|---|---|---|---|")
    differences = []
    for suite in options.suites or ["message", "webkit", "mjsunit"]:
        theirs = options.v8 / f"v8real.{suite}.json"
        if not theirs.exists():
            subprocess.run(["python2.7", "tools/run-tests.py", *common, f"--json-test-results={theirs}", suite], cwd=tree,
                           stdout=subprocess.DEVNULL)
        ours = pathlib.Path(tempfile.mkdtemp()) / "ours.json"
        subprocess.run([RUNNER, "--root", tree, "--no-config", *common, f"--json-test-results={ours}", suite],
                       stdout=subprocess.DEVNULL)
        (total8, v8), (total, mine) = unexpected(theirs), unexpected(ours)
        differing = sorted(name for name in v8.keys() | mine.keys()
                           if v8.get(name, ("as expected",))[0] != mine.get(name, ("as expected",))[0])
        print(f"| {suite} | {total8} | {total} | {len(v8)} | {len(mine)} | {len(differing)} |", flush=True)
        differences += [(name, v8.get(name, ("as expected", 0)), mine.get(name, ("as expected", 0))) for name in differing]
    for (name, variant), theirs, ours in differences:
        print(f"{name} {variant}: V8 {theirs[0]} (exit {theirs[1]}), runner {ours[0]} (exit {ours[1]})")


if __name__ == "__main__":
    main()
