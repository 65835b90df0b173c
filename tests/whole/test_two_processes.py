"""Any sequence of declaring, counting, forgetting, removing, dying and folding agrees with a plain model.

Two processes at a time, each of which may die and be followed by another one; after each step everything is
read, and compared with what plain lists and dicts say.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

import zygote
from mmstats import combined
from mmstats.tools.cleaning import Wanted, clean

pytestmark = pytest.mark.main

MODEL = """
class Model(mmstats.BaseMmStats):
    hits = mmstats.CounterField()
    requests = mmstats.CounterField(tags=("method",))
    sizes = mmstats.HistogramField(tags=("method",), scale=2)
    inflight = mmstats.UpDownField()
    owed = mmstats.UpDownField(keep=True)
    load = mmstats.Int64Field()
    sold = mmstats.Int64Field(keep=True)
    top = mmstats.DoubleField()
    best = mmstats.DoubleField(keep=True)
    size = mmstats.AverageField()
    moving = mmstats.MovingAverageField(size=2)
    recent = mmstats.MovingAverageField(window=36_000)
    body = mmstats.HistogramField(bounds=(1, 10))
    wait = mmstats.TimerField(size=2)
    free = mmstats.GaugeField()
    peak = mmstats.GaugeField(aggregate="max")
    ready = mmstats.BoolField()
    phase = mmstats.StringField()
    mode = mmstats.EnumField(states=("low", "high"))
