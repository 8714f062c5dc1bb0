#!/usr/bin/env python3
"""Runs V8's system tests of its test runner with `runner` as well.

usage: benches/system_tests.py TREE [--keep DIR] [SCENARIO...]

TREE is V8 12.0 to 13.8 with tools/testrunner/testdata; scenarios whose testdata it lacks are skipped.
Each scenario below restates one of tools/testrunner/standard_runner_test.py: a small tree of its testdata, a
configuration and a command line. It is run by V8's runner, as a process, and by `runner`, each on a fresh copy, and these
must be the same: the exit code, the number of tests run, each run with its name, variant, number, outcome, exit code,
expectation, flags and marks, and if the scenario demands it the order of the runs. The exit code and the number of tests
that V8's test asserts are part of the scenario and are checked on V8's side.

The suites of the testdata are Python programs, which `runner` does not run. So both sides get the tests as files of a
suite mjsunit, with the tree's own testcfg.py, the testdata's status file, and a shell that passes the test's name instead
of the file's to the testdata's programs, as they expect. Scenarios that run no test keep the suite as it is.

Exits with 1 if a scenario differs. Needs the Python of the tree's own runner and target/release/runner (or RUNNER).
"""

import argparse
import ast
import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import trees

SUITE = "mjsunit"


@dataclasses.dataclass
class Scenario:
    """A case of V8's test. `tests` are names of the testdata; `exit` and `ran` are the values that V8's test asserts, if any.
    """
    name: str
    options: list = dataclasses.field(default_factory=list)
    tests: list = dataclasses.field(default_factory=list)
    root: str = "testroot1"
    config: dict = dataclasses.field(default_factory=dict)
    exit: int = None
    ran: int = None
    outdir: str = "out"
    # Has no test suite that `runner` supports, and no report, which V8's test does not request there.
    plain: bool = False
    build: bool = True
    schedule: bool = False
    # V8's program is another one, ended by a fake clock, so only the exit code that its test asserts is compared.
    asserted: bool = False


DEFAULT = ["--variants=default"]
BOTH = ["--variants=default,stress"]
VERBOSE = ["--progress=verbose"]
SANITIZED = {name: True for name in ("asan", "cfi", "dcheck_always_on", "has_webassembly", "msan", "tsan", "ubsan",
                                     "use_sanitizer")}
IA32 = {"arch": "ia32", "target_cpu": "x86", "v8_target_cpu": "x86"}

