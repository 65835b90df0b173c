"""Both twins, given the same calls, leave the same bytes and give the same answers.

One segment with a cell of each kind. What happens to it besides updates happens as the model makes it
happen: updates wait and are done later, memory is forgotten, closed, handed to the next owner, removed.
"""

from __future__ import annotations

import decimal
import math
import struct
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import spreading
from mmstats.format import layout
from mmstats.publish.schema import Metric, Schema

COUNT = 80


class Indexed:
    def __index__(self):
        return 7

    def __repr__(self):
        return "<indexed>"


class Failing:
    def __float__(self):
        raise ZeroDivisionError("its own")

    __index__ = __float__

    def __repr__(self):
        return "<failing>"


ODD = ["5", b"5", None, 1j, [], Indexed(), Failing(), True, decimal.Decimal("2.5"), 10**400]
NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.sampled_from(ODD))
REALS = st.one_of(NUMBERS, st.just(decimal.Decimal("sNaN")))
FINITE = st.one_of(st.floats(-1000, 1000), st.integers(-1000, 1000))
CHARACTERS = st.one_of(st.characters(), st.sampled_from("ab❤😀é\0\ud800\udfff"))
TEXTS = st.one_of(st.text(CHARACTERS, max_size=20), st.sampled_from(ODD))
PUTS = [st.tuples(st.just(name), st.one_of(REALS, FINITE)) for name in ("average", "moving", "timing")]
PUTS += [st.tuples(st.just("text"), TEXTS)] * 2
PUTS += [
    st.tuples(st.sampled_from(["counter", "updown", "real", "wide", "narrow", "most", "truth"]), NUMBERS)
]
EVENTS = st.tuples(st.sampled_from("wait work removed forget close hand_over read".split()), st.none())
CALLS = st.lists(st.one_of(*PUTS, *PUTS, EVENTS), max_size=60)


