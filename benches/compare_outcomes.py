#!/usr/bin/env python3
"""Compares runner's verdicts with those of V8's own runner on real runs.

usage: benches/compare_outcomes.py TREE OUTDIR [--v8 DIR] [--only-v8] [--sample N] [--classic] [--variants LIST] [SUITE...]

Runs tools/run-tests.py of the tree, under the Python that it needs (trees.py), and runner, both with --json-test-results,
on the suites (default: message webkit mjsunit), and lists each test whose unexpected outcome differs. It compares the
verdict of each test and variant; exit codes are only shown.

SUITE may be a test or a prefix with a star, as in `mjsunit/a*`. --sample N takes about N runs of each suite, evenly
spread over V8's own listing. --v8 DIR caches V8's results there (use one DIR for one tree, one build and one set of
variants); --only-v8 makes them and stops. If the tests write into the tree, TREE should be a copy.

OUTDIR has v8_build_config.json and a stub shell (benches/builds.py TREE OUTDIR release). Replace the shell by a real
one; a small program that passes V8's flags on to a node of the right version is enough for webkit, message and most of
mjsunit.

--classic: TREE is one of V8 3.14 to 6.3, whose build is in OUTDIR/x64.release. Outcomes that V8's runner reports as
unexpected are compared by test and variant; where it does not report the variant (before about V8 3.19), by test and
number of unexpected variants.

--timeout SECONDS sets the time limit of both runners: the trees' own limit of a minute or more would be spent on every
test that hangs in the shell.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import trees


def unexpected(path):
    """The number of tests run, and the unexpected outcomes by test and variant (most of test262 runs twice)."""
    document = json.loads(path.read_text())
    found = {}
    for record in document["results"]:
        strict = " strict" if "--use-strict" in record["command"].split() else ""
        found[record["name"], f"{record['variant']}{strict}"] = record["result"], record["exit_code"]
    return document["test_total"], found


DONE = re.compile(r"^Done running (\S+): (\w+)$", re.MULTILINE)


def counts(names):
    """Names without variants, but numbered, so that each variant of a test counts."""
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
    python = trees.interpreter("python2.7") or "python2.7"
    run = [python, "tools/run-tests.py", *common, "--arch=x64", "--mode=release", "--no-network", "-p", "verbose"]
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
    mine = [trees.runner(), "--root", tree, "--no-config", "--no-history", "--no-network", *common, "--arch=x64", "--mode=release",
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


def sampled(tree, outdir, suite, variants, size, work):
    """Names of the suite's tests, evenly spread, that amount to about `size` runs."""
    listing = work / "listing.jsonl"
    subprocess.run([trees.python_of(tree), trees.HERE / "list_modern.py", tree, outdir, listing, variants, suite],
                   stdout=subprocess.DEVNULL, check=True)
    runs = collections.Counter()
    for line in open(listing):
        test = json.loads(line)
        if not test["skipped"]:
            runs[f"{test['suite']}/{test['name']}"] += 1
    step = max(1, sum(runs.values()) / size)
    names, seen, next_run = [], 0, 0.0
    for name, number in runs.items():
        if seen >= next_run:
            names.append(name)
            next_run += step * number
        seen += number
    return names


def modern(tree, options, common, suite, work):
    names = [suite]
    if options.sample:
        names = sampled(tree, options.outdir, suite, options.variants, options.sample, work)
    # A sample is cached under another label, since it is another set of tests.
    label = suite.replace("/", "_").replace("*", "all")
    if options.sample:
        label += "-" + hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    theirs = (options.v8 or work) / f"v8real.{label}.json"
    said = f"--json-test-results={theirs}"
    if not theirs.exists():
        theirs.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([trees.python_of(tree), "-B", "tools/run-tests.py", *common, said, *names], cwd=tree,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not theirs.exists():
            sys.exit(f"V8's runner: exit {done.returncode}: {done.stdout[-1000:].decode(errors='replace')}")
    total8, v8 = unexpected(theirs)
    if options.only_v8:
        return total8, v8, total8, v8
    ours = work / "ours.json"
    done = subprocess.run([trees.runner(), "--root", tree, "--no-config", "--no-history", "--no-network", *common,
                           f"--json-test-results={ours}", *names], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    if not ours.exists():
        sys.exit(f"runner: exit {done.returncode}: {done.stderr[-1000:].decode(errors='replace')}")
    total, mine = unexpected(ours)
    return total8, v8, total, mine


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("outdir")
    parser.add_argument("--v8", type=lambda path: pathlib.Path(path).resolve(), metavar="DIR")
    parser.add_argument("--only-v8", action="store_true")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--classic", action="store_true")
    parser.add_argument("--variants", default="default")
    parser.add_argument("--timeout", type=int, metavar="SECONDS")
    parser.add_argument("suites", nargs="*")
    options = parser.parse_intermixed_args()
    tree = options.tree.resolve()
    timeout = [f"--timeout={options.timeout}"] if options.timeout else []
    common = ["--outdir", options.outdir, "-j2", "--random-seed=42", "--exit-after-n-failures=0",
              f"--variants={options.variants}", *timeout]
    print("| suite | tests, V8 | tests, runner | unexpected, V8 | unexpected, runner | differences |\n|---|---|---|---|---|---|")
    differences, equal = [], True
    for suite in options.suites or ["message", "webkit", "mjsunit"]:
        with tempfile.TemporaryDirectory(prefix="flotilla-outcomes-") as work:
            work = pathlib.Path(work)
            if options.classic:
                total8, v8, total, mine = classic(tree, options.outdir, suite, options.variants, timeout, work)
            else:
                total8, v8, total, mine = modern(tree, options, common, suite, work)
        differing = sorted(name for name in v8.keys() | mine.keys()
                           if v8.get(name, ("as expected",))[0] != mine.get(name, ("as expected",))[0])
        print(f"| {suite} | {total8} | {total} | {len(v8)} | {len(mine)} | {len(differing)} |", flush=True)
        differences += [(name, v8.get(name, ("as expected", 0)), mine.get(name, ("as expected", 0))) for name in differing]
        equal &= total8 == total and not differing
    for (name, variant), theirs, ours in differences:
        print(f"{name} {variant}: V8 {theirs[0]} (exit {theirs[1]}), runner {ours[0]} (exit {ours[1]})")
    sys.exit(not equal)


if __name__ == "__main__":
    main()
