#!/usr/bin/env python3
"""Compares test262 on node with npm's test262-harness, and measures running and listing it.

    benches/test262.py CHECKOUT verdicts [--every N] [AREA ...]     compare the verdict of every half
    benches/test262.py CHECKOUT speed [--every N] [--runs K] [AREA ...]   wall time: the harness, xargs -P2 node and ours alternate
    benches/test262.py CHECKOUT listing [--runs K]                   the time of `runner --list`

AREA is a directory below CHECKOUT/test (default: built-ins/Array language/expressions language/module-code). --every N
takes every Nth file of them. Needs target/release/runner (--runner), node in PATH, and for the first two the harness:
`npm install test262-harness@10` somewhere, named with --harness DIR (which holds node_modules). --results FILE takes the
harness's verdicts from FILE, or writes them there.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

AREAS = ["built-ins/Array", "language/expressions", "language/module-code"]
JOBS = 2


def files(checkout, areas, every):
    found = []
    for area in areas:
        for where, dirs, names in os.walk(os.path.join(checkout, "test", area)):
            dirs.sort()
            for name in sorted(names):
                if name.endswith(".js") and "_FIXTURE" not in name:
                    found.append(os.path.relpath(os.path.join(where, name), checkout))
    return found[::every]


def ours(args, tests, more=()):
    command = [args.runner, "--root", args.checkout, "--shell", shutil.which("node"), "--no-config", "--no-history",
               "--no-network", f"-j{JOBS}", "--exit-after-n-failures=0", *more]
    # More names than fit into a command line are passed in parts.
    begun = time.monotonic()
    outputs = []
    for at in range(0, len(tests), 2000):
        ran = subprocess.run(command + tests[at:at + 2000], capture_output=True, text=True, errors="replace")
        if ran.returncode not in (0, 1):
            sys.exit(f"runner failed: {ran.returncode}\n{ran.stderr}")
        outputs.append(ran.stdout)
    return time.monotonic() - begun, "\n".join(outputs)


def harness(args, tests, keys="file,scenario,result"):
    tool = os.path.join(args.harness, "node_modules/.bin/test262-harness")
    results = []
    begun = time.monotonic()
    for at in range(0, len(tests), 2000):
        ran = subprocess.run(
            [tool, "--host-type", "node", "--host-path", shutil.which("node"), "--test262-dir", args.checkout,
             "-t", str(JOBS), "--reporter", "json", "--reporter-keys", keys, *tests[at:at + 2000]],
            cwd=args.checkout, capture_output=True, text=True, errors="replace")
        try:
            results += json.loads(ran.stdout)
        except ValueError:
            sys.exit(f"the harness failed: {ran.returncode}\n{ran.stdout[-500:]}\n{ran.stderr[-2000:]}")
    return time.monotonic() - begun, results


def saved(args, tests):
    if not args.results or not os.path.exists(args.results):
        slower, results = harness(args, tests)
        if args.results:
            with open(args.results, "w") as file:
                json.dump([slower, results], file)
    else:
        with open(args.results) as file:
            slower, results = json.load(file)
    return slower, results


def verdicts(args, tests):
    took, out = ours(args, tests, ["-p", "verbose"])
    own, why = {}, {}
    for line in out.splitlines():
        done = re.match(r"test262/(\S+) default(?: (strict|module))?: (\w+)$", line)
        if done:
            half = "strict" if done[2] == "strict" else "default"
            own[done[1], half] = done[3] == "pass"
        block = re.match(r"=== test262/(\S+) \(default(?:, (strict|module))?\) ===$", line)
        if block:
            current = (block[1], "strict" if block[2] == "strict" else "default")
        elif line.startswith("expected ") and current not in why:
            why[current] = line
    slower, results = saved(args, tests)
    theirs = {}
    for result in results:
        name = re.sub(r"^.*?test/|\.js$", "", result["file"])
        half = "strict" if result["scenario"].startswith("strict") else "default"
        theirs[name, half] = result["result"]
    # The harness runs module tests twice, as it does scripts.
    same = different = only = 0
    kinds = {}
    for half, result in sorted(theirs.items()):
        if half not in own:
            only += 1
            kinds.setdefault(("not run here", not result["pass"] and "harness fails"), []).append(half)
            continue
        if own[half] == result["pass"]:
            same += 1
            continue
        different += 1
        said = why.get(half) if result["pass"] else result["result"] if "result" in result else result.get("message")
        kind = ("harness passes" if result["pass"] else "harness fails", str(said)[:110])
        kinds.setdefault(kind, []).append(half)
    missing = [half for half in own if half not in theirs]
    print(f"{len(tests)} files, {len(own)} halves here, {len(theirs)} of the harness: {same} same, "
          f"{different} different, {only} run by the harness alone, {len(missing)} here alone")
    print(f"wall {took:.1f} s here, {slower:.1f} s the harness")
    for kind, halves in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"{len(halves):6} {kind[0]}: {kind[1]}")
        for name, half in halves[:args.show]:
            print(f"         {name} {half}")


def speed(args, tests):
    with tempfile.TemporaryDirectory() as kept:
        ours(args, tests, ["--keep-compiled", kept])
        compiled = sorted(os.path.join(where, name) for where, _, names in os.walk(kept)
                          for name in names if re.search(r"\.(default|strict|module)\.js$", name))
        lists = os.path.join(kept, "list")
        flags = "--no-warnings --experimental-vm-modules"
        with open(lists, "w") as out:
            out.writelines(path + "\n" for path in compiled)
        print(f"{len(tests)} files, {len(compiled)} compiled files, {JOBS} jobs; rounds in turn")
        ratios = {"xargs": [], "harness": []}
        for _ in range(args.runs):
            begun = time.monotonic()
            subprocess.run(f"xargs -P{JOBS} -n1 node {flags} <{lists} >/dev/null 2>&1", shell=True, cwd=args.checkout)
            floor = time.monotonic() - begun
            here, _ = ours(args, tests)
            line = f"xargs {floor:7.2f} s   runner {here:7.2f} s  ({here / floor:.3f})"
            ratios["xargs"].append(here / floor)
            if args.harness:
                there, _ = harness(args, tests, "file")
                ratios["harness"].append(here / there)
                line += f"   harness {there:7.2f} s  ({here / there:.3f})"
            print(line, flush=True)
        for against, values in ratios.items():
            if values:
                print(f"median runner/{against}: {statistics.median(values):.3f}")


def listing(args, _):
    times = []
    for _ in range(args.runs + 1):
        begun = time.monotonic()
        ran = subprocess.run([args.runner, "--root", args.checkout, "--no-config", "--list"], stdout=subprocess.PIPE)
        times.append(time.monotonic() - begun)
    lines = ran.stdout.count(b"\n")
    print(f"{lines} tests listed; first {times[0]:.2f} s, then median "
          f"{statistics.median(times[1:]):.2f} s, worst {max(times[1:]):.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout")
    parser.add_argument("what", choices=["verdicts", "speed", "listing"])
    parser.add_argument("areas", nargs="*")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--show", type=int, default=5, help="how many tests of each kind of difference are named")
    parser.add_argument("--results", metavar="FILE")
    parser.add_argument("--harness", help="the directory with node_modules")
    parser.add_argument("--runner", default=os.path.join(os.path.dirname(__file__), "../target/release/runner"))
    args = parser.parse_intermixed_args()
    args.checkout = os.path.realpath(args.checkout)
    args.runner = os.path.abspath(args.runner)
    if args.what == "verdicts" and not args.harness:
        parser.error("verdicts are compared with the harness's: --harness DIR")
    tests = [] if args.what == "listing" else files(args.checkout, args.areas or AREAS, args.every)
    {"verdicts": verdicts, "speed": speed, "listing": listing}[args.what](args, tests)


if __name__ == "__main__":
    main()
