"""What writers in other languages store, kind by kind, as this project's readers see it."""

from __future__ import annotations

import json
import math
import random

import pytest

import plainly
from mmstats import combined, snapshot
from mmstats.buckets import edge, index_of
from mmstats.names import RETIRED

pytestmark = pytest.mark.main


def only(directory):
    (one,) = [one for one in snapshot(directory) if not one.origin.file.endswith(RETIRED)]
    assert [str(problem) for problem in one.problems] == []
    return one


def value(directory, label, **tags):
    found = only(directory).value(label, **tags)
    by_plain_reader = plainly.reader().read(only(directory).origin.file)
    assert by_plain_reader["problems"] == []
    return found


# --- plain numbers -----------------------------------------------------------------------------------


def test_counters(driver, stats_dir):
    driver.do("counter hits unit=items help=Requests\\sso\\sfar", "incr hits 1", "incr hits 41")
    (stat,) = only(stats_dir).stats
    assert (stat.label, stat.kind, stat.unit, stat.help, stat.value) == (
        *("hits", "counter", "items", "Requests so far", 42),
    )
    driver.do("incr hits 18446744073709551615")  # modulo 2**64
    assert value(stats_dir, "hits") == 41


def test_updowns(driver, stats_dir):
    driver.do("updown inflight", "move inflight 3", "move inflight -5")
    assert value(stats_dir, "inflight") == -2


def test_numbers(driver, stats_dir):
    driver.do("number ratio", "set ratio 2.5", "integer whole", "integer whole -7")
    assert (value(stats_dir, "ratio"), value(stats_dir, "whole")) == (2.5, -7)


@pytest.mark.parametrize(("code", "aggregate", "found"), [(2, "max", 3.0), (3, "min", 2.0), (4, "avg", 2.5)])
def test_numbers_that_are_not_summed(driver, stats_dir, code, aggregate, found):
    """A thread that wrote nothing does not count, and neither does one that has ended."""
    driver.do(f"number ratio aggregate={code}", "counter hits")
    assert value(stats_dir, "ratio") == 0.0
    driver.do("set ratio 2.0", "keep other set ratio 3.0", "keep idle incr hits 1")
    assert value(stats_dir, "ratio") == found
    driver.do("keep other end", "keep idle end")
    assert value(stats_dir, "ratio") == 2.0


def test_a_number_that_says_never_stores_its_neighbour(driver, stats_dir):
    driver.do(
        "integer low aggregate=3", f"integer low {-(2**63)}", "number ratio aggregate=2", "set ratio nan"
    )
    assert value(stats_dir, "low") == -(2**63) + 1
    assert math.isnan(value(stats_dir, "ratio"))


def test_a_summed_number_keeps_what_ended_threads_set(driver, stats_dir):
    """The next owner of the lane sets its own share, on top of theirs."""
    driver.do("number ratio aggregate=1", "integer whole", "thread set ratio 2.5 ; integer whole 5")
    driver.do("thread set ratio 4.0 ; set ratio 1.0 ; integer whole 7 ; integer whole 6")
    assert (value(stats_dir, "ratio"), value(stats_dir, "whole")) == (3.5, 11)


def test_bools(driver, stats_dir):
    driver.do("boolean ready", "thread bool ready 1")
    assert value(stats_dir, "ready") is False  # the thread that said so has ended
    driver.do("bool ready 1")
    assert value(stats_dir, "ready") is True


def test_gauges_are_the_process(driver, stats_dir):
    driver.do("gauge free", "thread set free 7.5")
    assert value(stats_dir, "free") == 7.5
    driver.do("set free -inf", "set free nan")
    assert value(stats_dir, "free") == -math.inf
    assert value(stats_dir, "mmstats.dropped", reason="value") == 1


def test_enums(driver, stats_dir):
    driver.do("enum phase states=ready,busy")
    assert value(stats_dir, "phase") == ""
    driver.do("state phase 1", "state phase 2")
    assert value(stats_dir, "phase") == "busy"
    assert value(stats_dir, "mmstats.dropped", reason="value") == 1


def test_constants(driver, stats_dir):
    driver.do("static version text=1.4", "static limit number=2.5", r'info build names=z,a texts=say\s"x"\,b')
    assert (value(stats_dir, "version"), value(stats_dir, "limit")) == ("1.4", 2.5)
    assert value(stats_dir, "build") == r'a="b",z="say \"x\"\\"'


# --- compound values ---------------------------------------------------------------------------------


