"""Readers are not hurt by any content: files changed at random, one after the other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import programs

pytestmark = [pytest.mark.main, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / "tests/mutating.py")
AT_ONCE = 2
SLOWEST = 1.0  # seconds for one small file, on a machine that does other things besides
MEMORY = 64  # MiB above what the first file took


def mutate(count, seed, directory, *words):
    """What came of `count` changes, by as many programs at once as there are cores."""
    env = programs.environment(programs.twins()[-1], directory)
    share = count // AT_ONCE
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAM, str(share), str(seed + at), *words],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for at in range(AT_ONCE)
    ]
    done = [json.loads(child.communicate(timeout=3600)[0]) for child in started]
    return {
        **{name: sum(one[name] for one in done) for name in ("changes", "exceptions", "read", "problems")},
        **{name: max(one[name] for one in done) for name in ("slowest", "memory")},
        "first": "\n".join(one.get("first", "") for one in done).strip(),
    }


def check(found, count):
    assert found["changes"] == count
    assert found["first"] == ""
    assert found["slowest"] < SLOWEST
    assert found["memory"] < MEMORY
    assert found["read"] > count // 4, "most changes left nothing to read"
    assert found["problems"] > count // 4, "most changes did no harm"


def test_thirty_thousand_changes(stats_dir):
    check(mutate(30_000, 8, stats_dir), 30_000)


def test_a_reader_that_checks_less_is_found_out(stats_dir):
    assert mutate(10_000, 8, stats_dir, "--spoilt")["exceptions"] > 0


@pytest.mark.soak
def test_a_million_changes(stats_dir):
    """Its result goes into docs/soak.md, by hand."""
    seed = int.from_bytes(os.urandom(4), "little")
    found = mutate(1_000_000, seed, stats_dir)
    print(
        f"\n| {programs.when_and_where()} | {found['changes']:,} from seed {seed} "
        f"| {found['exceptions']} | {found['slowest'] * 1000:.1f} ms | {found['memory']:.1f} MiB |"
    )
    check(found, 1_000_000)


def test_the_soak_of_a_million_is_recorded():
    """Date, machine, changes, exceptions, slowest, memory."""
    rows = re.findall(r"^\| (20\d\d-\d\d-\d\d) \|.*\| 1,000,000 from seed \d+ \| 0 \|", page(), re.MULTILINE)
    assert rows


def page():
    return (ROOT / "docs/soak.md").read_text()
