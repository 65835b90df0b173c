"""Families of tags: one handle for each combination of values."""

from __future__ import annotations

import gc
import http
import os
import sys
import threading
from decimal import Decimal

import pytest

NAMES = ("method", "status")
KINDS = {
    "counter": ("CounterField()", lambda member: member.incr(3), 3),
    "counter of floats": ("CounterField(float=True)", lambda member: member.incr(0.5), 0.5),
    "updown": ("UpDownField()", lambda member: member.decr(2), -2),
    "gauge": ("GaugeField()", lambda member: member.set(2.5), 2.5),
    "average": ("AverageField()", lambda member: member.add(4), 4.0),
    "moving": ("MovingAverageField(size=3)", lambda member: member.add(5), 5.0),
    "window": ("MovingAverageField(window=3600)", lambda member: member.add(5), 5.0),
    "timer": ("TimerField()", lambda member: member.observe(0.25), 0.25),
    "integer": ("Int64Field()", lambda member: member.set(-7), -7),
    "maximum": ("DoubleField()", lambda member: member.set(1.5), 1.5),
    "bool": ("BoolField()", lambda member: member.set(True), True),
    "text": ("StringField(size=20)", lambda member: member.set("up"), "up"),
    "enum": ("EnumField(states=('ready', 'busy'))", lambda member: member.set("busy"), "busy"),
}  # fmt: skip
each_kind = pytest.mark.parametrize("kind", KINDS)


def field_of(mmstats, kind, **options):
    made = KINDS[kind][0]
    options = ", ".join(f"{name}={value!r}" for name, value in options.items())
    separator = "" if made.endswith("()") else ", "
    return eval(f"mmstats.{made[:-1]}{separator}{options})", {"mmstats": mmstats})


def model(mmstats, **options):
    class Web(mmstats.BaseMmStats):
        requests = mmstats.CounterField(tags=NAMES, **options)

    return Web()


def members(mmstats, label="requests"):
    """Values of tags → value, of the living files."""
    (one,) = [one for one in mmstats.snapshot() if one.origin.state == "alive"]
    assert [str(problem) for problem in one.problems] == []
    return {tuple(stat.tags.values()): stat.value for stat in one.stats if stat.label == label}


def combined(mmstats, label="requests"):
    whole = mmstats.combined()
    assert [str(problem) for problem in whole.problems] == []
    return {tuple(stat.tags.values()): stat.value for stat in whole.stats if stat.label == label}


# --- members ----------------------------------------------------------------------------------------


def test_the_same_values_are_the_same_object_however_they_are_given(mmstats):
    requests = model(mmstats).requests
    member = requests.tagged("GET", "200")
    assert requests.tagged("GET", 200) is member
    assert requests.tagged(status="200", method="GET") is member
    assert requests.tagged("200", "GET") is not member
    assert member.label == 'requests{method="GET",status="200"}'
    assert repr(requests) == "<Family 'requests' by method, status>"


def test_what_was_never_counted_is_shown(mmstats):
    model(mmstats).requests.tagged("GET", "200")
    assert members(mmstats) == {("GET", "200"): 0}


@each_kind
def test_every_kind(mmstats, kind):
    _, update, value = KINDS[kind]

    class Model(mmstats.BaseMmStats):
        x = field_of(mmstats, kind, tags=("host",))

    stats = Model()
    one, other = stats.x.tagged("a"), stats.x.tagged("b")
    update(one)
    assert (one.value, type(one.value)) == (value, type(value))
    found = members(mmstats, "x")
    assert found.keys() == {("a",), ("b",)}
    assert getattr(found["a",], "moving", found["a",]) == value
    assert found["b",] != found["a",]
    assert other.value != value
    with pytest.raises(TypeError, match=r"'x' is declared as .*tagged\(\)"):
        stats.x = 5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (200, "200"),
        (2.5, "2.5"),
        (True, "True"),
        (Decimal("1.50"), "1.50"),
        ("", ""),
        ('ä\n\t{}"', 'ä\n\t{}"'),
        (http.HTTPStatus.OK, str(http.HTTPStatus.OK)),
        ("x" * 65_535, "x" * 65_535),
    ],
)
def test_values_are_texts_as_str_makes_them(mmstats, value, text):
    requests = model(mmstats).requests
    requests.tagged("GET", value).incr()
    assert requests.tagged("GET", text).value == 1
    assert members(mmstats) == {("GET", text): 1}