def test_averages(driver, stats_dir):
    driver.do("average size", "add size 1.5", "add size 2.5", "thread add size 8", "add size inf")
    assert value(stats_dir, "size") == 4.0
    assert value(stats_dir, "mmstats.dropped", reason="value") == 1


def test_moving_averages(driver, stats_dir):
    driver.do("moving load size=2", *(f"add load {each}" for each in (5, 6, 7, 8)))
    assert value(stats_dir, "load") == 7.5
    driver.do("keep other add load 100", "keep other end")
    assert value(stats_dir, "load") == 7.5
    driver.do("keep next add load 1")  # in the lane of the one that ended
    assert value(stats_dir, "load") == (7 + 8 + 1) / 3


def test_windows(driver, stats_dir):
    driver.do("moving load window=3600", "add load 5", "add load 7", "thread add load 100")
    assert value(stats_dir, "load") == 6.0
    driver.do("keep next add load 9")
    assert value(stats_dir, "load") == 7.0


def test_texts(driver, stats_dir):
    driver.do("string phase size=5", "text phase up", "text phase naïvely")
    assert value(stats_dir, "phase") == "naïv"
    driver.do("keep other text phase last")
    assert value(stats_dir, "phase") == "last"
    driver.do("keep other end")
    assert value(stats_dir, "phase") == "naïv"


def test_timers(driver, stats_dir):
    driver.do("timer latency size=2", *(f"observe latency {each}" for each in (0.25, 0.5, 1.0)))
    found = value(stats_dir, "latency")
    assert (found.count, found.sum, found.min, found.max) == (3, 1.75, 0.25, 1.0)
    assert (found.last, found.moving) == (1.0, 0.75)
    driver.do("since latency 2000000000")
    found = value(stats_dir, "latency")
    assert 2.0 <= found.last < 3.0
    assert found.count == 4


def test_of_a_thread_that_ended_the_totals_stay(driver, stats_dir):
    driver.do("timer latency", "thread observe latency 0.25", "keep other observe latency 0.5")
    found = value(stats_dir, "latency")
    assert (found.count, found.sum, found.last, found.moving) == (2, 0.75, 0.5, 0.5)


RANDOM = random.Random(5)
SAMPLES = [
    *(0.0, -1.0, 1.0, 2.0, 4.0, 0.5, 1e-300, 5e-324, 1e300, 1.7e308, 2.0**-20, 3600.0),
    *(RANDOM.lognormvariate(0, 3) for _ in range(300)),
    *(edge(index, 3) for index in range(-40, 40)),
    *(math.nextafter(edge(index, 3), math.inf) if hasattr(math, "nextafter") else 1.1 for index in range(40)),
]


@pytest.mark.parametrize("scale", [0, 1, 3, 8])
def test_a_histogram_has_each_value_in_its_bucket(driver, stats_dir, scale):
    """The same as Python's own arithmetic says, which is exact."""
    driver.do(
        f"histogram size scale={scale} low=1e-6 high=1e6", *(f"observe size {each!r}" for each in SAMPLES)
    )
    found = value(stats_dir, "size")
    kept = [each for each in SAMPLES if 2.0**-20 < each <= 2.0**20]
    expected: dict[int, int] = {}
    for each in kept:
        expected[index_of(each, scale)] = expected.get(index_of(each, scale), 0) + 1
    assert found.spread.buckets == expected
    assert found.spread.negative == 1
    assert found.spread.zero == sum(0 <= each <= 2.0**-20 for each in SAMPLES)
    assert (found.count, found.min, found.max) == (len(SAMPLES), -1.0, 1.7e308)


def test_bounds_are_counted_exactly(driver, stats_dir):
    driver.do(
        "histogram size unit=bytes bounds=1,10,100", *(f"observe size {each}" for each in (1, 2, 10, 11, 500))
    )
    assert value(stats_dir, "size").bounds[:3] == ((1.0, 1), (10.0, 3), (100.0, 4))


def test_a_sum_that_no_double_holds_is_refused(driver, stats_dir):
    driver.do("histogram size", "observe size 1.7e308", "observe size 1.7e308", "observe size inf")
    assert value(stats_dir, "size").count == 1
    assert value(stats_dir, "mmstats.dropped", reason="value") == 2


# --- families ----------------------------------------------------------------------------------------


def test_members(driver, stats_dir):
    driver.do("counter requests tags=method,status", "incr requests{GET,200} 5", "incr requests{GET,500} 1")
    driver.do("thread incr requests{GET,200} 2")
    assert value(stats_dir, "requests", method="GET", status="200") == 7
    assert value(stats_dir, "requests", method="GET", status="500") == 1


