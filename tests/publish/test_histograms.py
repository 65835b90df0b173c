"""HistogramField, and timers' percentiles, as a program uses them and as readers see them."""

from __future__ import annotations

import os
import random
import threading

import pytest

CHOSEN = random.Random(7)
VALUES = [CHOSEN.lognormvariate(6, 1) for _ in range(500)]
ERROR = {3: 0.0434, 4: 0.0217, 5: 0.0109}


@pytest.fixture
def model(mmstats):
    class Web(mmstats.BaseMmStats):
        body = mmstats.HistogramField(unit="bytes", bounds=(100, 1000))
        latency = mmstats.TimerField(size=4, scale=4, bounds=(0.1,))
        db = mmstats.HistogramField(unit="seconds", tags=("table",), max_series=3)

    return Web


def whole(mmstats):
    found = mmstats.combined()
    assert [str(problem) for problem in found.problems] == []
    return found


def exact(values, q):
    """The value of that rank."""
    return sorted(values)[max(1, -(-round(q * 1000) * len(values) // 1000)) - 1]


def is_close(found, values, q, scale=3):
    wanted = exact(values, q)
    return abs(found - wanted) <= wanted * ERROR[scale]


def test_what_the_process_observed(mmstats, model):
    stats = model()
    assert (stats.body.count, stats.body.sum, stats.body.min, stats.body.max) == (0, 0.0, 0.0, 0.0)
    assert stats.body.percentile(0.5) == 0.0
    for value in VALUES:
        stats.body.observe(value)
        stats.latency.observe(value / 1e4)
    in_order = 0.0
    for value in VALUES:
        in_order += value
    read = whole(mmstats).value("body")
    for one in (stats.body, read):
        assert (one.count, one.sum, one.min, one.max) == (500, in_order, min(VALUES), max(VALUES))
        for q in (0, 0.01, 0.5, 0.9, 0.99, 1):
            assert is_close(one.percentile(q), VALUES, q)
    assert read.mean == in_order / 500
    assert read.bounds == tuple((edge, sum(v <= edge for v in VALUES)) for edge in (100.0, 1000.0))
    assert sum(count for _, _, count in read.buckets) == 500
    assert is_close(stats.latency.percentile(0.5), [v / 1e4 for v in VALUES], 0.5, 4)
    timer = whole(mmstats).value("latency")
    assert (timer.count, timer.last) == (500, VALUES[-1] / 1e4)
    assert timer.percentile(0.9) == stats.latency.percentile(0.9)


def test_the_first_and_the_last_are_known_exactly(mmstats, model):
    """Here the middle of their buckets is another number: above the least, below the greatest."""
    stats = model()
    for value in (1.001, 3.0, 8.0):
        stats.body.observe(value)
    for one in (stats.body, whole(mmstats).value("body")):
        assert (one.percentile(0), one.percentile(0.3), one.percentile(1)) == (1.001, 1.001, 8.0)
        assert one.percentile(0.5) != 3.0


def test_threads_that_live_and_that_ended_are_one(mmstats, model):
    stats = model()

    def work(values):
        for value in values:
            stats.body.observe(value)
            stats.latency.observe(value)
            stats.db.tagged("users").observe(value / 1e6)

    for part in range(5):  # one after the other: each takes the lane of the one before
        thread = threading.Thread(target=work, args=(VALUES[part * 80 : part * 80 + 80],))
        thread.start()
        thread.join()
    work(VALUES[400:])
    for one in (stats.body, stats.latency, stats.db.tagged("users")):
        assert one.count == 500
    found = whole(mmstats)
    assert found.value("body").count == found.value("latency").count == found.value("db").count == 500
    assert is_close(found.value("db", table="users").percentile(0.5), [v / 1e6 for v in VALUES], 0.5)


def test_what_is_beyond_the_range_is_counted(mmstats):
    class Model(mmstats.BaseMmStats):
        x = mmstats.HistogramField(low=1, high=16)

    stats = Model()
    for value in (0, -0.0, 0.5, 1, 16, 17, 1e300, -3):
        stats.x.observe(value)
    spread = whole(mmstats).value("x").spread
    assert (spread.zero, spread.overflow, spread.negative) == (3, 2, 1)
    assert spread.range == type(spread.range)(3, -1, 4)
    assert spread.buckets == {-1: 1, 31: 1}
    assert (stats.x.percentile(0), stats.x.percentile(1)) == (-3.0, 1e300)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_value_is_dropped_and_poisons_nothing(mmstats, model, number):
    stats = model()
    stats.body.observe(5)
    stats.body.observe(number)
    assert (stats.body.count, stats.body.sum) == (1, 5.0)
    assert mmstats.dropped.by_reason == {"value": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scale": 9}, "scale=9: expected 0 to 8"),
        ({"scale": -1}, "scale=-1"),
        ({"scale": True}, "scale=True"),
        ({"scale": 2.0}, "scale=2.0"),
        ({"low": 0}, "low=0: expected a finite number above 0"),
        ({"low": "1"}, "low='1': expected a number"),
        ({"high": float("inf")}, "high=inf"),
        ({"low": 8, "high": 8}, "low=8.0, high=8.0: expected a low below the high"),
        ({"low": 5e-324}, "expected 2\\*\\*-1022 to 2\\*\\*1023"),
        ({"bounds": (1, 1)}, r"bounds=\(1.0, 1.0\): expected finite numbers that ascend"),
        ({"bounds": "12"}, "bounds='12': expected numbers"),
        ({"bounds": ("1",)}, "bounds='1': expected a number"),
        ({"bounds": (float("nan"),)}, "expected finite numbers"),
        ({"bounds": range(300)}, "300 bounds: expected at most 256"),
        ({"aggregate": "max"}, "aggregate='max'"),
        ({"keep": True}, "keep=True says nothing here"),
    ],
)
@pytest.mark.parametrize("field", ["HistogramField", "TimerField"])
def test_a_mistake_names_field_and_value(mmstats, field, options, said):
    with pytest.raises(mmstats.UsageError, match=said) as caught:
        getattr(mmstats, field)(label="it", **options)
    assert field in str(caught.value)


def test_what_is_no_number_is_an_error_where_it_stands(mmstats, model):
    stats = model()
    for wrong in ("5", None, b"5"):
        with pytest.raises(TypeError, match="'body' takes a number"):
            stats.body.observe(wrong)
    with pytest.raises(TypeError, match="observe"):
        stats.body = 5
    assert stats.body.count == 0


def test_the_range_follows_the_unit(mmstats):
    ranges = {"seconds": (-20, 12), "bytes": (-1, 40), "items": (-1, 40), "": (-30, 30)}
    for unit, (low, high) in ranges.items():
        spread = mmstats.HistogramField(unit=unit).spread
        assert (spread.scale, spread.low, spread.high) == (3, low, high)


def test_one_label_of_two_ranges_is_two_things(mmstats):
    class One(mmstats.BaseMmStats):
        x = mmstats.HistogramField()

    class Other(mmstats.BaseMmStats):
        x = mmstats.HistogramField(scale=4)

    kept = One()
    with pytest.raises(mmstats.DuplicateFieldName):
        Other()
    kept.x.observe(1)
    again = One()
    again.x.observe(2)
    assert kept.x.count == again.x.count == whole(mmstats).value("x").count == 2


def test_members_come_and_go(mmstats, model):
    """A slot that is used again begins at nothing, its octaves too."""
    stats = model()
    for name in ("a", "b", "c", "d"):
        for value in (0.5, 3, 700):
            stats.db.tagged(name).observe(value)
    assert {tuple(s.tags.values()): s.value.count for s in whole(mmstats).stats if s.label == "db"} == {
        **{(name,): 3 for name in "abc"},
        ("true",): 3,
    }
    kept = stats.db.tagged("a")
    stats.db.forget("a")
    kept.observe(3)
    new = stats.db.tagged("new")
    assert new.count == whole(mmstats).value("db", table="new").count == 0
    new.observe(700)
    read = whole(mmstats).value("db", table="new")
    assert (read.count, len(read.buckets)) == (new.count, 1) == (1, 1)
    assert stats.db.tagged("b").count == 3


def test_after_the_end_it_says_so(mmstats, model):
    stats = model()
    stats.body.observe(5)
    stats.remove()
    stats.body.observe(5)
    assert mmstats.dropped.by_reason == {"removed": 1}
    with pytest.raises(mmstats.Removed, match="'body' was removed"):
        stats.body.count  # noqa: B018 - reading it is the point
    assert whole(mmstats).value("body").count == 1, "in the totals of the group"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="not on a system without fork")
@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_forked_children_and_their_totals(mmstats, model, end):
    stats = model()
    for value in VALUES[:100]:
        stats.body.observe(value)
        stats.db.tagged("x").observe(value)
    for part in (100, 200):
        pid = os.fork()
        if not pid:
            try:
                for value in VALUES[part : part + 100]:
                    stats.body.observe(value)
                    stats.db.tagged("x").observe(value)
                    stats.latency.observe(value)
            finally:
                exec(end)
        os.waitpid(pid, 0)
    for _ in range(2):
        found = whole(mmstats)
        assert found.value("body").count == found.value("db").count == 300
        assert found.value("latency").count == 200
        assert is_close(found.value("body").percentile(0.9), VALUES[:300], 0.9)
        assert stats.body.count == 100
        from mmstats.fold.folder import Folder

        with Folder(os.path.dirname(stats.filename)) as folder:
            folder.fold(sorted(os.listdir(os.path.dirname(stats.filename))))


def test_on_the_fly(mmstats):
    mmstats.histogram("sizes", unit="bytes").observe(5)
    mmstats.histogram("sizes").observe(7)
    mmstats.histogram("by", tags=("route",)).tagged("/").observe(1)
    assert (mmstats.histogram("sizes").count, whole(mmstats).value("sizes").sum) == (2, 12.0)
    assert whole(mmstats).value("by", route="/").count == 1


def test_octaves_take_room_on_demand(mmstats, model):
    stats = model()
    stats.body.observe(5)
    size = os.path.getsize(stats.filename)
    for _ in range(1000):
        stats.body.observe(5)
    assert os.path.getsize(stats.filename) == size
    one = mmstats.snapshot()[0].value("body")
    assert (one.count, len(one.buckets)) == (1001, 1)


def test_a_file_for_each_thread(mmstats, model):
    """What threads measured that have ended is told of the process all the same."""
    stats = model(filename="{PID}-{TID}.mmstats")

    def work():
        for value in VALUES[:50]:
            stats.body.observe(value)
            stats.db.tagged("x").observe(value)

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    work()
    assert stats.body.count == stats.db.tagged("x").count == 150
    assert whole(mmstats).value("body").count == 150
