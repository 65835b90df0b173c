"""Every vector with every reader, every writing script with every writer: what each has right, as a matrix.

    python spec/conformance.py                     all that this project has
    python spec/conformance.py --reader mine='./my-reader' --writer mine='./my-writer'

A reader is a command that gets a file's path, and prints what is in it. A writer is a command that does what
it reads, one line after the other. vectors/README.md says what they have to say. Exit status 1: something is
not right, and stands below the matrix.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SPEC = Path(__file__).resolve().parent
ROOT = SPEC.parent
sys.path.insert(0, str(SPEC))

from vectors import vectors  # noqa: E402 - it stands beside this program

SCRIPTS = SPEC / "scripts"
SOURCE = ROOT / "src"
PYTHON = ["env", f"PYTHONPATH={SOURCE}", sys.executable]  # with this project, whether it is installed or not
MEMORY = "/dev/shm"  # noqa: S108 - where files of stats belong; a directory of its own is made there
LONG = 60  # seconds that an answer may take
WHOLE = ("u64", "i64")  # a reader may not know which of both it was


class Wrong(Exception):  # noqa: N818 - a verdict
    """What is not as it should be."""


class Script(NamedTuple):
    """What a writer does, and what readers then see."""

    name: str
    lines: list[str]
    stats: list[dict]


def scripts() -> list[Script]:
    """All of them, by name."""
    found = []
    for path in sorted(SCRIPTS.glob("*.txt")):
        lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
        answer = path.with_suffix(".json").read_text("utf-8")
        found.append(Script(path.stem, lines, json.loads(answer)))
    return found


# --- readers -------------------------------------------------------------------------------------


def read(command: list[str], path: str) -> dict:
    """What a reader says of a file. Wrong: it says nothing that can be understood."""
    done = subprocess.run([*command, path], capture_output=True, check=False, timeout=LONG)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise Wrong(f"no JSON: {done.stdout[:80]!r} {done.stderr[-200:]!r}") from None
    if done.returncode != (0 if told.get("version") else 1):
        raise Wrong(f"version {told.get('version')}, and exit status {done.returncode}")
    return told


def check_reading(command: list[str], path: str, answer: dict) -> None:
    """Wrong: the reader says something else of the vector."""
    told = read(command, path)
    for key in ("version", "error", "stats", "folded", "left"):
        wanted, found = answer.get(key, []), told.get(key, [])
        if key in ("stats", "left"):
            found = said_alike(found, wanted)
        if loosely(found) != loosely(wanted):
            raise Wrong(f"{key}: {difference(wanted, found)}")
    if bool(told.get("problems")) != bool(answer.get("problem")):
        raise Wrong(f"problems: {told.get('problems')}, expected {answer.get('problem') or 'none'}")


def said_alike(found: list[dict], wanted: list[dict]) -> list[dict]:
    """Of each stat what the answer says of it, too."""
    if len(found) != len(wanted):
        return found
    return [{name: one.get(name) for name in other} for one, other in zip(found, wanted)]


def loosely(told: object) -> object:
    """The same, whichever sort of whole numbers it was."""
    if isinstance(told, list):
        return [loosely(one) for one in told]
    if isinstance(told, dict):
        return {
            key: "whole" if key == "type" and one in WHOLE else loosely(one)
            for key, one in told.items()
            if key != "problem"
        }
    return told


def difference(wanted: object, found: object) -> str:
    """Where two answers part ways."""
    if isinstance(wanted, list) and isinstance(found, list):
        for number, (one, other) in enumerate(zip(wanted, found)):
            if loosely(one) != loosely(other):
                return f"number {number}: {json.dumps(other)}, expected {json.dumps(one)}"
        return f"{len(found)} of them, expected {len(wanted)}"
    return f"{found!r}, expected {wanted!r}"


# --- writers -------------------------------------------------------------------------------------


class Writing:
    """A writer at work in a directory of its own."""

    def __init__(self, command: list[str], directory: str) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "MMSTATS_PATH": directory},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def do(self, line: str) -> str:
        """What it answers last, after `ok` for each command in this one."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Wrong(self._died()) from None
        answers = [self._answer() for _ in range(1 + line.count(" ; ") + line.startswith("thread "))]
        for answer in answers[:-1] if line == "file" else answers:
            if answer != "ok":
                raise Wrong(f"{line}: {answer}, expected ok")
        return answers[-1]

    def _answer(self) -> str:
        assert self._process.stdout is not None
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise Wrong(self._died())
            if not line.startswith("said "):
                return line.rstrip("\n")

    def _died(self) -> str:
        _, said = self._process.communicate()
        return f"it ended with status {self._process.returncode}: {said[-300:]}"

    def end(self) -> None:
        """It is killed: what it wrote stays as it is."""
        self._process.kill()
        self._process.communicate()


