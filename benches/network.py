#!/usr/bin/env python3
"""The cost of running on peers: real release binaries, and peers on loopback with separate home directories.

benches/network.py [efficiency] [overhead] [million] [--runs N] [--bin DIR] [--tests N]

efficiency  2000 tests that sleep 100 ms on 8 peers of 4 jobs: all equal; one 4 times slower; one killed at half time.
overhead    20,000 tests that exit at once, on one peer and on this machine, with equal jobs.
million     1,000,000 tests are listed for 4 peers: the runner's memory after listing and the first 20,000 results.

Needs `cargo build --release --bins`, and cc for the engine, which is made here. The peers already have the
inputs: each measurement follows a run of one test on each peer. With --runs, the median is shown. The machine should be
idle; its load is shown beside each figure.
"""

import argparse
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Sleeps for the time given by the test's directory, multiplied by FACTOR; exits at once if the directory has no number.
ENGINE = r"""
#include <stdlib.h>
#include <string.h>
#include <time.h>
int main(int argc, char **argv) {
  const char *factor = getenv("FACTOR");
  for (int i = 1; i < argc; i++) {
    const char *at = strstr(argv[i], "/sleep-");
    if (!at) continue;
    double seconds = atof(at + 7) / 1000 * (factor ? atof(factor) : 1);
    struct timespec left = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left)) {}
  }
  return 0;
}
"""
BUILD_CONFIG = {
    "dcheck_always_on": False, "is_android": False, "is_asan": False, "is_cfi": False, "is_clang": True,
    "is_debug": False, "is_full_debug": False, "is_gcov_coverage": False, "is_ubsan_vptr": False, "is_msan": False,
    "is_tsan": False, "target_cpu": "x64", "v8_target_cpu": "x64", "v8_enable_i18n_support": True,
    "v8_enable_verify_predictable": False, "v8_enable_concurrent_marking": True, "v8_enable_verify_csa": False,
    "v8_enable_lite_mode": False, "v8_enable_pointer_compression": True,
    "v8_enable_pointer_compression_shared_cage": True, "v8_control_flow_integrity": False,
    "v8_enable_single_generation": False, "v8_enable_third_party_heap": False, "v8_enable_webassembly": True,
}
# Those of V8 9.2 except the ones that skip tests: a million tests are a few files in many variants.
VARIANTS = ["default", "stress", "stress_js_bg_compile_wasm_code_gc", "slow_path", "nooptimization", "no_wasm_traps",
            "instruction_scheduling", "stress_instruction_scheduling", "future", "turboprop",
            "stress_snapshot", "assert_types", "interpreted_regexp", "experimental_regexp", "trusted", "no_lfa",
            "top_level_await", "stress_sampling", "minor_mc", "concurrent_inlining", "jitless", "code_serializer",
            "stress_incremental_marking", "stress_concurrent_allocation"]


