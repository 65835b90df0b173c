"""Totals of the dead, where programs of one group declared a label otherwise."""

from __future__ import annotations

import pytest

import filebuilder as fb
from mmstats import combined, snapshot
from mmstats.fold.folder import Folder
from mmstats.format import layout


@pytest.fixture
def write(tmp_path):
    """Writes the file of a program that ended; `created` tells which is the younger."""
    tmp_path.chmod(0o700)

    def write(created, value, **about):
        row = ("count", about.pop("kind", "counter"), fb.U64, value, about)
        data = fb.whole(*fb.fields(row), state=layout.STATE_CLOSED, created=created, pid=created)
        fb.write(tmp_path / f"{created}.mmstats", data)

    return write


def fold(directory):
    with Folder(str(directory)) as folder:
        folder.fold([path.name for path in directory.glob("[0-9]*.mmstats")])


def test_superseded_totals_wait_for_who_declares_them_again(write, tmp_path):
    """Then they count, as if their files were there yet; until then nobody hears of them."""
    write(1, 3)
    write(2, 40, unit="bytes")
    fold(tmp_path)
    assert [one.value("count") for one in snapshot(tmp_path)] == [40]
    write(3, 5)
    whole = combined(tmp_path)
    assert (whole.value("count"), len(whole.problems)) == (8, 1)
    assert "by a younger program as counter; left out" in str(whole.problems[0])
    fold(tmp_path)
    assert (combined(tmp_path).value("count"), combined(tmp_path).problems) == (8, [])


def test_totals_that_another_rule_superseded_are_taken_by_it(write, tmp_path):
    """As their files' values would be."""
    write(1, 3, kind="number", keep=True, aggregate="max")
    write(2, 5, kind="number", keep=True, aggregate="sum")
    before = combined(tmp_path).value("count")
    fold(tmp_path)
    assert before == combined(tmp_path).value("count") == 8
