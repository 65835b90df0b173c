"""A pytest plugin (`-p tests.no_skips`): with MMSTATS_CI=1 a skipped test is a failed one.

A reason that begins with "not on " (`not on PyPy`, `not on Python 3.9`) stays a skip, and so does one
that names PyPy, on PyPy: that test has nothing to say there. Everything else is something this machine
could have run, had it been set up.
"""

from __future__ import annotations

import os
import sys

import pytest

PYPY = sys.implementation.name == "pypy"
STRICT = os.environ.get("MMSTATS_CI", "") not in {"", "0"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if STRICT and report.skipped:
        fail(report)
    return report


def fail(report):
    """Turn the report of a skip into that of a failure, unless its reason says that it must be one."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not (reason.startswith("not on ") or (PYPY and "PyPy" in reason)):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {reason}"
