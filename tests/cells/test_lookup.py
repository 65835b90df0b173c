"""Lookup: which object stands for some values, in both twins."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest


@pytest.fixture
def family(twin):
    """A family whose members are lists of what was asked for."""

    class Family(twin.Lookup):
        def _find(self, values, named):
            given = tuple(named.get(name, "?") for name in self._names) if named else values
            return self._handles.setdefault(tuple(map(str, given)), [values, named])

    return Family(("method", "status"))


def test_the_same_object_however_it_is_asked_for(family):
    found = family.tagged("GET", "200")
    assert found == [("GET", "200"), {}]
    assert family.tagged("GET", 200) is found
    assert family.tagged(method="GET", status="200") is found
    assert family.tagged(status=200, method="GET") is found
    assert family.tagged("GET", 200.0) is not found
    assert family.tagged("GET", True) is family.tagged("GET", "True")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        (("GET",), {}),
        (("GET", "200", "x"), {}),
        (("GET",), {"status": "200"}),
        ((), {"method": "GET"}),
        ((), {"method": "GET", "code": "200"}),
        ((), {"self": "GET", "values": "200"}),
        (("GET", None), {}),
        (("GET", ["200"]), {}),
        ((), {"method": "GET", "status": b"200"}),
    ],
)
def test_what_takes_a_closer_look_is_handed_on(twin, values, named):
    class Family(twin.Lookup):
        def _find(self, values, named):
            return values, named

    assert Family(("method", "status")).tagged(*values, **named) == (values, named)


def test_a_text_of_another_type_is_looked_at_closely(twin):
    """Its `str` may say anything."""

    class Text(str):
        __slots__ = ()

        def __str__(self):
            return "200"

    class Family(twin.Lookup):
        def _find(self, values, named):
            return "asked"

    family = Family(("status",))
    family._handles["200",] = "known"
    assert family.tagged("200") == "known"
    assert family.tagged(Text("404")) == "asked"


def test_errors_go_through(twin):
    class Family(twin.Lookup):
        def _find(self, values, named):
            raise KeyError(values)

    with pytest.raises(KeyError):
        Family(("a",)).tagged("x")
    with pytest.raises(TypeError):
        twin.Lookup()
    with pytest.raises((TypeError, NotImplementedError, AttributeError)):
        twin.Lookup(("a",)).tagged("x")


def test_nothing_is_left_behind(twin):
    class Family(twin.Lookup):
        def _find(self, values, named):
            return self._handles.setdefault(tuple(map(str, values)), self)

    family = Family(("method", "status"))
    for number in range(1_000):
        family.tagged("GET", number)
        family.tagged(method="GET", status=number)
    reference, key = weakref.ref(family), "not interned " + str(len(family._handles))
    count = getattr(sys, "getrefcount", len)  # PyPy counts none
    before = count(key)
    for _ in range(100):
        family.tagged("GET", key)
        family._handles.pop(("GET", key))
    assert count(key) == before
    del family
    gc.collect()
    assert reference() is None