def metrics(size, length):
    """What a model with all of them would declare, and so the order of the cells."""
    f64, u64, i64 = layout.CELL_TYPE_F64, layout.CELL_TYPE_U64, layout.CELL_TYPE_I64
    declared = [
        ("counter", layout.KIND_COUNTER, u64, 1),
        ("updown", layout.KIND_UPDOWN, i64, 1),
        ("real", layout.KIND_COUNTER, f64, 1),
        ("wide", layout.KIND_NUMBER, f64, 1),
        ("narrow", layout.KIND_NUMBER, i64, 1),
        ("most", layout.KIND_NUMBER, u64, 1),
        ("truth", layout.KIND_BOOL, layout.CELL_TYPE_BOOL, 1),
        ("average", layout.KIND_AVERAGE, f64, 3),
        ("moving", layout.KIND_MOVING, f64, 2 + size + 1),
        ("timing", layout.KIND_TIMER, f64, spreading.RING + size + 1),
        ("text", layout.KIND_TEXT, layout.CELL_TYPE_TEXT, 1 + 2 * (2 + -(-length // 8))),
    ]
    aggregates = {"most": layout.AGGREGATE_MAX, "truth": layout.AGGREGATE_ANY, "text": layout.AGGREGATE_LAST}
    return [
        Metric(label=name, kind=kind, cell_type=cell_type, cells=cells, aggregate=aggregates.get(name, 1))
        for name, kind, cell_type, cells in declared
    ]


class Run:
    """One twin with one of each, and what became of it."""

    def __init__(self, twin, size, length):
        twin.token.renew()
        self.answers, self.waiting, self.memories = [], [], []
        self.state, self.new_memory = "work", True
        self.metrics = metrics(size, length)
        self.schema = Schema(1, self.metrics)
        self.segment = twin.Segment(self.open)
        at = {metric.label: metric.index for metric in self.metrics}
        f64, u64, i64 = layout.CELL_TYPE_F64, layout.CELL_TYPE_U64, layout.CELL_TYPE_I64
        counters = {"counter": u64, "updown": i64, "real": f64}
        handles = {
            name: twin.Counter(self.segment, at[name], kind, name, None) for name, kind in counters.items()
        }
        handles["average"] = twin.Average(self.segment, at["average"], "average", self.refuse)
        handles["moving"] = twin.Moving(self.segment, at["moving"], size, "moving", self.refuse)
        handles["timing"] = twin.Timing(
            self.segment, at["timing"], *spreading.sizes(twin, "Timing", size), "timing", self.refuse
        )
        self.handles = handles
        plain = {
            "wide": twin.Number("wide", f64, 64, True, False),
            "narrow": twin.Number("narrow", i64, 16, True, False),
            "most": twin.Number("most", u64, 64, False, True),
            "truth": twin.Number("truth", layout.CELL_TYPE_BOOL, 8, False, False),
            "text": twin.Text("text", length),
        }
        self.plain = type("Model", (twin.Instance,), plain)()
        self.plain._mm_bind("_mm_cells", {name: (self.segment, at[name], f"no {name}") for name in plain})

    def open(self, segment):
        if self.state != "work":
            return self.later
        if self.new_memory:
            self.new_memory, memory = False, bytearray(8 * self.schema.cells)
            struct.pack_into(f"<{self.schema.cells}Q", memory, 0, *self.schema.first_words)
            self.memories.append(memory)
            return segment.attach(memory)
        words = memoryview(self.memories[-1])
        return segment.attach(self.memories[-1], self.schema.hand_over(words.cast("Q")))

    @property
    def later(self):
        def later(function, *arguments):
            self.waiting.append((function, arguments))

        later.removed = self.state == "removed"
        return later

    def refuse(self):
        self.answers.append("refused")

    def put(self, name, value):
        handle = self.handles.get(name)
        if handle is None:
            setattr(self.plain, name, value)
        else:
            verb = {"average": "add", "moving": "add", "timing": "observe"}.get(name, "incr")
            getattr(handle, verb)(value)

    def event(self, name):
        if name in ("wait", "removed"):
            self.segment.forget()
            self.state = name
        elif name == "work":
            waiting, self.waiting = self.waiting, []
            if self.state == "wait":
                self.state = "work"
                for function, arguments in waiting:
                    function(*arguments)
            self.state = "work"
        elif name in ("forget", "close"):
            getattr(self.segment, name)()
            self.new_memory = True
        elif name == "hand_over":
            self.segment.forget()
        else:
            self.read()

    def read(self):
        for name, handle in self.handles.items():
            self.answer(lambda handle=handle: handle.value, name)
        self.answer(lambda: self.handles["timing"].last, "last")
        for name in ("wide", "narrow", "most", "truth", "text"):
            self.answer(lambda name=name: getattr(self.plain, name), name)

    def answer(self, function, name):
        """What it gives, or raises: the words of TypeError and Removed are ours, others Python's."""
        try:
            self.answers.append((name, repr(function())))
        except Exception as error:  # noqa: BLE001 - the other twin is to raise it too
            ours = type(error).__name__ in ("TypeError", "Removed")
            self.answers.append((name, type(error).__name__, str(error) if ours else ""))

    def call(self, name, value):
        if name in self.handles or name in ("wide", "narrow", "most", "truth", "text"):
            self.answer(lambda: self.put(name, value), name)
        else:
            self.answer(lambda: self.event(name), name)

    def left(self):
        """Every byte, but whether a time is one."""
        at = {metric.label: metric.index for metric in self.metrics}
        slot = (self.metrics[-1].cells - 1) // 2
        times = [at["timing"] + 2, at["text"] + 2, at["text"] + 2 + slot]
        found = []
        for memory in self.memories:
            words = list(struct.unpack(f"<{len(memory) // 8}Q", memory))
            for time in times:
                words[time] = bool(words[time])
            found.append(words)
        return found


def outcome(twin, calls, size, length):
    run = Run(twin, size, length)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what wraps: once in each twin's life
        for name, value in calls:
            run.call(name, value)
        run.event("read")
    return run.answers, len(run.waiting), run.left()


@settings(max_examples=300, deadline=None)
@example(calls=[("wide", -0.0)], size=1, length=1)
@given(calls=CALLS, size=st.integers(1, 5), length=st.integers(1, 24))
def test_both_twins_leave_the_same_bytes_and_give_the_same_answers(calls, size, length):
    pure = pytest.importorskip("mmstats.cells.pure")
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    assert outcome(pure, calls, size, length) == outcome(native, calls, size, length)


def test_such_a_run_meets_everything(twin):
    """The comparison compares something: values, errors, refusals, times, what waits, several memories."""
    calls = [("average", 2), ("timing", 0.5), ("text", "up"), ("moving", math.nan), ("text", 5)]
    calls += [("wait", None), ("average", 4), ("work", None), ("hand_over", None), ("average", 6)]
    calls += [("close", None), ("counter", 3), ("removed", None), ("counter", 4)]
    answers, waiting, left = outcome(twin, calls, 2, 8)
    assert ("text", "TypeError", "'text' takes a text, not int: 5") in answers
    assert "refused" in answers
    assert ("average", "Removed", "'average' was removed") in answers
    assert (1, 2, 3) == (waiting, len(left), left[1][0])
    average, timing = 7, 7 + 3 + 5
    assert (3, 1, True) == (left[0][average], left[0][timing], left[0][timing + 2])
