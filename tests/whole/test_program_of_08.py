"""A program written for mmstats 0.8 runs as it is, and slurpstats says of it what 0.8's said.

    PYTHONPATH=tests python tests/whole/test_program_of_08.py PYTHON2 DIRECTORY_OF_08 | tee slurpstats.txt

asks 0.8 anew; see tests/data/v08/README.md.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import programs

DATA = Path(__file__).resolve().parents[1] / "data/v08"
SLURPSTATS = str(programs.ROOT / "bin/slurpstats")
NEVER = "count=0 mean=0.0 moving=0.0 last=0.0 p50=0 p99=0 min=0.0 max=0.0"
# What is meant to differ: what 0.8 said of a label, and what we say.
MEANT = {
    # docs/tools.md, Averages, timers, texts: a timer tells more; what 0.8 said is `moving`.
    ("timer", "0.5"): "count=2 mean=0.5 moving=0.5 last=0.75 p50=0.25 p99=0.75 min=0.25 max=0.75",
    ("small", "1.5"): "count=3 mean=3.66666666667 moving=1.5 last=2.0 p50=1.91 p99=8 min=1.0 max=8.0",
    ("failing", "4.0"): "count=1 mean=4.0 moving=4.0 last=4.0 p50=4 p99=4 min=4.0 max=4.0",
    ("by.clocked", "0.5"): "count=1 mean=0.5 moving=0.5 last=0.5 p50=0.5 p99=0.5 min=0.5 max=0.5",
    **{(label, "0.0"): NEVER for label in ("timer", "small", "failing", "idle")},
    # docs/tools.md: text of others may be hostile, and controls in it are shown.
    ("tabbed", "one\ttwo"): r"one\x09two",
}


@contextmanager
def running(python, directory, environment):
    """The files of the program, while it is there, in the order it names them; then they are gone."""
    with subprocess.Popen(
        [python, str(DATA / "program.py"), str(directory)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        word, *files = child.stdout.readline().split() or ["the program died"]
        assert word == "ready"
        yield files
        rest, _ = child.communicate(timeout=60)
    assert (rest, child.returncode) == ("clean\n", 0)
    assert set(os.listdir(directory)) == {".fold", "program.py-retired.mmstats"}


@pytest.fixture
def files(twin, stats_dir):
    """Without warnings: the program uses `inc`, which 0.7.1 deprecated."""
    environment = programs.environment(twin, stats_dir, PYTHONWARNINGS="ignore")
    with running(sys.executable, stats_dir, environment) as files:
        yield files


def slurp(*files, **environment):
    done = subprocess.run(
        [sys.executable, SLURPSTATS, *files],
        env={**os.environ, "PYTHONPATH": str(programs.ROOT / "src"), **environment},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode()


def in_general(said, directory):
    """What slurpstats said, without what differs from run to run."""
    said = said.replace(str(directory), "DIRECTORY")
    said = re.sub(r"^(==> .*)-\d+-\d+\.mmstats$", r"\1-PID-TID.mmstats", said, flags=re.MULTILINE)
    said = re.sub(r"^(==> .*)-\d+\.mmstats$", r"\1-PID.mmstats", said, flags=re.MULTILINE)
    said = re.sub(r"(sys\.(pid|tid|uid|gid) +)\d+$", lambda m: m[1] + m[2].upper(), said, flags=re.MULTILINE)
    said = re.sub(r"(sys\.created +)\d+\.\d+$", r"\1CREATED", said, flags=re.MULTILINE)
    return re.sub(r"(python\.version ).*", r"\1VERSION", said)


def in_order(said):
    """The same, the lines of each file sorted: with 0.8 they stood as a dict of Python 2 had them."""
    *sections, end = said.split("\n\n")
    assert end == ""
    parts = [section.split("\n") for section in sections]
    return "\n".join("\n".join([first, *sorted(lines), "", ""]) for first, *lines in parts)


def as_meant(said):
    """What 0.8 said, with what is meant to differ put in."""

    def change(line):
        return line[1] + line[2] + line[3] + MEANT.get((line[2], line[4]), line[4])

    return re.sub(r"^(  )(\S+)( +)(.*)$", change, said, flags=re.MULTILINE)


def recorded():
    return (DATA / "slurpstats.txt").read_bytes().decode()


def test_slurpstats_says_what_it_said(files, stats_dir):
    """Byte for byte, but for MEANT and the order of the lines."""
    said = "".join(in_general(slurp(file), stats_dir) for file in files)
    assert in_order(as_meant(recorded())) == in_order(said)


def test_what_is_meant_to_differ_was_said():
    found = set(re.findall(r"^  (\S+) +(.*)$", recorded(), flags=re.MULTILINE))
    assert found >= set(MEANT)


@pytest.mark.parametrize("setting", ["MMSTATS_GLOB", "MMSTATS_PATH"])
def test_without_files_the_environment_says_which(files, stats_dir, setting):
    where = {"MMSTATS_GLOB": "", "MMSTATS_PATH": "", setting: str(stats_dir)}
    if setting == "MMSTATS_GLOB":
        where[setting] += "/*.mmstats"
    said = re.findall("^==> (.*)$", slurp(**where), flags=re.MULTILINE)
    totals = str(stats_dir / "program.py-retired.mmstats")  # of the models that it removed by now
    assert sorted([*map(str, programs.files(stats_dir)), totals]) == sorted(said)


def test_a_file_of_every_thread(files, stats_dir):
    """0.7.0: by a name with {TID} each thread has its own; the other one's is beside that of the program."""
    others = [path for path in stats_dir.glob("threads-*") if str(path) not in files]
    assert len(others) == 1
    assert sorted(slurp(str(others[0])).split()[2:]) == sorted(["current", "2", "jobs", "5"])


