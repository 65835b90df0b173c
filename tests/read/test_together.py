"""Many processes of one program at once say what each says by itself: by both twins, whatever happens."""

from __future__ import annotations

import gc
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

import filebuilder as fb
import mmstats
import mutating
import programs
from conftest import IS_PYPY, NATIVE_IS_OPTIONAL
from mmstats.aggregate.combine import combine
from mmstats.combining import Combiner
from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.header import decode_header
from mmstats.host import identity
from mmstats.read.gather import Gatherer, gatherer_type
from mmstats.read.pattern import SPREAD, NoPattern, Pattern
from mmstats.read.program import Program
from mmstats.read.snapshot import Reader
from mmstats.read.tally import BUSY, OTHER, SHORT, tally_type
from mmstats.stat import Origin

PURE = tally_type(pure=True)
TWINS = [PURE] if NATIVE_IS_OPTIONAL and tally_type() is PURE else [PURE, tally_type()]
WORDS = (
    0,
    1,
    2,
    3,
    7,
    64,
    1 << 31,
    (1 << 32) - 1,
    1 << 43,
    1 << 63,
    (1 << 64) - 1,
    layout.NEVER_F64,
    0x7FF8 << 48,
)


@pytest.fixture(params=TWINS, ids=lambda one: "pure" if one is PURE else "native")
def tally_twin(request):
    return request.param


@pytest.mark.skipif(IS_PYPY, reason="PyPy: there is no native twin")
def test_there_are_two_twins():
    """What is forced nowhere else: a silent fallback would be tested twice."""
    assert NATIVE_IS_OPTIONAL or tally_type().__module__ == "mmstats.read._native"
    assert NATIVE_IS_OPTIONAL or gatherer_type() is not Gatherer


# --- one file, by the short way and by the long one ------------------------------------------------


def never(*_):
    raise AssertionError("the long way had to read again")


def told(rows):
    """What stats there are, so that NaN is like NaN and -0.0 is not 0.0."""
    return [
        (about, repr(parts), repr(value)) for about, parts, value in zip(rows.abouts, rows.parts, rows.values)
    ]


def the_long_way(copies, size):
    decoded = decode(copies[0][:size])
    origin = Origin(created=decoded.header.created / 1e9, state="alive")
    found = Reader()._stats(Copies(*copies, never, lambda: True), decoded, origin, {})
    return found, decoded.problems


def the_short_way(pattern, twin, copies, size):
    """The rows that are the pattern's, with those that are each process's own; or why there are none."""
    program = Program(pattern, "", twin)
    handed = program.tally.read(*copies, size, program.is_lawful)
    if not isinstance(handed, list):
        return handed
    header = decode(copies[0]).header
    taken = program.take(handed, header.created / 1e9, header.created - header.created_monotonic)
    program.tally.add()
    program.add(taken)
    rows, own = program.rows(header.created / 1e9), program.own_rows(taken)
    for about, parts, value in zip(own.abouts, own.parts, own.values):
        rows.add(about, parts, value)
    return rows


def by_name(rows):
    return sorted(told(rows), key=repr)


def combined_alone(rows):
    """As one process's stats are once they are combined: what it has itself may be said more simply."""
    from mmstats import kinds
    from mmstats.stat import Rows

    whole = Rows("")
    for about, parts, value in zip(rows.abouts, rows.parts, rows.values):
        word = kinds.rule(about.kind, about.aggregate)
        whole.add(about, parts, value if parts is None or word == "all" else kinds.finish(word, parts))
    return whole


@pytest.fixture(scope="module")
def corpus():
    """Files that can be read so, each with its pattern."""
    found = []
    for data in mutating.corpus():
        if data[:8] != layout.MAGIC:
            continue
        try:
            found.append((Pattern(decode(data), data), data))
        except (NoPattern, FormatError):
            continue
    assert len(found) >= 30
    return found


