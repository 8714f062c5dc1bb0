#!/usr/bin/env python3
"""Times one runner against another on the same tree: did a change cost anything?

usage: benches/against.py OLD NEW TREE [--runs N]

OLD and NEW are two builds of runner, TREE is a V8 tree with out/build, whose d8 should exit at once. Runs both in turn
(A B, B A, ...) and shows the medians, and the median, least and greatest of the ratios NEW/OLD pair by pair.
"""

import argparse
import statistics

import measuring


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("tree")
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    tree = ["--root", options.tree, "--no-config", "--random-seed=7"]
    rows = [
        ("mjsunit, two jobs", ["-j2", "--no-history", "--exit-after-n-failures=0", "mjsunit"], 1),
        ("listing mjsunit, exhaustive", ["--list", "--variants=exhaustive", "mjsunit"], 4),
        ("empty run", ["--no-history", "--slow-tests=run", "intl"], 4),
    ]
    print("| what | old | new | new/old wall (least to greatest) | new/old cpu |\n|---|---|---|---|---|")
    for name, words, times in rows:
        commands = [[program, *tree, *words] for program in (options.old, options.new)]
        for command in commands:
            measuring.run(command)
        old, new = [], []
        for run in range(options.runs * times):
            pairs = [(commands[0], old), (commands[1], new)]
            for command, results in pairs if run % 2 == 0 else reversed(pairs):
                results.append(measuring.run(command))
        wall, cpu = ([b[i] / a[i] for a, b in zip(old, new)] for i in (0, 1))
        medians = [statistics.median(seconds for seconds, _ in results) for results in (old, new)]
        print(
            f"| {name} | {medians[0]:.3f} s | {medians[1]:.3f} s | {statistics.median(wall):.3f} "
            f"({min(wall):.2f} to {max(wall):.2f}) | {statistics.median(cpu):.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