class Bench:
    def __init__(self, bin_dir, dir):
        self.bin, self.dir, self.peers, self.rows = bin_dir, dir, [], []
        self.engine = os.path.join(dir, "engine")
        source = os.path.join(dir, "engine.c")
        with open(source, "w") as file:
            file.write(ENGINE)
        subprocess.run(["cc", "-O2", "-static", "-s", "-o", self.engine, source], check=True)
        self.own = os.path.join(dir, "own")
        self.peerd(self.own, "setup")

    def peerd(self, home, *words):
        env = {name: value for name, value in os.environ.items() if not name.startswith("FLOTILLA_")}
        command = [os.path.join(self.bin, "peerd"), "--home", home, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
        if done.returncode:
            sys.exit(f"peerd {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def key(self, home):
        return os.path.join(home, "trusted", self.peerd(home, "fingerprint").strip() + ".pem")

    def start_peers(self, count, jobs, factors=None):
        """Starts this many peers that accept our work; `factors`, by the number of a peer, make some slower."""
        for number in range(count):
            home = os.path.join(self.dir, f"peer{len(self.peers)}-{number}-{time.monotonic_ns()}")
            self.peerd(home, "setup")
            factor = (factors or {}).get(number)
            if factor:
                with open(os.path.join(home, "peerd.toml"), "a") as file:
                    file.write(f'\n[work.env]\nFACTOR = "{factor}"\n')
            self.peerd(home, "approve", self.key(self.own))
            self.peerd(self.own, "approve", self.key(home))
            settings = ["local.address=127.0.0.1:0", "work.address=127.0.0.1:0", "status.address=127.0.0.1:0",
                        "discovery.enabled=false", f"work.jobs={jobs}"]
            self.peerd(home, "start", "--allow-root", *(word for set in settings for word in ("--set", set)))
            status = json.loads(self.peerd(home, "status", "--json"))
            work = next(port for port in status["ports"] if port["name"] == "Work")
            self.peers.append((home, work["address"], status["pid"]))

    def stop_peers(self):
        for home, _, pid in self.peers:
            if os.path.exists(f"/proc/{pid}"):
                self.peerd(home, "stop")
            shutil.rmtree(home, ignore_errors=True)
        self.peers = []

    def tree(self, name, tests):
        """A tree whose suite has these tests."""
        root = os.path.join(self.dir, name)
        suite = os.path.join(root, "test", "mjsunit")
        os.makedirs(os.path.join(root, "out"))
        os.makedirs(suite)
        shutil.copy(self.engine, os.path.join(root, "out", "d8"))
        with open(os.path.join(root, "out", "v8_build_config.json"), "w") as file:
            json.dump(BUILD_CONFIG, file)
        for file, text in [("mjsunit.status", "[\n]\n"), ("mjsunit.js", "")]:
            with open(os.path.join(suite, file), "w") as out:
                out.write(text)
        for test in tests:
            path = os.path.join(suite, test + ".js")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").close()
        return root

    def command(self, root, *words):
        return [os.path.join(self.bin, "runner"), "--home", self.own, "--root", root, "--no-config",
                "--exit-after-n-failures=0", "-p", "dots", *words]

    def over_peers(self, root, *words, only=None):
        peers = (word for _, address, _ in (self.peers if only is None else [only]) for word in ("--peer", address))
        return self.command(root, "--local-jobs=0", *peers, *words)

    def warm(self, root, test):
        """Prepares the peers one by one, since a run of one test ends before all peers have their inputs."""
        for peer in self.peers:
            self.run(self.over_peers(root, "--variants=default", test, only=peer))

    def run(self, command, meanwhile=None):
        """Wall and CPU seconds, and the printed and logged output."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("FLOTILLA_")}
        with tempfile.TemporaryFile("w+") as out:
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                       env={**env, "FLOTILLA_LOG": "info"})
            if meanwhile:
                meanwhile(process)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            text = out.read()
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
        return wall, usage.ru_utime + usage.ru_stime, text

    def row(self, what, seen, limit, unit="", ratio=None):
        load = os.getloadavg()[0]
        shown = f"{seen:.3g}{unit}" if ratio is None else f"{seen:.3g}{unit} ({ratio:.3f})"
        reached = (seen if ratio is None else ratio) <= limit
        verdict = "" if reached else "  MISSED"
        print(f"| {what} | {shown} | <= {limit:g}{unit if ratio is None else ''} | load {load:.1f} |{verdict}", flush=True)


def makespan(text):
    """The time from the first lease to the last verdict, as logged by the scheduler."""
    found = (re.search(r"([\d.]+) s from the first lease to the last verdict", text)
             or re.search(r"tests ran in ([\d.]+) s", text))
    if not found:
        sys.exit("the runner does not log its makespan:\n" + text[-3000:])
    return float(found[1])


def joined(text):
    return len(re.findall(r" takes part", text))


def efficiency(bench, args):
    tests, peers, jobs, length = args.tests or 2000, 8, 4, 0.1
    root = bench.tree("sleepers", [f"sleep-100-{number:04}" for number in range(tests)])
    even = math.ceil(tests / (peers * jobs)) * length
    slow = tests * length / ((peers - 1) * jobs + jobs / 4)

    def measured(what, ideal, limit, whole, factors=None, killed=False):
        spans, walls, ideals = [], [], []
        for _ in range(args.runs):
            bench.start_peers(peers, jobs, factors)
            bench.warm(root, "mjsunit/sleep-100-0000")
            before = []

            def kill(process):
                # The first lease comes some time after the start; the count below shows how much is done by then.
                time.sleep(0.2 + even / 2)
                os.kill(bench.peers[3][2], signal.SIGKILL)
                before.append(even / 2)

            wall, _, text = bench.run(bench.over_peers(root, "--variants=default"), kill if killed else None)
            if joined(text) < peers:
                print(f"only {joined(text)} of {peers} peers took part", file=sys.stderr)
            spans.append(makespan(text))
            walls.append(wall)
            # All peers worked until one was killed, then one fewer.
            ideals.append(even / 2 + even / 2 * peers / (peers - 1) if killed else ideal)
            bench.stop_peers()
        ideal = statistics.median(ideals)
        span, wall = statistics.median(spans), statistics.median(walls)
        bench.row(f"{what}: first lease to last verdict, of {ideal:.2f} s", span, limit, " s", span / ideal)
        if whole:
            bench.row(f"{what}: the whole command", wall, whole, " s", wall / ideal)

    measured(f"{tests} tests of 100 ms, {peers} peers of {jobs} jobs", even, 1.05, 1.12)
    measured("one peer 4 times slower", slow, 1.10, None, factors={3: 4})
    measured("one peer killed at half time", None, 1.15, None, killed=True)


def overhead(bench, args):
    tests, jobs = args.tests or 20_000, 2
    root = bench.tree("stubs", [f"d{number // 1000}/t{number:05}" for number in range(tests)])
    bench.start_peers(1, jobs)
    bench.warm(root, "mjsunit/d0/t00000")
    here, there, cpus, ratios, spans = [], [], [], [], []
    for _ in range(args.runs):
        local, _, _ = bench.run(bench.command(root, "--no-network", f"-j{jobs}", "--variants=default"))
        wall, cpu, text = bench.run(bench.over_peers(root, "--variants=default"))
        here.append(local)
        there.append(wall)
        ratios.append(wall / local)
        spans.append(makespan(text))
        cpus.append(cpu / tests * 1e6)
    bench.stop_peers()
    median = statistics.median
    print(f"here {median(here):.2f} s, on a peer {median(there):.2f} s, of these {median(spans):.2f} s from the first lease")
    bench.row(f"{tests} tests that exit at once, one peer against this machine, {jobs} jobs", median(there), 1.3, " s",
              median(ratios))
    bench.row("the runner's CPU for each of them", median(cpus), 60, " us")


def million(bench, args):
    files = math.ceil((args.tests or 1_000_000) / len(VARIANTS))
    root = bench.tree("million", [f"d{number // 1000}/t{number:06}" for number in range(files)])
    bench.start_peers(4, 2)
    bench.warm(root, "mjsunit/d0/t000000")
    command = bench.over_peers(root, "--variants=" + ",".join(VARIANTS))
    command[command.index("dots")] = "verbose"
    env = {**os.environ, "FLOTILLA_LOG": "info"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    found = []

    def listen():
        for line in process.stderr:
            if match := re.search(r"all tests are found: (\d+)", line):
                found.append(int(match[1]))

    threading.Thread(target=listen, daemon=True).start()
    began, results, peak = time.monotonic(), 0, None
    for line in process.stdout:
        results += line.startswith("Done running") or ": pass" in line
        if results >= 20_000 and found:
            with open(f"/proc/{process.pid}/status") as status:
                fields = dict(line.split(":", 1) for line in status)
            peak = [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]
            break
    took = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    process.wait()
    bench.stop_peers()
    if not peak:
        sys.exit(f"the run ended after {results} results; {found} tests were found")
    print(f"{found[0]} tests; {results} results after {took:.1f} s")
    bench.row(f"resident memory with {found[0]} tests queued, after {results} results", peak[0], 250, " MiB")
    bench.row("the most it had until then", peak[1], 250, " MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", help="efficiency, overhead, million; all without any")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tests", type=int, help="other numbers of tests than those of the targets")
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "target", "release"))
    args = parser.parse_args()
    sections = {"efficiency": efficiency, "overhead": overhead, "million": million}
    for name in args.what or sections:
        if name not in sections:
            parser.error(f"{name} is none of {', '.join(sections)}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; medians of {args.runs}")
    print("| what | seen (ratio) | target | |\n|---|---|---|---|")
    for name in args.what or sections:
        with tempfile.TemporaryDirectory() as dir:
            bench = Bench(os.path.abspath(args.bin), dir)
            try:
                sections[name](bench, args)
            finally:
                bench.stop_peers()


if __name__ == "__main__":
    main()
