"""Both texts: each kind as they have it, read by their own parsers."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposed import SECONDS, histogram, promtool, snapshot, stat
from mmstats.export import FORMATS, openmetrics, prometheus
from mmstats.format.spread import Range

KINDS = ["counter", "updown", "number", "bool", "gauge", "moving", "static", "info", "enum", "text"]


def parsed(text):
    """Name of sample and tags → value, by prometheus_client's parser of the format."""
    if text.endswith("# EOF\n"):
        parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    else:
        parser = pytest.importorskip("prometheus_client.parser")
    found = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name, tuple(sorted(sample.labels.items()))
            assert name not in found
            found[name] = sample.value
    return found


@pytest.fixture(params=["prometheus", "openmetrics"])
def render(request):
    return FORMATS[request.param].render


@pytest.mark.parametrize(
    ("given", "sample", "value"),
    [
        (stat("a.b", "counter", 2**53), "a_b_total", 2.0**53),
        (stat("a", "updown", -3), "a", -3.0),
        (stat("a", "number", 1.5), "a", 1.5),
        (stat("a", "number", -inf), "a", -inf),
        (stat("a", "bool", True), "a", 1.0),
        (stat("a", "gauge", 7.25, unit="bytes"), "a_bytes", 7.25),
        (stat("a", "static", 5), "a", 5.0),
        (stat("a", "static", frozenset((5,)), aggregate="set"), "a", 5.0),
    ],
)
def test_one_number(render, given, sample, value):
    assert parsed(render(snapshot(given))) == {(sample, (("group", "g"),)): value}


def test_exact_integers():
    assert prometheus.render(snapshot(stat("a", "counter", 2**64 - 1))).split()[-1] == str(2**64 - 1)


def test_not_a_number(render):
    (value,) = parsed(render(snapshot(stat("a", "number", nan)))).values()
    assert isnan(value)


@pytest.mark.parametrize(
    "given",
    [
        stat("a", "text", "anything"),
        stat("a", "static", frozenset((5, 6)), aggregate="set"),
        stat("a", "static", ""),
        stat("a", "info", ""),
        stat("a", "enum", ""),
        stat("a", "gauge", None, parts=None),
        stat("a", "kind 99", 5),
    ],
)
def test_what_has_no_number_has_no_sample(render, given):
    assert parsed(render(snapshot(given))) == {}


def test_a_mean_is_a_summary(render):
    assert parsed(render(snapshot(stat("a", "average", 2.0, parts=(8.0, 4))))) == {
        ("a_count", (("group", "g"),)): 4.0,
        ("a_sum", (("group", "g"),)): 8.0,
    }


def test_texts_are_infos(render):
    tags = ("group", "g")
    found = parsed(
        render(
            snapshot(
                stat("v", "static", frozenset(("2", "1"))),
                stat("build", "info", 'commit="a\\\\b",version="1\\"x"'),
                stat("torn", "info", "no pairs"),
            )
        )
    )
    assert found == {
        ("v_info", (tags, ("value", "1"))): 1.0,
        ("v_info", (tags, ("value", "2"))): 1.0,
        ("build_info", (("commit", "a\\b"), tags, ("version", '1"x'))): 1.0,
        ("torn_info", (tags, ("value", "no pairs"))): 1.0,
    }


def test_states(render):
    found = parsed(render(snapshot(stat("state", "enum", frozenset(("up", "down"))))))
    assert found == {("state", (("group", "g"), ("state", text))): 1.0 for text in ("up", "down")}


def test_a_histogram_at_every_second_power_of_two(render):
    values = [0.0, 1e-5, 0.5, 0.5, 1.0, 1.1, 3600.0]
    found = parsed(render(snapshot(stat("t", "timer", histogram(values, timer=True), unit="seconds"))))
    edges = [2.0**at for at in range(-20, 13, 2)]
    assert found == {
        **{
            ("t_seconds_bucket", (("group", "g"), ("le", repr(edge)))): sum(one <= edge for one in values)
            for edge in edges
        },
        ("t_seconds_bucket", (("group", "g"), ("le", "+Inf"))): 7.0,
        ("t_seconds_count", (("group", "g"),)): 7.0,
        ("t_seconds_sum", (("group", "g"),)): sum(values),
    }