def check_writing(command: list[str], script: Script, readers: dict[str, list[str]]) -> None:
    """Wrong: it does not do what it is told, or a reader sees something else than is expected."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as directory:
        writing = Writing(command, directory)
        try:
            for line in script.lines:
                writing.do(line)
            path = writing.do("file")
            for name, reader in readers.items():
                told = read(reader, path)
                if told.get("problems"):
                    raise Wrong(f"{name} has problems: {told['problems']}")
                wanted = ordered(script.stats)
                found = said_alike(ordered(told["stats"]), wanted)
                if loosely(found) != loosely(wanted):
                    raise Wrong(f"{name}: {difference(wanted, found)}")
        finally:
            writing.end()


def ordered(stats: list[dict]) -> list[dict]:
    """By label and tags: in which order members stand is the writer's business."""
    return sorted(stats, key=lambda one: (one["label"], sorted(one["tags"].items())))


# --- the matrix ----------------------------------------------------------------------------------


def verdicts(rows: dict[str, list], columns: dict, check) -> tuple[dict, list[str]]:
    """Row and column → how many are right; and what is not."""

    def verdict(command: list[str], item: tuple) -> str:
        try:
            check(command, *item)
        except (Wrong, subprocess.TimeoutExpired) as error:
            return str(error)
        return ""

    right, wrong = {}, []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, items in rows.items():
            for column, command in columns.items():
                told = list(pool.map(lambda item: verdict(command, item[1:]), items))  # noqa: B023 - used up at once
                right[row, column] = f"{told.count('')}/{len(items)}"
                wrong += [f"{item[0]}, {column}: {why}" for item, why in zip(items, told) if why]
    return right, wrong


def show(title: str, rows: dict[str, list], columns: dict, right: dict) -> None:
    """One matrix, as a table of Markdown."""
    print(f"| {title} | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for row in rows:
        print(f"| {row} | {' | '.join(right[row, column] for column in columns)} |")
    print(flush=True)


def given(texts: list[str]) -> dict[str, list[str]]:
    """NAME=COMMAND of the command line."""
    return {name: shlex.split(command) for name, _, command in (text.partition("=") for text in texts)}


def own_readers() -> dict[str, list[str]]:
    """The two of this project."""
    return {
        "plain": [sys.executable, str(SPEC / "plain_reader.py")],
        "python": [*PYTHON, str(SPEC / "python_reader.py")],
    }


def own_writers(directory: str) -> dict[str, list[str]]:
    """Python by both twins, if the native one was built; C and Java, if they can be built here."""
    twins = ("pure", "native") if list(SOURCE.glob("mmstats/cells/_native*.so")) else ("pure",)
    writer = str(SPEC / "python_writer.py")
    found = {f"python, {twin}": ["env", f"MMSTATS_CELLS={twin}", *PYTHON, writer] for twin in twins}
    if shutil.which("make") and shutil.which("gcc"):
        make(ROOT / "c", f"{directory}/c", f"{directory}/c/driver")
        found["C"] = [f"{directory}/c/driver"]
    if shutil.which("make") and shutil.which("javac"):
        make(ROOT / "java", f"{directory}/java", "classes")
        found["Java"] = [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{directory}/java/classes",
            "mmstats.Driver",
        ]
    return found


def make(where: Path, build: str, target: str) -> None:
    os.makedirs(build, exist_ok=True)
    command = ["make", "-s", "-C", str(where), f"BUILD={build}", target]
    subprocess.run(command, check=True)


def main() -> int:
    """Print both matrices; 1 where something is not right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reader", action="append", default=[], metavar="NAME=COMMAND", help="check this one"
    )
    parser.add_argument(
        "--writer", action="append", default=[], metavar="NAME=COMMAND", help="check this one"
    )
    options = parser.parse_args()
    readers, writers = given(options.reader), given(options.writer)
    with tempfile.TemporaryDirectory() as directory:
        if not (readers or writers):
            readers, writers = own_readers(), own_writers(directory)
        wrong = read_all(readers, Path(directory)) if readers else []
        wrong += write_all(writers, {**own_readers(), **readers}) if writers else []
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def read_all(readers: dict[str, list[str]], directory: Path) -> list[str]:
    """What is not right; the matrix is printed."""
    rows: dict[str, list] = {}
    for vector in vectors():
        path = directory / f"{vector.name.replace('/', '-')}.mmstats"
        path.write_bytes(vector.data)
        rows.setdefault(vector.name.partition("/")[0], []).append((vector.name, str(path), vector.answer))
    right, wrong = verdicts(rows, readers, check_reading)
    show("vectors", rows, readers, right)
    return wrong


def write_all(writers: dict[str, list[str]], readers: dict[str, list[str]]) -> list[str]:
    """What is not right; the matrix is printed."""
    rows = {script.name.replace("_", " "): [(script.name, script, readers)] for script in scripts()}
    right, wrong = verdicts(rows, writers, check_writing)
    show("scripts", rows, writers, right)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
