"""Averages, moving averages, timers and texts, told whole by their witness (FORMAT.md 5.1)."""

from __future__ import annotations

import itertools
import os
import struct
from types import SimpleNamespace

import pytest

import filebuilder as fb
from mmstats import combined, snapshot
from mmstats.distribution import TimerValue
from mmstats.format import layout
from mmstats.format.spread import Range, Spread
from mmstats.host import locks
from mmstats.read import source as source_room


def f64(*values):
    return [fb.bits(value, fb.F64) for value in values]


def average(n, even, odd):
    return [n, *f64(even, odd)]


def moving(n, started, *values):
    """`values`: the ring as it stands, and room for one more."""
    return [n, started, *f64(*ring(n, values))]


def ring(n, values):
    """`values[i]` is the last one with that remainder, by their number; one place holds what is over."""
    room = len(values) + 1
    places = [99.0] * room
    for number in range(max(0, n - len(values)), n):
        places[number % room] = values[number % len(values)]
    return places


ALL_ZERO = Range(0, 40, 41)  # too large for any duration here: all are in the count of what is too small


def timer(n, started, time, even, odd, *values):
    return [n, started, time, *f64(*even, *odd), 0, 0, 0, n, 0, 0, *f64(*ring(n, values))]


def zero(n):
    """What a timer of n durations tells of them."""
    return Spread(ALL_ZERO, {}, zero=n)


def slot(text, time, room):
    raw = text.encode()
    return [len(raw), time, *struct.unpack(f"<{room}Q", raw.ljust(8 * room, b"\0"))]


def text(n, *slots):
    return [n, *(word for one in slots for word in one)]


@pytest.fixture
def file_of(tmp_path):
    """A file with one value of several cells, one run of cells for each lane."""

    def file_of(kind, *lanes, states=(), cells=None, name="a.mmstats", created=0, **given):
        cell_type = fb.TEXT if kind == "text" else fb.F64
        extra = ALL_ZERO.pack() if kind == "timer" else b""
        blocks = [fb.metric("it", kind, cell_type, cells=cells or len(lanes[0]), extra=extra)]
        for number, words in enumerate(lanes, 1):
            state = states[number - 1] if states else 1
            blocks += [fb.lane(number, state), fb.cells(number, words)]
        return fb.write(tmp_path / name, fb.whole(*blocks, created=created, **given))

    return file_of


@pytest.fixture
def alive():
    """Holds the locks of a living writer on each path that it is given."""
    held = []

    def hold(path):
        for lock in (layout.LOCK_WRITER, layout.LOCK_WITNESS):
            held.append(os.open(path, os.O_RDWR))
            assert locks.hold(held[-1], lock)
        return path

    yield hold
    for fd in held:
        os.close(fd)


def only(path):
    (one,) = snapshot(path)
    assert one.problems == []
    return one.value("it")


def reason(path):
    (one,) = snapshot(path)
    (problem,) = one.problems
    return problem.reason


def test_nothing_written_is_shown_as_nothing(file_of):
    assert only(file_of("average", [0] * 3)) == 0.0
    assert only(file_of("moving", [0] * 4)) == 0.0
    assert only(file_of("timer", [0] * 18)) == TimerValue()
    assert only(file_of("text", [0] * 9)) == ""


def test_the_witness_names_the_sum_that_counts(file_of):
    assert only(file_of("average", average(1, 99.0, 1.5))) == 1.5
    assert only(file_of("average", average(2, 4.0, 99.0))) == 2.0


def test_averages_of_threads_are_sums_over_counts_also_of_those_that_ended(file_of):
    path = file_of("average", average(1, 0.0, 1.0), average(3, 0.0, 9.0), states=(1, 0))
    assert only(path) == 2.5


def test_a_moving_average_is_of_the_last_values_since_its_thread_began(file_of):
    assert only(file_of("moving", moving(2, 0, 1.0, 2.0, 99.0))) == 1.5
    assert only(file_of("moving", moving(4, 0, 4.0, 2.0, 3.0))) == 3.0
    assert only(file_of("moving", moving(4, 3, 4.0, 2.0, 3.0))) == 4.0
    assert only(file_of("moving", moving(4, 4, 4.0, 2.0, 3.0))) == 0.0


