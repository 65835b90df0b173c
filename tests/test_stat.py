"""Values that do not change, and the look-up of one stat."""

from __future__ import annotations

import pickle

import pytest

from mmstats import kinds
from mmstats.near import close
from mmstats.stat import About, Origin, Problem, Snapshot, Stat, processes


def about(label="a", aggregate="sum", kind="counter", tags=(), **more):
    return About(
        aggregate, more.get("help", ""), more.get("keep", False), kind, label, tags, more.get("unit", "")
    )


def stat(value, group="g", **more):
    return Stat(about(**more), group, value, value)


def snapshot(*stats, merge=kinds.merged):
    return Snapshot(merge, Origin(), [], 1, list(stats))


@pytest.mark.parametrize("one", [about(), stat(1), Origin(), Problem("f", "r"), snapshot()])
def test_values_do_not_change(one):
    for name in dir(type(one)):
        if not name.startswith("_"):
            with pytest.raises(AttributeError):
                setattr(one, name, 1)
    with pytest.raises(AttributeError):
        one.other = 1
    with pytest.raises(AttributeError):
        del one.other


@pytest.mark.parametrize("make", [about, lambda: stat(1), Origin, lambda: Problem("f", "r"), snapshot])
def test_equal_if_what_they_hold_is_equal(make):
    assert make() == make()
    assert make() != 1
    assert pickle.loads(pickle.dumps(make())) == make()


def test_other_values_differ():
    assert stat(1) != stat(2)
    assert Origin(pid=1) != Origin(pid=2)


def test_a_stat_says_what_it_is():
    one = stat(5, label="n", tags={"b": "2", "a": "1"}, help="h", unit="bytes", keep=True)
    assert (one.label, one.tags, one.kind, one.unit, one.help) == (
        "n",
        {"a": "1", "b": "2"},
        "counter",
        "bytes",
        "h",
    )
    assert (one.aggregate, one.keep, one.group, one.parts, one.value) == ("sum", True, "g", 5, 5)
    assert repr(one) == "Stat('n', a='1', b='2', kind='counter', unit='bytes', value=5)"


def test_tags_that_are_handed_out_are_the_callers():
    one = stat(1, tags={"a": "1"})
    one.tags["a"] = "2"
    assert one.tags == {"a": "1"}


def test_a_repr_names_every_field():
    assert repr(Problem("f", "r")) == "Problem(file='f', reason='r')"


def test_a_problem_is_one_line():
    assert str(Problem("/tmp/a", "not an mmstats file; skipped")) == "/tmp/a: not an mmstats file; skipped"


def test_value_finds_by_label_and_tags():
    one = snapshot(
        stat(1, label="n"),
        stat(2, label="m", tags={"method": "GET"}),
        stat(3, label="m", tags={"method": "PUT"}),
    )
    assert one.value("n") == 1
    assert one.value("m", method="GET") == 2
    assert one.value("m") == 5


def test_value_prefers_the_stat_with_just_these_tags():
    assert snapshot(stat(1), stat(2, tags={"a": "1"})).value("a") == 1


def test_tags_compare_as_text():
    assert snapshot(stat(2, tags={"code": "200"})).value("a", code=200) == 2


def test_value_merges_groups_by_the_kinds_rule():
    one = snapshot(
        stat(2, group="x", aggregate="max", kind="number"), stat(5, group="y", aggregate="max", kind="number")
    )
    assert one.value("a") == 5


def test_value_without_default_names_what_is_close():
    one = snapshot(stat(1, label="web.stats.status.2XX"), stat(1, label="other"))
    with pytest.raises(
        KeyError, match=r"no stat is called 'web.stats.status.6XX'. Close: web.stats.status.2XX"
    ):
        one.value("web.stats.status.6XX")
    with pytest.raises(KeyError, match=r"with tags \{'a': '1'\}"):
        one.value("other", a=1)
    assert one.value("nope", default=None) is None
    assert one.value("nope", 7) == 7


def test_a_snapshot_without_arithmetic_does_not_guess():
    one = snapshot(stat(1), stat(2, group="h"), merge=None)
    with pytest.raises(KeyError, match="2 stats are called 'a'; name their tags"):
        one.value("a")


def test_close_is_what_shares_beginning_and_end():
    assert close("abcd", ["abxd", "zzzz", "abcde"]) == ["abcde", "abxd"]
    assert close("aa", ["a"]) == ["a"]


def test_several_files_of_one_process_are_one_process():
    origins = [
        Origin(pid=1, state="alive", file="a"),
        Origin(pid=1, state="alive", file="b"),
        Origin(pid=2, state="gone"),
    ]
    assert processes(origins) == 1
