"""Lanes belong to threads of the machine: greenlets share one, threads that come and go take turns."""

from __future__ import annotations

import subprocess

import pytest

import programs

LANES = """
def regions():
    from mmstats.publish import process
    return [region for publication in process.publications.values() for region in publication._regions]

def lanes():
    return sum(len(list(region.lanes)) for region in regions())

def has_a_lane():
    return all(region.lanes.of(threading.get_native_id()) for region in regions())
"""

PATCHED_BEFORE = "from gevent import monkey; monkey.patch_all()\n" + programs.MODEL + LANES
PATCHED_AFTER = programs.MODEL + LANES + "stats = Model()\nfrom gevent import monkey; monkey.patch_all()\n"
PATCHED = pytest.mark.parametrize(
    "start", [PATCHED_BEFORE, PATCHED_AFTER], ids=["patched before", "patched after"]
)


@pytest.mark.main  # gevent is installed for the main Python
@PATCHED
def test_a_thousand_greenlets_share_a_lane(twin, stats_dir, start):
    """Counts and timers of greenlets that take turns are exact; lanes are as few as threads."""
    programs.run(
        """
        import gevent, gevent.hub
        class More(Model):
            latency = mmstats.TimerField(label='latency')
        stats = More()
        def work():
            for _ in range(5):
                with stats.latency as context:
                    stats.count.incr()
                    gevent.sleep(0)
                    stats.number += 1
                assert context.done
        gevent.joinall([gevent.spawn(work) for _ in range(1000)], raise_error=True)
        assert has_a_lane()  # also when the greenlet is gone that counted first
        pool = gevent.hub.get_hub().threadpool
        assert all(pool.map(lambda _: stats.count.incr() is None, range(500)))
        assert lanes() <= 1 + pool.maxsize, lanes()
        assert stats.latency.value >= 0
        assert mmstats.combined().value('latency').count == 5000
        assert stats.count.total == 5500, stats.count.total
        """,
        twin,
        stats_dir,
        start=start,
    )
    found = programs.totals(twin, stats_dir)
    assert (found["count"], found["number"]) == (5500, 5000)


@pytest.mark.main
@PATCHED
def test_a_static_that_yields_while_greenlets_count(twin, stats_dir, start):
    """One that waits lets others in, while a model is made: nothing hangs, nothing stays put off."""
    programs.run(
        """
        import gevent
        def slowly():
            gevent.sleep(.002)
            return os.getpid()
        class Slow(Model):
            pid = mmstats.StaticUIntField(label='pid', value=slowly)
        stats = Slow()
        def work(number):
            other = Slow(label_prefix=f'{number}.')
            stats.count.incr()
            other.count.incr()
            gevent.sleep(0)
            other.remove()
        def check(number):
            gevent.joinall([gevent.spawn(work, number) for number in range(number)], raise_error=True)
            thread = threading.Thread(target=stats.count.incr)
            thread.start()
            thread.join()
            mine = [s for s in mmstats.snapshot() if s.origin.pid == os.getpid()]
            seen = [s for s in mine if s.origin.state == 'alive']
            assert [s.value('pid') for s in seen] == [os.getpid()], seen
            assert seen[0].value('count') == stats.count.total == number + 1, (seen, stats.count.total)
        check(100)
        pid = os.fork()
        if not pid:
            check(50)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        """,
        twin,
        stats_dir,
        start=start,
    )
    assert programs.totals(twin, stats_dir)["count"] == 101 + 51


CALLS_BACK = """
#include <pthread.h>

static void (*callback)(void);
static int each;

static void *
work(void *nothing)
{
    for (int i = 0; i < each; i++) {
        callback();
    }
    return nothing;
}

/* Threads that Python did not make, AT_ONCE at a time; each calls back a few times, and ends. */
int
call_back(void (*function)(void), int threads, int times)
{
    enum { AT_ONCE = 8 };
    callback = function;
    each = times;
    for (int made = 0; made < threads; made += AT_ONCE) {
        pthread_t thread[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) {
            if (pthread_create(&thread[i], NULL, work, NULL) != 0) {
                return -1;
            }
        }
        for (int i = 0; i < AT_ONCE; i++) {
            pthread_join(thread[i], NULL);
        }
    }
    return 0;
}
"""


@pytest.mark.main  # where a C compiler is sure to be there
def test_a_thousand_threads_of_c_take_turns(twin, stats_dir, tmp_path):
    """Python forgets such a thread after each callback; nothing is lost, lanes are few."""
    (tmp_path / "calls_back.c").write_text(CALLS_BACK)
    library = tmp_path / "calls_back.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-pthread", "-o", library, tmp_path / "calls_back.c"], check=True
    )
    programs.run(
        LANES
        + f"""
import ctypes
library = ctypes.CDLL({str(library)!r})
stats = Model()
def count():
    stats.count.incr()
    stats.number += 1
assert library.call_back(ctypes.CFUNCTYPE(None)(count), 1000, 5) == 0
assert stats.count.total == 5000, stats.count.total
assert lanes() <= 9, lanes()
""",
        twin,
        stats_dir,
    )
    found = programs.totals(twin, stats_dir)
    assert (found["count"], found["number"]) == (5000, 5000)


def test_a_pool_of_threads_has_a_lane_for_each(twin, stats_dir):
    """Executors one after the other: the threads of the next go on in the lanes of the last."""
    programs.run(
        LANES
        + """
import concurrent.futures
stats = Model()
def count(number):
    stats.count.incr()
    stats.number += number
for _ in range(20):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(100)))
assert stats.count.total == 2000, stats.count.total
assert lanes() <= 8, lanes()
""",
        twin,
        stats_dir,
    )
    found = programs.totals(twin, stats_dir)
    assert (found["count"], found["number"]) == (2000, 20 * sum(range(100)))
