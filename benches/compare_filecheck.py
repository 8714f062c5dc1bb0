#!/usr/bin/env python3
"""Compares the judge of V8's suite `filecheck` with the PyPI package that V8 runs.

    PYTHON benches/compare_filecheck.py [TREE] [--cases N] [--seed N] [--judge PATH] [--jobs N] [--show N]

PYTHON is a Python 3.11 with `pip install filecheck==1.0.1`; TREE is a tree of V8 13.7 or later: its tests, with invented
outputs, are compared before N cases of random CHECK lines and outputs. Needs the example `filecheck` of
flotilla-messages (`cargo build --release -p flotilla-messages --example filecheck`). Exits with 1 if a verdict differs.
"""

import argparse
import collections
import glob
import io
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import warnings

from filecheck.main import main
from filecheck.regex import posix_to_python_regex

LIMIT = 3.0  # time limit of the package for one case, in seconds


# The two judges: each returns whether the test passes, and why not.

class TooSlow(BaseException):
    pass


def too_slow(*_):
    raise TooSlow


def theirs(path, output):
    """Runs the package's main function, which reads the files itself."""
    before = sys.stdin, sys.stdout, sys.stderr
    told = io.StringIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(output), encoding="utf-8", errors="replace")
    sys.stdout = sys.stderr = told
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        main(["filecheck", path])
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except TooSlow:
        code = None
    except Exception as error:
        code = 1
        told.write(f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdin, sys.stdout, sys.stderr = before
    return None if code is None else code == 0, told.getvalue()


def ours(judge, path, output):
    ran = subprocess.run([judge, path], input=output, capture_output=True)
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{judge} ended with {ran.returncode}: {ran.stderr.decode()}")
    return ran.returncode == 0, ran.stdout.decode()


# V8's tests, with invented outputs.

CHECK = re.compile(r"(?:^|[^a-zA-Z\-_])CHECK(?:-(\w+))?:\s?(.*)")


def made_up(text):
    """The lines that the CHECK lines of a test require, and those that it excludes."""
    lines, excluded, variables = [], [], {}

    def block(found):
        name, _, regex = found[1].partition(":")
        if regex:
            variables[name] = "0x5e6f7a8b"
        return variables[name]

    for line in text.splitlines():
        found = CHECK.search(line)
        if not found:
            continue
        wanted = re.sub(r"\[\[(.*?)\]\](?!\])", block, found[2].strip())
        (excluded if found[1] == "NOT" else lines).append((found[1], wanted))
    return lines, [wanted for _, wanted in excluded]


def of_tree(tree):
    """Names, tests, outputs, and whether they must pass (None: as the package decides)."""
    for path in sorted(glob.glob(os.path.join(tree, "test/filecheck/**/*.js"), recursive=True)):
        name = os.path.basename(path)
        with open(path, "rb") as file:
            test = file.read()
        asked, excluded = made_up(test.decode())
        lines = [line for _, line in asked]
        text = lambda lines: "".join(line + "\n" for line in lines).encode()
        yield f"{name}: as asked", test, text(lines), True
        yield f"{name}: no last newline", test, text(lines)[:-1], True
        yield f"{name}: CRLF", test, text(lines).replace(b"\n", b"\r\n"), True
        noisy = []
        for kind, line in asked:
            noisy += ([] if kind == "NEXT" else ["some other line"]) + [f"[1] {line} and more"]
        yield f"{name}: with noise", test, text(noisy), True
        yield f"{name}: nothing", test, b"", False
        yield f"{name}: a newline", test, b"\n", False
        for i, (kind, line) in enumerate(asked):
            yield f"{name}: without line {i + 1}", test, text(lines[:i] + lines[i + 1:]), None
            yield f"{name}: line {i + 1} altered", test, text(lines[:i] + [line[:-1]] + lines[i + 1:]), None
            yield f"{name}: a line before line {i + 1}", test, text(lines[:i] + ["x"] + lines[i:]), kind != "NEXT"
            if i:
                swapped = lines[:i - 1] + [line, lines[i - 1]] + lines[i + 1:]
                yield f"{name}: lines {i} and {i + 1} swapped", test, text(swapped), None
            yield f"{name}: another pointer in line {i + 1}", test, text(
                lines[:i] + [line.replace("5e6f", "5e6e")] + lines[i + 1:]), None
        for line in excluded:
            yield f"{name}: with what it excludes", test, text(lines + [line, "end"]), False


# Random cases.

PLAIN = ["a", "b", "foo", "bar", "foobar", "x1", "0x1f", "ff", "12", "007", "-5", "42", "(kind: deopt)", "[1]", "$9", "a.b",
         "a*b", "c:", "#3", "a|b", "é", "%0", "%arg", "ABC", "Foo", "-"]
WORDS = PLAIN + ["[[x]]", "{y}", "{{z}}", "\\n", "ß", "٣", "\u00a0", "CHECK", "CHECK: a", "COM", "RUN", "]", "}}"]
GAPS = [" "] * 12 + ["", "", "  ", "\t", ", ", "=", " \t "]
REGEXES = [".*", ".+", ".*?", "[a-z]+", "[0-9]+", "[^ ]+", "[^a]*", r"\d+", r"\w+", r"\S+", r"\s+", "(0x)?[0-9a-f]+",
           "foo|bar", "(a|b)", "(a)(b)?", "[[:alpha:]]+", "[[:digit:]]*", "[[:alnum:]_]+", "[[:space:]]+", "[[:xdigit:]]+",
           "[[:punct:]]", "^", "$", "", "^.*$", r"\V", r"[^\n]*", "a{2}", "[a-f0-9]{1,3}", r"\[", r"\(.*\)", r"[^]]+", "(",
           "(?i)foo", "(?i:foo)", r"\b", "a*", "((a|b)*)", "((.))", "x?([^[^a])", "[^[^ ]*", "(?:((f)o*)|b)", r"((.).*\2|.*)", "[ab", "x?", r".*\n.*", r"[^\d]+", r"([^ ]*) \1"]
PREFIXES = ["; ", "", "#", "x ", "x", "-", "_", "1", "// RUN: ", "// COM: ", "  //", "é", "\t"]
KINDS = ["", "", "", "", "-NEXT", "-NEXT", "-SAME", "-NOT", "-NOT", "-DAG", "-DAG", "-LABEL", "-EMPTY", "-COUNT-1", "-COUNT-1", "-COUNT-2"]
NAMES = ["V", "W", "$G", "NUM", "N"]


def random_line(dice, wild):
    line = ""
    for _ in range(dice.randint(1, 4)):
        line += dice.choice(WORDS if wild else PLAIN) + dice.choice(GAPS)
    return line if dice.random() < 0.1 else line.rstrip(" \t")


def random_output(dice, wild):
    lines = [random_line(dice, wild) for _ in range(dice.randint(1, 8))]
    for _ in range(dice.randint(0, 2)):
        lines.insert(dice.randrange(len(lines) + 1), dice.choice(["", "", dice.choice(lines)]))
    end = dice.choice(["\n"] * 6 + ["", "", "\n\n"])
    return lines, "\n".join(lines) + end


def general(dice, text, wild):
    """A regular expression that usually matches this text."""
    fitting = [regex for regex in REGEXES if matches(regex, text)]
    if dice.random() < 0.1 * wild or not fitting and wild:
        return dice.choice(REGEXES)
    return dice.choice(fitting or [".*"])


def matches(regex, text):
    try:
        return re.fullmatch(posix_to_python_regex(regex), text, re.M)
    except (re.error, ValueError, OverflowError, SystemError):
        return False


def pattern_for(dice, line, variables, wild):
    """The pattern of a CHECK line that usually matches `line`."""
    if dice.random() < 0.3:
        start = dice.randrange(len(line) + 1)
        line = line[start:dice.randint(start, len(line))] or line
    pieces = []
    while line:
        size = min(len(line), dice.choice([1, 2, 3, 4, 6, 10, 20]))
        part, line = line[:size], line[size:]
        known = [name for name, held in variables.items() if held == part]
        kind = dice.random()
        if known and kind < 0.8:
            name = dice.choice(known)
            pieces.append(f"[[{'#' * (part.isdecimal() and dice.random() < 0.3)}{name}]]")
        elif kind < 0.55:
            pieces.append(part)
        elif kind < 0.75:
            pieces.append("{{" + general(dice, part, wild) + "}}")
        elif kind < 0.88:
            name = dice.choice(NAMES)
            variables[name] = part
            pieces.append(f"[[{name}:{general(dice, part, wild)}]]")
        elif kind < 0.94 and (wild or part[0].isdecimal()):
            digits = re.match(r"[0-9]+|[0-9a-f]+", part + line)
            name = dice.choice(["NUM", "NN", "", "", "N"])
            form = dice.choice(["", "", "", "%u,", "%d,", "%x,"] + ["%X,", "%.2x,", "%.3,", "%.0u,"] * wild)
            if digits:
                rest = (part + line)[digits.end():]
                variables[name] = digits[0]
                part, line = digits[0], rest
            pieces.append(f"[[#{form}{name}{':' if name else ''}{dice.choice(['', '', '', '12'])}]]")
        elif not wild:
            pieces.append(part)
        else:
            name = dice.choice(NAMES + ["NUM"])
            pieces.append(dice.choice([f"[[{name}]]", f"[[#{name}]]", f"[[#{name}+1]]", f"[[#{name} ]]", "[[", "]]", "{{", "}}",
                                       "[[#", "[[9]]", "[[x", "\\", "  ", "[[#]]"]))
    return "".join(pieces)


def random_case(dice):
    """A small test that usually passes for its output; a wild one contains all kinds of mistakes."""
    wild = dice.random() < 0.4
    lines, output = random_output(dice, wild)
    variables, test, at, last = {}, [], 0, -1
    for _ in range(dice.randint(1, 6)):
        kind = dice.choice(KINDS)
        if at < len(lines) and dice.random() > 0.1 + 0.2 * wild:
            if kind in ("", "-LABEL", "-DAG") and dice.random() < 0.5:
                at = min(len(lines) - 1, at + dice.randint(0, 2))
            if not lines[at].strip():
                if last == at - 1 and kind != "-NOT" or dice.random() < 0.05:
                    kind = "-EMPTY"
                elif at + 1 < len(lines):
                    at += 1
            elif kind == "-EMPTY" and dice.random() < 0.9:
                kind = "-NEXT"
            if kind == "-EMPTY":
                wanted = dice.choice(["", "", "", "x"])
            elif kind == "-NOT" and dice.random() < 0.9:
                words = WORDS if wild else PLAIN
                wanted = dice.choice(words + [lines[-1][-1:] or "a"] * 9) + dice.choice(["", "", "zz", "{{[^ ]}}", "{{.$}}"])
            else:
                wanted = pattern_for(dice, lines[at], variables, wild)
            if kind not in ("-NOT", "-SAME"):
                last, at = at, at + 1
        elif wild or kind == "-NOT":
            wanted = pattern_for(dice, random_line(dice, wild), variables, wild)
        else:
            continue
        literal = "{LITERAL}" if dice.random() < 0.04 else ""
        colon = dice.choice([": "] * 12 + [":", ":  ", ":\t"])
        prefix = dice.choice(PREFIXES) if dice.random() < 0.1 + 0.2 * wild else "// "
        test.append(prefix + "CHECK" + kind + literal + colon + wanted + dice.choice(["", "", "", " ", "\t "]))
        if dice.random() < 0.2 * wild:
            test.append(dice.choice(["let x = 1;", "// CHECKS: no", "", "// CHECK-NEXTX: a", "CHECK", "// CHECK-COUNT-: a",
                                     "// CHECK-COUNT-0: a", "// CHECK:", "CHECKCHECK: a", "// CHECK-SAME : a"]))
    source = dice.choice(["\n"] * 9 + ["\r\n", "\r"]).join(test) + dice.choice(["\n"] * 3 + [""])
    if dice.random() < 0.05:
        output = output.replace("\n", dice.choice(["\r\n", "\r"]))
    source, output = source.encode(), output.encode()
    if dice.random() < 0.01:
        output = output.replace(b"a", b"\xff\xc3")
    if dice.random() < 0.01:
        source = source.replace(b"a", b"\xff")
    return source, output


ATOMS = ["a", "b", "c", "ab", ".", "[ab]", "[^a]", "[a-c]", r"[^\n]", r"\d", r"\w", r"\s", r"\S", r"\W", "1", " ", "_", "-",
         r"[\w-]", "[]a]", "[^]a]", r"\x61", r"\141", r"\.", "A", "B", "é", r"[^\w ]", "[a-b-]", r"[\d\s]", "[[:alpha:]]", "<", "{", ","]
PLACES = ["^", "$", r"\b", r"\B", r"\A", r"\Z"]
COUNTS = ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "{0}", "{0,1}", "{2,3}"]


