"""The conformance matrix: every vector with every reader, every writing script with every writer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.main

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
PROGRAM = [sys.executable, str(SPEC / "conformance.py")]
NAMES = sorted(path.stem for path in (SPEC / "scripts").glob("*.txt"))


def matrix(*words):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MMSTATS_")}
    environment["PYTHONPATH"] = str(ROOT / "src")
    return subprocess.run([*PROGRAM, *words], env=environment, capture_output=True, text=True, check=False)


def columns(said):
    """Head of a column → its cells."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said.splitlines() if line]
    found = {}
    for row in rows:
        if row[0] in ("vectors", "scripts"):
            heads = row[1:]
        elif not row[0].startswith("---"):
            for head, cell in zip(heads, row[1:]):
                found.setdefault(head, []).append(cell)
    return found


@pytest.mark.slow
def test_all_cells_are_right():
    """Both twins, C and Java write; the plain reader and the one that everybody uses read."""
    for tool in ("make", "gcc", "javac"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    done = matrix()
    assert done.returncode == 0, done.stdout + done.stderr
    found = columns(done.stdout)
    assert list(found) == ["plain", "python", "python, pure", "python, native", "C", "Java"]
    for cells in found.values():
        assert all(re.fullmatch(r"([1-9]\d*)/\1", cell) for cell in cells), done.stdout
    assert [len(cells) for cells in found.values()] == [2, 2] + 4 * [len(NAMES)]


READER = """
import json, subprocess, sys
done = subprocess.run([sys.executable, {plain!r}, sys.argv[1]], capture_output=True)
told = json.loads(done.stdout)
for stat in told["stats"]:
    if stat["kind"] == "counter":
        stat["value"]["value"] = "7"
print(json.dumps(told))
sys.exit(done.returncode)
"""


@pytest.mark.slow
def test_a_reader_that_is_wrong_is_named(tmp_path):
    program = tmp_path / "reader.py"
    program.write_text(READER.format(plain=str(SPEC / "plain_reader.py")))
    done = matrix("--reader", f"mine={sys.executable} {program}")
    assert done.returncode == 1
    assert 'valid/one_counter, mine: stats: number 0: {"label": "hits"' in done.stdout
    assert "invalid/copied_in_text_mode" not in done.stdout


WRITER = """
import sys
sys.path.insert(0, {spec!r})
import python_writer
real = python_writer.Writer.update
def update(self, what, word, text):
    real(self, what, word, "1" if what == "incr" else text)
python_writer.Writer.update = update
python_writer.main()
"""


@pytest.mark.slow
def test_a_writer_that_is_wrong_is_named(tmp_path):
    program = tmp_path / "writer.py"
    program.write_text(WRITER.format(spec=str(SPEC)))
    done = matrix("--writer", f"mine={sys.executable} {program}")
    assert done.returncode == 1
    assert "counters, mine: plain: number 0:" in done.stdout
    assert "updowns, mine" not in done.stdout


def test_a_writer_that_does_not_understand_is_told_of():
    done = matrix("--writer", "mute=cat")
    assert done.returncode == 1
    assert "counters, mute: open: open, expected ok" in done.stdout
    done = matrix("--writer", "gone=true")
    assert done.returncode == 1
    assert "it ended with status 0" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_it_shows(name):
    head = (SPEC / "scripts" / f"{name}.txt").read_text().splitlines()
    assert re.fullmatch(r"# [A-Z].*\.", head[0])
    section = re.fullmatch(r"# FORMAT.md (\d(?:\.\d)?)", head[1])[1]
    assert re.search(rf"^##+ {re.escape(section)}\b", (SPEC / "FORMAT.md").read_text(), re.MULTILINE)
    assert head[2] == "open"
    stats = json.loads((SPEC / "scripts" / f"{name}.json").read_text())
    assert stats


def test_each_command_of_the_contract_is_used_and_no_other():
    """What vectors/README.md has a writer understand; `end` is for who has enough."""
    section = (SPEC / "vectors/README.md").read_text().partition("## What a writer has to do")[2]
    told = set(re.findall(r"^\| `([a-z]+)", section.partition("\n## ")[0], re.MULTILINE))
    used = {"file", "end"}
    for name in NAMES:
        for line in (SPEC / "scripts" / f"{name}.txt").read_text().splitlines():
            within = re.sub(r"^(?:(thread)|(keep) \w+) ", r"\1\2 ; ", line)
            used.update(command.split(" ")[0] for command in within.split(" ; ") if command[:1] != "#")
    assert used - told == set()
    assert told - used == set()
