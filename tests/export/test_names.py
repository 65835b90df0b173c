"""Names of metrics: as labels, no two the same, whatever came first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmstats.export.names import SUFFIXES, mangled, names_of

LABELS = st.text("ab._é1 :-", min_size=1, max_size=5)
UNITS = st.sampled_from(["", "seconds", "bytes", "1/s", "%", "a_b"])
FAMILIES = st.lists(st.tuples(LABELS, st.sampled_from(sorted(SUFFIXES)), UNITS), max_size=30)


@pytest.mark.parametrize(
    ("label", "type_", "unit", "name"),
    [
        ("web.requests", "counter", "", "web_requests"),
        ("web.requests.total", "counter", "", "web_requests"),  # `_total` comes with the sample
        ("web.requests.total", "gauge", "", "web_requests_total"),
        ("web.latency", "histogram", "seconds", "web_latency_seconds"),
        ("web.latency_seconds", "histogram", "seconds", "web_latency_seconds"),
        ("sent.bytes.total", "counter", "bytes", "sent_bytes"),
        ("build.info", "info", "", "build"),
        ("2XX", "counter", "", "_2XX"),
        ("größe", "gauge", "", "gr__e"),
        ("a:b", "gauge", "", "a_b"),  # a colon is for recording rules
        ("rate", "gauge", "1/s", "rate_1_s"),
        ("load", "gauge", "%", "load"),
        ("total", "counter", "", "total"),
    ],
)
def test_a_label_by_itself(label, type_, unit, name):
    assert names_of([(label, type_, unit)]) == {(label, type_, unit): name}


def test_who_needs_no_change_has_the_plain_name():
    names = names_of([("a.b", "gauge", ""), ("a_b", "gauge", "")])
    assert names["a_b", "gauge", ""] == "a_b"
    assert re.fullmatch(r"a_b_[0-9a-f]{8}", names["a.b", "gauge", ""])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "counter", ""), ("a_total", "gauge", "")),
        (("a", "histogram", ""), ("a_sum", "counter", "")),
        (("a", "histogram", ""), ("a", "gauge", "")),
        (("a", "gauge", ""), ("a", "gauge", "bytes")),
        (("a", "gauge", "bytes"), ("a_bytes", "gauge", "")),
        (("a", "info", ""), ("a_info", "gauge", "")),
    ],
)
def test_no_sample_is_called_like_another_familys(one, other):
    names = names_of([one, other])
    taken = [{names[key] + suffix for suffix in SUFFIXES[key[1]]} for key in (one, other)]
    assert not taken[0] & taken[1]


def test_the_unit_stays_behind_the_checksum():
    names = names_of([("a.b", "gauge", "bytes"), ("a_b_bytes", "gauge", "")])
    assert re.fullmatch(r"a_b_[0-9a-f]{8}_bytes", names["a.b", "gauge", "bytes"])


@given(FAMILIES, st.randoms())
def test_any_families_have_lawful_names_of_their_own(families, shuffler):
    names = names_of(families)
    taken = [names[key] + suffix for key in names for suffix in SUFFIXES[key[1]]]
    assert len(taken) == len(set(taken))
    assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in taken)
    shuffler.shuffle(families)
    assert names_of(families) == names


@given(st.text(max_size=8))
def test_mangled_is_lawful_and_stays(text):
    assert re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", mangled(text))
    assert mangled(mangled(text)) == mangled(text)
