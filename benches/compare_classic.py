#!/usr/bin/env python3
"""Compares a listing of `runner --list-format=json` with one of V8's classic runner (list_classic.py).

usage: compare_classic.py OURS THEIRS TREE
Tests are matched by suite, name and command line, since V8's variants of 2012 have no names and test names may repeat.
Prints: compared, missing, extra, different in expectation or timeout; exit code 1 if anything differs.
"""
import collections
import json
import sys

ours_file, theirs_file, tree = sys.argv[1:4]
OUTCOMES = {"PASS", "FAIL", "CRASH", "TIMEOUT"}


def relative(word):
    return word.replace(tree + "/", "")


def load(path, make):
    found = collections.defaultdict(list)
    for line in open(path):
        test = json.loads(line)
        made = make(test)
        if made:
            found[made[0]].append(made[1])
    return found


def own(test):
    if test["skipped"]:
        return None
    key = (test["suite"], test["name"], tuple(relative(word) for word in test["argv"]))
    return key, (sorted(test["expected"]), test["timeout"], test["slow"], test["variant"])


def theirs(test):
    # V8's classic runner can never match a set without an outcome; here it means PASS, as in later versions.
    expected = sorted(OUTCOMES.intersection(test["expected"])) or ["PASS"]
    # test262 judges this word itself.
    if "FAIL_SLOPPY" in test["expected"] and "--use-strict" not in test["command"]:
        expected = ["FAIL"]
    key = (test["suite"], test["path"], tuple(relative(word) for word in test["command"]))
    return key, (expected, test["timeout"], test["slow"], test["variant"])


def by_variant(test):
    return str(test[3])


a, b = load(ours_file, own), load(theirs_file, theirs)
missing = [key for key in b if len(a.get(key, [])) < len(b[key])]
extra = [key for key in a if len(b.get(key, [])) < len(a[key])]
different = []
for key in set(a) & set(b):
    for ours, v8 in zip(sorted(a[key], key=by_variant), sorted(b[key], key=by_variant)):
        # V8's 2012 variants have no names.
        if ours[:3] != v8[:3] or v8[3] is not None and ours[3] != v8[3]:
            different.append((key, ours, v8))
for what, some in (("missing", missing), ("extra", extra), ("different", different)):
    for item in some[:5]:
        print(what, item)
print(sum(map(len, b.values())), "compared", len(missing), "missing", len(extra), "extra", len(different), "different")
sys.exit(bool(missing or extra or different))
