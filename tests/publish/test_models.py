"""Declaring a model, making it, using it, removing it."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest


def values(mmstats, **options):
    """Label → value of the one file there is, but for what is retired."""
    (snapshot,) = [one for one in mmstats.snapshot(**options) if one.origin.state != "retired"]
    assert [str(problem) for problem in snapshot.problems] == []
    return {stat.label: stat.value for stat in snapshot.stats}


def test_what_is_counted_is_read(mmstats):
    """A counter, numbers, a bool and statics come out as they went in, in the order of declaration."""

    class Web(mmstats.BaseMmStats):
        hits = mmstats.CounterField(label="web.hits", help="Requests", unit="requests")
        errors = mmstats.UIntField()
        last = mmstats.DoubleField(label="last")
        busy = mmstats.BoolField()
        name = mmstats.StaticTextField(value="shop ☃")
        answer = mmstats.StaticInt64Field(value=lambda: -42)

    stats = Web(label_prefix="org.")
    stats.hits.incr()
    stats.hits.incr(4)
    stats.hits.inc(5)
    stats.errors += 3
    stats.last = 1.5
    stats.busy = "yes"

    assert [*values(mmstats).items()] == [
        ("org.web.hits", 10),
        ("org.errors", 3),
        ("org.last", 1.5),
        ("org.busy", True),
        ("org.name", "shop ☃"),
        ("org.answer", -42),
    ]
    assert (stats.hits.value, stats.hits.total, stats.errors, stats.last, stats.busy) == (
        10,
        10,
        3,
        1.5,
        True,
    )
    assert (stats.name, stats.answer) == ("shop ☃", -42)
    (snapshot,) = mmstats.snapshot()
    hits = snapshot.stats[0]
    assert (hits.kind, hits.unit, hits.help) == ("counter", "requests", "Requests")


def test_a_model_of_mmstats_tells_of_its_process(mmstats):
    """MmStats brings 0.8's six stats, under the prefix, before the model's own."""

    class Mine(mmstats.MmStats):
        hits = mmstats.CounterField()

    Mine()
    found = values(mmstats)
    assert [*found] == [
        "sys.pid",
        "sys.tid",
        "sys.uid",
        "sys.gid",
        "org.python.version",
        "sys.created",
        "hits",
    ]
    assert found["sys.pid"] == os.getpid()
    assert found["sys.tid"] == threading.get_native_id()
    assert (found["sys.uid"], found["sys.gid"]) == (os.getuid(), os.getgid())


def test_the_class_answers_with_the_field(mmstats):
    """`Web.hits` is the declared field, for every kind; a name that is no field is an AttributeError."""
    declared = {
        "hits": mmstats.CounterField(),
        "last": mmstats.DoubleField(),
        "name": mmstats.StaticTextField(value="x"),
        "on": mmstats.BoolField(),
    }
    web = type(mmstats.MmStats)("Web", (mmstats.MmStats,), dict(declared))
    assert {name: getattr(web, name) for name in declared} == declared
    with pytest.raises(AttributeError, match="'hist'"):
        _ = web.hist


def test_assigning_to_what_is_no_number_is_a_type_error(mmstats):
    """A counter and a static refuse assignment, and say which field they are."""

    class Web(mmstats.MmStats):
        hits = mmstats.CounterField()

    stats = Web()
    with pytest.raises(TypeError, match=r"hits.*CounterField"):
        stats.hits = 5
    with pytest.raises(TypeError, match="hits"):
        del stats.hits
    with pytest.raises(TypeError, match=r"pid.*StaticUIntField"):
        stats.pid = 5
    stats.anything_else = 5
    assert stats.anything_else == 5


def test_models_of_a_process_share_a_file(mmstats, stats_dir):
    """Two models, one file; a label declared twice in one way is one metric."""

    class A(mmstats.BaseMmStats):
        hits = mmstats.CounterField()

    class B(mmstats.BaseMmStats):
        hits = mmstats.CounterField()
        more = mmstats.CounterField()

    a, b = A(), B()
    a.hits.incr()
    b.hits.incr()
    b.more.incr()
    assert len(os.listdir(stats_dir)) == 1
    assert values(mmstats) == {"hits": 2, "more": 1}
    assert a.filename == b.filename == str(stats_dir / os.listdir(stats_dir)[0])
    assert a.size == os.path.getsize(a.filename)


def test_paths_may_be_paths(mmstats, stats_dir):
    class Model(mmstats.BaseMmStats):
        count = mmstats.CounterField()

    directory = Path(stats_dir) / "deeper"
    for model in (Model(path=directory), Model(filename=directory / "named.mmstats")):
        assert Path(model.filename).parent == directory
        model.remove()
    for wrong in ({"path": 5}, {"filename": []}):
        with pytest.raises(mmstats.UsageError, match="expected a path"):
            Model(**wrong)


def test_different_filenames_share_nothing(mmstats, stats_dir):
    """Two instances of one model with different filenames are two files."""

    class A(mmstats.BaseMmStats):
        hits = mmstats.CounterField()
        last = mmstats.DoubleField()

    one, two = A(filename="one.mmstats"), A(filename="two.mmstats")
    one.hits.incr()
    one.last, two.last = 1.0, 2.0
    assert sorted(os.listdir(stats_dir)) == ["one.mmstats", "two.mmstats"]
    assert [values(mmstats, paths=path.filename) for path in (one, two)] == [
        {"hits": 1, "last": 1.0},
        {"hits": 0, "last": 2.0},
    ]
    assert (one.last, two.last) == (1.0, 2.0)


def test_one_label_is_one_thing(mmstats):
    """The same label with another kind is refused, in one model and across two; nothing is written."""

    class Both(mmstats.BaseMmStats):
        a = mmstats.CounterField(label="x")
        b = mmstats.DoubleField(label="x")

    with pytest.raises(mmstats.DuplicateFieldName, match=r"'x'.*counter"):
        Both()

    class Counts(mmstats.BaseMmStats):
        x = mmstats.CounterField()

    class Measures(mmstats.BaseMmStats):
        y = mmstats.CounterField()
        x = mmstats.DoubleField()

    Counts()
    with pytest.raises(mmstats.DuplicateFieldName, match="'x'"):
        Measures()
    assert values(mmstats) == {"x": 0}


BAD = [
    (lambda m: m.CounterField(label="a\nb"), "label.*control character.*'a\\\\nb'"),
    (lambda m: m.CounterField(label="x" * 65_536), "label.*65536 bytes"),
    (lambda m: m.CounterField(label=5), "label must be text, not int: 5"),
    (lambda m: m.CounterField(label="\udc80"), "label.*UTF-8"),
    (lambda m: m.CounterField(unit="a\x1bb"), "unit of CounterField.*control"),
    (lambda m: m.CounterField(help=7), "help of CounterField.*text, not int: 7"),
    (lambda m: m.StaticUIntField(label="n", value=-1), "'n' must be from 0 to 4294967295: -1"),
    (lambda m: m.StaticUIntField(label="n", value="7"), "'n' must be an integer, not str: '7'"),
    (lambda m: m.StaticDoubleField(label="n", value="7"), "'n' must be a number, not str: '7'"),
    (lambda m: m.StaticTextField(label="n", value=7), "'n' must be text, not int: 7"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_declarations_name_field_and_value(mmstats, stats_dir, make, message):
    """What no program can mean is a UsageError where the model is made, before anything is written."""
    model = type(mmstats.BaseMmStats)(
        "Bad", (mmstats.BaseMmStats,), {"fine": mmstats.CounterField(), "x": make(mmstats)}
    )
    with pytest.raises(mmstats.UsageError, match=message):
        model()
    assert not stats_dir.exists() or os.listdir(stats_dir) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda m: m.StaticUIntField(label="n"), "value is missing"),
        (lambda m: m.DoubleField(aggregate="mean"), "aggregate='mean'.*sum, max, min, avg"),
        (lambda m: m.CounterField(aggregate="max"), "aggregate='max'"),
        (lambda m: m.CounterField(keep=True), "keep=True"),
    ],
)
def test_bad_options_are_said_where_the_field_is_made(mmstats, make, message):
    """An option that says nothing for this kind is a UsageError at once."""
    with pytest.raises(mmstats.UsageError, match=message):
        make(mmstats)


def test_names_of_methods_are_no_fields(mmstats):
    """A field called flush, remove or add would hide what every model can do."""
    for name in ("flush", "remove", "add", "_mm_x"):
        with pytest.raises(mmstats.UsageError, match=name):
            type(mmstats.BaseMmStats)("Bad", (mmstats.BaseMmStats,), {name: mmstats.CounterField()})


def test_a_field_wins_over_an_attribute(mmstats, stats_dir):
    """A field called size or filename is that field; `info` still tells the attribute."""

    class Disk(mmstats.BaseMmStats):
        size = mmstats.CounterField()
        filename = mmstats.DoubleField()
        label_prefix = mmstats.StaticTextField(value="static")

    stats = Disk(label_prefix="disk.")
    stats.size.incr(7)
    stats.filename = 2.5
    assert values(mmstats) == {"disk.size": 7, "disk.filename": 2.5, "disk.label_prefix": "static"}
    about = mmstats.info(stats)
    assert (about.size, about.label_prefix) == (4096, "disk.")
    assert about.filename == str(stats_dir / os.listdir(stats_dir)[0])


def test_subclasses_override_fields(mmstats):
    """The nearest class decides; what is no field any more is not published."""

    class A(mmstats.BaseMmStats):
        x = mmstats.DoubleField()
        y = mmstats.CounterField()
        z = mmstats.CounterField()

    class B(A):
        x = mmstats.CounterField()
        y = mmstats.DoubleField()
        z = None

    class C(B):
        w = mmstats.CounterField()

    stats = C()
    stats.x.incr()
    stats.y = 0.5
    stats.w.incr()
    assert values(mmstats) == {"x": 1, "y": 0.5, "w": 1}
    assert stats.z is None


def test_mixins_bring_fields(mmstats):
    """A plain class may carry fields for the models that inherit from it."""

    class Mixin:
        hits = mmstats.CounterField()
        last = mmstats.DoubleField()

    class A(Mixin, mmstats.BaseMmStats):
        own = mmstats.CounterField()

    stats = A()
    stats.hits.incr()
    stats.last = 3
    assert values(mmstats) == {"hits": 1, "last": 3.0, "own": 0}
    with pytest.raises(TypeError, match="hits"):
        stats.hits = 1


def test_a_field_may_come_later(mmstats):
    """A field assigned to the class is a field like any other."""

    class A(mmstats.BaseMmStats):
        pass

    A.late = mmstats.CounterField()
    A.number = mmstats.IntField()
    stats = A()
    stats.late.incr()
    stats.number = 3
    assert values(mmstats) == {"late": 1, "number": 3}


def test_removal(mmstats, stats_dir):
    """A removed model is gone, its file with the last one; what it counted stays in the totals.

    Updates from then on count as dropped, reads raise.
    """

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()
        n = mmstats.IntField()
        s = mmstats.StaticUIntField(value=1)

    class B(mmstats.BaseMmStats):
        b = mmstats.CounterField()

    a, b = A(), B()
    a.a.incr()
    b.b.incr(2)
    a.n = 7
    a.remove()
    a.remove()
    assert values(mmstats) == {"b": 2}
    assert retired(mmstats) == {"a": 1}
    before = int(mmstats.dropped)
    a.a.incr()
    a.n = 5
    assert int(mmstats.dropped) - before == 2
    assert mmstats.dropped.by_reason["removed"] >= 2
    for read in (lambda: a.a.value, lambda: a.a.total, lambda: a.n, lambda: a.s):
        with pytest.raises(mmstats.Removed):
            read()
    path = b.filename
    b.remove()
    assert not os.path.exists(path)
    assert b.filename == path
    assert retired(mmstats) == {"a": 1, "b": 2}


def retired(mmstats):
    """Label → value of what is left of the dead, and of removed models."""
    found = {}
    for one in mmstats.snapshot():
        if one.origin.state == "retired":
            assert not found.keys() & {stat.label for stat in one.stats}
            found.update((stat.label, stat.value) for stat in one.stats if stat.label != "mmstats.dropped")
    return found


def test_discarded_a_model_leaves_nothing(mmstats, stats_dir):
    """Neither while another model lives in its file, nor with the last one."""

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    class B(mmstats.BaseMmStats):
        b = mmstats.CounterField()

    a, b = A(), B()
    a.a.incr()
    b.b.incr()
    a.remove(discard=True)
    assert (values(mmstats), retired(mmstats)) == ({"b": 1}, {})
    b.remove(discard=True)
    assert [name for name in os.listdir(stats_dir) if name.endswith(".mmstats")] == []


def test_the_last_model_may_be_discarded_where_another_was_not(mmstats):
    """What the other one counted stays."""

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    class B(mmstats.BaseMmStats):
        b = mmstats.CounterField()

    a, b = A(), B()
    a.a.incr()
    b.b.incr()
    a.remove()
    b.remove(discard=True)
    assert retired(mmstats) == {"a": 1}


def test_removed_and_made_again(mmstats):
    """The same model can be made again; it begins at zero, and the total goes on."""

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    for again in range(1, 4):
        stats = A()
        stats.a.incr()
        assert values(mmstats) == {"a": 1}
        assert mmstats.combined().value("a") == again
        stats.remove()


def test_removed_and_made_again_beside_another_it_takes_no_more_room(mmstats):
    """Its cells are taken up again: own values begin at zero, the total goes on, the file does not grow."""

    class Keeps(mmstats.BaseMmStats):
        k = mmstats.CounterField()

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()
        mean = mmstats.AverageField()

    keeps = Keeps()
    sizes = set()
    for again in range(1, 200):
        stats = A()
        assert (stats.a.value, stats.mean.value) == (0, 0.0)
        stats.a.incr()
        stats.mean.add(again)
        assert (stats.a.value, stats.mean.value) == (1, again)
        assert mmstats.combined().value("a") == again
        stats.remove()
        sizes.add(keeps.size)
    assert mmstats.combined().value("mean") == 100
    assert len(sizes) == 1


def test_a_label_may_mean_something_else_once_its_models_are_removed(mmstats):
    """The old total is kept apart, and the younger declaration stands."""

    class Keeps(mmstats.BaseMmStats):
        k = mmstats.CounterField()

    class Old(mmstats.BaseMmStats):
        x = mmstats.CounterField()

    class New(mmstats.BaseMmStats):
        x = mmstats.DoubleField(aggregate="sum")

    keeps, old = Keeps(), Old()
    old.x.incr(5)
    old.remove()
    new = New()
    new.x = 1.5
    assert values(mmstats) == {"k": 0, "x": 1.5}
    combined = mmstats.combined()
    assert combined.value("x") == 1.5
    assert ["'x'" in str(problem) for problem in combined.problems] == [True]
    keeps.remove()


def test_a_further_instance_takes_no_room(mmstats):
    """It asks for no cells, and no static speaks again."""
    asked = []

    class Asking(mmstats.BaseMmStats):
        hits = mmstats.CounterField()
        number = mmstats.StaticUIntField(value=lambda: asked.append(None) or len(asked))

    first = Asking()
    publication = mmstats.info(first).publication
    before = str(publication._schema_numbers)
    more = [Asking() for _ in range(20)]
    assert (str(publication._schema_numbers), len(asked)) == (before, 1)
    assert {one.number for one in more} == {1}


def test_two_instances_share_cells_and_end_apart(mmstats):
    """Removing one of two instances of a model leaves the other counting in the same cells."""

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    one, two = A(), A()
    one.a.incr()
    two.a.incr()
    one.remove()
    two.a.incr()
    assert values(mmstats) == {"a": 3}


def test_groups_and_settings_come_from_the_environment(mmstats, monkeypatch, stats_dir):
    """MMSTATS_GROUP, MMSTATS_FILES and MMSTATS_MODE are read when the model is made."""
    monkeypatch.setenv("MMSTATS_GROUP", "billing")
    monkeypatch.setenv("MMSTATS_FILES", "x-{PID}-{CLASS}.mmstats")
    monkeypatch.setenv("MMSTATS_MODE", "0640")
    old = os.umask(0o077)
    try:

        class Named(mmstats.BaseMmStats):
            a = mmstats.CounterField()

        stats = Named()
    finally:
        os.umask(old)
    assert os.path.basename(stats.filename) == f"x-{os.getpid()}-Named.mmstats"
    assert os.stat(stats.filename).st_mode & 0o777 == 0o640
    (snapshot,) = mmstats.snapshot()
    assert snapshot.origin.group == "billing"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MMSTATS_MODE", "0666", "MMSTATS_MODE='0666'"),
        ("MMSTATS_MODE", "rw", "MMSTATS_MODE='rw'.*octal"),
        ("MMSTATS_FILES", "{NAME}.mmstats", "NAME.*no word.*{PID}"),
        ("MMSTATS_GROUP", "g" * 65, "group has 65 bytes"),
    ],
)
def test_bad_settings_are_named(mmstats, monkeypatch, variable, value, message):
    """A setting that says nothing is a UsageError that names it."""
    monkeypatch.setenv(variable, value)

    class A(mmstats.BaseMmStats):
        pass

    with pytest.raises(mmstats.UsageError, match=message):
        A()


def test_disabled_publishes_nothing(mmstats, monkeypatch, stats_dir):
    """MMSTATS_DISABLE=1: everything works, in private memory."""
    monkeypatch.setenv("MMSTATS_DISABLE", "1")

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    stats = A()
    stats.a.incr()
    assert (stats.a.total, stats.filename, stats_dir.exists()) == (1, None, False)


def test_a_fixed_name_in_use_makes_the_newcomer_step_aside(mmstats, stats_dir, caplog):
    """Two regions that want one name: the second publishes beside the first, and says so once."""

    class A(mmstats.BaseMmStats):
        a = mmstats.CounterField()

    first = A(filename="app.mmstats", group="one")
    with caplog.at_level(logging.WARNING, "mmstats"):
        second = A(filename="app.mmstats", group="two")
    assert os.path.basename(second.filename).startswith(f"app-{os.getpid()}-")
    assert second.filename.endswith(".mmstats")
    assert [f"pid {os.getpid()}" in record.getMessage() for record in caplog.records] == [True]
    with pytest.raises(mmstats.UsageError, match=f"pid {os.getpid()}"):
        A(filename="app.mmstats", group="three", strict=True)
    first.a.incr()
    second.a.incr()
    assert len(mmstats.snapshot()) == 2
