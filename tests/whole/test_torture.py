"""Counting, dying, folding and reading all at once, as tests/torturing.py tells."""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys

import pytest

import programs

pytestmark = [pytest.mark.main, pytest.mark.slow]


def tortured(directory, kills, seed, spoilt=""):
    return subprocess.run(
        [sys.executable, programs.ROOT / "tests/torturing.py", str(kills), str(seed), *programs.twins()],
        env=programs.environment(
            programs.twins()[0],
            directory,
            PYTHONPATH=f"{programs.ROOT / 'src'}:{programs.ROOT / 'tests'}",
            SPOILT=spoilt,
        ),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )


def found(directory, kills, seed):
    done = tortured(directory, kills, seed)
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)


def test_no_total_falls_and_none_is_lost(stats_dir):
    what = found(stats_dir, 60, random.randrange(1 << 31))
    assert what["kills"] >= 60
    assert what["counts"] > 500
    assert what["reads"] > 100


NO_NAMES = """
from mmstats.fold import ledger
encode = ledger.encode_retired
ledger.encode_retired = lambda totals, folded, **header: encode(totals, [], **header)
"""


def test_a_fold_without_names_is_found_out(stats_dir):
    done = tortured(stats_dir, 60, 1, NO_NAMES)
    assert done.returncode == 1
    assert "AssertionError: " in done.stderr


@pytest.mark.soak
def test_a_thousand_kills(stats_dir):
    """Its result goes into docs/soak.md, by hand."""
    what = found(stats_dir, 1_000, random.randrange(1 << 31))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"
    print(
        f"\n| {machine} | {what['kills']:,} from seed {what['seed']} | {what['counts']:,} | {what['more']} "
        f"| {what['reads']:,} | 0 | {what['seconds']:.0f} s |"
    )