SCENARIOS = [
    Scenario("two tests pass in two variants, with durations", [*VERBOSE, *BOTH, "--time"], ["bananas", "raspberries"],
             exit=0),
    Scenario("heavy tests among others", [*VERBOSE, "--variants=nooptimization"], ["*"], root="testroot3", exit=0, ran=7),
    Scenario("shard 1 of 2", [*VERBOSE, *BOTH, "--shard-count=2", "--shard-run=1"], ["blackberries", "raspberries"]),
    Scenario("shard 2 of 2", [*VERBOSE, *BOTH, "--shard-count=2", "--shard-run=2"], ["blackberries", "raspberries"]),
    Scenario("a test fails in two variants", [*VERBOSE, *BOTH], ["strawberries"], exit=1),
    Scenario("the latest build of out.gn", ["--gn"], root="testroot5", outdir="out.gn", exit=2, plain=True),
    Scenario("a configuration that is no JSON", root="testroot4", exit=5, plain=True),
    Scenario("a failing test is run three times", [*VERBOSE, *DEFAULT, "--rerun-failures-count=2", "--random-seed=123"],
             ["strawberries"], exit=1, ran=3, schedule=True),
    Scenario("a flaky test", [*VERBOSE, *DEFAULT, "--rerun-failures-count=2", "--random-seed=123"], ["*"],
             root="testroot2", exit=1, ran=2, schedule=True),
    Scenario("every kind of build at once", [*VERBOSE, *DEFAULT], ["bananas"], config={**SANITIZED, **IA32}, exit=0),
    Scenario("all tests, one job", [*VERBOSE, *DEFAULT, "-j1"], ["*"], ran=7),
    Scenario("a test skipped in a variant", [*VERBOSE, "--variants=nooptimization"], ["strawberries"], exit=2, ran=0),
    Scenario("skipped tests run", [*VERBOSE, "--variants=nooptimization", "--run-skipped"], ["strawberries"], exit=1,
             ran=1),
    Scenario("default suites, of which there is none", exit=2, plain=True),
    Scenario("no configuration", root="no such directory", exit=5, plain=True, build=False),
    Scenario("an architecture that the build is not for", ["--arch=ia32"], exit=5, plain=True),
    Scenario("an unknown variant", ["--variants=meh"], exit=5, plain=True),
    Scenario("the build named in full", ["--outdir=out/build"], ["bananas"], exit=0),
    Scenario("a predictable build", [*VERBOSE, *DEFAULT], ["bananas"], config={"verify_predictable": True}, exit=1, ran=1),
    Scenario("a slow architecture", [*VERBOSE, *DEFAULT], ["bananas"], config={"v8_target_cpu": "arm64"}, exit=0),
    Scenario("two seeds", [*VERBOSE, *DEFAULT, "--random-seed-stress-count=2"], ["bananas"], exit=0, ran=2),
    Scenario("one seed twice", [*VERBOSE, *DEFAULT, "--random-seed-stress-count=2", "--random-seed=123"], ["strawberries"],
             exit=1, ran=2),
    Scenario("the number fuzzer's flavour, twice",
             [*VERBOSE, *DEFAULT, "--framework=num_fuzzer", "--random-seed-stress-count=2"], ["bananas", "apples"],
             root="testroot7", exit=1, ran=4),
    Scenario("tests without variants", [*VERBOSE, *BOTH], ["bananas", "raspberries"], config={"asan": True}, exit=0, ran=2),
    Scenario("progress as dots", ["--progress=dots", "--no-sorting", "-j1"], ["cherries", "bananas"], exit=1, ran=2),
    Scenario("progress in black and white", ["--progress=mono"], ["cherries", "bananas"], exit=1, ran=2),
    Scenario("progress in colour", ["--progress=color"], ["cherries", "bananas"], exit=1, ran=2),
    Scenario("two failures, one of which has details", ["--progress=mono"], ["cherries", "strawberries"], exit=1, ran=2),
    Scenario("the run ends after two failures", [*VERBOSE, "--exit-after-n-failures=2", "-j1"],
             ["mangoes", "strawberries", "blackberries", "raspberries"], exit=1, ran=3),
    Scenario("heavy tests on a bot", [*DEFAULT, "--swarming"], ["*"], root="testroot6", exit=1),
    Scenario("the runner's own flags", [*VERBOSE, *DEFAULT, "--random-seed=42", "-v"], ["bananas"], exit=0),
    Scenario("the number fuzzer's rare test is not skipped",
             [*VERBOSE, *DEFAULT, "--framework=num_fuzzer", "--allocation-offset=1", "--skip-rare-tests-prob=0.0"], ["*"],
             root="testroot8", exit=1, asserted=True),
    # The previous scenario with V8's other runner.
    Scenario("what the number fuzzer runs seldom runs always here", [*VERBOSE, *DEFAULT, "--framework=num_fuzzer"], ["*"],
             root="testroot8"),
]

NOT_CARRIED = [
    ("testRDB", 1, "uploads to ResultDB, a service of V8's bots; V8's runner has no option for it"),
    ("testWithFakeContext", 1, "replaces the class that starts processes, and checks the order of its own output"),
    ("testSharded", 1, "is switched off by V8 itself"),
    ("testNumFuzzer", 22, "num_fuzzer.py is another program; of it only the options and the exit code are carried over, "
     "once each, not the made up flags and their number"),
    ("testRandomSkip_Excludes", 1, "chance, and a program of its own"),
    ("testStatusFilePresubmit", 1, "checks a status file by V8's presubmit"),
]

# Runs the tree's runner on another directory.
DRIVER = """
import pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from testrunner import standard_runner
sys.exit(standard_runner.StandardTestRunner(basedir=pathlib.Path(sys.argv[2])).execute(sys.argv[3:]))
"""

# Prints the keys that the tables of variants require in a configuration.
REQUIRED = """
import json, sys
sys.path.insert(0, sys.argv[1])
from testrunner.local import variants
print(json.dumps(sorted(getattr(variants, 'REQUIRED_BUILD_VARIABLES', []))))
"""

