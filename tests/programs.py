"""Programs that the tests run as users would: another process, its twin chosen, its files its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def twins() -> list[str]:
    """The twins to run programs with: the one that is forced, else both; PyPy has but one."""
    forced = os.environ.get("MMSTATS_CELLS")
    both = ["pure"] if sys.implementation.name == "pypy" else ["pure", "native"]
    return [forced] if forced else both


MODEL = """
import logging, mmstats, os, sys, threading

class Model(mmstats.BaseMmStats):
    count = mmstats.CounterField(label='count')
    number = mmstats.UInt64Field(label='number', keep=True)
    real = mmstats.DoubleField(label='real', aggregate='sum', keep=True)
"""


def environment(twin: object, directory: Path, **more: str) -> dict[str, str]:
    """The environment of a program that publishes into `directory` with `twin`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("MMSTATS_")},
        "MMSTATS_CELLS": str(twin),
        "MMSTATS_PATH": str(directory),
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONWARNINGS": "default",
        **more,
    }


def run(
    script: str, twin: object, directory: Path, *, timeout: float = 120, check: bool = True, **more: str
) -> subprocess.CompletedProcess[str]:
    """`script`, after MODEL, run to its end; its output is shown where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", MODEL + textwrap.dedent(script)],
        env=environment(twin, directory, **more),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def totals(twin: object, directory: Path) -> dict[str, int]:
    """Label → combined value over all files of `directory`, read by another process."""
    script = """
    import json
    combined = mmstats.combined()
    assert not combined.problems, [str(problem) for problem in combined.problems]
    numbers = [stat for stat in combined.stats if isinstance(stat.value, (int, float))]
    print(json.dumps({stat.label: stat.value for stat in numbers}))
    """
    return json.loads(run(script, twin, directory).stdout)


def files(directory: Path) -> list[Path]:
    """The stats files of a directory."""
    return sorted(directory.glob("*.mmstats"))
