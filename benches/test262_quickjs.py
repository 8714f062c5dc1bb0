#!/usr/bin/env python3
"""Compares test262 on qjs with QuickJS's own run-test262.

    benches/test262_quickjs.py CHECKOUT --quickjs DIR [--bin DIR] [AREA ...]

DIR is a checkout of QuickJS or quickjs-ng with qjs and run-test262 built in it (or in --bin). AREA is a directory below
CHECKOUT/test; default: all but intl402, staging/intl402 and the tests of Temporal, which neither engine has. run-test262
gets DIR/test262.conf without what it skips and excludes, and every feature of CHECKOUT/features.txt. It binds
$262 natively, whereas qjs uses a prelude, so realms and agents have no equivalent to compare with. Needs target/release/runner (--runner).
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

from test262 import files

FAILED = re.compile(r"/test/([^:]+)\.js:(?:\d+:)? (strict mode: )?(.*)")


def config(args, tests, path):
    """A test262.conf for these tests only, without skips."""
    with open(os.path.join(args.quickjs, "test262.conf")) as file:
        text = file.read()
    with open(os.path.join(args.checkout, "features.txt")) as file:
        features = [line.split("#")[0].strip() for line in file]
    general = text[:text.index("[features]")]
    general = re.sub(r"^harnessdir=.*", f"harnessdir={args.checkout}/harness", general, flags=re.M)
    general = re.sub(r"^(testdir|errorfile|excludefile)=.*\n", "", general, flags=re.M)
    known = "\n".join(feature for feature in features if feature)
    with open(path, "w") as file:
        file.write(f"{general}\n[features]\n{known}\n\n[tests]\n" + "\n".join(tests) + "\n")


def theirs(args, tests, work):
    """The failing halves, with their messages."""
    conf = os.path.join(work, "quickjs.conf")
    config(args, tests, conf)
    ran = subprocess.run([os.path.join(args.bin or args.quickjs, "run-test262"), "-c", conf, "-a"], cwd=work,
                         capture_output=True, text=True, errors="replace")
    found = {}
    for line in ran.stdout.splitlines():
        told = FAILED.search(line)
        if told:
            found.setdefault((told[1], bool(told[2])), told[3])
    return found, (ran.stderr.strip().splitlines() or ["nothing"])[-1]


def ours(args, areas, work):
    results = os.path.join(work, "ours.json")
    command = [args.runner, "--root", args.checkout, "--shell", os.path.join(args.bin or args.quickjs, "qjs"),
               "--host", "qjs", "--no-config", *areas]
    ran = subprocess.run([*command, "--no-history", "--no-network", "-j2", "--exit-after-n-failures=0",
                          f"--json-test-results={results}"], capture_output=True, text=True, errors="replace")
    if ran.returncode not in (0, 1):
        sys.exit(f"runner failed: {ran.returncode}\n{ran.stderr}")
    with open(results) as file:
        records = json.load(file)["results"]
    found = {}
    for record in records:
        said = record["stderr"] or record["stdout"] or record["why"]
        found[record["name"].removeprefix("test262/"), record.get("subtest") == "strict"] = said.strip().split("\n")[0]
    # Tests that the host skips are not differences.
    listed = subprocess.run([*command, "--list"], capture_output=True, text=True)
    ran = set()
    for line in listed.stdout.splitlines():
        name, _, half = line.removeprefix("test262/").partition(" default")
        ran.add((name, half == " strict"))
    return found, ran


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=os.path.abspath)
    parser.add_argument("areas", nargs="*")
    parser.add_argument("--quickjs", required=True, type=os.path.abspath)
    parser.add_argument("--bin", type=os.path.abspath)
    parser.add_argument("--show", type=int, default=2, help="how many tests of each kind of difference are named")
    parser.add_argument("--runner", default=os.path.join(os.path.dirname(__file__), "../target/release/runner"))
    args = parser.parse_intermixed_args()
    areas = args.areas
    top = os.path.join(args.checkout, "test")
    if not areas:
        # The second level of directories, so that Temporal can be left out.
        areas = [f"{area}/{name}" for area in ("annexB", "built-ins", "language", "staging")
                 for name in sorted(os.listdir(os.path.join(top, area)))
                 if os.path.isdir(os.path.join(top, area, name)) and name not in ("intl402", "Intl402", "Temporal")]
    tests = [os.path.join(args.checkout, test) for test in files(args.checkout, areas, 1)]
    with tempfile.TemporaryDirectory() as work:
        own, last = theirs(args, tests, work)
        mine, ran = ours(args, [f"test/{area}" for area in areas], work)
    own = {half: said for half, said in own.items() if half in ran}
    differing = sorted(half for half in own.keys() ^ mine.keys())
    print(f"{len(tests)} files, {len(ran)} halves here: {len(own)} fail in run-test262, {len(mine)} here, "
          f"{len(differing)} different\nrun-test262: {last}")
    kinds = collections.defaultdict(list)
    for half in differing:
        who = "run-test262 fails: " + own[half] if half in own else "fails here: " + mine[half]
        kinds[re.sub(r"/tmp/\S+|'[^']*'", "...", who)[:140]].append(half)
    for kind, halves in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(halves):6} {kind}")
        for name, strict in halves[:args.show]:
            print(f"         {name}{' strict' if strict else ''}")


if __name__ == "__main__":
    main()