"""
SUMS = ("hits", "inflight", "owed", "load", "sold")
STAY = ("hits", "owed", "sold")  # of those, once the process has ended
VERBS = {"load": "add_to", "sold": "add_to"}
MEANS = ("size", "moving", "recent")
NUMBERS = st.integers(-40, 40).map(lambda number: number / 4)
METHODS = ("GET", "PUT")


class Wrote:
    """What a process has counted since its model was made."""

    def __init__(self):
        self.sums = dict.fromkeys(SUMS, 0)
        self.requests = {}
        self.sizes = {}
        self.values = {name: [] for name in ("size", "body", "wait")}  # of all threads
        self.last = {name: [] for name in ("moving", "recent", "wait")}  # of the main thread
        self.set = {}  # what the main thread, or the process, set


class Left:
    """What stands for all time."""

    def __init__(self):
        self.sums = dict.fromkeys(STAY, 0)
        self.requests = {}
        self.sizes = {}
        self.values = {name: [] for name in ("size", "body", "wait")}
        self.best = []

    def take(self, wrote):
        """A process has ended, or removed its model."""
        for name in STAY:
            self.sums[name] += wrote.sums[name]
        for name, values in wrote.values.items():
            self.values[name] += values
        for method, count in wrote.requests.items():
            self.requests[method] = self.requests.get(method, 0) + count
        for method, values in wrote.sizes.items():
            self.sizes[method] = self.sizes.get(method, []) + values
        self.best += [wrote.set["best"]] if "best" in wrote.set else []


class TwoProcesses(RuleBasedStateMachine):
    """Both, side by side with the plain model."""

    zygote = directory = None  # of the test

    def __init__(self):
        super().__init__()
        for path in self.directory.iterdir():
            path.unlink()
        self.processes = [None, None]
        self.wrote = [None, None]
        self.left = Left()
        self.moment = 0

    def teardown(self):
        for process in filter(None, self.processes):
            process.kill()

    which = st.integers(0, 1)

    def at_work(self, which):
        """The process, with its model; what it wrote."""
        if self.processes[which] is None:
            self.processes[which] = self.zygote.process()
        if self.wrote[which] is None:
            self.processes[which].declare()
            self.wrote[which] = Wrote()
        return self.processes[which], self.wrote[which]

    # --- what may happen ---

    @rule(which=which)
    def declare(self, which):
        self.at_work(which)

    @rule(which=which, name=st.sampled_from(SUMS), by=st.integers(0, 9), thread=st.booleans())
    def count(self, which, name, by, thread):
        process, wrote = self.at_work(which)
        process.do(name, VERBS.get(name, "incr"), by, in_thread=thread)
        wrote.sums[name] += by

    @rule(which=which, name=st.sampled_from(["inflight", "owed"]), by=st.integers(0, 9), thread=st.booleans())
    def count_down(self, which, name, by, thread):
        process, wrote = self.at_work(which)
        process.do(name, "decr", by, in_thread=thread)
        wrote.sums[name] -= by

    @rule(which=which, method=st.sampled_from(METHODS), by=st.integers(0, 9), thread=st.booleans())
    def count_tagged(self, which, method, by, thread):
        process, wrote = self.at_work(which)
        process.do("requests", "incr", by, tags=[method], in_thread=thread)
        wrote.requests[method] = wrote.requests.get(method, 0) + by

    @rule(which=which, method=st.sampled_from(METHODS), value=NUMBERS, thread=st.booleans())
    def observe_tagged(self, which, method, value, thread):
        process, wrote = self.at_work(which)
        process.do("sizes", "observe", value, tags=[method], in_thread=thread)
        wrote.sizes.setdefault(method, []).append(value)

    @rule(which=which, method=st.sampled_from(METHODS), name=st.sampled_from(["requests", "sizes"]))
    def forget(self, which, method, name):
        process, wrote = self.at_work(which)
        process.do(name, "forget", tags=[method])
        getattr(wrote, name).pop(method, None)

    @rule(which=which, name=st.sampled_from(MEANS), value=NUMBERS, thread=st.booleans())
    def add(self, which, name, value, thread):
        process, wrote = self.at_work(which)
        process.do(name, "add", value, in_thread=thread)
        if name == "size":
            wrote.values[name].append(value)
        elif not thread:
            wrote.last[name].append(value)

    @rule(which=which, name=st.sampled_from(["body", "wait"]), value=NUMBERS, thread=st.booleans())
    def observe(self, which, name, value, thread):
        process, wrote = self.at_work(which)
        process.do(name, "observe", value, in_thread=thread)
        wrote.values[name].append(value)
        if name == "wait" and not thread:
            self.moment += 1
            wrote.last[name].append(value)
            wrote.set["last wait"] = self.moment, value

    @rule(
        which=which,
        name=st.sampled_from(["free", "peak", "top", "best"]),
        value=NUMBERS,
        thread=st.booleans(),
    )
    def set(self, which, name, value, thread):
        process, wrote = self.at_work(which)
        process.do(name, "set", value, in_thread=thread)
        if not thread or name in ("free", "peak"):
            wrote.set[name] = value

    @rule(which=which, ready=st.booleans(), thread=st.booleans())
    def be_ready(self, which, ready, thread):
        process, wrote = self.at_work(which)
        process.do("ready", "set", ready, in_thread=thread)
        if not thread:
            wrote.set["ready"] = ready

    @rule(which=which, phase=st.text("abc", max_size=3), thread=st.booleans())
    def say(self, which, phase, thread):
        process, wrote = self.at_work(which)
        process.do("phase", "set", phase, in_thread=thread)
        if not thread:
            self.moment += 1
            wrote.set["phase"] = self.moment, phase

    @rule(which=which, mode=st.sampled_from(["low", "high"]), thread=st.booleans())
    def be(self, which, mode, thread):
        process, wrote = self.at_work(which)
        process.do("mode", "set", mode, in_thread=thread)
        wrote.set["mode"] = mode

    @rule(which=which, discard=st.booleans())
    def remove(self, which, discard):
        if self.wrote[which] is not None:
            self.processes[which].remove(discard=discard)
            if not discard:
                self.left.take(self.wrote[which])
            self.wrote[which] = None

    @rule(which=which, kill=st.booleans())
    def die(self, which, kill):
        if self.processes[which] is None:
            return
        (self.processes[which].kill if kill else self.processes[which].exit)()
        if self.wrote[which] is not None:
            self.left.take(self.wrote[which])
        self.processes[which] = self.wrote[which] = None

    @rule()
    def fold(self):
        wanted = Wanted([str(self.directory)])
        wanted.quiet = True
        assert clean(wanted) in (0, 1)  # 1: there is no file

    # --- what is read ---

    @property
    def living(self):
        return [wrote for wrote in self.wrote if wrote is not None]

    @invariant()
    def it_is_what_the_plain_model_says(self):
        whole = combined(self.directory)
        if not self.living and not list(self.directory.glob("*.mmstats")):
            return
        assert [str(problem) for problem in whole.problems] == []
        for name in SUMS:
            expected = sum(wrote.sums[name] for wrote in self.living) + self.left.sums.get(name, 0)
            assert whole.value(name, default=0) == expected, name
        self.members(whole)
        self.means(whole)
        for name in ("body", "wait"):
            self.distribution(whole.value(name, default=None), self.everything(name), name)
        self.last_ones(whole)
        self.settings(whole)

    def everything(self, name):
        return self.left.values[name] + [value for wrote in self.living for value in wrote.values[name]]

    def members(self, whole):
        for method in METHODS:
            counts = [wrote.requests.get(method, 0) for wrote in self.living]
            expected = sum(counts) + self.left.requests.get(method, 0)
            assert whole.value("requests", default=0, method=method) == expected, method
            values = [value for wrote in self.living for value in wrote.sizes.get(method, [])]
            found = whole.value("sizes", default=None, method=method)
            self.distribution(found, values + self.left.sizes.get(method, []), method)

    def means(self, whole):
        within = {"moving": 2, "recent": 1_000}
        lasts = {
            name: [value for wrote in self.living for value in wrote.last[name][-count:]]
            for name, count in within.items()
        }
        for name, values in {"size": self.everything("size"), **lasts}.items():
            expected = sum(values) / len(values) if values else 0.0
            assert whole.value(name, default=0.0) == expected, name

    def distribution(self, found, values, name):
        """Count, sum, extremes, and what each bucket has, by comparing each value with its edges."""
        if found is None:
            assert values == [], name
            return
        assert (found.count, found.sum) == (len(values), sum(values)), name
        if values:
            assert (found.min, found.max) == (min(values), max(values)), name
        for low, high, count in found.buckets:
            below_zero = [value for value in values if value < 0]
            inside = [value for value in values if low < value <= high or value == low == 0]
            assert len(below_zero if low < 0 else inside) == count, (name, low, high)
        if name == "body" and values:
            below = [sum(value <= edge for value in values) for edge in (1, 10)]
            assert [count for _, count in found.bounds] == below

    def last_ones(self, whole):
        found = whole.value("wait", default=None)
        recent = [value for wrote in self.living for value in wrote.last["wait"][-2:]]
        _, last = max(
            (wrote.set["last wait"] for wrote in self.living if "last wait" in wrote.set), default=(0, 0.0)
        )
        expected = last, sum(recent) / len(recent) if recent else 0.0
        assert (found.last, found.moving) == expected if found else not recent

    def settings(self, whole):
        of = {
            name: [wrote.set[name] for wrote in self.living if name in wrote.set]
            for name in ("free", "peak", "top", "best", "ready", "phase", "mode")
        }
        assert whole.value("free", default=0) == sum(of["free"])
        assert whole.value("peak", default=0) == max(of["peak"], default=0)
        assert whole.value("top", default=0) == max(of["top"], default=0)
        assert whole.value("best", default=0) == max(of["best"] + self.left.best, default=0)
        assert whole.value("ready", default=False) == any(of["ready"])
        assert whole.value("phase", default="") == max(of["phase"], default=(0, ""))[1]
        assert as_set(whole.value("mode", default=None)) == set(of["mode"])


def as_set(modes):
    return set(modes) if isinstance(modes, frozenset) else {modes} - {"", None}


def run(twin, directory, examples, steps):
    with zygote.Zygote(twin, directory, MODEL) as parent:
        machine = type("TwoProcesses", (TwoProcesses,), {"zygote": parent, "directory": directory})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
        )


def test_it_agrees_with_a_plain_model(twin, stats_dir):
    run(twin, stats_dir, 30, 30)


@pytest.mark.soak
def test_it_agrees_for_long(twin, stats_dir):
    run(twin, stats_dir, 1_000, 60)