def random_regex(dice, depth=3, groups=None):
    """A regular expression with any of Python's syntax. `groups`: how many groups have begun, and which of them have ended."""
    groups = groups or [0, []]
    branches = []
    start = ""
    if depth == 3 and dice.random() < 0.1:
        groups[0], groups[1], start = 1, [1], dice.choice(["(.*)", "(a*)", "([ab]+)", "(.*?)"])
    for _ in range(dice.choice([1] * 6 + [2, 2, 3])):
        items = ""
        for _ in range(dice.choice([0, 1, 1, 2, 2, 3]) if depth < 3 else dice.randint(1, 4)):
            kind = dice.random()
            if depth and kind < 0.35:
                opening = dice.choice(["(", "(", "(", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?s:", "(?-i:",
                                       "(?m-i:", "(?-m:", "(?P<n>", "(?a:", "(?x:"])
                captures = opening in ("(", "(?P<n>")
                groups[0] += captures
                number = groups[0]
                if opening.startswith("(?<"):
                    inner = dice.choice(ATOMS) + dice.choice(["", "", "", "b", "|a", "$", ".", "+"])
                else:
                    inner = random_regex(dice, depth - 1, groups)
                item = opening + inner + ")"
                groups[1] += [number] * captures
                if opening == "(?P<n>" and dice.random() < 0.5:
                    item += "(?P=n)"
            elif kind < 0.42 and groups[1]:
                item = f"\\{dice.choice(groups[1]) + (dice.random() < 0.05)}"
            elif kind < 0.45 and groups[0] and depth:
                item = f"(?({dice.randint(1, groups[0])}){dice.choice(ATOMS)}|{dice.choice(ATOMS)})"
            elif kind < 0.52:
                items += dice.choice(PLACES)
                continue
            elif kind < 0.53:
                items += dice.choice(["(?#x)", "\\q", "(?P>n)", "[b-a]", ")", "(", "**", "{2,1}", "\\8", "[a", "(?i)"])
                continue
            else:
                item = dice.choice(ATOMS)
            if dice.random() < 0.4:
                item += dice.choice(COUNTS) + dice.choice(["", "", "", "?", "+"])
            items += item
        branches.append(items)
    flags = dice.choice(["(?i)", "(?s)", "(?x)", "(?a)", "(?im)"]) if depth == 3 and dice.random() < 0.08 else ""
    return flags + start + "|".join(branches)


def captured(regex, text):
    """About what the package finds: the first match, or None if there is none or the expression fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            signal.setitimer(signal.ITIMER_REAL, LIMIT)
            found = re.search(posix_to_python_regex(regex), text, re.M)
    except (re.error, ValueError, OverflowError, SystemError, TooSlow):
        found = None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return found


def regex_case(dice):
    """A regular expression on a small text, which is followed by what it or one of its groups captures, between < and >."""
    letters = "aabbcAB1 _-é.,"
    text = "\n".join("".join(dice.choice(letters) for _ in range(dice.randint(0, 10))) for _ in range(dice.randint(1, 3)))
    for _ in range(4):
        regex = random_regex(dice)
        held = captured(regex, text)
        if held is not None:
            break
    form = dice.random()
    if held and held.re.groups and form < 0.35:
        group = dice.randint(1, held.re.groups)
        shown = "~" if held[group] is None else held[group]
        text = text[:held.end()] + f"<{shown}>" + text[held.end():]
        return f"CHECK: {{{{(?:{regex})<(?({group})\\{group}|~)>}}}}\n".encode(), text.encode() + b"\n"
    held = held[0] if held else None
    form = dice.random()
    if form < 0.15:
        test = f"CHECK: {{{{{regex}}}}}"
    elif form < 0.3:
        test = f"CHECK-NEXT: {{{{{regex}}}}}a[[X:b*]]"
    elif form < 0.45:
        test = f"CHECK: {dice.choice(['{{(?i)}}', '{{^}}', 'a', ''])}[[X:{regex}]]{dice.choice(['[[X]]', 'a[[X]]b', ' [[X]]'])}"
    elif form < 0.52:
        test = f"CHECK-NOT: {{{{{regex}}}}}"
    else:
        before = dice.choice(["", "", "", f"{{{{{dice.choice(REGEXES)}}}}}"])
        test = f"CHECK: {before}[[X:{regex}]]\nCHECK: <[[X]]>"
    if held is not None:
        if dice.random() < 0.1 and held:
            held = held[:-1]
        text += f"\n<{held}>"
    return test.encode() + b"\n", text.encode() + b"\n"


# Comparison.

def compare(args, name, test, output, work):
    path = os.path.join(work, "test.js")
    with open(path, "wb") as file:
        file.write(test)
    their, told = theirs(path, output)
    our, why = ours(args.judge, path, output)
    return name, their, our, test, output, told, why


def part(job):
    """The verdicts of some random cases, with the differences."""
    args, numbers = job
    signal.signal(signal.SIGALRM, too_slow)
    warnings.simplefilter("ignore")
    counts, different = collections.Counter(), []
    with tempfile.TemporaryDirectory() as work:
        for number in numbers:
            dice = random.Random(args.seed * 1_000_000_007 + number)
            kind, make = ("regex", regex_case) if number % 2 else ("directives", random_case)
            result = compare(args, f"{kind} {number}", *make(dice), work)
            _, their, our, *_, why = result
            counts[kind, their, our] += 1
            counts["not supported"] += "not supported" in why or "more steps" in why
            if their != our:
                different.append(result)
    return counts, different


def show(result):
    name, their, our, test, output, told, why = result
    word = {True: "passes", False: "fails", None: "takes too long"}
    print(f"=== {name}: {word[their]} there, {word[our]} here\n--- test\n{test.decode(errors='replace')}\n--- output")
    print(f"{output.decode(errors='replace')}\n--- there\n{told}\n--- here\n{why}")


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", nargs="?")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--judge", default="target/release/examples/filecheck")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--show", type=int, default=10)
    args = parser.parse_args()
    signal.signal(signal.SIGALRM, too_slow)
    different, wrong = [], []
    if args.tree:
        counts = collections.Counter()
        with tempfile.TemporaryDirectory() as work:
            for name, test, output, must in of_tree(args.tree):
                result = compare(args, name, test, output, work)
                _, their, our, *_ = result
                counts[their, our] += 1
                if their != our:
                    different.append(result)
                if must is not None and their != must:
                    wrong.append(name)
        print(f"V8's tests: {counts[True, True]} outputs pass, {counts[False, False]} fail, {len(different)} differ")
        for name in wrong:
            print(f"  {name}: the package itself says otherwise")
    size = 500
    jobs = [(args, range(start, min(start + size, args.cases))) for start in range(0, args.cases, size)]
    counts = collections.Counter()
    with multiprocessing.Pool(args.jobs) as pool:
        for done, (some, found) in enumerate(pool.imap_unordered(part, jobs)):
            counts += some
            different += found
    for kind in ("directives", "regex"):
        both = counts[kind, True, True], counts[kind, False, False]
        slow = counts[kind, None, True] + counts[kind, None, False]
        differ = counts[kind, True, False] + counts[kind, False, True]
        print(f"random {kind}: {both[0]} pass, {both[1]} fail, {differ} differ, {slow} take the package over {LIMIT} s")
    print(f"not supported here or too much work: {counts['not supported']}")
    different = [result for result in different if result[1] is not None]
    for result in sorted(different, key=lambda result: len(result[3]) + len(result[4]))[:args.show]:
        show(result)
    sys.exit(bool(different or wrong))


if __name__ == "__main__":
    run()
