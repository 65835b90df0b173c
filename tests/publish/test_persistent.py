"""Persistent files: after a restart counts go on where the file stood."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import programs

pytestmark = pytest.mark.main  # what it rests on is tested everywhere

PERSISTENT = """
class Billing(mmstats.MmStats):
    paid = mmstats.CounterField()
    euros = mmstats.CounterField(float=True)
    size = mmstats.AverageField()
    latency = mmstats.TimerField(size=4)
    most = mmstats.UIntField(aggregate='max', keep=True)
    now = mmstats.UIntField()
    phase = mmstats.StringField()

def begin(**more):
    return Billing(filename='billing.mmstats', persistent=True, **more)
"""
USE = """
stats = begin()
stats.paid.incr(3)
stats.euros.incr(0.5)
stats.size.add(10)
stats.latency.observe(0.25)
stats.most = max(stats.most, {most})
stats.now = 7
stats.phase = 'up'
"""

FIRST = """
class First(mmstats.BaseMmStats):
    other = mmstats.CounterField()
first = First(filename='billing.mmstats', persistent=True)
"""


@pytest.fixture
def run(twin, tmp_path):
    """Runs a script, after the model above, in a process of its own."""

    def run(script, **options):
        return programs.run(PERSISTENT + script, twin, tmp_path, **options).stdout

    return run


@pytest.fixture
def directory(tmp_path):
    return tmp_path


def names(directory):
    return [path.name for path in programs.files(directory)]


def seen(run):
    """What readers see of the counts, of one file or several."""
    return run("""
whole = mmstats.combined()
assert not whole.problems, [str(problem) for problem in whole.problems]
latency = whole.value('latency')
print(whole.value('paid'), whole.value('euros'), whole.value('size'), whole.value('most'),
      whole.value('now', 0), latency.count, latency.sum, latency.min, latency.max)
""").split()


def test_counts_go_on_after_a_restart(run, directory):
    run(USE.format(most=5))
    assert seen(run) == ["3", "0.5", "10.0", "5", "0", "1", "0.25", "0.25", "0.25"]
    run(USE.format(most=2) + "stats.size.add(40); stats.latency.observe(1.0)")
    assert seen(run) == ["6", "1.0", "20.0", "5", "0", "3", "1.5", "0.25", "1.0"]
    assert names(directory) == ["billing.mmstats"]


def test_what_a_thread_shows_of_itself_begins_anew(run):
    run(USE.format(most=5))
    said = run(
        USE.format(most=5)
        + """
print(stats.paid.value, stats.paid.total, stats.size.value)
print(stats.latency.value, stats.latency.last, stats.now)
"""
    )
    assert said.split() == ["3", "6", "10.0", "0.25", "0.25", "7"]


def test_killed_or_ended_in_order_makes_no_difference(run):
    run(USE.format(most=5) + "os.kill(os.getpid(), 9)", check=False)
    run(USE.format(most=5))
    run(USE.format(most=5) + "stats.remove()")
    assert seen(run)[0] == "9"


def test_removed_and_discarded_it_is_gone(run, directory):
    run(USE.format(most=5) + "stats.remove(discard=True)")
    assert names(directory) == []


def test_a_second_writer_publishes_beside_and_is_taken_over_too(run, directory):
    said = run(
        USE.format(most=5)
        + """
import subprocess
pid = os.fork()
if not pid:
    stats.paid.incr(10)
    print(os.path.basename(stats.filename), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""
    )
    assert said.startswith("billing-")
    assert len(names(directory)) == 2
    assert seen(run)[0] == "13"
    run("stats = begin(); assert stats.paid.total == 13, stats.paid.total")
    assert names(directory) == ["billing.mmstats"]
    assert seen(run)[0] == "13"


