"""Which twin is chosen, and what it says about it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mmstats import cells
from mmstats.errors import UsageError


def test_the_choice_prints_as_the_twins_name_and_has_a_reason():
    module = {"native": "_native", "pure": "pure"}[str(cells.CELLS)]
    assert (f"mmstats.cells.{module}", True) == (cells._twin.__name__, bool(cells.CELLS.reason))


def test_pure_can_be_asked_for():
    twin, choice = cells.choose("pure")
    assert ("mmstats.cells.pure", "pure", "MMSTATS_CELLS=pure says so") == (
        twin.__name__,
        choice,
        choice.reason,
    )


def test_native_can_be_asked_for(monkeypatch, twin):
    if twin.__name__.endswith("pure"):
        monkeypatch.setattr(cells, "load_native", lambda: sys)
    choice = cells.choose("native")[1]
    assert ("native", "MMSTATS_CELLS=native says so") == (choice, choice.reason)


def missing():
    raise ImportError("no such file")


def test_a_native_twin_that_is_missing_is_no_error_unless_it_was_asked_for(monkeypatch):
    monkeypatch.setattr(cells, "load_native", missing)
    for wanted in (None, ""):
        choice = cells.choose(wanted)[1]
        assert ("pure", "the native twin cannot be loaded: no such file") == (choice, choice.reason)
    with pytest.raises(UsageError) as caught:
        cells.choose("native")
    assert "MMSTATS_CELLS=native, but the native twin cannot be loaded: no such file" == str(caught.value)


def test_the_native_twin_is_the_first_choice(monkeypatch):
    monkeypatch.setattr(cells, "load_native", lambda: sys)
    twin, choice = cells.choose(None)
    assert (sys, "native", "it is there, and the faster one") == (twin, choice, choice.reason)


@pytest.mark.parametrize("wanted", ["NATIVE", "c", "purer"])
def test_there_is_no_third_twin(wanted):
    with pytest.raises(UsageError, match=f"MMSTATS_CELLS is 'native' or 'pure', not '{wanted}'"):
        cells.choose(wanted)


def test_the_environment_is_read_when_the_package_is_imported_and_not_before():
    program = "import mmstats, os; os.environ['MMSTATS_CELLS'] = 'pure'; print(mmstats.CELLS)"
    environment = {**os.environ, "MMSTATS_CELLS": "neither"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert ("pure\n", "") == (done.stdout, done.stderr)


def test_the_cells_import_nothing_dear(said):
    program = "import sys; print(*sys.modules)"
    loaded = set(said(program).split()) - {"twin"}
    dear = set("typing dataclasses ctypes threading re inspect collections warnings logging".split())
    command = [sys.executable, "-c", program]
    before = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set() == (loaded - set(before.split())) & dear
