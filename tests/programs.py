"""Programs that the tests run as users would: another process, its twin chosen, its files its own."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

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
    script: str,
    twin: object,
    directory: Path,
    *,
    timeout: float = 120,
    check: bool = True,
    start: str = MODEL,
    within: Sequence[str] = (),
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """`script`, after `start`, run to its end; its output is shown where it fails.

    Where it hangs, it is shown where each thread of it and of its children stood. `within`: the words of
    a command that runs it somewhere else.
    """
    program = subprocess.Popen(
        [*within, sys.executable, "-c", start + textwrap.dedent(script)],
        env=environment(twin, directory, PYTHONFAULTHANDLER="1", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # it and its children are a group
    )
    hangs = False
    try:
        out, err = program.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        hangs = True
        os.killpg(program.pid, signal.SIGABRT)  # all of them say where they are
        out, err = program.communicate()
    assert not hangs, f"still running after {timeout} s\n{out}\n{err}"
    assert not check or program.returncode == 0, f"exit {program.returncode}\n{out}\n{err}"
    return subprocess.CompletedProcess(program.args, program.returncode, out, err)


def totals(twin: object, directory: Path, **how: Any) -> dict[str, int]:
    """Label → combined value over all files of `directory`, read by another process."""
    script = """
    import json
    combined = mmstats.combined()
    assert not combined.problems, [str(problem) for problem in combined.problems]
    numbers = [stat for stat in combined.stats if isinstance(stat.value, (int, float))]
    print(json.dumps({stat.label: stat.value for stat in numbers}))
    """
    return json.loads(run(script, twin, directory, **how).stdout)


def files(directory: Path) -> list[Path]:
    """The stats files of a directory, but for retired totals."""
    return sorted(path for path in directory.glob("*.mmstats") if not path.name.endswith("-retired.mmstats"))


def when_and_where() -> str:
    """The first two columns of docs/soak.md."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}"
    return f"{dt.datetime.now(dt.timezone.utc).date()} | {machine}"
