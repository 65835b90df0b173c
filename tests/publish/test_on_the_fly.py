"""Fields that come later: `stats.add`, and metrics without a class."""

from __future__ import annotations

import os
import threading

import pytest


@pytest.fixture
def stats(mmstats):
    class Web(mmstats.BaseMmStats):
        hits = mmstats.CounterField()

    return Web(label_prefix="web.")


def values(mmstats):
    """Label → value of the one file there is, but for what is retired."""
    (snapshot,) = [one for one in mmstats.snapshot() if one.origin.state != "retired"]
    assert [str(problem) for problem in snapshot.problems] == []
    return {stat.label: stat.value for stat in snapshot.stats}


# --- stats.add ---------------------------------------------------------------------------------------


def test_an_added_field_is_published_and_an_attribute(mmstats, stats):
    cls = type(stats)
    handle = stats.add("errors", mmstats.CounterField(help="late"))
    handle.incr(3)
    assert (stats.errors, values(mmstats)) == (handle, {"web.hits": 0, "web.errors": 3})
    assert isinstance(stats, cls)
    assert (type(stats).__name__, type(stats).errors.help) == ("Web", "late")
    with pytest.raises(TypeError, match="'errors' is declared as CounterField of Web"):
        stats.errors = 5


def test_other_instances_have_nothing_of_it(mmstats, stats):
    other = type(stats)(label_prefix="other.")
    stats.add("late", mmstats.UIntField())
    assert not hasattr(other, "late")
    assert not hasattr(type(other), "late")
    other.late = "an attribute like any other"
    stats.late = 7
    assert (stats.late, other.late) == (7, "an attribute like any other")


def test_what_is_assigned_to_is_held_as_an_attribute(mmstats, stats):
    made = {
        name: stats.add(name, field)
        for name, field in {
            "number": mmstats.IntField(),
            "real": mmstats.DoubleField(),
            "on": mmstats.BoolField(),
            "phase": mmstats.StringField(size=10),
        }.items()
    }
    stats.number = 5
    made["number"].value += 2
    made["real"].set(0.5)
    made["on"].set("yes")
    made["phase"].value = "up"
    assert (stats.number, stats.real, stats.on, stats.phase) == (7, 0.5, True, "up")
    assert [one.value for one in made.values()] == [7, 0.5, True, "up"]
    found = values(mmstats)
    assert [found[f"web.{name}"] for name in made] == [7, 0.5, True, "up"]
    assert repr(made["number"]) == "<Attribute 'number'>"
    with pytest.raises(TypeError, match="'number' takes an int, not str: 'x'"):
        made["number"].set("x")


def test_a_static_may_be_added(mmstats, stats):
    told = stats.add("version", mmstats.StaticTextField(value="1.2"))
    assert (told.value, stats.version, values(mmstats)["web.version"]) == ("1.2", "1.2", "1.2")
    with pytest.raises(TypeError, match="its value never changes"):
        told.set("1.3")


def test_what_cannot_be_added_changes_nothing(mmstats, stats):
    stats.plain = 1
    before = values(mmstats), set(dir(stats))
    for name in ("hits", "plain", "filename", "add", "remove", "label_prefix", "__init__"):
        with pytest.raises(mmstats.UsageError, match=rf"add\('{name}'\): Web has something of that name"):
            stats.add(name, mmstats.CounterField())
    for name in ("_mm_x", "", 5, None):
        with pytest.raises(mmstats.UsageError, match="a field cannot be called so"):
            stats.add(name, mmstats.CounterField())
    with pytest.raises(mmstats.UsageError, match=r"add\('more'\): expected a field, as CounterField\(\): 5"):
        stats.add("more", 5)
    with pytest.raises(mmstats.UsageError, match="control character"):
        stats.add("more", mmstats.CounterField(label="a\nb"))
    with pytest.raises(mmstats.DuplicateFieldName, match=r"'web\.hits' is declared as gauge"):
        stats.add("more", mmstats.GaugeField(label="hits"))
    with pytest.raises(ZeroDivisionError):
        stats.add("more", mmstats.StaticTextField(value=lambda: 1 / 0))
    assert (values(mmstats), set(dir(stats))) == (before[0], before[1] | {"_mm_own_class"})
    stats.add("more", mmstats.CounterField()).incr()
    stats.remove()
    with pytest.raises(mmstats.UsageError, match="Web was removed"):
        stats.add("late", mmstats.CounterField())


def test_one_label_added_twice_is_the_same_cells(mmstats, stats):
    stats.add("again", mmstats.CounterField(label="hits")).incr()
    assert stats.hits.value == 1


def test_a_removed_model_takes_what_was_added_along(mmstats, stats):
    class Other(mmstats.BaseMmStats):
        own = mmstats.CounterField()

    Other()
    late = stats.add("late", mmstats.CounterField())
    stats.remove()
    assert values(mmstats) == {"own": 0}
    late.incr()
    assert mmstats.dropped.by_reason == {"removed": 1}


