#!/usr/bin/env python3
"""The time to transfer inputs to a peer, compared with `tar | zstd -1 | tar` of the same files, in alternating runs.

benches/sync.py TREE [--files 10000] [--runs 5] [--link 100mbit] [--bin DIR] [--scratch DIR]

TREE is a V8 checkout (its tests are copied). Needs `cargo build --release --bins`, tar, zstd; with --link also root, ip and tc:
the peer then runs in a network namespace behind a link of that rate.

"first" is a peer without any blobs and a runner that has never scanned its inputs; "again" is the same command a second
time. Times are from the start of the command until the runner reports that the peer takes part (workspace laid out,
ready for the first lease); "the run" is the whole command, with one small test.
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NAMESPACE = f"flsync{os.getpid()}"
NEAR, FAR = "10.213.7.1", "10.213.7.2"


def make_tree(source, root, files):
    """A tree with mjsunit as the suite, and as many files of test262 as it takes to reach `files` files."""
    shutil.copytree(os.path.join(source, "test/mjsunit"), os.path.join(root, "test/mjsunit"), symlinks=True)
    with open(os.path.join(root, "test/mjsunit/flotilla-small.js"), "w") as small:
        small.write("print(1);\n")
    count = sum(len(names) for _, _, names in os.walk(root))
    for directory, below, names in os.walk(os.path.join(source, "test/test262/data/test")):
        below.sort()
        for name in sorted(names):
            if count >= files:
                break
            path = os.path.join(directory, name)
            place = os.path.join(root, "data", os.path.relpath(path, source))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copyfile(path, place)
            count += 1
    long_ago = time.time() - 1000
    size = 0
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            os.utime(path, (long_ago, long_ago), follow_symlinks=False)
            size += os.lstat(path).st_size
    return count, size


@contextlib.contextmanager
def link(rate):
    """Makes a namespace behind a slow link; returns the command prefix that runs a command in it, and its address."""
    if not rate:
        yield [], "127.0.0.1"
        return
    ip = lambda *words: subprocess.run(["ip", *words], check=True)
    inside = ["ip", "netns", "exec", NAMESPACE]
    ip("netns", "add", NAMESPACE)
    try:
        near, far = f"a{os.getpid()}", f"b{os.getpid()}"
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", NAMESPACE)
        ip("addr", "add", f"{NEAR}/24", "dev", near)
        ip("link", "set", near, "up")
        subprocess.run([*inside, "ip", "addr", "add", f"{FAR}/24", "dev", far], check=True)
        subprocess.run([*inside, "ip", "link", "set", far, "up"], check=True)
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        shape = ["root", "tbf", "rate", rate, "burst", "256kb", "latency", "50ms"]
        subprocess.run(["tc", "qdisc", "add", "dev", near, *shape], check=True)
        subprocess.run([*inside, "tc", "qdisc", "add", "dev", far, *shape], check=True)
        yield inside, FAR
    finally:
        ip("netns", "del", NAMESPACE)


def tar(root, out, inside, address):
    """Seconds to copy the same files with tar and zstd, over TCP if there is a link."""
    os.mkdir(out)
    began = time.monotonic()
    if not inside:
        line = f"tar -C '{root}' -cf - . | zstd -q -1 | zstd -dcq | tar -C '{out}' -xf -"
        subprocess.run(["bash", "-c", line], check=True)
    else:
        code = ("import socket,subprocess,sys\n"
                "s=socket.create_server((sys.argv[1],0));print(s.getsockname()[1],flush=True)\n"
                "c=s.accept()[0]\n"
                "z=subprocess.Popen(['zstd','-dcq'],stdin=c,stdout=subprocess.PIPE)\n"
                "subprocess.run(['tar','-C',sys.argv[2],'-xf','-'],stdin=z.stdout,check=True)\n")
        receiver = subprocess.Popen([*inside, sys.executable, "-c", code, address, out],
                                    stdout=subprocess.PIPE, text=True)
        port = receiver.stdout.readline().strip()
        began = time.monotonic()
        line = f"tar -C '{root}' -cf - . | zstd -q -1 > /dev/tcp/{address}/{port}"
        subprocess.run(["bash", "-c", line], check=True)
        if receiver.wait() != 0:
            sys.exit("the receiver failed")
    return time.monotonic() - began


class Machines:
    """A serving peer and a runner's identity, which trust each other."""

    def __init__(self, binaries, scratch, inside, address):
        self.binaries, self.inside = binaries, inside
        self.own, self.peer = os.path.join(scratch, "own"), os.path.join(scratch, "peer")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOTILLA_")}
        keys = []
        for home in (self.own, self.peer):
            self.peerd(home, "setup")
            keys.append(os.path.join(home, "trusted", self.peerd(home, "fingerprint").strip() + ".pem"))
        self.peerd(self.peer, "approve", keys[0])
        self.peerd(self.own, "approve", keys[1])
        settings = ["local.address=127.0.0.1:0", f"work.address={address}:0", "status.address=127.0.0.1:0",
                    "discovery.enabled=false"]
        command = [*inside, os.path.join(binaries, "peerd"), "--home", self.peer, "run", "--allow-root"]
        command += [word for setting in settings for word in ("--set", setting)]
        self.daemon = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ports = os.path.join(self.peer, "data/peerd.ports")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                with open(ports) as lines:
                    found = re.search(r"work\s*=?\s*\"?[0-9.]+:([0-9]+)", lines.read())
                if found:
                    self.address = f"{address}:{found.group(1)}"
                    break
            time.sleep(0.01)
        else:
            sys.exit("peerd does not start")

    def peerd(self, home, *words):
        command = [os.path.join(self.binaries, "peerd"), "--home", home, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment).stdout

    def run(self, root):
        """Seconds until the peer takes part and for the whole command, and what the runner printed about it."""
        command = [os.path.join(self.binaries, "runner"), "--home", self.own, "--root", root, "--no-config",
                   "--shell", "builtin", "--local-jobs", "0", "--peer", self.address, "-p", "plain",
                   "mjsunit/flotilla-small"]
        began = time.monotonic()
        child = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        ready, said = None, ""
        lines = []
        for line in child.stdout:
            lines.append(line)
            if "takes part" in line:
                ready, said = time.monotonic() - began, line.strip()
        if child.wait() != 0 or ready is None:
            sys.exit("the run failed:\n" + "".join(lines))
        return ready, time.monotonic() - began, said

    def close(self):
        self.daemon.terminate()
        self.daemon.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--link", help="such as 100mbit")
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "target", "release"))
    parser.add_argument("--scratch", help="a directory on the disk that is to be measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch, link(args.link) as (inside, address):
        root = os.path.join(scratch, "tree")
        os.mkdir(root)
        count, size = make_tree(args.tree, root, args.files)
        print(f"{count} files, {size / 1e6:.1f} MB, {args.link or 'loopback'}")
        rows = []
        for run in range(args.runs):
            # Nothing is removed between the runs: ext4 avoids inodes that were deleted recently, and finding others is slow.
            os.sync()
            by_tar = tar(root, os.path.join(scratch, f"tar{run}"), inside, address)
            os.sync()
            here = os.path.join(scratch, f"machines{run}")
            os.mkdir(here)
            machines = Machines(args.bin, here, inside, address)
            try:
                first, first_run, said = machines.run(root)
                again, again_run, said_again = machines.run(root)
            finally:
                machines.close()
            transfer = float(re.search(r"([0-9.]+) s$", said).group(1))
            rows.append((by_tar, first, by_tar / first, transfer, again, again_run))
            print(f"tar {by_tar:.2f} s, first {first:.2f} s ({100 * by_tar / first:.0f} %), of that on the link "
                  f"{transfer:.1f} s; again {again:.2f} s, the run {again_run:.2f} s  | {said} | {said_again}", flush=True)
        by_tar, first, ratio, transfer, again, again_run = map(statistics.median, zip(*rows))
        print(f"medians: tar {by_tar:.2f} s ({size / by_tar / 1e6:.0f} MB/s), first {first:.2f} s "
              f"({size / first / 1e6:.0f} MB/s), {100 * ratio:.0f} % of tar; "
              f"again {again:.3f} s, the run {again_run:.3f} s")


if __name__ == "__main__":
    main()