def test_true_is_not_one(mmstats):
    requests = model(mmstats).requests
    requests.tagged("GET", 1).incr(1)
    requests.tagged("GET", True).incr(2)
    requests.tagged("GET", 1.0).incr(4)
    assert members(mmstats) == {("GET", "1"): 1, ("GET", "True"): 2, ("GET", "1.0"): 4}


def test_long_values_are_never_cut_into_equality(mmstats):
    requests = model(mmstats).requests
    for last in "abc":
        requests.tagged("GET", "x" * 5_000 + last).incr()
    assert sorted(members(mmstats).values()) == [1, 1, 1]


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 65_536, "ä" * 40_000])
def test_what_cannot_be_kept_is_counted_together_and_as_dropped(mmstats, text):
    """It is data that makes such values, so nothing is raised."""
    requests = model(mmstats).requests
    requests.tagged("GET", text).incr(5)
    assert members(mmstats) == {("true",): 5}
    assert mmstats.dropped.by_reason == {"value": 1}
    assert requests.tagged("POST", text) is requests.tagged("GET", text)


@pytest.mark.parametrize(
    ("values", "named", "why"),
    [
        (("GET",), {}, "'requests' takes one value for each of method, status: GET"),
        ((), {}, "'requests' takes one value for each of method, status: none"),
        (("GET", "200", "x"), {}, "'requests' takes one value for each of method, status: GET, 200, x"),
        ((), {"method": "GET"}, "'requests' takes .*: method='GET'"),
        ((), {"method": "GET", "code": 200}, "'requests' takes .*: method='GET', code=200"),
        (("GET",), {"status": 200}, "'requests' takes .*: GET, status=200"),
        (("GET", None), {}, "'requests': status takes a text, a number or a bool, not NoneType: None"),
        (("GET", b"200"), {}, "'requests': status takes a text, .* not bytes: b'200'"),
        (("GET", ["200"]), {}, r"'requests': status takes a text, .* not list: \['200'\]"),
    ],
)
def test_mistakes_are_told(mmstats, values, named, why):
    requests = model(mmstats).requests
    for call in (requests.tagged, requests.forget):
        with pytest.raises(mmstats.UsageError, match=why):
            call(*values, **named)
    assert members(mmstats) == {}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"tags": "method"}, "must be a tuple of names"),
        ({"tags": ("a b",)}, "letters, digits and _: 'a b'"),
        ({"tags": ("",)}, "letters, digits and _"),
        ({"tags": (5,)}, "letters, digits and _: 5"),
        ({"tags": ("a", "a")}, "each name once"),
        ({"tags": ("overflow",)}, "'overflow' is the tag of what is too much"),
        ({"tags": ("a",), "ttl": 0}, "ttl of .* must be seconds"),
        ({"tags": ("a",), "ttl": "5"}, "ttl of .* must be seconds"),
        ({"tags": ("a",), "max_series": 0}, "max_series of .* must be an integer from 1"),
        ({"ttl": 5}, "name its tags"),
        ({"max_series": 5}, "name its tags"),
    ],
)
def test_wrong_declarations(mmstats, options, why):
    with pytest.raises(mmstats.UsageError, match=why):
        mmstats.CounterField(label="x", **options)


def test_what_never_changes_has_no_tags(mmstats):
    with pytest.raises(mmstats.UsageError, match="what never changes has no tags"):
        mmstats.StaticTextField(value="1", tags=("a",))
    with pytest.raises(mmstats.UsageError):
        mmstats.InfoField(value={"a": "1"}, tags=("a",))


def test_other_tags_are_another_metric(mmstats):
    model(mmstats)

    class Other(mmstats.BaseMmStats):
        requests = mmstats.CounterField(tags=("method",))

    with pytest.raises(
        mmstats.DuplicateFieldName, match=r"with tags method, and was .* with tags method, st"
    ):
        Other()


def test_two_models_count_into_one_family(mmstats):
    one, other = model(mmstats), model(mmstats)
    one.requests.tagged("GET", "200").incr(1)
    kept = other.requests.tagged("GET", "200")
    kept.incr(2)
    assert members(mmstats) == {("GET", "200"): 3}
    one.requests.forget("GET", "200")
    kept.incr(4)
    assert members(mmstats) == {}
    one.remove()
    other.requests.tagged("GET", "200").incr(8)
    assert members(mmstats) == {("GET", "200"): 8}