def test_each_file_says_what_it_says_the_long_way(corpus, tally_twin):
    read = 0
    for pattern, data in corpus:
        copies = (data, data, data)
        found = the_short_way_or_error(pattern, tally_twin, copies, len(data))
        if isinstance(found, int):
            continue  # it is torn, or has damage
        expected, problems = the_long_way(copies, len(data))
        assert not problems
        assert found == by_name(combined_alone(expected))
        read += 1
    assert read >= 25, read


def changed(data, choose, used, times):
    """Words of the header, of blocks, of cells: as a writer, or a fault, would leave them."""
    changed = bytearray(data)
    for _ in range(choose.randrange(times + 1)):
        at = choose.randrange(0, max(8, min(used, len(data) - 8)), choose.choice((4, 8)))
        near = int.from_bytes(changed[at : at + 8], "little")
        word = choose.choice(
            [*WORDS, near + 1, near - 1, near ^ 1 << choose.randrange(64), choose.getrandbits(64)]
        )
        changed[at : at + 8] = struct.pack("<Q", word & (1 << 64) - 1)
    return bytes(changed[: len(data)])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.main) for seed in range(1, 5))])
def test_what_is_accepted_is_right_whatever_the_copies_say(corpus, seed):
    """Twins answer alike; and where they accept, the long way complains of nothing, and says the same."""
    choose = random.Random(seed)
    answers = {OTHER: 0, BUSY: 0, SHORT: 0, "read": 0}
    for pattern, data in corpus:
        used = len(data.rstrip(b"\0")) + 64
        for _ in range(25):
            first = changed(data, choose, used, 3)
            middle = changed(first, choose, used, 2)
            last = changed(choose.choice((first, middle)), choose, used, 2)
            size = len(data)
            if choose.random() < 0.1:
                cut = choose.randrange(len(data) + 1)
                first, middle, last = first[:cut], middle[:cut], last[:cut]
            found = [the_short_way_or_error(pattern, twin, (first, middle, last), size) for twin in TWINS]
            assert found[-1] == found[0], seed
            answers[found[0] if isinstance(found[0], int) else "read"] += 1
            if isinstance(found[0], int):
                continue
            try:
                expected, problems = the_long_way((first, middle, last), len(first))
            except AssertionError:
                pytest.fail("what the long way had to read again was accepted")
            assert not problems
            assert found[0] == by_name(combined_alone(expected))
    assert min(answers.values()) >= 10, answers


def the_short_way_or_error(pattern, twin, copies, size):
    try:
        if decode_header(copies[0]).dropped:
            return BUSY  # such a file is not read so at all
        found = the_short_way(pattern, twin, copies, size)
    except FormatError:
        return BUSY  # the header, or what was handed out: that is known before anything is added
    return found if isinstance(found, int) else by_name(combined_alone(found))


def test_files_of_many_lanes_add_up(tally_twin):
    """Over the lanes of a file modulo 2**64, over files exactly; without what ended, where that counts."""
    rows = [
        ("sum", "counter", fb.U64, [(1 << 64) - 1, 5, 7]),
        ("signed", "counter", fb.I64, [(1 << 63) - 1, 1, -3]),
        ("real", "counter", fb.F64, [0.5, 0.25, 4.0]),
        ("most", "number", fb.U64, [3, None, 9], {"aggregate": "max"}),
        ("least", "number", fb.I64, [3, -4, None], {"aggregate": "min"}),
        ("none", "number", fb.F64, [None, None, None], {"aggregate": "max"}),
        ("level", "gauge", fb.F64, 2.5),
        ("unset", "gauge", fb.F64, None),
        ("size", "static", fb.U64, 8080),
        ("name", "static", fb.TEXT, "web"),
    ]
    data = fb.whole(*fb.fields(*rows))
    ended = data.replace(struct.pack("<IIIIQ", 3, 64, 3, 0, 1), struct.pack("<IIIIQ", 3, 64, 3, 0, 0))
    assert ended != data
    program = Program(Pattern(decode(data), data), "", tally_twin)
    for one in (data, ended):
        taken = program.take(program.tally.read(one, one, one, len(one), program.is_lawful), 1.0, 0)
        program.tally.add()
        program.add(taken)
    found = program.rows(1.0)
    assert dict(zip([about.label for about in found.abouts], found.values)) == {
        "sum": 22,
        "signed": 2 * ((1 << 63) - 3),  # 2**63 - 1 + 1 - 3, modulo 2**64
        "real": 9.5,
        "most": 9,
        "least": -4,
        "none": 0,
        "level": 5.0,
        "unset": 0,
        "size": frozenset({8080}),
        "name": frozenset({"web"}),
    }


