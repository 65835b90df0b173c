"""Any sequence of operations, then reading, gives what a plain Python model gives."""

from __future__ import annotations

import gc
import struct
import sys
import threading
from queue import SimpleQueue

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loading
from mmstats.read.snapshot import Reader

EXAMPLES = 20 if sys.implementation.name == "pypy" else 100  # it is never warm here
INTEGERS = {
    "UInt64Field": (64, False),
    "Int64Field": (64, True),
    "UIntField": (32, False),
    "IntField": (32, True),
    "UShortField": (16, False),
    "ShortField": (16, True),
    "ByteField": (8, True),
}
AGGREGATES = ("sum", "max", "min", "avg")
REALS = {"DoubleField": "d", "FloatField": "f"}
NEVER = {(64, False): (1 << 64) - 1, (64, True): -(1 << 63)}  # told from never by one (FORMAT.md 5)


def wrapped(value: int, bits: int, signed: bool) -> int:
    """What a C integer of that width holds."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def declared(mmstats):
    """A model with a field of every kind and every way to combine."""
    fields = {"counter": mmstats.CounterField(), "fcounter": mmstats.CounterField(float=True)}
    fields["bool"] = mmstats.BoolField()
    for name in (*INTEGERS, *REALS):
        for aggregate in AGGREGATES:
            fields[f"{name}_{aggregate}"] = getattr(mmstats, name)(aggregate=aggregate)
    return type(mmstats.BaseMmStats)("Every", (mmstats.BaseMmStats,), fields)


class Worker:
    """A thread that does one thing after the other as it is told."""

    def __init__(self) -> None:
        self._work: SimpleQueue = SimpleQueue()
        self._done: SimpleQueue = SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._done.put((work(), None))
            except BaseException as error:  # noqa: BLE001 - handed to the test
                self._done.put((None, error))

    def do(self, work):
        self._work.put(work)
        answer, error = self._done.get()
        if error is not None:
            raise error
        return answer

    def end(self) -> None:
        self._work.put(None)
        self._thread.join()
        if sys.implementation.name == "pypy":
            gc.collect()  # there a thread's end is seen no sooner (docs/python.md, What survives)


class Expected:
    """The plain model: what each living thread wrote, and what ended threads left."""

    def __init__(self) -> None:
        self.living: dict[int, dict[str, object]] = {}
        self.left: dict[str, object] = {}

    def own(self, thread: int, field: str, zero):
        return self.living.setdefault(thread, {}).get(field, zero)

    def write(self, thread: int, field: str, value) -> None:
        self.living.setdefault(thread, {})[field] = value

    def end(self, thread: int) -> None:
        for field, value in self.living.pop(thread, {}).items():
            if field.endswith(("counter", "_sum")):
                self.left[field] = self.left.get(field, 0) + value

    def value(self, field: str):
        written = [values[field] for values in self.living.values() if field in values]
        kind, _, aggregate = field.partition("_")
        if field == "bool":
            return any(written)
        if not aggregate or aggregate == "sum":
            total = self.left.get(field, 0) + sum(written)
            return wrap_total(kind, total)
        zero = 0.0 if kind in REALS else 0
        if not written:
            return zero
        return {"max": max, "min": min, "avg": lambda values: sum(values) / len(values)}[aggregate](written)


def wrap_total(kind: str, total):
    """Sums of cells are modulo 2**64, as the cells themselves."""
    if kind == "counter":
        return wrapped(total, 64, signed=False)
    if kind in INTEGERS:
        return wrapped(total, 64, signed=kind != "UInt64Field")
    return float(total)


class Doing:
    """Operations on the real model and on the plain one, side by side."""

    def __init__(self, mmstats) -> None:
        self.mmstats = mmstats
        self.keeping = Reader(keep=True)
        self.stats = declared(mmstats)()
        self.expected = Expected()
        self.workers: dict[int, Worker] = {}

    def on(self, thread: int, work):
        if thread not in self.workers:
            self.workers[thread] = Worker()
        return self.workers[thread].do(work)

    def incr(self, thread: int, field: str, amount) -> None:
        self.on(thread, lambda: getattr(self.stats, field).incr(amount))
        own = self.expected.own(thread, field, 0) + amount
        self.expected.write(thread, field, wrapped(own, 64, signed=False) if field == "counter" else own)

    def assign(self, thread: int, field: str, value) -> None:
        self.on(thread, lambda: setattr(self.stats, field, value))
        self.expected.write(thread, field, self.kept(field, value))

    def kept(self, field: str, value):
        kind, _, aggregate = field.partition("_")
        if field == "bool":
            return bool(value)
        if kind in REALS:
            return struct.unpack(REALS[kind], struct.pack(REALS[kind], value))[0]
        kept = wrapped(value, *INTEGERS[kind])
        if aggregate != "sum" and kept == NEVER.get(INTEGERS[kind]):
            kept += 1 if kept < 0 else -1
        return kept

    def end(self, thread: int) -> None:
        if thread in self.workers:
            self.workers.pop(thread).end()
            self.expected.end(thread)

    def check_own(self, thread: int, field: str) -> None:
        got = self.on(thread, lambda: getattr(self.stats, field))
        if field.endswith("counter"):
            got = self.on(thread, lambda: getattr(self.stats, field).value)
        zero = 0.0 if field.partition("_")[0] in (*REALS, "fcounter") else 0
        assert got == self.expected.own(thread, field, zero), (field, got)

    def check(self) -> None:
        (snapshot,) = [one for one in self.mmstats.snapshot() if one.origin.state == "alive"]
        kept = {
            stat.label: stat.value
            for one in self.keeping.read()
            if one.origin.state == "alive"
            for stat in one.stats
        }
        assert kept == {stat.label: stat.value for stat in snapshot.stats}
        assert not snapshot.problems, [str(problem) for problem in snapshot.problems]
        for stat in snapshot.stats:
            assert stat.value == self.expected.value(stat.label), stat
        assert self.stats.counter.total == self.expected.value("counter")
        combined = self.mmstats.combined()  # what runs before this one dropped counts, too
        declared = [stat for stat in combined.stats if stat.label != "mmstats.dropped"]
        assert {s.label: s.value for s in declared} == {s.label: s.value for s in snapshot.stats}

    def close(self) -> None:
        for thread in list(self.workers):
            self.end(thread)
        self.stats.remove(discard=True)


threads = st.integers(0, 2)
whole = st.one_of(st.integers(-300, 300), st.integers(-(1 << 66), 1 << 66))
dyadic = st.integers(-1000, 1000).map(lambda number: number / 8)  # sums of them are exact
operations = st.one_of(
    st.tuples(st.just("incr"), threads, st.just("counter"), whole),
    st.tuples(st.just("incr"), threads, st.just("fcounter"), dyadic),
    st.tuples(st.just("assign"), threads, st.just("bool"), st.sampled_from([True, False, "", "x", 0, None])),
    st.tuples(
        st.just("assign"),
        threads,
        st.sampled_from([f"{name}_{how}" for name in INTEGERS for how in AGGREGATES]),
        whole,
    ),
    st.tuples(
        st.just("assign"),
        threads,
        st.sampled_from([f"{name}_{how}" for name in REALS for how in AGGREGATES]),
        dyadic,
    ),
    st.tuples(st.just("end"), threads),
    st.tuples(st.just("check")),
)


@pytest.mark.filterwarnings("ignore:.*wraps:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*negative:RuntimeWarning")
def test_reading_gives_what_was_written(twin, stats_dir, monkeypatch):
    """Counters, numbers of every width and bools, written by threads that come and go, in any order."""
    monkeypatch.setenv("MMSTATS_PATH", str(stats_dir))

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.lists(operations, max_size=25))
    def check(steps):
        with loading.loaded(twin) as mmstats:
            doing = Doing(mmstats)
            try:
                for name, *arguments in steps:
                    getattr(doing, name)(*arguments)
                    if name in ("incr", "assign"):
                        doing.check_own(*arguments[:2])
                doing.check()
            finally:
                doing.close()

    check()