def test_total_is_of_the_process_and_value_of_the_thread(mmstats):
    member = model(mmstats).requests.tagged("GET", "200")
    for _ in range(3):
        thread = threading.Thread(target=member.incr)
        thread.start()
        thread.join()
    assert (member.value, member.total) == (0, 3)
    member.value = 5
    assert (member.value, member.total, members(mmstats)) == (5, 8, {("GET", "200"): 8})


def test_an_adopted_lane_goes_on(mmstats):
    """The next thread's own value begins at zero, whatever its lane has of the member."""
    requests = model(mmstats).requests
    member, seen = requests.tagged("GET", "200"), []

    def count():
        member.incr(5)
        seen.append(member.value)

    for _ in range(3):
        thread = threading.Thread(target=count)
        thread.start()
        thread.join()
    assert (seen, member.total) == ([5, 5, 5], 15)


# --- forgetting -------------------------------------------------------------------------------------


@each_kind
def test_a_kept_handle_counts_into_nothing(mmstats, kind):
    _, update, value = KINDS[kind]

    class Model(mmstats.BaseMmStats):
        x = field_of(mmstats, kind, tags=("host",))

    family = Model().x
    kept = family.tagged("a")
    update(kept)
    family.forget("a")
    assert members(mmstats, "x") == {}
    update(kept)
    assert mmstats.dropped.by_reason == {"removed": 1}
    assert kept.value != value
    again = family.tagged("a")
    assert again is not kept
    assert again.value != value
    blank = members(mmstats, "x")["a",]
    update(kept)
    assert members(mmstats, "x")["a",] == blank
    update(again)
    assert members(mmstats, "x")["a",] != blank


def test_forgetting_nobody_is_fine(mmstats):
    requests = model(mmstats).requests
    requests.forget("GET", "200")
    requests.forget(method="GET", status="200")
    assert members(mmstats) == {}


def test_a_slot_is_used_again(mmstats, stats_dir):
    requests = model(mmstats).requests
    for number in range(3_000):
        requests.tagged("GET", number).incr(number)
        requests.forget("GET", number)
    requests.tagged("GET", "last").incr(5)
    assert members(mmstats) == {("GET", "last"): 5}
    (path,) = stats_dir.glob("*.mmstats")
    assert path.stat().st_size == 4096


def test_threads_that_counted_for_who_had_the_slot_before(mmstats):
    requests = model(mmstats).requests
    go, done = threading.Event(), threading.Event()
    first = requests.tagged("GET", "200")

    def count():
        first.incr(1_000)
        done.set()
        go.wait(30)
        first.incr(1_000)  # into nothing
        requests.tagged("PUT", "201").incr(7)

    thread = threading.Thread(target=count)
    thread.start()
    done.wait(30)
    requests.forget("GET", "200")
    requests.tagged("PUT", "201").incr(5)
    assert members(mmstats) == {("PUT", "201"): 5}
    go.set()
    thread.join()
    assert members(mmstats) == {("PUT", "201"): 12}
    assert requests.tagged("PUT", "201").total == 12


def test_handles_are_freed(mmstats):
    requests = model(mmstats).requests
    requests.tagged("GET", "200").incr()

    def objects():
        gc.collect()
        return len(gc.get_objects())

    def some(count):
        for number in range(count):
            requests.tagged("GET", number).incr()
            requests.forget("GET", number)

    some(100)
    before = objects()
    some(1_000)
    assert objects() - before < 50


# --- too many ---------------------------------------------------------------------------------------


def test_what_is_beyond_max_series_is_one_member(mmstats):
    requests = model(mmstats, max_series=2).requests
    for number in range(5):
        requests.tagged("GET", number).incr()
    assert members(mmstats) == {("GET", "0"): 1, ("GET", "1"): 1, ("true",): 3}
    (one,) = mmstats.snapshot()
    assert one.value("requests", overflow="true") == 3
    assert mmstats.dropped.by_reason == {"series": 3}
    assert requests.tagged("GET", 3) is requests.tagged("GET", 4)
    requests.forget("GET", 0)
    requests.tagged("GET", 3).incr(10)
    assert members(mmstats) == {("GET", "1"): 1, ("GET", "3"): 10, ("true",): 3}


# --- ttl --------------------------------------------------------------------------------------------


