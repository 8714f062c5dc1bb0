#!/usr/bin/env python3
"""Compares runner's listings with those of V8's own classes and prints one table.

usage: benches/listings.sh [-j N] [--suites "a b"] [--variants "default exhaustive"] [--builds "release debug"]
                           [--cache DIR] [--reference-only] TREE... [-- run-tests.py options]

TREE is V8 6.7 to 13.8. Its release build is out/build (v8_build_config.json, d8 and inspector-test; any programs will
do) if it exists. Otherwise it is generated, as all other builds are: benches/builds.py --kinds. The default suites are
those of SUITES below that the tree has; unittests, cctest, bigint, wasm-api-tests, fuzzer and mkgrokdump, with generated
programs, only run if named. Options after `--` are passed to both sides. A cache keeps V8's listings, so that the next
comparison need not run V8's runner; a listing of other files, of another configuration or by another version of the
listing script is made again.

Each row: tests that V8 would run, tests that runner would run, the number of tests compared, skipped ones
included, the number of differences, and whether the order is the same. The first differences follow the table; exit code
1 if there are any.

Needs Python 2.7 for trees up to V8 9.7 and Python 3.8 to 3.11 for later ones (trees.py; V8's runner of 10.8 also
needs the package requests), and: cargo build --release --bin runner (or RUNNER).
V8 7.4 to 8.5 list nothing for the fuzzer suite, because they look for an extension that its files do not have.
"""

import argparse
import concurrent.futures
import dataclasses
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import builds
import compare_listing
import trees

SUITES = "mjsunit message webkit intl debugger inspector filecheck preparser benchmarks test262".split()
# Incremented when the output of list_modern.py changes.
FORMAT = 1


@dataclasses.dataclass
class Job:
    tree: pathlib.Path
    build: str
    outdir: pathlib.Path
    suite: str
    variants: str
    options: list
    cache: pathlib.Path


def suites_of(tree, wanted):
    """The wanted suites (or `suite/path`s), by default those of the list, that this tree has."""
    def is_there(suite):
        folder = tree / "test" / suite.split("/")[0]
        return (folder / "testcfg.py").exists() and (folder.name != "test262" or (folder / "data" / "test").is_dir())

    return [suite for suite in (wanted.split() if wanted else SUITES) if is_there(suite)]


def digest(job):
    """Of all that a listing depends on: names and sizes of the files of the suite and the runner, and the configuration."""
    made = hashlib.sha256()
    for folder in (job.tree / "test" / job.suite.split("/")[0], job.tree / "tools" / "testrunner"):
        for place, folders, files in os.walk(folder, followlinks=True):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(files):
                path = os.path.join(place, name)
                size = os.stat(path).st_size if os.path.exists(path) else -1
                made.update(f"{os.path.relpath(path, job.tree)} {size}\n".encode(errors="surrogateescape"))
    made.update((job.outdir / "v8_build_config.json").read_bytes())
    return made.hexdigest()[:16]


def header(job):
    return {"v8": ".".join(map(str, trees.version(job.tree))), "build": job.build, "suite": job.suite,
            "variants": job.variants, "options": job.options, "digest": digest(job), "format": FORMAT}


def place(job):
    """The path of a listing in the cache."""
    name = " ".join([job.suite.replace("/", "_"), job.variants, *job.options])
    name = re.sub(r"[^\w.=-]+", "_", name.replace("*", "all"))
    if len(name) > 100:
        name = f"{name[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return job.cache / job.tree.name / job.build / f"{name}.jsonl.gz"


def cached(job):
    path = place(job)
    try:
        with gzip.open(path, "rt") as file:
            found = json.loads(file.readline())["listing"]
    except (OSError, EOFError, ValueError, KeyError):
        return None
    return path if all(found.get(key) == value for key, value in header(job).items()) else None


