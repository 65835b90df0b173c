"""What goes up and down, over threads, forks and deaths."""

from __future__ import annotations

import pytest

import programs

HOLDING = """
import ctypes, signal
class Web(mmstats.BaseMmStats):
    inflight = mmstats.UpDownField()
    owed = mmstats.UpDownField(keep=True)
stats = Web()

def value(label):
    combined = mmstats.combined()
    assert not combined.problems, combined.problems
    return combined.value(label, default=None)
"""
FORKS = {"os.fork": "os.fork", "libc.fork": "getattr(ctypes, 'PyDLL', ctypes.CDLL)(None).fork"}


def test_threads_are_exact(twin, stats_dir):
    """8 threads that add and take away at a switch interval of 1 µs."""
    programs.run(
        HOLDING
        + """
sys.setswitchinterval(1e-6)
def work(number):
    for _ in range(50_000):
        stats.inflight.incr(number)
        stats.inflight.decr()
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert stats.inflight.total == value('inflight') == 50_000 * (28 - 8), stats.inflight.total
""",
        twin,
        stats_dir,
    )


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_a_child_takes_nothing_away_for_what_its_parent_holds(twin, stats_dir, fork):
    """It leaves the same block, with and without an update of its own before, and owes nothing."""
    programs.run(
        HOLDING
        + f"fork = {fork}"
        + """
children = []
with stats.inflight.held():
    children.append(fork())
    if children[-1]:
        children.append(fork())
    elif stats.inflight.held().__enter__():
        pass
    if all(children):
        assert value('inflight') >= 1
if not all(children):
    expected = 1 if len(children) == 1 else 0
    assert stats.inflight.total == expected, stats.inflight.total
    os._exit(0)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
assert stats.inflight.total == value('inflight') == 0, stats.inflight.total
""",
        twin,
        stats_dir,
    )


def test_what_a_killed_process_held_is_gone_at_once(twin, stats_dir):
    """But not what it was told to keep."""
    programs.run(
        HOLDING
        + """
reader, writer = os.pipe()
child = os.fork()
if not child:
    stats.inflight.incr(5)
    stats.owed.incr(7)
    stats.owed.decr(2)
    os.write(writer, b'.')
    signal.pause()
os.read(reader, 1)
assert (value('inflight'), value('owed')) == (5, 5)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
assert (value('inflight'), value('owed')) == (0, 5), (value('inflight'), value('owed'))
""",
        twin,
        stats_dir,
    )


def test_a_persistent_one_goes_on_only_if_it_is_kept(twin, stats_dir):
    program = """
class Web(mmstats.BaseMmStats):
    inflight = mmstats.UpDownField()
    owed = mmstats.UpDownField(keep=True)
stats = Web(filename='web.mmstats', persistent=True)
stats.inflight.decr(3)
stats.owed.decr(3)
print(stats.inflight.total, stats.owed.total)
"""
    said = [programs.run(program, twin, stats_dir).stdout.split() for _ in range(3)]
    assert said == [["-3", "-3"], ["-3", "-6"], ["-3", "-9"]]