TEXTS = """
class Greek(mmstats.BaseMmStats):
    name = mmstats.StringField(label="όνομα")
    motto = mmstats.StaticTextField(label="motto", value="γνῶθι σεαυτόν €")
greek = Greek(label_prefix="π.")
greek.name = "Ἀθηνᾶ"
import subprocess
print(subprocess.run([sys.executable, SLURPSTATS], capture_output=True, check=True).stdout.decode())
"""


def test_text_that_08_died_of(twin, stats_dir):
    """Such a label, and such a text in a pipe."""
    done = programs.run(TEXTS.replace("SLURPSTATS", repr(SLURPSTATS)), twin, stats_dir, LC_ALL="C")
    assert "  π.όνομα Ἀθηνᾶ\n  π.motto γνῶθι σεαυτόν €\n" in done.stdout


def test_text_that_the_output_cannot_show(files):
    """It does not end slurpstats, as it did with 0.8."""
    assert r"  phase         \u2603 starting up" in slurp(files[1], PYTHONIOENCODING="ascii")


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("fields", "CounterField TimerField StaticTextField DuplicateFieldName"),
        ("models", "BaseMmStats MmStats"),
        ("defaults", "DEFAULT_PATH DEFAULT_FILENAME DEFAULT_GLOB DEFAULT_STRING_SIZE"),
        ("reader", "MmStatsReader InvalidMmStatsVersion Stat"),
    ],
)
def test_a_module_of_08_alone(twin, stats_dir, module, names):
    """It can be imported first, and has its names."""
    command = f"from mmstats.{module} import {', '.join(names.split())}"
    subprocess.run([sys.executable, "-c", command], env=programs.environment(twin, stats_dir), check=True)


OVERRIDING = {
    "of two bases the first": (
        """
        class Left(mmstats.BaseMmStats):
            field = mmstats.CounterField()
        class Right(mmstats.BaseMmStats):
            field = mmstats.BoolField()
        class Both(Left, Right):
            pass
        both = Both()
        both.field.incr(7)
        """,
        7,
    ),
    "a base's field by its other child": (
        """
        class Base(mmstats.BaseMmStats):
            field = mmstats.CounterField()
        class Left(Base):
            pass
        class Right(Base):
            field = mmstats.StringField()
        class Both(Left, Right):
            pass
        both = Both()
        both.field = "right"
        """,
        "right",
    ),
    "what MmStats brings, by a sibling": (
        """
        class Left(mmstats.MmStats):
            hits = mmstats.CounterField()
        class Right(mmstats.MmStats):
            pid = mmstats.StaticUIntField(label="field", value=42)
        class Both(Left, Right):
            pass
        both = Both()
        assert both.pid == 42
        """,
        42,
    ),
    "by a plain mixin before the model": (
        """
        class Mixin:
            field = mmstats.BoolField()
        class Below(mmstats.BaseMmStats):
            field = mmstats.CounterField()
        class Both(Mixin, Below):
            pass
        both = Both()
        both.field = True
        assert both.field is True
        """,
        True,
    ),
}


@pytest.mark.parametrize(("script", "value"), OVERRIDING.values(), ids=OVERRIDING)
def test_a_field_is_overridden_in_the_order_of_bases(twin, stats_dir, script, value):
    """As Python looks names up, and 0.8 did: the nearest class in `__mro__` decides."""
    say = """
        pairs = dict(mmstats.reader.MmStatsReader.from_file(both.filename))
        print(repr(pairs.get("field")))
        """
    assert programs.run(script + say, twin, stats_dir).stdout == f"{value!r}\n"


@pytest.mark.parametrize(
    ("filename", "instances"), [(None, 1), (None, 2), ("{PID}-{TID}.mmstats", 1)], ids=str
)
def test_a_callable_is_asked_once_in_a_process(twin, stats_dir, filename, instances):
    """The value of a static field, however many models of the process publish it."""
    script = f"""
    calls = []
    class Asking(mmstats.BaseMmStats):
        number = mmstats.StaticUIntField(value=lambda: calls.append("asked") or len(calls))
    models = [Asking(filename={filename!r}) for _ in range({instances})]
    print(len(calls), *[model.number for model in models])
    """
    assert programs.run(script, twin, stats_dir).stdout.split() == ["1"] * (1 + instances)


if __name__ == "__main__":
    python, home = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        environment = programs.environment("pure", directory, PYTHONPATH=home, PYTHONIOENCODING="utf-8")
        with running(python, directory, environment) as files:
            for file in files:
                said = subprocess.check_output([python, "-m", "mmstats.slurpstats", file], env=environment)
                sys.stdout.buffer.write(in_general(said.decode(), directory).encode())
