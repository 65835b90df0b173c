"""GaugeField as a program uses it, as readers see it, and with a callable that says its value."""

from __future__ import annotations

import logging
import math
import os
import threading
import time

import pytest

LONG = 20.0


@pytest.fixture
def model(mmstats):
    class Pool(mmstats.BaseMmStats):
        free = mmstats.GaugeField(unit="connections", help="not in use")
        age = mmstats.GaugeField(aggregate="max")
        hits = mmstats.CounterField()

    return Pool


@pytest.fixture
def ticker(mmstats):
    """The module that asks callables, with a beat that a test can wait for."""
    from mmstats.publish import ticker

    before = ticker.BEAT, ticker.PATIENCE
    ticker.BEAT = ticker.PATIENCE = 0.02
    yield ticker
    ticker.BEAT, ticker.PATIENCE = before
    ticker.tracked.clear()


@pytest.fixture
def by_hand(mmstats):
    """Nobody asks but the test."""
    from mmstats.publish import ticker

    with ticker.ByHand():
        yield ticker


def value(mmstats, label="free"):
    whole = mmstats.combined()
    assert [str(problem) for problem in whole.problems] == []
    return whole.value(label)


def wait_for(condition):
    """Until it is so; an error where it never is."""
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.005)


def test_a_gauge_is_what_was_set_last(mmstats, model):
    stats = model()
    assert (stats.free.value, value(mmstats)) == (0.0, 0.0)
    stats.free.set(12)
    assert stats.free.value == value(mmstats) == 12.0
    stats.free = 7.5
    stats.age = -3
    thread = threading.Thread(target=lambda: stats.free.set(stats.free.value + 1))
    thread.start()
    thread.join()
    assert (stats.free.value, value(mmstats)) == (8.5, 8.5), "it is the process's, whoever set it"
    assert value(mmstats, "age") == -3.0
    (snapshot,) = mmstats.snapshot()
    stat = snapshot.stats[0]
    assert (stat.kind, stat.unit, stat.help, stat.aggregate) == ("gauge", "connections", "not in use", "sum")


def test_infinity_is_lawful_and_a_nan_is_dropped(mmstats, model):
    stats = model()
    stats.age = math.inf
    stats.age = math.nan
    assert (stats.age.value, value(mmstats, "age")) == (math.inf, math.inf)
    assert mmstats.dropped.by_reason == {"value": 1}


def test_it_is_set_to_the_current_time(mmstats, model, monkeypatch):
    stats = model()
    before = time.time()
    stats.age.set_to_current_time()
    assert before <= value(mmstats, "age") <= time.time()


def test_it_is_never_read_in_order_to_be_written(model):
    stats = model()
    with pytest.raises(TypeError):
        stats.free += 1
    assert stats.free.value == 0.0


def test_two_models_of_one_label_have_one_gauge(mmstats, model):
    one, other = model(), model()
    one.free = 5
    assert other.free.value == value(mmstats) == 5.0


def test_how_processes_combine_is_said_by_its_words(mmstats):
    for word in ("sum", "max", "min", "avg", "last", "all"):
        mmstats.GaugeField(aggregate=word)
    for word in ("any", "set", "", "mean", 5):
        with pytest.raises(mmstats.UsageError, match=f"aggregate={word!r}: expected one of sum, max"):
            mmstats.GaugeField(aggregate=word)
    with pytest.raises(mmstats.UsageError, match="keep=True says nothing here"):
        mmstats.GaugeField(keep=True)


def test_a_removed_gauge_is_not_set_and_cannot_be_read(mmstats, model):
    stats = model()
    stats.remove()
    stats.free = 5
    assert mmstats.dropped.by_reason == {"removed": 1}
    with pytest.raises(mmstats.Removed, match="'free' was removed"):
        stats.free.value  # noqa: B018 - reading it is the point


# --- a callable says the value -----------------------------------------------------------------------


def test_a_callable_is_asked_at_every_tick(mmstats, model, by_hand):
    stats, numbers = model(), [3, 4]
    assert stats.free.track(numbers.pop) == numbers.pop
    mmstats.tick()
    assert value(mmstats) == 4.0
    mmstats.tick()
    assert value(mmstats) == 3.0


def test_by_hand_nobody_else_asks(mmstats, model, ticker):
    """Not even the round that was under way; afterwards somebody does again."""
    stats, asked, more = model(), [], []
    stats.free.track(lambda: asked.append(1) or len(asked))
    wait_for(lambda: asked)
    with ticker.ByHand(), ticker.ByHand():
        before = len(asked)
        other = threading.Thread(target=wait_for, args=(lambda: more.append(1) or len(more) > 20,))
        other.start()
        other.join()
        assert len(asked) == before
        mmstats.tick()
        assert (len(asked), value(mmstats)) == (before + 1, before + 1)
    wait_for(lambda: len(asked) > before + 1)