def test_a_moving_average_goes_with_its_thread(file_of):
    one, other = moving(1, 0, 1.0, 0.0), moving(2, 0, 5.0, 6.0)
    assert only(file_of("moving", one, other, states=(1, 0))) == 1.0
    assert only(file_of("moving", one, other)) == 4.0


def test_a_timer_of_several_threads(file_of):
    one = timer(1, 0, 700, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0), 2.0, 0.0)
    other = timer(2, 0, 900, (1.0, 0.25, 0.75), (0.25, 0.25, 0.25), 0.25, 0.75)
    nobody = timer(0, 0, 0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0.0)
    value = only(file_of("timer", one, other, nobody))
    assert value == TimerValue(3, 3.0, min=0.25, max=2.0, last=0.75, moving=1.0, spread=zero(3))
    assert value.mean == 1.0


def test_what_a_timer_counted_stays_when_its_thread_ends(file_of):
    one = timer(1, 0, 700, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0), 2.0, 0.0)
    other = timer(2, 0, 900, (1.0, 0.25, 0.75), (0.25, 0.25, 0.25), 0.25, 0.75)
    value = only(file_of("timer", one, other, states=(1, 0)))
    assert value == TimerValue(3, 3.0, min=0.25, max=2.0, last=2.0, moving=2.0, spread=zero(3))


def test_what_a_timer_counted_stays_when_its_process_ends(file_of):
    path = file_of("timer", timer(1, 0, 7, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0), 2.0), state=layout.STATE_CLOSED)
    assert combined(path).value("it") == TimerValue(1, 2.0, min=2.0, max=2.0, spread=zero(1))
    assert snapshot(path)[0].value("it").last == 2.0, "the file itself says more"


def test_timers_and_averages_of_processes_are_one(file_of, alive):
    one = file_of("timer", timer(1, 0, 700, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0), 2.0), created=10**9)
    two = file_of(
        "timer",
        timer(1, 0, 100, (0.0, 0.0, 0.0), (4.0, 4.0, 4.0), 4.0),
        name="b.mmstats",
        created=10**9,
        created_monotonic=50,
    )
    assert combined([alive(one), alive(two)]).value("it") == TimerValue(
        2, 6.0, 2.0, 4.0, last=2.0, moving=3.0, spread=zero(2)
    )
    one = file_of("average", average(1, 0.0, 1.0))
    two = file_of("average", average(3, 0.0, 9.0), name="b.mmstats")
    assert combined([one, two]).value("it") == 2.5


def test_a_text_is_the_one_that_the_witness_names(file_of):
    slots = slot("up", 5, 1), slot("down", 6, 1)
    assert only(file_of("text", text(2, *slots))) == "up"
    assert only(file_of("text", text(3, *slots))) == "down"
    assert only(file_of("text", text(1, slot("", 0, 1), slot("naïve", 6, 1)))) == "naïve"


def test_of_several_threads_the_text_written_last_counts_while_its_thread_lives(file_of):
    first, second = (
        text(1, slot("", 0, 1), slot("first", 6, 1)),
        text(1, slot("", 0, 1), slot("second", 7, 1)),
    )
    assert only(file_of("text", first, second)) == "second"
    assert only(file_of("text", second, first)) == "second"
    assert only(file_of("text", first, second, states=(1, 0))) == "first"
    assert only(file_of("text", text(2, slot("", 0, 1), slot("old", 9, 1)))) == "", "its thread is gone"


def test_the_time_of_a_text_is_on_one_scale_for_all_processes(file_of, alive):
    sooner = text(1, slot("", 0, 1), slot("sooner", 9_000_000_000, 1))
    later = text(1, slot("", 0, 1), slot("later", 3_000_000_000, 1))
    one = file_of("text", sooner, created=100 * 10**9, created_monotonic=8_000_000_000)
    two = file_of("text", later, name="b.mmstats", created=100 * 10**9, created_monotonic=1_000_000_000)
    assert combined([alive(one), alive(two)]).value("it") == "later"
    assert combined([two, one]).value("it") == "later"