def reference(job, work):
    """The file with V8's listing; raises ValueError with V8's last output if there is none."""
    if job.cache:
        found = cached(job)
        if found:
            return found
    listing = work / "v8.jsonl"
    listing.write_text("")
    # Makes the iteration order of sets of strings the same in each run.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # The listing goes to a file; the output is kept in case it fails.
    done = subprocess.run([trees.python_of(job.tree), trees.HERE / "list_modern.py", job.tree, job.outdir, listing,
                           job.variants, job.suite, "--", *job.options], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tests = would = 0
    with open(listing) as lines:
        for line in lines:
            tests += 1
            would += '"skipped": false' in line
    # V8 exits with 2 if no test ran.
    if done.returncode != (0 if would else 2) and not (done.returncode == 0 and tests):
        words = done.stdout.decode(errors="replace").strip().splitlines() or [""]
        raise ValueError(f"V8's listing: exit {done.returncode}: {words[-1]}")
    if not job.cache:
        return listing
    path = place(job)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    with open(listing) as lines, gzip.open(unfinished, "wt", compresslevel=6) as out:
        out.write(json.dumps({"listing": {**header(job), "tests": tests, "would": would}}) + "\n")
        shutil.copyfileobj(lines, out)
    unfinished.rename(path)
    listing.unlink()
    return path


def counts(path):
    """The number of tests in a listing, and of those that would run."""
    with compare_listing.opened(path) as file:
        first = json.loads(file.readline() or "{}")
        if "listing" in first:
            return first["listing"]["tests"], first["listing"]["would"]
        file.seek(0)
        would = [not json.loads(line)["skipped"] for line in file]
    return len(would), sum(would)


def compare(job, path, work):
    command = [trees.runner(), "--root", job.tree, "--no-config", "--outdir", job.outdir, "--random-seed=42",
               "--list-format=json", f"--variants={job.variants}", *job.options, job.suite]
    reading = compare_listing.Reading(trees.version(job.tree) < trees.PYTHON3_FROM,
                                      None if str(job.outdir) == "out/build" else str(job.outdir))
    with open(work / "errors", "w+") as errors:
        ours = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
        with compare_listing.opened(path) as theirs:
            result = compare_listing.compare(ours.stdout, theirs, reading)
        code = ours.wait()
        errors.seek(0)
        words = errors.read().strip().splitlines()
    # V8's exit code if there is nothing to run.
    if code not in (0, 2) or (code and result.would):
        result.first.insert(0, f"runner: exit {code}: {words[-1] if words else ''}")
        result.failed = code
    return result


def row_of(job, reference_only):
    """The cells after tree, build, suite and variants, the first differences, the counts, and whether all is equal."""
    with tempfile.TemporaryDirectory(prefix="flotilla-listing-") as work:
        work = pathlib.Path(work)
        try:
            path = reference(job, work)
        except ValueError as error:
            return ["V8 failed", "", "", "", ""], [str(error)], [0, 0, 0, 0], set(), False
        if reference_only:
            tests, would = counts(path)
            return [would, "", tests, "", ""], [], [would, 0, tests, 0], set(), True
        result = compare(job, path, work)
    numbers = [result.would, result.would_ours, result.compared, result.total()]
    order = "" if result.total() and not result.compared else "same" if result.order is None else "differs"
    ours = f"exit {result.failed}" if result.failed else result.would_ours
    cells = [result.would, ours, result.compared, result.total(), order]
    return cells, result.first, numbers, result.missing_keys, result.equal()


def jobs_of(options, work):
    for tree in map(pathlib.Path, options.trees):
        tree = tree.resolve()
        for kind in options.builds.split():
            own = tree / "out" / "build"
            made = work / tree.name / kind
            for suite in suites_of(tree, options.suites):
                outdir = own
                other = suite.split("/")[0] in builds.OTHER_SUITES
                if kind != "release" or other or not (own / "v8_build_config.json").exists():
                    outdir = made
                    if not made.exists():
                        builds.write(tree, made, kind)
                for variants in options.variants.split():
                    yield Job(tree, kind, outdir, suite, variants, options.options, options.cache)


def show(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def compare_all(options, work):
    if not options.reference_only:
        trees.runner()
    jobs = list(jobs_of(options, work))
    header_cells = ["tree", "build", "suite", "variants", "V8 would run", "runner would run", "compared, with skipped",
                    "different", "order"]
    show(header_cells)
    show(["---"] * len(header_cells))
    total, shown, missing, equal = [0] * 4, [], set(), True
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for job, found in zip(jobs, pool.map(row_of, jobs, [options.reference_only] * len(jobs))):
            cells, first, numbers, lacks, same = found
            show([job.tree.name, job.build, job.suite, job.variants, *cells])
            total = [a + b for a, b in zip(total, numbers)]
            missing |= lacks
            equal &= same
            if first:
                shown.append((job, first))
    show(["total", "", f"{len(jobs)} listings", "", *total, ""])
    if missing:
        print("\nNot compared, since runner's listing lacks it: " + ", ".join(sorted(missing)))
    for job, first in shown[:options.shown]:
        print(f"\n{job.tree.name} {job.build} {job.suite} {job.variants}:")
        print("\n".join(first[:options.shown]))
    return equal


def main():
    words = sys.argv[1:]
    given = []
    if "--" in words:
        at = words.index("--")
        words, given = words[:at], words[at + 1:]
    parser = argparse.ArgumentParser(prog="benches/listings.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=1, dest="jobs", help="listings at once (default 1)")
    parser.add_argument("--suites")
    parser.add_argument("--variants", default="default exhaustive")
    parser.add_argument("--builds", default="release")
    parser.add_argument("--cache", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--reference-only", action="store_true", help="only make V8's listings, for the cache")
    parser.add_argument("--shown", type=int, default=5, help="differences shown, and rows whose differences are shown")
    parser.add_argument("trees", nargs="+")
    options = parser.parse_args(words)
    options.options = given
    unknown = set(options.builds.split()) - builds.KINDS.keys()
    if unknown:
        sys.exit(f"unknown builds: {' '.join(sorted(unknown))} (known: {' '.join(builds.KINDS)})")
    with tempfile.TemporaryDirectory(prefix="flotilla-builds-") as work:
        equal = compare_all(options, pathlib.Path(work))
    sys.exit(not equal)


if __name__ == "__main__":
    main()