# The shell of the generated trees: runs the testdata's program with the arguments that its own suite would pass.
SHELL = """
import pathlib, runpy, sys
sys.argv[1:] = [pathlib.Path(word).stem if word.endswith('.js') else word for word in sys.argv[1:]]
runpy.run_path(str(pathlib.Path(__file__).parent / 'd8_mocked.py'), run_name='__main__')
"""


def fuzzers(tree):
    """One scenario for each kind of flag that the number fuzzer generates, in versions that have --framework."""
    if not (tree / "tools" / "testrunner" / "testdata" / "testroot7").is_dir():
        return
    text = (tree / "tools" / "testrunner" / "num_fuzzer.py").read_text()
    for option in re.findall(r'"(--(?:stress|allocation)-[\w-]+)"', text):
        yield Scenario(f"the number fuzzer with {option}", [*VERBOSE, *DEFAULT, "--framework=num_fuzzer", f"{option}=1",
                                                           "--fuzzer-random-seed=12345", "--total-timeout-sec=60"],
                       ["bananas"], exit=0, asserted=True)


class Testdata:
    def __init__(self, tree):
        self.tree = tree
        self.data = tree / "tools" / "testrunner" / "testdata"
        if not self.data.is_dir():
            sys.exit(f"{tree} has no tools/testrunner/testdata")
        self.python = trees.python_of(tree)
        # Keys that V8's tests add to their configuration, all false.
        listed = subprocess.run([self.python, "-B", "-c", REQUIRED, tree / "tools"], capture_output=True, check=True)
        self.required = json.loads(listed.stdout)

    def lay_out(self, scenario, root):
        """A fresh tree for the scenario."""
        root.mkdir()
        source = self.data / scenario.root
        if source.is_dir():
            shutil.copytree(source, root, dirs_exist_ok=True)
        if scenario.build:
            build = root / scenario.outdir / "build"
            build.mkdir(parents=True, exist_ok=True)
            path = build / "v8_build_config.json"
            if not path.exists():
                config = json.loads((self.data / "v8_build_config.json").read_text())
                config.update({key: False for key in self.required}, **scenario.config)
                path.write_text(json.dumps(config))
        # For `runner`, which reads them from the tree it runs; V8's runner comes from another tree.
        for entry in self.tree.iterdir():
            if entry.name not in ("test", "out", "out.gn"):
                (root / entry.name).symlink_to(entry)
        if not scenario.plain:
            self.make_suite(root)

    def make_suite(self, root):
        """The one suite of the testdata as files of a suite that both runners support."""
        [old] = (root / "test").iterdir()
        text = (old / "testcfg.py").read_text()
        [names] = [ast.literal_eval(node.value) for node in ast.walk(ast.parse(text))
                   if isinstance(node, ast.Return) and isinstance(node.value, ast.List)
                   and all(isinstance(item, ast.Constant) for item in node.value.elts)]
        new = root / "test" / SUITE
        new.mkdir()
        for name in [*names, SUITE, f"{SUITE}_numfuzz"]:
            (new / f"{name}.js").write_text("")
        shutil.copy(self.tree / "test" / SUITE / "testcfg.py", new)
        [status] = old.glob("*.status")
        shutil.copy(status, new / f"{SUITE}.status")
        shutil.rmtree(old)
        (root / "out" / "build" / "d8").write_text(SHELL)


@dataclasses.dataclass
class Seen:
    exit: int
    report: dict
    schedule: list
    output: str

    def ran(self):
        return self.report["test_total"] if self.report else None

    def runs(self, seed):
        """All runs, taken from the slowest tests in V8's report, which has up to 20."""
        return self.views("slowest_tests", seed)

    def unexpected(self, seed):
        return self.views("results", seed)

    def views(self, key, seed):
        if not self.report:
            return None
        found = [self.view(record, seed) for record in self.report[key]]
        return sorted(found, key=lambda record: (record["name"], record["variant"], record["run"], str(record)))

    def view(self, record, seed):
        keys = ("name", "variant", "run", "result", "exit_code", "expected", "marked_slow", "marked_heavy", "shard_id",
                "shard_count", "framework_name", "target_name", "variant_flags")
        found = {key: record[key] for key in keys if key in record}
        found["flags"] = [word for word in record["flags"] if seed or not word.startswith("--random-seed=")]
        return found


