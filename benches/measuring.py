"""Timing of pairs of commands, for the benches."""

import os
import re
import statistics
import subprocess
import sys
import time

# An engine that exits at once.
STUB = "int main(void) { return 0; }\n"


def compile_c(source, out):
    subprocess.run(["cc", "-O2", "-static", "-x", "c", "-", "-o", out], input=source.encode(), check=True)


def run(command, cwd=None, good=None, env=None):
    """Runs a command to its end; returns wall seconds and CPU seconds (children included). Fails on an exit code not in `good`."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if good is not None and process.returncode not in good:
        sys.exit(f"exit {process.returncode}: {' '.join(map(str, command))}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def check_ran(command, cwd, expected):
    """Aborts the bench unless V8's runner or ours has run the right number of tests, by the last lines of its output."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    found = re.findall(r"^(?:>>> )?(\d+) tests ran", done.stdout + done.stderr, re.MULTILINE)
    if not found or int(found[-1]) != expected:
        sys.exit(f"{found[-1] if found else 0} of {expected} tests ran (exit {done.returncode}): "
                 f"{' '.join(map(str, command))}\n{done.stderr[-500:]}")


def table():
    print("| what (A against B) | A | B | A/B wall | A/B cpu | target |")
    print("|---|---|---|---|---|---|")


def pairs(name, ours, theirs, runs, target):
    """One row of the table, from alternating runs (A B A B ...): both medians, and the median of the ratios of the pairs."""
    a, b = [], []
    for i in range(runs + 1):
        x, y = ours(), theirs()
        if i:  # the first pair warms the caches
            a.append(x)
            b.append(y)
    ratio = statistics.median(x[0] / y[0] for x, y in zip(a, b))
    cpu = statistics.median(x[1] / y[1] for x, y in zip(a, b))
    print(f"| {name} | {statistics.median(x[0] for x in a):.3f} s | {statistics.median(y[0] for y in b):.3f} s "
          f"| {ratio:.2f} | {cpu:.2f} | {target} |", flush=True)
    return ratio