@pytest.mark.parametrize("octaves", [1, 3, 64])
def test_as_many_buckets_as_are_asked_for(octaves):
    text = prometheus.render(snapshot(stat("t", "histogram", histogram([1.0]))), octaves)
    edges = [float(line.split('le="')[1].split('"')[0]) for line in text.splitlines() if "_bucket" in line]
    assert edges == [*(2.0**at for at in range(-20, 12) if at % octaves == 0), 2.0**12, inf]


def test_declared_bounds_come_first(render):
    bounded = Range(3, -20, 12, (0.1, 0.5))
    found = parsed(render(snapshot(stat("t", "histogram", histogram([0.1, 0.2, 0.5, 0.6], bounded)))))
    buckets = {tags[1][1]: value for (name, tags), value in found.items() if name == "t_bucket"}
    assert buckets == {"0.1": 1.0, "0.5": 3.0, "+Inf": 4.0}


def test_nothing_observed(render):
    assert parsed(render(snapshot(stat("t", "histogram", histogram([]))))) == {
        ("t_bucket", (("group", "g"), ("le", "+Inf"))): 0.0,
        ("t_count", (("group", "g"),)): 0.0,
        ("t_sum", (("group", "g"),)): 0.0,
    }


@pytest.mark.parametrize(
    "given",
    [
        stat("t", "histogram", histogram([-1.0, 5.0])),
        stat("t", "histogram", histogram([5.0], Range(3, -20, 12, (-1.0, 6.0)))),
        stat("t", "average", -2.0, parts=(-2.0, 1)),
        stat("t", "average", nan, parts=(nan, 1)),
    ],
)
def test_what_may_fall_has_no_sum_in_openmetrics(given):
    assert "t_sum{" not in openmetrics.render(snapshot(given))
    assert "t_sum{" in prometheus.render(snapshot(given))
    assert parsed(openmetrics.render(snapshot(given)))


def test_since_when_it_counts():
    text = openmetrics.render(
        snapshot(stat("a", "counter", 1), stat("g", "gauge", 1.0), created=1700000000.5)
    )
    assert 'a_created{group="g"} 1700000000.5\n' in text
    assert "g_created" not in text
    assert "_created" not in prometheus.render(snapshot(stat("a", "counter", 1), created=1700000000.5))


def test_what_stands_above_a_family():
    given = snapshot(stat("a.b", "counter", 1, unit="bytes", help='what "it"\\is'))
    assert prometheus.render(given).splitlines()[:2] == [
        '# HELP a_b_bytes_total what "it"\\\\is',
        "# TYPE a_b_bytes_total counter",
    ]
    assert openmetrics.render(given).splitlines()[:3] == [
        "# TYPE a_b_bytes counter",
        "# UNIT a_b_bytes bytes",
        '# HELP a_b_bytes what \\"it\\"\\\\is',
    ]


def test_members_and_groups_are_one_family(render):
    text = render(
        snapshot(
            stat("a", "counter", 1, tags={"method": "GET"}),
            stat("b", "gauge", 1.0),
            stat("a", "counter", 2, tags={"method": "PUT"}),
            stat("a", "counter", 3, group="h", help="late"),
        )
    )
    assert text.count("# TYPE") == 2
    assert text.count("# HELP") == 1
    assert {name[1]: value for name, value in parsed(text).items() if name[0] == "a_total"} == {
        (("group", "g"), ("method", "GET")): 1.0,
        (("group", "g"), ("method", "PUT")): 2.0,
        (("group", "h"),): 3.0,
    }


