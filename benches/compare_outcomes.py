#!/usr/bin/env python3
"""Compares runner's verdicts with those of V8's own runner on real runs.

usage: benches/compare_outcomes.py TREE OUTDIR [--v8 DIR] [--classic] [--variants LIST] [SUITE...]

Runs tools/run-tests.py of the tree under python2.7 and runner, both with --json-test-results, on the suites
(default: message webkit mjsunit), and lists each test whose unexpected outcome is not the same. --v8 DIR reads V8's
results from DIR/v8real.SUITE.json where they are there already.

--classic: TREE is one of V8 3.14 to 6.3, whose build is in OUTDIR/x64.release. What V8's runner calls unexpected is
compared by test and variant; where it does not say the variant (before V8 3.19 or so), by test and how many of its
variants are unexpected. SUITE may be a test or a prefix with a star, as in `mjsunit/a*`.

--timeout SECONDS gives both runners that limit, where the trees' own of a minute or more would be waited out on every
test that hangs on the shell.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RUNNER = pathlib.Path(os.environ.get("RUNNER", HERE.parent / "target" / "release" / "runner"))


def unexpected(path):
    document = json.loads(path.read_text())
    return document["test_total"], {
        (record["name"], record["variant"]): (record["result"], record["exit_code"]) for record in document["results"]
    }


DONE = re.compile(r"^Done running (\S+): (\w+)$", re.MULTILINE)


def counts(names):
    """Names without variants, numbered, so that each variant of a test counts."""
    seen = collections.Counter()
    found = {}
    for name, *result in names:
        seen[name] += 1
        found[name, f"#{seen[name]}"] = tuple(result)
    return found


def classic(tree, outdir, suite, variants, timeout, work):
    """Both runners' unexpected outcomes, as unexpected() has them."""
    options = (tree / "tools" / "run-tests.py").read_text()
    theirs, ours = work / "v8.json", work / "ours.json"
    common = ["--outdir", outdir, "-j2", *timeout]
    run = ["python2.7", "tools/run-tests.py", *common, "--arch=x64", "--mode=release", "--no-network", "-p", "verbose"]
    if "no-presubmit" in options:
        run.append("--no-presubmit")
    if "random-seed" in options:
        run.append("--random-seed=42")
    if "--variants" in options:
        run.append(f"--variants={variants}")
    has_json = "json-test-results" in options
    if has_json:
        theirs.unlink(missing_ok=True)
        run.append(f"--json-test-results={theirs}")
    done = subprocess.run([*run, suite], cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    lines = DONE.findall(done.stdout.decode(errors="replace"))
    mine = [RUNNER, "--root", tree, "--no-config", "--no-history", "--no-network", *common, "--arch=x64", "--mode=release",
            "--random-seed=42", "--exit-after-n-failures=0", f"--json-test-results={ours}"]
    if "--variants" in options:
        mine.append(f"--variants={variants}")
    subprocess.run([*mine, suite], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    total, found = unexpected(ours)
    if has_json and theirs.exists():
        v8 = {(record["name"], record["variant"]): (record["result"], record["exit_code"])
              for record in json.loads(theirs.read_text())[-1]["results"]}
    else:
        v8 = counts((name, outcome, "?") for name, outcome in sorted(lines) if outcome != "pass")
        found = counts((name, "CRASH" if result == "CRASH" else "FAIL", code)
                       for (name, _), (result, code) in sorted(found.items()))
    return len(lines), v8, total, found


def modern(tree, options, common, suite):
    theirs = options.v8 / f"v8real.{suite}.json"
    if not theirs.exists():
        subprocess.run(["python2.7", "tools/run-tests.py", *common, f"--json-test-results={theirs}", suite], cwd=tree,
                       stdout=subprocess.DEVNULL)
    ours = pathlib.Path(tempfile.mkdtemp()) / "ours.json"
    subprocess.run([RUNNER, "--root", tree, "--no-config", *common, f"--json-test-results={ours}", suite],
                   stdout=subprocess.DEVNULL)
    (total8, v8), (total, mine) = unexpected(theirs), unexpected(ours)
    return total8, v8, total, mine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("outdir")
    parser.add_argument("--v8", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    parser.add_argument("--classic", action="store_true")
    parser.add_argument("--variants", default="default")
    parser.add_argument("--timeout", type=int, metavar="SECONDS")
    parser.add_argument("suites", nargs="*")
    options = parser.parse_intermixed_args()
    tree = options.tree.resolve()
    timeout = [f"--timeout={options.timeout}"] if options.timeout else []
    common = ["--outdir", options.outdir, "-j2", "--random-seed=42", "--exit-after-n-failures=0", *timeout]
    print("| suite | tests, V8 | tests, runner | unexpected, V8 | unexpected, runner | differences |\n|---|---|---|---|---|---|")
    differences = []
    for suite in options.suites or ["message", "webkit", "mjsunit"]:
        if options.classic:
            work = pathlib.Path(tempfile.mkdtemp())
            total8, v8, total, mine = classic(tree, options.outdir, suite, options.variants, timeout, work)
        else:
            total8, v8, total, mine = modern(tree, options, common, suite)
        differing = sorted(name for name in v8.keys() | mine.keys()
                           if v8.get(name, ("as expected",))[0] != mine.get(name, ("as expected",))[0])
        print(f"| {suite} | {total8} | {total} | {len(v8)} | {len(mine)} | {len(differing)} |", flush=True)
        differences += [(name, v8.get(name, ("as expected", 0)), mine.get(name, ("as expected", 0))) for name in differing]
    for (name, variant), theirs, ours in differences:
        print(f"{name} {variant}: V8 {theirs[0]} (exit {theirs[1]}), runner {ours[0]} (exit {ours[1]})")


if __name__ == "__main__":
    main()
