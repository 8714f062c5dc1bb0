"""The baseline of the benches: the same commands through `xargs -P -L1`.

GNU xargs stops when a command dies of a signal or exits with 255, and reports that only on standard error. For engines
that may do so it runs a small wrapper, which starts the engine, waits for it and turns its exit status into an exit code
after which xargs continues. That is one more process per test: see cost().
"""

import pathlib
import subprocess
import sys

import measuring

# One wrapper for this many lines, so that it costs next to nothing.
LINES = 8
# Follows the words of each line, so that the wrapper sees where a line ends.
END = "\x1e"

# usage: wrapper COUNT PROGRAM WORD... END [WORD... END]...; adds a byte to COUNT for each program that has ended.
WRAPPER = r"""
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv) {
  int failed = 0;
  int count = argc > 3 ? open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
  if (count < 0) return 127;
  for (int start = 2, at = 3; at < argc; at++) {
    if (argv[at][0] != '\x1e' || argv[at][1]) continue;
    argv[at] = 0;
    pid_t pid;
    int status;
    if (posix_spawn(&pid, argv[2], 0, 0, argv + start, environ)) return 127;
    while (waitpid(pid, &status, 0) < 0) {}
    if (write(count, "", 1) != 1) return 127;
    failed |= status;
    /* The program's name, in the place of the end that has been read. */
    argv[at] = argv[2];
    start = at;
  }
  return failed != 0;
}
"""


def quoted(word):
    return "'" + word.replace("'", "'\"'\"'") + "'"


def line(words):
    """A line that xargs reads as these words: quoted as for a shell, except that no word can contain a line ending."""
    if any("\n" in word for word in words):
        sys.exit(f"xargs cannot have a line's end in a word: {words}")
    return " ".join(map(quoted, words))


class Xargs:
    """Runs `program` once for each list of words, `jobs` at a time; every run must have ended, or the bench fails."""

    def __init__(self, work, program, lines, jobs=2, may_die=False):
        self.lines = len(lines)
        self.words = work / "words"
        self.words.write_text("".join(line([*words, END] if may_die else words) + "\n" for words in lines))
        self.count = work / "count"
        self.may_die = may_die
        self.command = ["xargs", "-a", self.words, f"-P{jobs}", f"-L{LINES if may_die else 1}"]
        if may_die:
            wrapper = pathlib.Path(work) / "wrapper"
            measuring.compile_c(WRAPPER, wrapper)
            self.command += [wrapper, self.count]
        self.command.append(program)

    def run(self, cwd):
        """Wall and CPU seconds, as measuring.run."""
        self.count.write_bytes(b"")
        seconds = measuring.run(self.command, cwd=cwd, good=(0, 123) if self.may_die else (0,))
        # Without the wrapper, 0 means that all of them ran and exited with 0.
        ran = self.count.stat().st_size if self.may_die else self.lines
        if ran != self.lines:
            sys.exit(f"xargs ran {ran} of {self.lines} lines")
        return seconds


def main():
    """The cost of the wrapper: 5000 runs of an engine that exits at once, with and without it."""
    import tempfile
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        measuring.compile_c(measuring.STUB, work / "stub")
        lines = [["--flag", f"test/{number}.js"] for number in range(5000)]
        folders = [work / name for name in ("with", "without")]
        for folder in folders:
            folder.mkdir()
        wrapped, plain = (Xargs(folder, work / "stub", lines, may_die=folder.name == "with") for folder in folders)
        measuring.table()
        measuring.pairs("5000 runs through the wrapper against without", lambda: wrapped.run(work),
                        lambda: plain.run(work), 5, "")


if __name__ == "__main__":
    main()
