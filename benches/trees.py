"""What the benches know about V8 trees: their version and the Python that their own runner needs."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RUNNER = pathlib.Path(os.environ.get("RUNNER", HERE.parent / "target" / "release" / "runner"))

# V8's runner reads webkit's tests under Python 3 from this version on, and does not work under 2.7 from 10.2 on. Where
# both work, listings are equal except for the order of a test's variants.
PYTHON3_FROM = (9, 8)


def runner():
    if not RUNNER.exists():
        sys.exit("build it first: cargo build --release --bin runner")
    return RUNNER


def version(tree):
    """(major, minor) of V8, from its version header."""
    try:
        text = (pathlib.Path(tree) / "include" / "v8-version.h").read_text()
        numbers = [re.search(rf"#define V8_{name}_VERSION (\d+)", text) for name in ("MAJOR", "MINOR")]
        return tuple(int(number.group(1)) for number in numbers)
    except (OSError, AttributeError) as error:
        sys.exit(f"cannot tell the version of {tree}: {error}")


@functools.cache
def interpreter(*names):
    """The first of these Pythons that works (a pyenv shim may not), or None."""
    places = [shutil.which(name) for name in names]
    versions = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    places += [str(path) for name in names for path in sorted(versions.glob(f"*/bin/{name}"))]
    for place in filter(None, places):
        if subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            return place
    return None


def python_of(tree):
    """The Python that runs the tree's tools/run-tests.py; override it with PYTHON2 or PYTHON3.

    Not the newest Python 3: V8 up to 11.9 needs the module imp, which 3.12 has dropped.
    """
    if version(tree) < PYTHON3_FROM:
        names = "PYTHON2", ("python2.7",)
    else:
        names = "PYTHON3", ("python3.11", "python3.10", "python3.9", "python3.8", "python3")
    found = os.environ.get(names[0]) or interpreter(*names[1])
    if not found:
        sys.exit(f"V8 {'.'.join(map(str, version(tree)))} needs {names[1][0]} (or {names[0]})")
    return found