@pytest.mark.parametrize(
    ("kind", "words", "cells", "said"),
    [
        ("average", average(1, 0.0, 1.0), 2, "cells=2 of 'it', expected what makes a whole average"),
        ("moving", moving(1, 0), 3, "cells=3 of 'it', expected what makes a whole moving"),
        ("moving", moving(1, 2, 1.0), 4, "found started=2, expected at most the witness, 1"),
        ("moving", moving(1, 0, 1.0), 5, "found 4 cells, expected cell 4 of 'it'"),
        ("timer", timer(1, 0, 7, (0.0, 0.0, 0.0), (2.0, 2.0, 2.0)), 15, "what makes a whole timer"),
        ("text", text(1, slot("", 0, 1), slot("a", 7, 1)), 6, "cells=6 of 'it', expected what makes"),
        ("text", text(1, [0, 0, 0], [9, 7, 0]), 7, "found a text of 9 bytes, expected at most 8"),
    ],
)  # fmt: skip
def test_damage_is_said_and_the_value_left_out(file_of, kind, words, cells, said):
    assert said in reason(file_of(kind, words, cells=cells))


class Busy(source_room.Source):
    """A file whose writer adds one value between any two reads."""

    updates = 0
    at = 0

    def read_at(self, offset, length):
        data = bytearray(super().read_at(offset, length))
        begin = self.at - offset
        if 0 <= begin < len(data):
            type(self).updates += 1
            data[begin : begin + 8] = struct.pack("<Q", self.updates)
        return bytes(data)


def test_a_value_that_is_written_all_the_time_is_flagged(file_of, monkeypatch):
    path = file_of("average", average(1, 1.0, 1.0))
    with open(path, "rb") as file:
        words = file.read()
    monkeypatch.setattr(Busy, "at", words.index(struct.pack("<Qd", 1, 1.0)))
    monkeypatch.setattr("mmstats.read.snapshot.Source", Busy)
    assert "'it' was written all the time" in reason(path)


def test_a_value_that_is_written_while_it_is_copied_is_read_again(file_of, monkeypatch):
    path = file_of("average", average(1, 1.0, 1.0))
    reads = []

    class Once(source_room.Source):
        """A file that says another witness in its first copy."""

        def read_at(self, offset, length):
            data = super().read_at(offset, length)
            reads.append(length)
            return (
                data.replace(struct.pack("<Qd", 1, 1.0), struct.pack("<Qd", 0, 1.0))
                if len(reads) == 1
                else data
            )

    monkeypatch.setattr("mmstats.read.snapshot.Source", Once)
    assert only(path) == 1.0
    assert reads[-3:] == [8, 24, 8]


def test_a_file_that_names_another_takes_its_place(tmp_path):
    def counting(name, number, **given):
        blocks = given.pop("blocks", ())
        rows = fb.fields(("hits", "counter", fb.U64, number))
        return fb.write(tmp_path / name, fb.whole(*rows, *blocks, **given))

    uuid = bytes(range(16))
    entry = uuid + struct.pack("<QQ", 7, 0)
    folded = struct.pack("<IIQ", layout.BLOCK_TYPE_FOLDED, 128, 1).ljust(64, b"\0") + entry.ljust(64, b"\0")
    counting("old.mmstats", 5, uuid=uuid)
    new = counting("new.mmstats", 7, blocks=[folded])
    assert [one.origin.file for one in snapshot(tmp_path)] == [new]
    assert combined(tmp_path).value("hits") == 7


def test_a_reader_that_is_not_let_run_tries_all_the_same(monkeypatch):
    """On a busy machine its time goes by without it: it looks a hundred times at least."""
    seconds = itertools.count()
    monkeypatch.setattr(source_room, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    patience = source_room.Patience()
    assert [patience.is_over() for _ in range(101)] == [False] * 99 + [True] * 2
