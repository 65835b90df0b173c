"""Instance: bound handles are plain attributes that nobody overwrites."""

from __future__ import annotations

import sys

import pytest

from mmstats.format.layout import CELL_TYPE_U64


class CounterField:
    """A declared field."""


class HistogramField:
    _mm_verb = "observe"


class StaticField:
    _mm_verb = None


@pytest.fixture
def web(twin, lanes):
    """An instance of a subclass of a model, with fields of several kinds."""

    class WebBase(twin.Instance):
        errors = twin.Number("errors", CELL_TYPE_U64, 64, False, False)
        plain = 5

    class WebStats(WebBase):
        __mmstats_fields__ = {  # noqa: RUF012 - as a metaclass leaves it
            "requests": CounterField(),
            "body": HistogramField(),
            "version": StaticField(),
            "errors": CounterField(),
        }

        @property
        def settable(self):
            return self.hidden

        @settable.setter
        def settable(self, value):
            self.hidden = value

        @property
        def fixed(self):
            return 1

    there = lanes()
    stats = WebStats()
    stats._mm_bind("_mm_cells", {"errors": (there.segment, 1, 0)})
    stats._mm_bind("requests", there.counter())
    return stats


def test_a_handle_is_a_plain_attribute(web):
    web.requests.incr()
    assert (1, True) == (web.requests.value, web.requests is vars(web)["requests"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "requests",
            (
                "'requests' is declared as CounterField of WebStats: "
                "call its methods, as incr(); it cannot be assigned"
            ),
        ),
        (
            "body",
            (
                "'body' is declared as HistogramField of WebStats: "
                "call its methods, as observe(); it cannot be assigned"
            ),
        ),
        ("version", "'version' is declared as StaticField of WebStats: it cannot be assigned"),
    ],
)
def test_assigning_to_a_field_says_what_to_do_instead(web, name, message):
    with pytest.raises(TypeError) as caught:
        setattr(web, name, 5)
    assert message == str(caught.value)


def test_deleting_a_field_is_an_error(web):
    with pytest.raises(TypeError) as caught:
        del web.requests
    assert str(caught.value) == "'requests' is declared as CounterField of WebStats: it cannot be deleted"
    with pytest.raises(TypeError, match="'errors' cannot be deleted"):
        del web.errors


def test_adding_in_place_to_a_counter_is_an_error(web):
    with pytest.raises(TypeError):
        web.requests += 1


def test_numbers_take_assignment_in_a_subclass_too(web):
    web.errors = 3
    web.errors += 1
    assert web.errors == 4


def test_everything_else_is_as_with_any_object(web):
    web.note, web.plain, web.settable = "a", 6, 7
    assert ("a", 6, 7, 7, 5) == (web.note, web.plain, web.settable, web.hidden, type(web).plain)
    del web.note, web.plain
    assert (False, 5) == (hasattr(web, "note"), web.plain)
    for change in (
        lambda: delattr(web, "note"),
        lambda: setattr(web, "fixed", 2),
        lambda: delattr(web, "fixed"),
    ):
        with pytest.raises(AttributeError):
            change()


def test_a_class_without_fields_takes_any_assignment(twin):
    class Bare(twin.Instance):
        pass

    bare = Bare()
    bare.requests = 1
    assert bare.requests == 1


def test_a_model_may_have_a_setattr_of_its_own(twin):
    class Noting(twin.Instance):
        __mmstats_fields__ = {"requests": CounterField()}  # noqa: RUF012 - as a metaclass leaves it

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            super().__setattr__("last", name)

    noting = Noting()
    noting.color = "red"
    assert (noting.color, noting.last) == ("red", "color")
    with pytest.raises(TypeError, match="'requests' is declared as CounterField of Noting"):
        noting.requests = 1


def test_the_class_answers_for_a_number_with_the_declared_field(web):
    cls = type(web)
    assert cls.__mmstats_fields__["errors"] is cls.errors


def test_instances_have_weak_references_and_a_dict(web):
    import weakref

    assert (web, True) == (weakref.ref(web)(), "requests" in web.__dict__)


def test_the_native_base_is_the_object_header_only():
    """3.13 gives inline values to such instances only: they are what makes `stats.requests` fast."""
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    assert native.Instance.__basicsize__ == object.__basicsize__


@pytest.mark.parametrize("count", [5, 25])
def test_loading_a_handle_is_specialised(twin, count):
    """The interpreter's own view: no adaptive LOAD_ATTR is left in a warm function."""
    import dis

    if sys.version_info < (3, 11) or sys.implementation.name == "pypy":
        pytest.skip("not on Python 3.10 and before, which do not specialise")
    if "adaptive" not in dis.get_instructions.__kwdefaults__ and sys.version_info < (3, 11):
        pytest.skip("not on this Python")

    class Model(twin.Instance):
        __mmstats_fields__ = {f"field{i}": CounterField() for i in range(count)}  # noqa: RUF012 - as a metaclass leaves it

    stats = Model()
    segment = twin.Segment(lambda segment: segment.attach(bytearray(8 * count)))
    for i in range(count):
        stats._mm_bind(f"field{i}", twin.Counter(segment, i, CELL_TYPE_U64, "", None))

    def run():
        for _ in range(200):
            stats.field3.incr()

    run()
    run()
    names = [each.opname for each in dis.get_instructions(run, adaptive=True) if "LOAD_ATTR" in each.opname]
    assert any("INSTANCE_VALUE" in name for name in names), names