@pytest.mark.parametrize(
    ("declared", "update"),
    [
        ("histogram x low=1 high=1000", "observe"),
        ("timer x", "observe"),
        ("average x", "add"),
        ("moving x window=60", "add"),
        ("gauge x", "set"),
    ],
)
def test_members_of_every_sort(driver, stats_dir, declared, update):
    """Forgotten ones leave their slots to others, which begin at nothing."""
    driver.do(
        f"{declared} tags=name", f"{update} x{{a}} 5", f"{update} x{{b}} 6", f"keep other {update} x{{a}} 5"
    )
    assert value(stats_dir, "x", name="a")
    driver.do("forget x{a}", f"{update} x{{c}} 7", f"keep other {update} x{{c}} 7")
    found = {stat.tags["name"]: stat.value for stat in only(stats_dir).stats}
    assert list(found) == ["c", "b"] or list(found) == ["b", "c"]
    if hasattr(found["c"], "count"):
        assert (found["c"].count, found["c"].min, found["c"].max, found["b"].count) == (2, 7.0, 7.0, 1)
    else:
        assert found == {"b": 6.0, "c": 7.0}


def test_a_slot_is_used_again(driver, stats_dir):
    """A thousand members that are forgotten take the place of one."""
    driver.do("counter requests tags=name", "incr requests{a} 1")
    before = (stats_dir / only(stats_dir).origin.file).stat().st_size
    for number in range(1000):
        driver.do(f"incr requests{{n{number}}} 1", f"forget requests{{n{number}}}")
    assert (stats_dir / only(stats_dir).origin.file).stat().st_size == before
    assert [stat.tags["name"] for stat in only(stats_dir).stats] == ["a"]


def test_too_many_members_are_counted_as_one(drivers, stats_dir):
    driver = drivers().do("open")
    driver.do("counter requests tags=name max_series=2", "incr requests{a} 1", "incr requests{b} 1")
    driver.do("incr requests{c} 5", "incr requests{d} 6")
    assert len(driver.said) == 1
    assert value(stats_dir, "requests", overflow="true") == 11
    assert value(stats_dir, "mmstats.dropped", reason="series") == 2


def test_many_members(driver, stats_dir):
    driver.do("histogram size tags=name low=1 high=100")
    driver.do(*(f"observe size{{n{number}}} {number % 90 + 2}" for number in range(300)))
    found = {stat.tags["name"]: stat.value for stat in only(stats_dir).stats}
    assert all(found[f"n{number}"].min == number % 90 + 2 for number in range(300))


# --- as Python's writer ------------------------------------------------------------------------------


def test_both_writers_declare_the_same(driver, stats_dir, tmp_path):
    """Kind, unit and rule: so a C program and a Python program of one group are combined."""
    import mmstats

    class Web(mmstats.BaseMmStats):
        hits = mmstats.CounterField()
        inflight = mmstats.UpDownField()
        ratio = mmstats.DoubleField()
        ready = mmstats.BoolField()
        free = mmstats.GaugeField(unit="bytes")
        size = mmstats.AverageField()
        load = mmstats.MovingAverageField(size=5)
        latency = mmstats.TimerField()
        body = mmstats.HistogramField(unit="bytes", bounds=(10, 100))
        phase = mmstats.StringField()

    driver.do(
        *("counter hits", "updown inflight", "number ratio", "boolean ready", "gauge free unit=bytes"),
        *("average size", "moving load size=5", "timer latency", "histogram body unit=bytes bounds=10,100"),
        "string phase",
    )
    stats = Web(path=str(tmp_path))
    try:
        (theirs,) = snapshot(tmp_path)
        mine, other = (plainly.reader().read(one.origin.file)["stats"] for one in (only(stats_dir), theirs))
    finally:
        stats.remove()
    told = [
        [(stat.label, stat.kind, stat.unit, stat.tags) for stat in one.stats]
        for one in (only(stats_dir), theirs)
    ]
    assert told[0] == told[1]
    rules = {stat["label"]: stat["aggregate"] for stat in other}
    assert all(rules[stat["label"]] == stat["aggregate"] for stat in mine)


def test_what_is_said_of_the_writer(driver, stats_dir):
    origin = only(stats_dir).origin
    assert (origin.pid, origin.cmd, origin.group, origin.state) == (
        driver.pid,
        driver.name,
        driver.name,
        "alive",
    )
    header = json.loads(json.dumps(plainly.reader().read(origin.file)["origin"]))
    assert header["cmd"] == driver.name
    assert combined(stats_dir).processes == 1