def test_by_hand_may_be_within_by_hand_and_waits_for_nobody(mmstats, ticker):
    """Also a second time: nobody is asking then."""
    ticker.PATIENCE = LONG
    begin = time.monotonic()
    with ticker.ByHand():
        for _ in range(3):
            with ticker.ByHand():
                mmstats.tick()
    assert time.monotonic() - begin < LONG


def test_by_hand_one_that_does_not_return_gets_no_successor(mmstats, model, ticker):
    stats, asked, stuck, over = model(), [], threading.Event(), threading.Event()
    stats.free.track(lambda: stuck.set() or over.wait(LONG))
    stats.age.track(lambda: asked.append(1) or 1)
    stuck.wait(LONG)
    with ticker.ByHand():
        before = len(asked)
        over.wait(10 * ticker.PATIENCE)
        assert len(asked) == before
        over.set()


def test_the_thread_that_gave_way_ends(model, ticker):
    stats, asked = model(), []
    stats.free.track(lambda: asked.append(threading.get_native_id()) or 1)
    wait_for(lambda: asked)
    with ticker.ByHand():
        wait_for(lambda: str(asked[0]) not in os.listdir("/proc/self/task"))


def test_it_is_a_decorator_and_the_last_one_counts(mmstats, model, by_hand):
    stats = model()

    @stats.free.track
    def one():
        return 1

    @stats.free.track
    def two():
        return 2

    mmstats.tick()
    assert (stats.free.value, one(), two()) == (2.0, 1, 2)


def test_one_thread_asks_by_itself(mmstats, model, ticker):
    stats, threads = model(), []
    stats.free.track(lambda: threads.append(threading.get_ident()) or len(threads))
    stats.age.track(lambda: threads.append(threading.get_ident()) or 7)
    wait_for(lambda: len(threads) > 20)
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()
    wait_for(lambda: value(mmstats) > 20)
    assert value(mmstats, "age") == 7.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: 1 / 0, "'free': its callable raised, the last value stays: ZeroDivisionError"),
        (lambda: "many", "the last value stays: TypeError(\"'free' takes a number, not str: 'many'"),
    ],
)
def test_a_mistake_is_logged_once_and_the_last_value_stays(mmstats, model, by_hand, caplog, wrong, said):
    stats = model()
    stats.free = 5
    stats.free.track(wrong)
    stats.age.track(lambda: 6)
    with caplog.at_level(logging.WARNING, "mmstats"):
        for _ in range(3):
            mmstats.tick()
    assert (value(mmstats), value(mmstats, "age")) == (5.0, 6.0)
    (message,) = caplog.messages
    assert said in message


def test_the_thread_survives_whatever_is_raised(model, ticker, caplog):
    stats, asked = model(), []

    def leave():
        asked.append(1)
        raise SystemExit

    stats.free.track(leave)
    wait_for(lambda: len(asked) > 3)
    wait_for(lambda: any("SystemExit" in message for message in caplog.messages))


def test_what_a_tick_by_hand_is_interrupted_by_comes_through(mmstats, model, by_hand):
    def interrupted():
        raise KeyboardInterrupt

    stats = model()
    stats.free.track(interrupted)
    with pytest.raises(KeyboardInterrupt):
        mmstats.tick()


def test_one_that_does_not_return_holds_up_nobody_else(mmstats, model, ticker, caplog):
    stats, asked, over, stuck = model(), [], threading.Event(), []

    def stick():
        stuck.append(threading.get_ident())
        over.wait(LONG)
        return 99

    stats.free.track(stick)
    stats.age.track(lambda: asked.append(1) or len(asked))
    wait_for(lambda: len(asked) > 10)
    assert (len(stuck), value(mmstats)) == (1, 0.0), "who is under way is not asked again"
    assert "has not returned" in "".join(caplog.messages)
    over.set()
    wait_for(lambda: len(set(stuck)) > 1)
    assert value(mmstats) == 99.0


def test_a_removed_model_is_not_asked_any_more(mmstats, model, by_hand):
    stats, asked = model(), []
    stats.free.track(lambda: asked.append(1) or 1)
    mmstats.tick()
    stats.remove()
    mmstats.tick()
    assert by_hand.tracked == {}
    assert mmstats.dropped.by_reason == {}


def test_what_cannot_be_asked_is_an_error_where_it_stands(mmstats, model):
    stats = model()
    with pytest.raises(mmstats.UsageError, match=r"'free': track\(\) wants a callable .*: 5"):
        stats.free.track(5)
