"""Each vector with each reader: the plain one, and the one that everybody uses."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

import filebuilder as fb
import plainly
from mmstats import snapshot
from mmstats.distribution import DistributionValue, TimerValue
from mmstats.format.spread import Range, Spread

VECTORS = {vector.name: vector for vector in plainly.vectors().vectors()}
each = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())


@pytest.fixture
def path(vector, tmp_path):
    made = tmp_path / "vector.mmstats"
    made.write_bytes(vector.data)
    return made


@each
def test_the_plain_reader(vector, path):
    read = plainly.reader().read(path)
    assert (read["version"], read["error"], read["stats"]) == (
        vector.answer["version"],
        vector.answer["error"],
        vector.answer["stats"],
    )
    assert read.get("folded", []) == vector.answer.get("folded", [])
    assert read.get("left", []) == vector.answer.get("left", [])
    assert says(read["problems"], vector)


@each
def test_the_reader(vector, path):
    one, *removed = snapshot(path)
    answer = vector.answer
    left = [stat for other in removed for stat in other.stats]
    for stats, told in ((one.stats, answer["stats"]), (left, answer.get("left", []))):
        wanted = [{**each, "value": repr(untagged(each["value"]))} for each in told]
        assert [shown(stat, each) for stat, each in zip(stats, told)] == wanted
        assert len(stats) == len(told)
    assert {other.origin.state for other in removed} <= {"retired"}
    reasons = [problem.reason for problem in one.problems]
    assert says(reasons, vector)
    assert any("damaged: " in reason for reason in reasons) == (answer["error"] == "damaged")
    assert (one.origin.uuid == "") == (not answer["version"])


def spread(value):
    """Where the values lie; None where there are none."""
    if "scale" not in value:
        return None
    wanted = Range(int(value["scale"]), *map(int, value["octaves"]), [*map(float, value["bounds"])])
    buckets = {int(index): int(count) for index, count in value["buckets"].items()}
    others = [int(value[name]) for name in ("zero", "overflow", "negative")]
    return Spread(wanted, buckets, *others, [*map(int, value["counts"])])


def says(reasons, vector):
    """Whether the problems name what the answer has; where it has none, there are none."""
    problem = vector.answer.get("problem")
    return any(problem in reason for reason in reasons) if problem else reasons == []


def shown(stat, told):
    """What is told of a stat, as this one has it."""
    return {name: repr(stat.value) if name == "value" else getattr(stat, name) for name in told}


def untagged(tagged):
    """The value that a tagged one stands for, as this language has it."""
    kind, value = tagged["type"], tagged["value"]
    if kind in ("u64", "i64"):
        return int(value)
    if kind == "f64":
        return float(value)
    if kind in ("timer", "histogram"):
        names = ("sum", "min", "max", "last", "moving")
        numbers = [int(value["count"]), *(float(value[name]) for name in names if name in value)]
        return (TimerValue if kind == "timer" else DistributionValue)(*numbers, spread(value))
    if kind == "set":
        return frozenset(map(untagged, value))
    return {"true": True, "false": False}[value] if kind == "bool" else value


def test_there_are_enough_of_both():
    kinds = [name.partition("/")[0] for name in VECTORS]
    assert kinds.count("valid") >= 20
    assert kinds.count("invalid") >= 40


@each
def test_it_says_what_it_proves(vector):
    """One sentence, and the section of the law that demands it; the hex begins with the same."""
    answer = vector.answer
    assert answer["why"].endswith(".")
    assert (answer["error"] == "") == vector.name.startswith("valid/")
    law = (plainly.SPEC / "FORMAT.md").read_text()
    assert re.search(rf"^##+ {re.escape(answer['section'])}\b", law, re.MULTILINE)
    text = (plainly.SPEC / "vectors" / f"{vector.name}.hex").read_text()
    head = text.partition("\n\n")[0]
    assert " ".join(line[2:] for line in head.splitlines()) == answer["why"]


def test_each_hex_has_its_answer_and_nothing_else_is_there():
    found = {
        path.with_suffix("").relative_to(plainly.SPEC / "vectors").as_posix(): path.suffix
        for path in (plainly.SPEC / "vectors").glob("*/*")
    }
    assert found.keys() == VECTORS.keys()


def test_they_are_written_as_files_for_other_languages(tmp_path):
    command = [sys.executable, str(plainly.SPEC / "vectors.py"), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == 0
    one = VECTORS["valid/one_counter"]
    assert (tmp_path / "valid/one_counter.mmstats").read_bytes() == one.data
    assert json.loads((tmp_path / "valid/one_counter.json").read_text()) == one.answer


@pytest.mark.parametrize(("name", "code"), [("valid/one_counter", 0), ("invalid/major_3", 1)])
def test_the_plain_reader_is_a_program(tmp_path, name, code):
    """A path in, tagged JSON out, an exit status."""
    path = fb.write(tmp_path / "a.mmstats", b"")
    (tmp_path / "a.mmstats").write_bytes(VECTORS[name].data)
    command = [sys.executable, str(plainly.SPEC / "plain_reader.py"), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert json.loads(done.stdout)["stats"] == VECTORS[name].answer["stats"]


def test_the_plain_reader_imports_nothing_of_ours():
    text = (plainly.SPEC / "plain_reader.py").read_text()
    modules = {"__future__", "json", "math", "os", "stat", "struct", "sys", "time"}
    assert set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE)) == modules


def test_a_hex_that_is_none_is_refused():
    with pytest.raises(SystemExit, match=r"line 2: .*5g"):
        plainly.vectors().assemble("01 # one\n5g\n")
    with pytest.raises(SystemExit, match="offset 2 is beyond 1"):
        plainly.vectors().assemble("01 02\n.. 1\n")
