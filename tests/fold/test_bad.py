"""Files with damage are kept for people, a few of them."""

from __future__ import annotations

import os

from mmstats.fold import bad


def test_it_has_another_name(directory, place):
    (place / "a.mmstats").write_text("a")
    assert bad.set_aside(directory, "a.mmstats") == "a.mmstats.bad"
    assert [path.name for path in place.iterdir()] == ["a.mmstats.bad"]


def test_one_that_was_set_aside_before_is_not_overwritten(directory, place):
    names = []
    for text in "one", "two", "three":
        (place / "a.mmstats").write_text(text)
        names.append(bad.set_aside(directory, "a.mmstats"))
    assert names == ["a.mmstats.bad", "a.mmstats.2.bad", "a.mmstats.3.bad"]
    assert [(place / name).read_text() for name in names] == ["one", "two", "three"]


def test_the_oldest_of_too_many_go(directory, place, monkeypatch):
    ages = {}
    real = os.stat
    for number in range(bad.MOST + 3):
        (place / f"{number}.mmstats").touch()
        ages[f"{number}.mmstats.bad"] = number

        def aged(name, **more):
            found = [*real(name, **more)]
            return type("Stat", (), {"st_ctime_ns": ages[name], "found": found})

        with monkeypatch.context() as patched:
            patched.setattr(bad.os, "stat", aged)
            bad.set_aside(directory, f"{number}.mmstats")
    kept = {path.name for path in place.iterdir()}
    assert kept == {f"{number}.mmstats.bad" for number in range(3, bad.MOST + 3)}
