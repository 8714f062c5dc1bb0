#!/usr/bin/env python3
"""What it gains that peers get large files from one another: 8 peers lack an engine of 40 MB, and the client is behind a
slow link.

usage: benches/blobs.py [--peers 8] [--megabytes 40] [--rate 100mbit] [--runs 3] [--bin DIR]

The client is in a network namespace behind a link of that rate, both ways; the peers are on the other side of it and
reach one another over loopback. With exchange all peers trust one another, so each may fetch the engine from one that has
it; without, they trust the client alone, so all get it from the client. The engine is random bytes behind a small
program: no compression makes it smaller. Measured is the time from the start of the command until the first, and until
the last peer takes part. Needs root, ip, tc, cc, and: cargo build --release --bins
"""

import argparse
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import network
import sync

JOINED = re.compile(r" takes part.*")


class Exchange(network.Bench):
    def start(self, count, friends):
        """Peers that work for the client; whether they trust one another."""
        homes = []
        for number in range(count):
            home = os.path.join(self.dir, f"peer{number}-{time.monotonic_ns()}")
            self.peerd(home, "setup")
            self.peerd(home, "approve", self.key(self.own))
            self.peerd(self.own, "approve", self.key(home))
            homes.append(home)
        if friends:
            keys = [self.key(home) for home in homes]
            for home in homes:
                for other, key in zip(homes, keys):
                    if other != home:
                        self.peerd(home, "approve", key)
        for home in homes:
            settings = ["local.address=127.0.0.1:0", f"work.address={sync.NEAR}:0", f"status.address={sync.NEAR}:0",
                        "discovery.enabled=false", "work.jobs=1"]
            self.peerd(home, "start", "--allow-root", *(word for set in settings for word in ("--set", set)))
            status = json.loads(self.peerd(home, "status", "--json"))
            work = next(port for port in status["ports"] if port["name"] == "Work")
            self.peers.append((home, work["address"], status["pid"]))

    def times(self, root, inside, log):
        """Seconds until each peer took part, sorted."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("FLOTILLA_")}
        command = [*inside, *self.over_peers(root, "--variants=default")]
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   env={**env, "FLOTILLA_LOG": "info"}, text=True, errors="replace")
        seen, text = [], []
        for line in process.stdout:
            text.append(line)
            for found in JOINED.findall(line):
                seen.append(time.monotonic() - began)
                if log:
                    print(f"  {seen[-1]:6.2f} s {found.strip()}", file=sys.stderr)
            if len(seen) == len(self.peers):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait()
        if len(seen) < len(self.peers):
            sys.exit(f"only {len(seen)} of {len(self.peers)} peers took part:\n" + "".join(text)[-3000:])
        return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--rate", default="100mbit")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bin", default=os.path.join(network.HERE, "..", "target", "release"))
    parser.add_argument("--log", action="store_true", help="what each peer was sent, on standard error")
    args = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {args.peers} peers lack an engine of "
          f"{args.megabytes} MB, client behind {args.rate}; medians of {args.runs}")
    print("| exchange | first peer takes part | last peer takes part | all runs |\n|---|---|---|---|")
    last = {}
    with sync.link(args.rate) as (inside, _):
        for friends in (True, False):
            firsts, lasts = [], []
            for _ in range(args.runs):
                with tempfile.TemporaryDirectory() as dir, contextlib.ExitStack() as stack:
                    bench = Exchange(os.path.abspath(args.bin), dir)
                    stack.callback(bench.stop_peers)
                    # Long enough for the last peer to take part.
                    root = bench.tree("sleepers", [f"sleep-1000-{number:04}" for number in range(2000)])
                    with open(os.path.join(root, "out", "d8"), "ab") as engine:
                        engine.write(os.urandom(args.megabytes * 1_000_000))
                    bench.start(args.peers, friends)
                    seen = bench.times(root, inside, args.log)
                    firsts.append(seen[0])
                    lasts.append(seen[-1])
            last[friends] = statistics.median(lasts)
            shown = " ".join(f"{seconds:.1f}" for seconds in lasts)
            print(f"| {'yes' if friends else 'no'} | {statistics.median(firsts):.1f} s | {last[friends]:.1f} s "
                  f"| {shown} |", flush=True)
    print(f"without / with: {last[False] / last[True]:.2f}")


if __name__ == "__main__":
    main()