class Timed(mmstats.MmStats):
    plain = mmstats.TimerField()
    family = mmstats.TimerField(tags=("a",))


@pytest.fixture
def timed(tmp_path):
    model = Timed(path=str(tmp_path))
    yield model
    model.remove()


def both_ways(directory, twin):
    """What a file says by the short way, which asks Python for nothing; and by the long one."""
    (path,) = directory.glob("*.mmstats")
    raw = path.read_bytes()
    pattern = Pattern(decode(raw), raw)
    assert not any(entry.told >= 0 for entry in pattern.entries)
    found = the_short_way_or_error(pattern, twin, (raw,) * 3, len(raw))
    expected, problems = the_long_way((raw,) * 3, len(raw))
    assert problems == []
    return found, by_name(combined_alone(expected))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.main) for seed in range(1, 6))])
def test_last_durations_are_summed_as_exactly_as_the_long_way_does(tally_twin, tmp_path, timed, seed):
    """However far apart they are; of threads that live and that ended."""
    choose = random.Random(seed)

    def use(times):
        for _ in range(times):
            value = choose.choice((0.1, 3.0, 1e-9, 0.0, choose.lognormvariate(0, 20)))
            timed.plain.observe(value)
            timed.family.tagged(choose.choice("xy")).observe(value)

    use(1)
    for times in (3, 20, 200):
        use(times)
        thread = threading.Thread(target=use, args=(times,))
        thread.start()
        thread.join()
        gc.collect()
        short, long = both_ways(tmp_path, tally_twin)
        assert short == long


@pytest.mark.parametrize(
    "values",
    [
        (1.0, 2.0**-53, 2.0**-200),  # half-way between two doubles, and a little more
        (1.0, 2.0**-53),
        (1.0 + 2.0**-52, 2.0**-53),
        (2.0**-200, 1.0 + 2.0**-52, 2.0**-53),
        (1e300, 1.0, 1e-300, 1e300),
    ],
)
def test_sums_of_durations_are_rounded_once(tally_twin, tmp_path, timed, values):
    for value in values:
        timed.plain.observe(value)
    short, long = both_ways(tmp_path, tally_twin)
    assert short == long


def test_what_no_tally_can_be_made_of(tally_twin):
    made = tally_twin([], [])
    with pytest.raises(ValueError, match="no file was read"):
        made.add()
    assert made.values() == []
    assert made.read(b"", b"", b"", 0, never) == OTHER
    assert made.read(b"x" * 512, b"", b"", 0, never) == BUSY
    header = fb.header()
    assert made.read(*[header + bytes(64)] * 3, 576, never) == []
    made.add()
    with pytest.raises(ValueError, match="no file was read"):
        made.add()
    assert made.read(*[header] * 3, 4096, never) == SHORT


