#!/usr/bin/env python3
"""Changes one operator of the pool at a time, or leaves a statement out; lists what nothing notices.

usage: python3 tests/mutants/systematic.py [--list] [--every N] [--first N] FILE...

FILE       a source of the pool: pool/dial.c
--list     prints the mutants and tries none
--every N  only every N-th of them (default 1)
--first N  begins with the N-th (default 1), to go on where a run was stopped

The patches beside this file are bugs that somebody thought of; these are those that nobody did. Each
is built in a copy of the tree and scenarios/conformance and scenarios/bugs run on it. A mutant that
compiles to the same program is told apart: it is no bug. Of a survivor either a scenario is missing,
or what it changes can not be seen from outside (README.md says of which kinds such are). By hand,
since it takes one to four seconds a mutant.

Status: 0 none survived; 1 some did; 2 the command line is wrong; 3 the tree itself does not build
or its own scenarios fail.
"""
import argparse
import hashlib
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

LIMIT_SECONDS = 60  # the scenarios take about one; a mutant may loop for ever
COPIED = ["CMakeLists.txt", "pool", "sim", "fakes", "reports", "scenarios"]
COPIED_TESTS = ["bench", "isolation", "naive"]  # scenarios refer to these

OPERATORS = [
    (r" == ", " != "), (r" != ", " == "), (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "),
    (r" >= ", " > "), (r" \+ ", " - "), (r" - ", " + "), (r" && ", " || "), (r" \|\| ", " && "),
    (r" \+= ", " -= "), (r" -= ", " += "), (r"\+\+(?=;)", "--"), (r"(?<=\w)--(?=;)", "++"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
]
STATEMENT = re.compile(r"^ +[a-z_][\w>.\[\]()*-]*(\(| [-+|&]?= |\+\+;|--;).*;$")
NO_STATEMENT = re.compile(r"^ +(return|break|continue|goto|else|case|default|for|while|do|if)\b")


def code_of(line, in_comment):
    """The line with the insides of strings and comments blanked, and whether a comment goes on."""
    out = []
    i = 0
    quote = None
    while i < len(line):
        two = line[i:i + 2]
        if in_comment:
            end = two == "*/"
            in_comment = not end
            out.append("  " if end else " ")
            i += 2 if end else 1
        elif quote:
            step = 2 if line[i] == "\\" else 1
            if line[i] == quote:
                quote = None
            out.append("x" * step)
            i += step
        elif two == "/*":
            in_comment = True
            out.append("  ")
            i += 2
        else:
            if line[i] in "\"'":
                quote = line[i]
            out.append(line[i])
            i += 1
    return "".join(out), in_comment


def mutants_of(lines):
    """(index of the line, the line as it becomes, what was done), in the order of the file."""
    in_comment = False
    before = ";"
    for index, line in enumerate(lines):
        code, in_comment = code_of(line, in_comment)
        code = code.rstrip()
        if not code.startswith("  ") or code.lstrip().startswith("assert("):  # functions' bodies alone
            before = ";"
            continue
        for pattern, new in OPERATORS:
            for match in re.finditer(pattern, code):
                changed = line[:match.start()] + new + line[match.end():]
                yield index, changed, f"{match.group().strip()} becomes {new.strip()}"
        whole = before.endswith((";", "{", "}", ":")) and code.count("(") == code.count(")")
        if whole and STATEMENT.match(code) and not NO_STATEMENT.match(code):
            yield index, re.match(" *", line).group() + ";", "is left out"
        before = code or before


def run(command, seconds, folder=None):
    """Status and output; status None: it took longer."""
    try:
        done = subprocess.run(command, cwd=folder, timeout=seconds, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return None, ""


class Bench:
    """A copy of the tree, and its build."""

    def __init__(self, root, folder):
        self.tree = folder / "tree"
        self.build = folder / "build"
        (self.tree / "tests").mkdir(parents=True)
        for name in COPIED + ["tests/" + name for name in COPIED_TESTS]:
            copy = shutil.copytree if (root / name).is_dir() else shutil.copy
            copy(root / name, self.tree / name)

    def configure(self):
        # No debug information: line numbers would tell apart programs that are the same.
        return run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O2"], 120)

    def make(self):
        return run(["ninja", "-j", "2", "-C", self.build, "poolproof"], 300)

    def program(self):
        return hashlib.sha256((self.build / "poolproof").read_bytes()).hexdigest()

    def scenarios(self):
        return run([self.build / "poolproof", "run", "--no-db", "--quiet", "--jobs", "2",
                    "scenarios/conformance", "scenarios/bugs"], LIMIT_SECONDS, self.tree)


def try_mutant(bench, original, path, lines, mutant):
    """caught, survived, same, or refused (by the compiler)."""
    index, changed, _ = mutant
    source = bench.tree / path
    source.write_text("\n".join(lines[:index] + [changed] + lines[index + 1:]))
    status, _ = bench.make()
    if status != 0:
        verdict = "refused"
    elif bench.program() == original:
        verdict = "same"
    else:
        status, _ = bench.scenarios()
        verdict = "survived" if status == 0 else "caught"
    source.write_text("\n".join(lines))
    return verdict


def arguments(root):
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][len("usage: "):])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    for name in given.files:
        if not re.fullmatch(r"pool/\w+\.c", name) or not (root / name).is_file():
            parser.error(f"expected a source of the pool, such as pool/dial.c, found '{name}'")
    if given.every < 1 or given.first < 1:
        parser.error("expected numbers from 1 after --every and --first")
    return given


def main():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    given = arguments(root)
    chosen = []
    for name in given.files:
        lines = (root / name).read_text().split("\n")
        chosen += [(name, lines, mutant) for mutant in mutants_of(lines)]
    numbered = list(enumerate(chosen, 1))[given.first - 1::given.every]
    if given.list:
        for number, (name, lines, (index, _, what)) in numbered:
            print(f"{number}  {name}:{index + 1}: {what}: {lines[index].strip()}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the temporary folder goes as well
    with tempfile.TemporaryDirectory(prefix="poolproof-systematic.") as folder:
        bench = Bench(root, pathlib.Path(folder))
        for step in (bench.configure, bench.make, bench.scenarios):
            status, output = step()
            if status != 0:
                print(output, "expected that the tree builds and all scenarios hold without a mutant; "
                      "put that right first", sep="\n", file=sys.stderr)
                return 3
        original = bench.program()
        counts = {"caught": 0, "survived": 0, "same": 0, "refused": 0}
        for number, (name, lines, mutant) in numbered:
            verdict = try_mutant(bench, original, name, lines, mutant)
            counts[verdict] += 1
            if verdict == "survived":
                index, _, what = mutant
                print(f"SURVIVED {number}  {name}:{index + 1}: {what}: {lines[index].strip()}", flush=True)
    print(f"{len(numbered)} mutants: {counts['caught']} caught, {counts['survived']} survived, "
          f"{counts['same']} are the same program, {counts['refused']} do not compile")
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