def test_two_programs_at_once(twin, directory, run):
    script = (
        PERSISTENT
        + """
stats = begin()
stats.paid.incr()
print('up', flush=True)
sys.stdin.read()
"""
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", programs.MODEL + script],
            env=programs.environment(twin, directory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        assert [writer.stdout.readline() for writer in writers] == ["up\n"] * 4
        assert len(names(directory)) == 4
        writers[0].send_signal(signal.SIGKILL)
    finally:
        for writer in writers:
            writer.communicate(timeout=60)
    assert seen_paid(run) == "4"
    assert run("print(begin().paid.total)").split() == ["4"]
    assert names(directory) == ["billing.mmstats"]
    assert seen_paid(run) == "4"


def seen_paid(run):
    return run("print(mmstats.combined().value('paid'))").strip()


def test_one_that_starts_while_another_runs_leaves_it_its_file(twin, directory, run):
    said = run(
        """
first = begin(); first.paid.incr(2)
child = os.spawnv(os.P_WAIT, sys.executable, [sys.executable, '-c', '''
import mmstats
class Billing(mmstats.MmStats):
    paid = mmstats.CounterField()
stats = Billing(filename=\"billing.mmstats\", persistent=True)
stats.paid.incr(5)
'''])
assert child == 0
print(os.path.basename(first.filename), first.paid.total, mmstats.combined().value('paid'))
"""
    )
    assert said.split() == ["billing.mmstats", "2", "7"]
    assert seen_paid(run) == "7"


def test_what_the_program_no_longer_declares_is_carried_on(run):
    run(USE.format(most=5))
    run("""
class Later(mmstats.BaseMmStats):
    other = mmstats.CounterField()
Later(filename='billing.mmstats', persistent=True).other.incr()
""")
    run("""
class Later(mmstats.BaseMmStats):
    other = mmstats.CounterField()
Later(filename='billing.mmstats', persistent=True)
""")
    assert seen(run)[:3] == ["3", "0.5", "10.0"]


def test_a_model_that_joins_later_finds_its_total(run):
    run(USE.format(most=5))
    said = run("""
class First(mmstats.BaseMmStats):
    other = mmstats.CounterField()
first = First(filename='billing.mmstats', persistent=True)
first.other.incr()
stats = begin()
stats.paid.incr()
print(stats.paid.total, mmstats.combined().value('paid'), mmstats.combined().value('latency').count)
""")
    assert said.split() == ["4", "4", "1"]


@pytest.mark.parametrize(
    "first",
    [
        "",
        FIRST,
    ],
)
def test_a_ring_of_another_size_keeps_its_totals(run, first):
    """Whether it is declared with the file, or when that is there already."""
    run(USE.format(most=5))
    said = run(
        first
        + """
class Wider(mmstats.BaseMmStats):
    latency = mmstats.TimerField(size=400)
stats = Wider(filename='billing.mmstats', persistent=True)
stats.latency.observe(0.75)
value = mmstats.combined().value('latency')
print(value.count, value.sum, value.max, value.last, stats.latency.value)
"""
    )
    assert said.split() == ["2", "1.0", "0.75", "0.75", "0.75"]


def test_a_label_that_means_something_else_now_begins_at_zero_and_is_said(run):
    run(USE.format(most=5))
    done = run("""
logging.basicConfig(stream=sys.stdout, format='%(message)s')
class Other(mmstats.BaseMmStats):
    paid = mmstats.AverageField()
stats = Other(filename='billing.mmstats', persistent=True)
stats.paid.add(2)
print(mmstats.combined().value('paid'))
""")
    assert "'paid' was counter" in done
    assert done.split()[-1] == "2.0"


def test_a_damaged_file_is_put_aside(run, directory):
    run(USE.format(most=5))
    path = directory / "billing.mmstats"
    data = bytearray(path.read_bytes())
    data[512 + 4 : 512 + 8] = b"\x07\0\0\0"
    path.write_bytes(data)
    said = run("""
logging.basicConfig(stream=sys.stdout, format='%(message)s')
stats = begin()
stats.paid.incr()
""")
    assert "billing.mmstats is damaged" in said
    assert sorted(path.name for path in directory.iterdir()) == ["billing.mmstats", "billing.mmstats.bad"]


def spoil(path, content):
    path.write_bytes(content(path.read_bytes()))


UNREADABLE = {
    "nothing": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "half a header": lambda data: data[:300],
    "a header without sense": lambda data: data[:12] + b"\7" + data[13:],
}
BEGIN = """
logging.basicConfig(stream=sys.stdout, format='%(message)s')
stats = begin()
stats.paid.incr()
"""


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_whose_header_says_nothing_is_put_aside(run, directory, what):
    """As a loss of power may leave it; the name is free again, and what is put aside stays."""
    path = directory / "billing.mmstats"
    for _ in range(2):
        run(USE.format(most=5))
        spoil(path, UNREADABLE[what])
        assert "billing.mmstats is damaged" in run(BEGIN)
    names = ["billing.mmstats", "billing.mmstats.2.bad", "billing.mmstats.bad"]
    assert sorted(path.name for path in directory.iterdir()) == names


def test_what_is_no_file_of_ours_keeps_its_name(run, directory):
    """The program publishes beside it, and says what is in the way."""
    path = directory / "billing.mmstats"
    path.write_text("dear diary")
    assert "billing.mmstats" in run(BEGIN)
    assert path.read_text() == "dear diary"
    assert seen_paid(run) == "1"


def test_a_file_that_came_back_from_a_backup_goes_on(run, directory):
    """It has another inode, so readers do not count it; the next run does."""
    run(USE.format(most=5))
    path = directory / "billing.mmstats"
    data = path.read_bytes()
    path.unlink()
    (directory / "hold").write_bytes(b"")  # so that the inode is not used again
    path.write_bytes(data)
    assert run("print(begin().paid.total)").split() == ["3"]


def test_a_file_that_was_taken_over_and_could_not_be_removed_does_not_count_twice(run, directory, twin):
    run(
        USE.format(most=5)
        + """
pid = os.fork()
if not pid:
    stats.paid.incr(10)
    os._exit(0)
os.waitpid(pid, 0)
"""
    )
    beside = next(name for name in names(directory) if name != "billing.mmstats")
    os.link(directory / beside, directory / "kept")
    run("begin().paid.incr()")
    os.rename(directory / "kept", directory / beside)
    assert seen_paid(run) == "14"
    run("begin().paid.incr()")
    assert seen_paid(run) == "15"
    assert names(directory) == ["billing.mmstats"]


def test_a_name_that_the_next_run_cannot_know_is_refused(mmstats):
    with pytest.raises(mmstats.UsageError, match="the next run must find the file again"):
        mmstats.MmStats(persistent=True)
    with pytest.raises(mmstats.UsageError, match="the next run must find the file again"):
        mmstats.MmStats(persistent=True, filename="{CMD}-{PID}.mmstats")


def test_a_disk_that_takes_nothing_leaves_what_there_was(run, directory):
    """The new file cannot be made: the old one stays as it is, and the program counts on."""
    run(USE.format(most=5))
    said = run("""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stats = begin()
stats.paid.incr()
print(stats.filename, stats.paid.value)
try:
    stats.flush()
except mmstats.RegionError as error:
    print('RegionError')
""")
    assert said.split() == ["None", "1", "RegionError"]
    assert seen_paid(run) == "3"
    assert run("print(begin().paid.total)").split() == ["3"]