@pytest.mark.parametrize(
    ("kind", "value", "tags", "expected"),
    [
        ("counter", 1, {"group": "x"}, {"exported_group": "x"}),
        ("counter", 1, {"group": "x", "exported_group": "y"}, {"exported_group", "exported_exported_group"}),
        ("counter", 1, {"__name__": "x"}, {"_name__": "x"}),
        ("histogram", histogram([1.0]), {"le": "x"}, {"exported_le": "x"}),
        ("enum", "up", {"a": "x"}, {"exported_a": "x"}),
    ],
)
def test_tags_of_other_meaning_are_renamed(render, kind, value, tags, expected):
    (names,) = {
        frozenset(name for name, _ in tags) - {"group", "le", "a"}
        for _, tags in parsed(render(snapshot(stat("a", kind, value, tags=tags))))
    }
    assert names == set(expected)


def test_no_group_no_tag(render):
    assert parsed(render(snapshot(stat("a", "counter", 1, group="")))) == {("a_total", ()): 1.0}


def test_an_empty_snapshot():
    assert prometheus.render(snapshot()) == ""
    assert openmetrics.render(snapshot()) == "# EOF\n"


TEXTS = st.text(max_size=6)
NUMBERS = st.one_of(st.integers(0, 2**64), st.floats())
STATS = st.builds(
    lambda label, kind, value, unit, tags, group, help_: stat(
        label or "x",
        kind,
        value if kind != "counter" else abs(int(value)) if value == value and abs(value) < inf else 0,  # noqa: PLR0124
        unit=unit,
        tags=tags,
        group=group,
        help=help_,
    ),
    TEXTS,
    st.sampled_from(KINDS),
    NUMBERS,
    st.sampled_from(["", "seconds", "m²"]),
    st.dictionaries(st.sampled_from(["a", "b", "le", "group", "__x", "_x", "value"]), TEXTS, max_size=3),
    TEXTS,
    TEXTS,
)


@given(st.lists(STATS, max_size=6, unique_by=lambda one: (one.label, one.group, one.about.tags)))
def test_any_texts_come_through(stats):
    """Whatever is in labels, tags, groups and helps: the parsers agree on how many samples there are."""
    for form in (prometheus, openmetrics):
        text = form.render(snapshot(*stats))
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        assert len(parsed(text)) == len(lines)


def test_promtool_finds_nothing():
    """With a help everywhere, as it demands; and labels that keep to Prometheus's manners."""
    whole = snapshot(
        stat("web.requests", "counter", 5, help="all"),
        stat("web.bytes", "counter", 5, unit="bytes", help="all"),
        stat("web.latency", "timer", histogram([0.5], timer=True), unit="seconds", help="all"),
        stat("web.size", "histogram", histogram([0.5], Range(3, -20, 12, (1.0, 2.0))), help="all"),
        stat("web.mean", "average", 1.0, parts=(2.0, 2), help="all"),
        stat("web.build", "info", 'version="1\\"2"', help="all"),
        stat("web.state", "enum", "up", help="all"),
        stat("web.free", "gauge", inf, unit="bytes", tags={"disk": 'a"\\b\nc'}, help='all \\ "'),
    )
    assert promtool(prometheus.render(whole)) == (0, "")


def test_promtool_can_find_something():
    assert promtool("a_total 5\na_total 6\n")[0] != 0


def test_seconds_have_the_range_of_the_tests():
    assert (SECONDS.low, SECONDS.high) == (-20, 12)


def test_values_below_zero_are_not_above_any_edge(render):
    given = stat("a", "histogram", histogram([-2.0, -1.0, 0.0, 0.3]))
    found = parsed(render(snapshot(given)))
    counts = {dict(tags)["le"]: value for (name, tags), value in found.items() if name == "a_bucket"}
    assert set(counts.values()) == {3, 4}
    assert counts[min(counts, key=float)] == 3
