#!/usr/bin/env python3
"""The cost of an idle peerd; many daemons in one process are its trusted neighbours.

benches/peerd_idle.py [--peers 30] [--seconds 60]

Needs `cargo build --release --bin peerd` and `cargo build --release -p flotilla-actors --example neighbours`.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

RELEASE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "target", "release")


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


def cost(pid):
    """CPU seconds used so far, and current resident memory in MiB."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as status:
        rss = next(line for line in status if line.startswith("VmRSS:"))
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(rss.split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    port = free_udp_port()
    with tempfile.TemporaryDirectory() as home:

        def peerd(*words):
            command = [os.path.join(RELEASE, "peerd"), "--home", home, *words]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        peerd("setup")
        key = os.path.join(home, "trusted", peerd("fingerprint").strip() + ".pem")
        neighbours = subprocess.Popen(
            [os.path.join(RELEASE, "examples", "neighbours"), str(args.peers), str(port), key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = [neighbours.stdout.readline().strip() for _ in range(3)]
        print("\n".join(lines[:2]))
        settings = ["local.address=127.0.0.1:0", "work.address=127.0.0.1:0", "status.address=127.0.0.1:0",
                    f"discovery.port={port}", 'discovery.interfaces=["lo"]']
        start = time.monotonic()
        peerd("start", "--allow-root", *(word for setting in settings for word in ("--set", setting)))
        try:
            peerd("approve", lines[2])
            while True:
                peers = [json.loads(line) for line in peerd("peers", "--json").splitlines()]
                usable = sum(peer["usable"] for peer in peers)
                if usable == args.peers:
                    break
                if time.monotonic() - start > 60:
                    sys.exit(f"only {usable} of {args.peers} can be used after a minute")
                time.sleep(0.05)
            print(f"peerd can use all {usable} after {time.monotonic() - start:.2f} s")
            pid = json.loads(peerd("status", "--json"))["pid"]
            before, _ = cost(pid)
            began = time.monotonic()
            time.sleep(args.seconds)
            after, rss = cost(pid)
            idle = time.monotonic() - began
            print(f"idle for {idle:.0f} s: {100 * (after - before) / idle:.2f} % of a CPU, {rss:.1f} MiB resident")
        finally:
            peerd("stop")
            neighbours.stdin.close()
            neighbours.wait()


if __name__ == "__main__":
    main()