def run(command, root, scenario):
    report = root / "out.json"
    words = ["--command-prefix", sys.executable, *scenario.options, "--no-infra-staging"]
    if not scenario.plain:
        words.append(f"--json-test-results={report}")
    words += [f"{SUITE}/{name}" for name in scenario.tests]
    done = subprocess.run([*command, *words], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=300)
    text = report.read_text().replace(f"{root.resolve()}/", "").replace(f"{root}/", "") if report.exists() else "null"
    log = root / "test_schedule.log"
    lines = re.sub(r" \(.*\)$", "", log.read_text(), flags=re.MULTILINE).splitlines() if log.exists() else None
    return Seen(done.returncode, json.loads(text), sorted(lines) if lines is not None else None, done.stdout + done.stderr)


def differences(scenario, v8, ours):
    """The differences, as text."""
    seed = any(option.startswith("--random-seed=") for option in scenario.options)
    pairs = [("exit code", v8.exit, ours.exit)]
    if not scenario.asserted:
        pairs += [("tests ran", v8.ran(), ours.ran()),
                  ("runs", v8.runs(seed), ours.runs(seed)), ("unexpected", v8.unexpected(seed), ours.unexpected(seed))]
    if scenario.schedule:
        pairs.append(("schedule", v8.schedule, ours.schedule))
    for what, a, b in pairs:
        if a == b:
            continue
        if not isinstance(a, list) or not isinstance(b, list):
            if not isinstance(a, list):
                yield f"{what}: V8 {a}, runner {b}"
            continue
        if len(a) != len(b):
            yield f"{what}: V8 {len(a)}, runner {len(b)}"
        for x, y in zip(a, b):
            if x == y:
                continue
            name = ""
            if isinstance(x, dict):
                # Only the keys that differ.
                name = f" of {x['name']} {x['variant']} run {x['run']}"
                keys = [key for key in {**x, **y} if x.get(key) != y.get(key)]
                x, y = ({key: side.get(key) for key in keys} for side in (x, y))
            yield f"{what}{name}: V8 {x}, runner {y}"
            break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="leave the trees and what was said there")
    parser.add_argument("scenarios", nargs="*", help="words that a scenario's name contains")
    options = parser.parse_intermixed_args()
    testdata = Testdata(options.tree.resolve())
    work = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="flotilla-system-"))
    work.mkdir(exist_ok=True)
    there = [scenario for scenario in [*SCENARIOS, *fuzzers(testdata.tree)]
             if not scenario.build or (testdata.data / scenario.root).is_dir()]
    chosen = [scenario for scenario in there
              if not options.scenarios or any(word in scenario.name for word in options.scenarios)]
    details, same = [], 0
    print("| scenario | V8: exit, tests ran | runner: exit, tests ran | same |\n|---|---|---|---|")
    try:
        for number, scenario in enumerate(chosen):
            roots = [work / f"{number:02}-{side}" for side in ("v8", "runner")]
            for root in roots:
                testdata.lay_out(scenario, root)
            if scenario.asserted:
                v8 = Seen(scenario.exit, None, None, "")
            else:
                v8 = run([testdata.python, "-c", DRIVER, testdata.tree / "tools", roots[0]], roots[0], scenario)
            ours = run([trees.runner(), "--root", roots[1], "--no-config", "--no-history", "--no-network"], roots[1],
                       scenario)
            found = list(differences(scenario, v8, ours))
            for what, asserted, seen in (("exit code", scenario.exit, v8.exit), ("tests ran", scenario.ran, v8.ran())):
                if asserted is not None and seen is not None and asserted != seen:
                    found.append(f"V8's test asserts {what} {asserted}, its runner gave {seen}")
            if options.keep:
                for root, seen in zip(roots, (v8, ours)):
                    (root / "output").write_text(seen.output)
            same += not found
            show = lambda seen: f"{seen.exit}, {'-' if seen.ran() is None else seen.ran()}"
            print(f"| {scenario.name} | {show(v8)} | {show(ours)} | {'no' if found else 'yes'} |", flush=True)
            details += [f"{scenario.name}: {text}" for text in found]
    finally:
        if not options.keep:
            shutil.rmtree(work)
    print(f"\n{same} of {len(chosen)} scenarios are the same.\n")
    print("\n".join(details))
    if not options.scenarios:
        print("\nNot carried over:")
        for name, number, why in NOT_CARRIED:
            print(f"- {name} ({number}): {why}")
    sys.exit(same != len(chosen))


if __name__ == "__main__":
    main()