@pytest.fixture
def clock(mmstats, monkeypatch):
    """Turned by hand, as the ticker is."""
    from mmstats.publish import families, ticker

    class Clock:
        now = 1_000.0

    monkeypatch.setattr(families, "clock", lambda: Clock.now)
    with ticker.ByHand():
        yield Clock


def pass_by(mmstats, clock, seconds):
    """Let time pass, in steps in which the ticker would look."""
    for _ in range(seconds):
        clock.now += 1
        mmstats.tick()


def test_who_is_not_written_for_its_ttl_is_forgotten(mmstats, clock):
    requests = model(mmstats, ttl=10).requests
    idle, busy = requests.tagged("GET", "200"), requests.tagged("PUT", "201")
    idle.incr()
    for _ in range(4):
        pass_by(mmstats, clock, 5)
        busy.incr()
    assert members(mmstats) == {("PUT", "201"): 4}
    idle.incr()
    assert mmstats.dropped.by_reason == {"removed": 1}
    assert requests.tagged("GET", "200") is not idle
    assert requests.tagged("PUT", "201") is busy


def test_the_same_value_again_is_a_write(mmstats, clock):
    class Model(mmstats.BaseMmStats):
        free = mmstats.GaugeField(tags=("pool",), ttl=10)
        phase = mmstats.StringField(tags=("pool",), ttl=10)

    stats = Model()
    gauge, text = stats.free.tagged("a"), stats.phase.tagged("a")
    for _ in range(8):
        gauge.set(5)
        text.set("up")
        pass_by(mmstats, clock, 5)
    assert (members(mmstats, "free"), members(mmstats, "phase")) == ({("a",): 5.0}, {("a",): "up"})


def test_they_are_looked_for_where_members_are_made(mmstats, clock):
    """A program without the ticker's thread forgets all the same."""
    requests = model(mmstats, ttl=10).requests
    requests.tagged("GET", "200").incr()
    for number in range(4):
        clock.now += 5
        requests.tagged("GET", number).incr()
    assert ("GET", "200") not in members(mmstats)


def test_a_real_ttl(mmstats):
    """The process's ticker looks by itself."""
    import time

    requests = model(mmstats, ttl=0.2).requests
    requests.tagged("GET", "200").incr()
    deadline = time.monotonic() + 30
    while members(mmstats) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(mmstats) == {}


# --- life -------------------------------------------------------------------------------------------


