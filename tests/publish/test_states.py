"""EnumField and InfoField as a program uses them, and as readers see them."""

from __future__ import annotations

import os
import threading

import pytest


@pytest.fixture
def model(mmstats):
    class Worker(mmstats.BaseMmStats):
        mode = mmstats.EnumField(states=("starting", "ready", "busy ❤"), help="what it does")
        build = mmstats.InfoField(label="build", version="1.2", revision='a"b\\c', number=5, debug=False)

    return Worker


BUILD = {"debug": "False", "number": "5", "revision": 'a"b\\c', "version": "1.2"}
BUILD_TEXT = 'debug="False",number="5",revision="a\\"b\\\\c",version="1.2"'


def value(mmstats, label):
    whole = mmstats.combined()
    assert [str(problem) for problem in whole.problems] == []
    return whole.value(label)


def seen(mmstats, label):
    """As one process's file says it."""
    (snapshot,) = mmstats.snapshot()
    assert [str(problem) for problem in snapshot.problems] == []
    return snapshot.value(label)


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def in_child(work, then):
    """Let a child do the work; `then` is called while it lives."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        work()
        os.write(writer, b".")
        os.read(os.pipe()[0], 1)
    os.read(reader, 1)
    then()
    os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)


def test_a_state_is_assigned_by_its_text(mmstats, model):
    stats = model()
    assert (stats.mode, seen(mmstats, "mode"), value(mmstats, "mode")) == ("", "", "")
    for state in model.mode.states:
        stats.mode = state
        assert stats.mode == seen(mmstats, "mode") == state
        assert value(mmstats, "mode") == {state}
    (snapshot,) = mmstats.snapshot()
    stat = snapshot.stats[0]
    assert (stat.kind, stat.help, stat.aggregate) == ("enum", "what it does", "set")


def test_the_state_is_the_process_s(mmstats, model):
    stats = model()
    stats.mode = "starting"
    in_thread(lambda: setattr(stats, "mode", "ready"))
    assert stats.mode == seen(mmstats, "mode") == "ready", "also after the thread has ended"


@pytest.mark.parametrize("wrong", ["bus", "", "READY"])
def test_a_wrong_state_is_named_with_the_right_ones(mmstats, model, wrong):
    stats = model()
    stats.mode = "ready"
    with pytest.raises(mmstats.UsageError) as caught:
        stats.mode = wrong
    assert str(caught.value) == f"'mode' takes one of starting, ready, busy ❤: {wrong!r}"
    with pytest.raises(TypeError, match="'mode' takes one of starting, ready, busy ❤, not int: 1"):
        stats.mode = 1
    with pytest.raises(TypeError, match="'mode' cannot be deleted"):
        del stats.mode
    assert stats.mode == "ready"


@pytest.mark.parametrize("states", [(), "ready", ("a", "a"), ("a", ""), ("a", 5), ("a\0b",), ("a", None)])
def test_states_are_different_texts(mmstats, states):
    with pytest.raises(mmstats.UsageError, match="state"):
        mmstats.EnumField(states=states)


def test_other_states_are_another_metric(mmstats, model):
    model()

    class Other(mmstats.BaseMmStats):
        mode = mmstats.EnumField(states=("on", "off"))

    with pytest.raises(
        mmstats.DuplicateFieldName, match="declared as enum of on, off, and was as enum of starting, ready"
    ):
        Other()


def test_processes_are_in_a_set_of_states(mmstats, model):
    stats, found = model(), []
    stats.mode = "ready"

    def work():
        assert stats.mode == "", "a child begins as never set"
        stats.mode = "busy ❤"

    in_child(work, lambda: found.append(value(mmstats, "mode")))
    found.append(value(mmstats, "mode"))
    assert found == [{"ready", "busy ❤"}, {"ready"}], "what is gone is gone at once"


def test_an_info_is_a_dict_here_and_a_text_there(mmstats, model):
    stats = model()
    assert stats.build == BUILD
    assert seen(mmstats, "build") == BUILD_TEXT
    assert value(mmstats, "build") == {BUILD_TEXT}
    assert model.build.label == "build"
    (snapshot,) = mmstats.snapshot()
    assert snapshot.stats[1].kind == "info"
    with pytest.raises(TypeError, match="'build' is declared as InfoField: its value never changes"):
        stats.build = {}
    stats.remove()
    with pytest.raises(mmstats.Removed, match="'build' was removed"):
        stats.build  # noqa: B018 - reading it is the point


def test_an_info_may_be_a_dict_or_a_callable_asked_once_in_each_process(mmstats):
    asked = []

    def tell():
        asked.append(os.getpid())
        return {"pid": os.getpid()}

    class Build(mmstats.BaseMmStats):
        words = mmstats.InfoField(value={"help": "me", "unit": "x", "_1": ""})
        process = mmstats.InfoField(value=tell)
        hits = mmstats.CounterField()

    stats = Build()
    assert stats.words == {"help": "me", "unit": "x", "_1": ""}
    assert (stats.process, stats.process, asked) == (*[{"pid": str(os.getpid())}] * 2, [os.getpid()])
    child = os.fork()
    if not child:
        stats.hits.incr()
        os._exit(0 if stats.process == {"pid": str(os.getpid())} else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    "given",
    [
        {"a b": "x"},
        {"": "x"},
        {"é": "x"},
        {5: "x"},
        {"a": None},
        {"a": b"x"},
        {"a": "\n"},
        {},
        "a",
        [("a", "b")],
    ],
    ids=repr,
)
def test_what_is_no_info_is_named(mmstats, given):
    build = type(mmstats.BaseMmStats)("B", (mmstats.BaseMmStats,), {"build": mmstats.InfoField(value=given)})
    with pytest.raises(mmstats.UsageError, match="'build'"):
        build()
    assert mmstats.snapshot() == []


def test_an_info_needs_texts_by_one_way(mmstats):
    for options in ({}, {"value": {"a": "b"}, "version": "1"}, {"help": "no texts"}):
        with pytest.raises(mmstats.UsageError, match="give texts by name, or a dict, or a callable"):
            mmstats.InfoField("build", **options)