@pytest.mark.skipif(len(TWINS) < 2, reason="not on PyPy, nor where no native twin was wanted")
@pytest.mark.parametrize(
    ("spans", "steps"),
    [
        ([(b"x" * 64, 60)], []),  # a hole beyond its block
        ([], [(9, 1, 0)]),
        ([], [()]),
        ([], ["step"]),
        ([], [(0, 1, 0, b"\x0a", False)]),  # no such rule
        ([], [(0, 1, 0)]),
        ([], [(0, 1, -1, b"\0", False)]),
        ([], [(1, 1, 0, 4, 1, 7, 3, 10, 0, 0)]),  # a distribution beyond its cells
        ([], [(1, 1, 0, 13, 1, 7, 9, 10, 0, 0)]),  # a scale that no histogram has
        ([], [(1, 1, 0, 13, 1, 7, 3, 10, 0)]),
        ([], [(1, 1, 0, 13, 1, 7, 3, 10, 0, 1 << 40)]),
        ([], [(3, 0, 0)]),  # a static of no span
        ([], [(4, 1)]),
        ([], [(4, 1, (3, 0, 0))]),
        ([], [(4, 1, (6, 0, 0))]),
        ([], [(5, 1, 0, 12, 12)]),  # durations beyond their cells
        ([], [(5, 1, 0, 12, 2)]),
        ([], [(6, 0, 0)]),
    ],
)
def test_native_steps_that_would_lead_astray(spans, steps):
    with pytest.raises((ValueError, TypeError, OverflowError)):
        TWINS[1](spans, steps)


def test_a_member_is_asked_for_once_and_may_be_refused(tally_twin):
    asked = []

    def lawful(step, key):
        asked.append((step, key[8:]))
        return key[8:] != b"bad\0"

    def data(*names):
        cells = [word for at in range(len(names)) for word in (1, 10 + at)]
        blocks = [fb.member((name,), 1, index=2 * at) for at, name in enumerate(names)]
        return fb.whole(fb.metric("r", tags=("method",), segment=0), *blocks, fb.lane(1), fb.cells(1, cells))

    pattern = Pattern(decode(data("a")), data("a"))
    made = tally_twin(pattern.spans, pattern.steps)
    for names, expected in (("ab", list), ("ba", list), (("a", "bad"), BUSY), ("aca", BUSY), ("c", list)):
        one = data(*names)
        found = made.read(one, one, one, len(one), lawful)
        assert found == expected if isinstance(expected, int) else isinstance(found, expected), names
        if isinstance(found, list):
            made.add()
    numbers, values, _ = made.values()[0]
    assert [(made.key(0, number)[8:], value) for number, value in zip(numbers, values)] == [
        (b"a\0", 21),
        (b"b\0", 21),
        (b"c\0", 10),
    ]
    assert asked == [(0, b"a\0"), (0, b"b\0"), (0, b"bad\0"), (0, b"c\0")]


def test_a_distribution_that_is_being_written_is_left_to_the_long_way(corpus, tally_twin):
    """Its buckets and its count agree, but one of the buckets is told as it will be."""
    found = []
    for pattern, data in corpus:
        for step in [step for step in pattern.steps if step[0] == SPREAD]:
            _, segment, index, _, _, distribution, *_ = step
            start, _ = next(iter(decode(data).cells.get(segment, {}).values()), (0, 0))
            (n,) = struct.unpack_from("<Q", data, start + 8 * index)
            if start and n and isinstance(answer(pattern, tally_twin, data), list):
                at = start + 8 * (index + distribution)
                torn = data[:at] + struct.pack("<Q", (n + 1) << 32) + data[at + 8 :]
                found.append(answer(pattern, tally_twin, torn))
    assert len(found) > 3
    assert set(found) == {BUSY}


def answer(pattern, twin, data):
    return twin(pattern.spans, pattern.steps).read(data, data, data, len(data), lambda *_: True)


def test_values_that_share_their_cells_are_left_to_the_long_way(tally_twin):
    metrics = [fb.metric(f"m{number}") for number in range(200)]
    few, many = [
        fb.whole(
            *metrics, *[block for lane in range(1, lanes) for block in (fb.lane(lane), fb.cells(lane, [1]))]
        )
        for lanes in (2, 100)
    ]
    pattern = Pattern(decode(few), few)
    assert answer(pattern, tally_twin, few) == []
    assert answer(pattern, tally_twin, many) == BUSY
    assert Reader()._stats(Copies.of_one(many), decode(many), Origin(), {}).values != [1] * 200