def test_a_child_begins_at_zero_with_the_handles_of_its_parent(mmstats):
    requests = model(mmstats).requests
    member, unused = requests.tagged("GET", "200"), requests.tagged("PUT", "201")
    member.incr(5)
    child = os.fork()
    if not child:
        member.incr(2)
        is_right = (member.value, member.total, unused.total) == (2, 2, 0)
        is_right = is_right and requests.tagged("GET", "200") is member
        os._exit(0 if is_right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert combined(mmstats) == {("GET", "200"): 7, ("PUT", "201"): 0}


def test_a_file_for_each_thread(mmstats, stats_dir):
    class Web(mmstats.BaseMmStats):
        requests = mmstats.CounterField(tags=NAMES)

    requests = Web(filename="web-{PID}-{TID}.mmstats").requests
    member = requests.tagged("GET", "200")
    member.incr(1)

    def count():
        member.incr(2)
        requests.tagged("PUT", "201").incr(4)

    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
    assert (member.value, member.total) == (1, 3)
    assert combined(mmstats) == {("GET", "200"): 3, ("PUT", "201"): 4}


def test_a_file_that_was_deleted(mmstats, stats_dir):
    """The new file has the members as they are, their slots at the same places."""
    stats = model(mmstats)
    member, gone = stats.requests.tagged("GET", "200"), stats.requests.tagged("PUT", "201")
    member.incr(3)
    gone.incr(4)
    stats.requests.forget("PUT", "201")
    (path,) = stats_dir.glob("*.mmstats")
    path.unlink()
    stats.flush()
    assert members(mmstats) == {("GET", "200"): 3}
    member.incr(2)
    stats.requests.tagged("POST", "202").incr(5)
    assert members(mmstats) == {("GET", "200"): 5, ("POST", "202"): 5}
    assert (member.value, member.total) == (5, 5)


def test_a_full_disk(mmstats, stats_dir, monkeypatch):
    """What has no space counts unseen, and is published when there is some."""
    from mmstats.publish import backing

    stats = model(mmstats)
    stats.requests.tagged("GET", 0).incr()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(backing, "reserve", refuse)
        kept = [stats.requests.tagged("GET", number) for number in range(200)]
        for member in kept:
            member.incr(2)
        assert len(members(mmstats)) < 200
        assert mmstats.dropped.by_reason["space"] > 0
    stats.flush()
    for member in kept:
        member.incr()
    assert members(mmstats) == {("GET", str(number)): 4 if number == 0 else 3 for number in range(200)}
    stats.requests.forget("GET", 7)
    assert len(members(mmstats)) == 199


def test_over_a_restart(mmstats, stats_dir):
    """A persistent family goes on where it stood, what nobody tags again too."""

    class Billing(mmstats.BaseMmStats):
        paid = mmstats.CounterField(tags=("customer",))
        size = mmstats.AverageField(tags=("customer",))

    for run in (1, 2, 3):
        stats = Billing(filename="billing.mmstats", persistent=True)
        member = stats.paid.tagged("a")
        assert (member.value, member.total) == (0, run - 1)
        member.incr()
        stats.size.tagged("a").add(run)
        stats.paid.tagged(f"only {run}").incr(run)
        stats.paid.tagged("forgotten").incr()
        stats.paid.forget("forgotten")
        stats.remove()
    whole = {(stat.label, stat.tags["customer"]): stat.value for stat in mmstats.combined().stats}
    assert whole == {
        ("paid", "a"): 3,
        ("size", "a"): 2.0,
        **{("paid", f"only {run}"): run for run in (1, 2, 3)},
    }


def test_a_removed_model(mmstats):
    stats, other = model(mmstats), mmstats.counter("stays")
    other.incr()
    member = stats.requests.tagged("GET", "200")
    member.incr(3)
    stats.remove()
    member.incr()
    stats.requests.tagged("PUT", "201").incr()
    assert mmstats.dropped.by_reason == {"removed": 2}
    with pytest.raises(mmstats.Removed, match="was removed"):
        _ = member.value
    assert combined(mmstats) == {("GET", "200"): 3}
    again = model(mmstats)
    again.requests.tagged("GET", "200").incr(4)
    assert combined(mmstats) == {("GET", "200"): 7}


def test_added_to_a_model_at_work(mmstats):
    stats = model(mmstats)
    family = stats.add("late", mmstats.CounterField(tags=("host",)))
    assert stats.late is family
    family.tagged("a").incr()
    assert members(mmstats, "late") == {("a",): 1}


def test_on_the_fly(mmstats):
    jobs = mmstats.counter("jobs", tags=("queue",))
    jobs.tagged("mail").incr(3)
    assert mmstats.counter("jobs") is jobs
    assert mmstats.counter("jobs", tags=("queue",)) is jobs
    mmstats.gauge("free", tags=("pool",)).tagged("a").set(2)
    mmstats.text("phase", tags=("pool",)).tagged("a").set("up")
    assert members(mmstats, "jobs") == {("mail",): 3}
    assert members(mmstats, "free") == {("a",): 2.0}
    assert members(mmstats, "phase") == {("a",): "up"}
    with pytest.raises(mmstats.DuplicateFieldName):
        mmstats.counter("jobs", tags=("other",))


def test_a_tracked_gauge(mmstats):
    free = mmstats.gauge("free", tags=("pool",))
    free.tagged("a").track(lambda: 7)
    mmstats.tick()
    assert members(mmstats, "free") == {("a",): 7.0}


def test_timers_and_held(mmstats):
    latency, inflight = mmstats.timer("latency", tags=("route",)), mmstats.updown("inflight", tags=("route",))
    with latency.tagged("/"), inflight.tagged("/").held():
        assert members(mmstats, "inflight") == {("/",): 1}
    assert (members(mmstats, "inflight"), members(mmstats, "latency")["/",].count) == ({("/",): 0}, 1)


def test_many_threads_make_the_same_member(mmstats):
    requests = model(mmstats).requests
    barrier, made = threading.Barrier(8), []

    def make():
        barrier.wait()
        for number in range(100):
            member = requests.tagged("GET", number)
            member.incr()
            made.append((number, id(member)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len(set(made)) == 100
    assert members(mmstats) == {("GET", str(number)): 8 for number in range(100)}
