"""A token that is lowered: every update asks, none is lost, and no fork is seen where there was none."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def raised_again(twin):
    """Let the next test find the token standing."""
    yield
    twin.token.renew()


@pytest.fixture
def asking(twin, memory):
    """A function: a counter whose opener attaches memory once, and what it was asked."""

    def make(**options):
        mine, asked = memory(2, [77]), []

        def opener(segment):
            asked.append(segment.is_attached)
            if not segment.is_attached:
                segment.attach(mine.view, **options)

        return twin.Counter(twin.Segment(opener), 1, 1, "hits", None), mine, asked

    return make


def test_every_update_asks_until_the_token_is_renewed(twin, asking):
    counter, mine, asked = asking()
    counter.incr()
    twin.token.lower()
    assert (False, True) == (twin.token.stands, twin.token.is_ours)
    for _ in range(3):
        counter.incr()
    assert [False, True, True, True] == asked
    twin.token.renew()
    counter.incr()
    assert (5, 4, True) == (mine[1], len(asked), twin.token.stands)


def test_a_lowered_token_is_still_ours_but_not_a_childs(twin, in_child):
    twin.token.lower()
    assert (True, False) == (twin.token.is_ours, in_child(lambda: twin.token.is_ours))


def test_what_a_child_attached_is_not_the_parents(twin, asking, in_child):
    counter, _, asked = asking()
    counter.incr()
    twin.token.lower()
    assert in_child(lambda: counter.incr() or asked) == [False, False]


def test_a_thread_that_ends_gives_its_lane_back_though_the_token_is_down(twin, asking, in_thread):
    counter, mine, _ = asking(release=True)
    twin.token.lower()
    in_thread(counter.incr)
    gc.collect()
    assert (0, 1) == (mine[0], mine[1])


def test_a_segment_says_whether_the_thread_is_attached(twin, memory, in_thread):
    mine = memory()
    segment = twin.Segment(lambda segment: segment.attach(mine.view))
    states = [segment.is_attached]
    segment.attach(mine.view)
    states += [segment.is_attached, in_thread(lambda: segment.is_attached)]
    segment.forget()
    states.append(segment.is_attached)
    segment.attach(mine.view)
    segment.close()
    assert [False, True, False, False, False] == [*states, segment.is_attached]