def test_a_member_that_is_there_twice_is_left_to_the_long_way(tally_twin):
    def data(*names):
        blocks = [fb.member((name,), 1, index=2 * at) for at, name in enumerate(names)]
        apart = [block for one in blocks for block in (one, fb.pad(64))]
        metric = fb.metric("r", tags=("method",), segment=0)
        return fb.whole(metric, *apart, fb.lane(1), fb.cells(1, [1, 5] * len(names)))

    pattern = Pattern(decode(data("a")), data("a"))
    assert answer(pattern, tally_twin, data(*"abc")) == []
    assert answer(pattern, tally_twin, data(*"aba")) == BUSY


# --- live processes ---------------------------------------------------------------------------------

RICH = """
import gc, os, random, signal, sys, threading
import mmstats

class Rich(mmstats.MmStats):
    counter = mmstats.CounterField()
    real = mmstats.CounterField(float=True)
    up = mmstats.UpDownField()
    most = mmstats.Int64Field(aggregate="max")
    least = mmstats.DoubleField(aggregate="min")
    each = mmstats.GaugeField(aggregate="all")
    latest = mmstats.GaugeField(aggregate="last")
    mean = mmstats.DoubleField(aggregate="avg")
    level = mmstats.GaugeField()
    highest = mmstats.GaugeField(aggregate="max")
    unset = mmstats.GaugeField()
    ready = mmstats.BoolField()
    size = mmstats.AverageField()
    load = mmstats.MovingAverageField(size=8)
    latency = mmstats.TimerField()
    untouched = mmstats.TimerField()
    bytes = mmstats.HistogramField(bounds=(1, 10, 100))
    phase = mmstats.StringField(size=40)
    state = mmstats.EnumField(states=("idle", "busy"))
    release = mmstats.InfoField(version="1.0")
    port = mmstats.StaticInt64Field(value=8080)
    requests = mmstats.CounterField(tags=("method", "status"))
    levels = mmstats.GaugeField(tags=("queue",))
    route = mmstats.TimerField(tags=("route",))
    sizes = mmstats.HistogramField(tags=("route",))

def use(stats, choose):
    stats.counter.incr(choose.randrange(100))
    stats.real.incr(choose.randrange(64) / 8)
    stats.up.incr(choose.randrange(9))
    stats.up.decr(choose.randrange(9))
    stats.most, stats.least = choose.randrange(-50, 50), choose.randrange(64) / 8
    stats.each.set(choose.randrange(9))
    stats.latest.set(choose.randrange(9))
    stats.mean = choose.randrange(64) / 8
    stats.level.set(choose.randrange(9))
    stats.highest.set(choose.randrange(9))
    stats.ready = choose.random() < 0.5
    stats.phase = choose.choice(("a", "b", "c" * 30))
    stats.state = choose.choice(("idle", "busy"))
    for _ in range(choose.randrange(12)):
        value = choose.randrange(1, 4096) / 64
        stats.size.add(value)
        stats.load.add(value)
        stats.latency.observe(value)
        stats.bytes.observe(value - 2)
        stats.requests.tagged(choose.choice("GP"), choose.randrange(3)).incr(3)
        stats.levels.tagged(choose.choice("xyz")).set(value)
        stats.route.tagged(choose.choice("/a")).observe(value)
        stats.sizes.tagged(choose.choice("/b")).observe(value)

def main(count):
    children = []
    ready, tell = os.pipe()
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            choose = random.Random(number)
            stats = Rich()
            use(stats, choose)
            for _ in range(number % 3):
                thread = threading.Thread(target=use, args=(stats, choose))
                thread.start()
                thread.join()
            gc.collect()
            os.write(tell, b".")
            signal.pause()
        children.append(pid)
        os.read(ready, 1)
    print(*children, flush=True)
    sys.stdin.read()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

main(int(sys.argv[1]))
"""