def test_a_child_counts_what_its_parent_added(mmstats, stats):
    late = stats.add("late", mmstats.CounterField())
    late.incr(5)
    child = os.fork()
    if not child:
        try:
            late.incr(2)
            stats.add("more", mmstats.CounterField()).incr(7)
        finally:
            os._exit(late.total)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 2
    assert mmstats.combined().value("web.late") == 7
    assert mmstats.combined().value("web.more") == 7
    assert "web.more" not in {stat.label for stat in mmstats.snapshot(stats.filename)[0].stats}


# --- without a class ---------------------------------------------------------------------------------


def test_a_metric_is_made_at_its_first_use(mmstats):
    mmstats.counter("jobs.done").incr(2)
    mmstats.updown("jobs.open").decr()
    mmstats.gauge("pool.free").set(12)
    mmstats.timer("jobs.time").observe(0.5)
    mmstats.text("jobs.phase").set("up")
    found = values(mmstats)
    assert (found.pop("jobs.time").count, mmstats.timer("jobs.time").last) == (1, 0.5)
    assert found == {"jobs.done": 2, "jobs.open": -1, "pool.free": 12.0, "jobs.phase": "up"}
    assert mmstats.text("jobs.phase").value == "up"


@pytest.mark.parametrize("name", ["counter", "updown", "gauge", "timer", "text"])
def test_one_label_is_one_object_ever_after(mmstats, name):
    make = getattr(mmstats, name)
    one = make("jobs", help="how many")
    assert (make("jobs"), make("jobs", help="how many"), make("other")) == (one, one, make("other"))
    assert make("other") is not one
    for other in {"counter", "updown", "gauge", "timer", "text"} - {name}:
        with pytest.raises(mmstats.DuplicateFieldName, match="'jobs' is declared as"):
            getattr(mmstats, other)("jobs")


def test_other_options_are_other_metrics(mmstats):
    one = mmstats.counter("sent", unit="bytes")
    with pytest.raises(mmstats.DuplicateFieldName, match="'sent' is declared as counter in items"):
        mmstats.counter("sent", unit="items")
    with pytest.raises(mmstats.DuplicateFieldName, match="of floats"):
        mmstats.counter("sent", float=True, unit="bytes")
    assert mmstats.counter("sent") is one


@pytest.mark.parametrize("label", ["", None, 5, "a\nb"])
def test_a_label_is_needed(mmstats, label):
    with pytest.raises(mmstats.UsageError, match="label"):
        mmstats.counter(label)
    assert mmstats.snapshot() == [] or values(mmstats) == {}


@pytest.mark.parametrize("label", ["add", "remove", "flush", "filename", "size", "_mm_model", "__class__"])
def test_any_label_will_do(mmstats, label):
    mmstats.text(label).set("x")
    mmstats.counter(f"{label}.count").incr()
    assert values(mmstats) == {label: "x", f"{label}.count": 1}


def test_it_shares_the_file_of_the_models(mmstats, stats):
    mmstats.counter("jobs").incr()
    stats.hits.incr()
    assert values(mmstats) == {"web.hits": 1, "jobs": 1}
    with pytest.raises(mmstats.DuplicateFieldName):
        mmstats.gauge("web.hits")


def test_many_threads_ask_at_once(mmstats):
    together, found = threading.Barrier(8), []

    def work():
        together.wait(60)
        for number in range(50):
            handle = mmstats.counter(f"job.{number}")
            handle.incr()
            found.append((number, id(handle)))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 50
    assert values(mmstats) == {f"job.{number}": 8 for number in range(50)}


def test_readers_read_while_it_grows(mmstats):
    """Each snapshot has whole metrics, in their order, as many as were there, and none lost again."""
    made, seen = [], []

    def work():
        for number in range(1500):
            mmstats.counter(f"job.{number}").incr()
            made.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        least = len(made)
        for snapshot in mmstats.snapshot():
            assert [str(problem) for problem in snapshot.problems] == []
            labels = [stat.label for stat in snapshot.stats]
            assert labels == [f"job.{number}" for number in range(len(labels))]
            assert [stat.value for stat in snapshot.stats[:least]] == [1] * least
            seen.append(len(labels))
    thread.join()
    assert seen == sorted(seen)
    assert len(values(mmstats)) == 1500


def test_a_child_goes_on_with_what_its_parent_made(mmstats):
    mmstats.counter("jobs").incr(5)
    child = os.fork()
    if not child:
        mmstats.counter("jobs").incr(2)
        mmstats.counter("late").incr(1)
        os._exit(mmstats.counter("jobs").total)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 2
    assert (mmstats.combined().value("jobs"), mmstats.combined().value("late")) == (7, 1)


def test_what_was_removed_behind_its_back_is_made_anew(mmstats):
    from mmstats.publish import process

    mmstats.counter("jobs").incr(5)
    for publication in list(process.publications.values()):
        for model in list(publication.models):
            model.remove()
    mmstats.counter("jobs").incr(2)
    assert values(mmstats) == {"jobs": 2}