@contextmanager
def rich(twin, directory, count, **more):
    """Processes of one program, which publish whatever there is and then nothing more. Their pids."""
    process = subprocess.Popen(
        [sys.executable, "-c", RICH, str(count)],
        env=programs.environment(twin, directory, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield [int(pid) for pid in process.stdout.readline().split()]
    finally:
        process.communicate("")


def stats_of(snapshot):
    """All stats, with doubles as far as their sums do not depend on who came first."""

    def rounded(value):
        return float(f"{value:.12g}") if isinstance(value, float) else value

    return sorted(
        (one.group, *about_of(one.about), repr(plain(one.value, rounded))) for one in snapshot.stats
    )


def about_of(about):
    return (about.label, about.tags, about.kind, about.aggregate, about.unit, about.keep, about.ttl)


def plain(value, rounded):
    if hasattr(value, "quantile"):
        told = [value.count, value.sum, value.min, value.max, value.bounds, value.spread]
        return [rounded(one) for one in told] + [
            rounded(getattr(value, "moving", 0)),
            getattr(value, "last", 0),
        ]
    if isinstance(value, (frozenset, tuple)):
        return sorted(map(repr, value))
    return rounded(value)


def same(combiner, directory, group=None):
    """The combination by the short way, which is what the long way makes of all Snapshots."""
    found, expected = combiner.combined(directory, group), combine(mmstats.snapshot(directory), group)
    assert stats_of(found) == stats_of(expected)
    assert (found.processes, found.origin) == (expected.processes, expected.origin)
    assert sorted(map(str, found.problems)) == sorted(map(str, expected.problems))
    return found


def counted(combiner):
    """How many files the last reading took the short way."""
    return sum(program.count for met in combiner._reader._met.values() for program in met.programs)


@pytest.mark.parametrize("twin", programs.twins())
def test_many_live_processes_of_whatever_there_is(tmp_path, tally_twin, twin):
    combiner = Combiner(pure=tally_twin is PURE)
    with rich(twin, tmp_path, 9) as pids:
        assert same(combiner, tmp_path).processes == 9
        assert counted(combiner) >= 5  # some had to be decoded, to know what the others are, and how long
        same(combiner, tmp_path)
        assert counted(combiner) == 9
        os.kill(pids[3], signal.SIGKILL)
        until(lambda: sum(one.origin.state == "gone" for one in mmstats.snapshot(tmp_path)) == 1)
        same(combiner, tmp_path)
        same(combiner, tmp_path, "nobody")
    same(combiner, tmp_path)
    same(combiner, tmp_path)
    assert counted(combiner) == 9  # of the dead, too
    assert same(combiner, tmp_path).processes == 0


def until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_is_not_as_in_the_others(tmp_path, tally_twin):
    """Dead and living, of two groups, damaged, of version 1, retired totals: all beside each other."""
    combiner = Combiner(pure=tally_twin is PURE)
    row = ("hits", "counter", fb.U64, 2)
    for number in range(8):
        data = fb.whole(
            *fb.fields(row, ("level", "gauge", fb.F64, 1.5)), group="xy"[number % 2], **fb.ELSEWHERE
        )
        fb.write_held(tmp_path / f"{number}.mmstats", data)
    fb.write(tmp_path / "dead.mmstats", fb.whole(*fb.fields(row), group="x", state=layout.STATE_CLOSED))
    fb.write(
        tmp_path / "x-retired.mmstats", fb.whole(*fb.total("hits", 7), group="x", state=layout.STATE_RETIRED)
    )
    fb.write_held(
        tmp_path / "odd.mmstats", fb.whole(*fb.fields(row, ("more", "counter", fb.U64, 1)), group="x")
    )
    fb.write_held(tmp_path / "copy.mmstats", data)
    (tmp_path / "bad.mmstats").write_bytes(b"vm\0")
    (tmp_path / "link.mmstats").symlink_to(tmp_path / "1.mmstats")
    for _ in range(3):
        whole = same(combiner, tmp_path)
        assert whole.value("hits") == 16 + 2 + 7 + 2 + 2
        assert same(combiner, tmp_path, "x").value("hits") == 8 + 2 + 7 + 2
        assert same(combiner, [tmp_path / "1.mmstats", tmp_path / "1.mmstats"]).value("hits") == 2
    assert counted(combiner) == 1  # the last reading had but one file


EACH = """
import mmstats, os, signal, sys
class Model(mmstats.BaseMmStats):
    queue = mmstats.GaugeField(aggregate="all", tags=("name",))
    depth = mmstats.GaugeField(aggregate="all")
children = []
ready, tell = os.pipe()
for number in range(5):
    pid = os.fork()
    if pid == 0:
        model = Model()
        model.depth = number
        model.queue.tagged("in").set(number)
        model.queue.tagged("out").set(10 + number)
        os.write(tell, b".")
        signal.pause()
    children.append(pid)
    os.read(ready, 1)
print("ready", flush=True)
sys.stdin.read()
for pid in children:
    os.kill(pid, signal.SIGKILL)
"""


@pytest.mark.parametrize("twin", programs.twins()[:1])
def test_what_stays_each_process_s_own_keeps_its_tags(tmp_path, tally_twin, twin):
    combiner = Combiner(pure=tally_twin is PURE)
    environment = programs.environment(twin, tmp_path)
    command = [sys.executable, "-c", EACH]
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    try:
        for _ in range(3):
            assert len(same(combiner, tmp_path).stats) == 15
    finally:
        process.communicate("")


def test_programs_that_nobody_runs_any_more_make_room(tmp_path, tally_twin):
    """As after many deployments: what is there now is learned, however many there were."""
    combiner = Combiner(pure=tally_twin is PURE)
    for release in range(12):
        rows = [(f"hits{release}", "counter", fb.U64, 2)]
        for number in range(4):
            data = fb.whole(*fb.fields(*rows), group="x", **fb.ELSEWHERE)
            (tmp_path / f"{number}.mmstats").unlink(missing_ok=True)
            fb.write_held(tmp_path / f"{number}.mmstats", data)
        for _ in range(2):
            same(combiner, tmp_path)
        assert counted(combiner) == 4, release


def test_writers_that_died_while_another_holds_their_lock(tmp_path, tally_twin):
    """As a child does that was forked by C code: the writer is gone, whatever the lock says."""
    combiner = Combiner(pure=tally_twin is PURE)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    for number in range(5):
        told = {"pid": child.pid, "start_ticks": identity.start_ticks(child.pid)}
        data = fb.whole(*fb.fields(("hits", "counter", fb.U64, 2), ("level", "gauge", fb.F64, 1.5)), **told)
        fb.write_held(tmp_path / f"{number}.mmstats", data)
    assert same(combiner, tmp_path).value("level") == 7.5
    assert same(combiner, tmp_path).value("level") == 7.5
    assert counted(combiner) == 5
    child.kill()
    until(lambda: identity.process(child.pid).state == "Z")
    assert same(combiner, tmp_path).value("level", None) is None
    child.communicate()
    assert same(combiner, tmp_path).value("level", None) is None


def test_who_declares_a_label_otherwise_is_told(tmp_path, tally_twin):
    combiner = Combiner(pure=tally_twin is PURE)
    for number in range(8):
        kind, aggregate = ("counter", "sum") if number < 4 else ("number", "max")
        row = ("hits", kind, fb.U64, number, {"aggregate": aggregate})
        data = fb.whole(
            *fb.fields(row), group="x", cmd=kind, created=(10**9 + number) * 10**9, **fb.ELSEWHERE
        )
        fb.write_held(tmp_path / f"{number}.mmstats", data)
    for _ in range(3):
        whole = same(combiner, tmp_path)
        assert whole.value("hits") == 7
        assert len(whole.problems) == 1


def test_a_file_that_is_folded_while_others_are_read_counts_once(tmp_path, tally_twin, monkeypatch):
    """It was added already, when the totals turn out to have what it said."""
    row = ("hits", "counter", fb.U64, 2)
    uuids = [os.urandom(16) for _ in range(6)]
    for number, uuid in enumerate(uuids):
        data = fb.whole(*fb.fields(row), group="x", uuid=uuid, **fb.ELSEWHERE)
        fb.write_held(tmp_path / f"{number}.mmstats", data)
    combiner = Combiner(pure=tally_twin is PURE)
    assert same(combiner, tmp_path).value("hits") == 12
    entry = struct.pack("<16sQQ", uuids[5], 0, 0)
    folded = struct.pack("<IIQ", layout.BLOCK_TYPE_FOLDED, 128, 1).ljust(64, b"\0") + entry.ljust(64, b"\0")
    totals = fb.whole(*fb.total("hits", 2), folded, group="x", state=layout.STATE_RETIRED)
    fb.write(tmp_path / "x-retired.mmstats", totals)
    for _ in range(2):
        assert same(combiner, tmp_path).value("hits") == 12


def test_a_file_that_went_into_the_totals_meanwhile_is_not_looked_for_again(tmp_path, monkeypatch):
    """It is missed where it was listed, and the totals tell why: there is nothing to read once more."""
    row, uuid = ("hits", "counter", fb.U64, 2), os.urandom(16)
    path = fb.write(tmp_path / "1.mmstats", fb.whole(*fb.fields(row), group="x", uuid=uuid, **fb.ELSEWHERE))
    entry = struct.pack("<16sQQ", uuid, 1, os.stat(path).st_ino)
    folded = struct.pack("<IIQ", layout.BLOCK_TYPE_FOLDED, 128, 1).ljust(64, b"\0") + entry.ljust(64, b"\0")
    totals = fb.whole(*fb.total("hits", 2), folded, group="x", state=layout.STATE_RETIRED)
    take, taken = Reader._take, []

    def while_it_is_folded(self, candidate):
        if os.path.exists(path):
            fb.write(tmp_path / "x-retired.mmstats", totals)
            os.unlink(path)
        taken.append(os.path.basename(candidate.path))
        return take(self, candidate)

    monkeypatch.setattr(Reader, "_take", while_it_is_folded)
    assert combine(Reader().read(tmp_path)).value("hits") == 2
    assert taken == ["1.mmstats", "x-retired.mmstats"]


def test_retired_totals_are_read_anew_when_they_are_others(tmp_path, tally_twin):
    combiner = Combiner(pure=tally_twin is PURE)
    path, new = tmp_path / "x-retired.mmstats", tmp_path / "new"

    def totals(value):
        return fb.whole(*fb.total("hits", value), group="x", state=layout.STATE_RETIRED)

    fb.write(path, totals(7))
    assert [same(combiner, tmp_path).value("hits") for _ in range(3)] == [7, 7, 7]
    fb.write(new, totals(9))
    os.replace(new, path)
    assert [same(combiner, tmp_path).value("hits") for _ in range(2)] == [9, 9]
    path.unlink()
    assert same(combiner, tmp_path).stats == []


@pytest.mark.skipif(IS_PYPY, reason="PyPy: nothing there tells what memory was asked for")
def test_a_thousand_files_take_no_more_memory_than_ten(tmp_path, tally_twin):
    """What is kept is bounded by what there is to tell apart, not by how many say it."""
    import tracemalloc

    data = fb.whole(
        *fb.fields(*[(f"c{at}", "counter", fb.U64, 2) for at in range(200)]), group="x", **fb.ELSEWHERE
    )
    combiner, taken = Combiner(pure=tally_twin is PURE), []
    for number in range(400):
        fb.write_held(tmp_path / f"{number}.mmstats", data)
        if number in (9, 399):
            combiner.combined(tmp_path)
            tracemalloc.start()
            combiner.combined(tmp_path)
            taken.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert counted(combiner) == number + 1
    assert taken[1] - taken[0] < 390 * 2_000, taken
