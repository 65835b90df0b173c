"""A persistent file that could not be made at first: it takes over what earlier runs left, once."""

from __future__ import annotations

import pytest

import programs

pytestmark = pytest.mark.main  # what it rests on is tested everywhere

PROGRAM = """
from errno import ENOSPC
from mmstats.publish import backing, healing

class Billing(mmstats.BaseMmStats):
    paid = mmstats.CounterField()
    size = mmstats.AverageField()
    most = mmstats.UIntField(aggregate='max', keep=True)

def begin():
    stats = Billing(filename='billing.mmstats', persistent=True)
    use(stats)
    return stats

def use(stats):
    stats.paid.incr(3)
    stats.size.add(10)
    stats.most = 5

now, full = 0, False
healing.clock = lambda: now
reserve = backing.reserve
def refuse(*arguments):
    if full:
        raise OSError(ENOSPC, 'No space left on device')
    reserve(*arguments)
backing.reserve = refuse

def recover():
    global now, full
    now, full = now + 1, False

def seen():
    whole = mmstats.combined()
    assert not whole.problems, [str(problem) for problem in whole.problems]
    return whole.value('paid'), whole.value('size'), whole.value('most')
"""


@pytest.fixture
def run(twin, tmp_path):
    """Runs a script, after the program above, in a process of its own."""

    def run(script: str) -> str:
        return programs.run(PROGRAM + script, twin, tmp_path).stdout

    return run


def names(directory):
    return [path.name for path in programs.files(directory)]


REST = """
begin()
print(*seen())
"""


def test_it_takes_over_when_there_is_space(run, tmp_path):
    run("begin(); begin()")
    run("""
full = True
stats = begin()
assert (stats.filename, stats.paid.total, seen()) == (None, 3, (6, 10.0, 5))
recover()
use(stats)
assert (stats.paid.total, stats.paid.value, seen()) == (12, 6, (12, 10.0, 5)), (stats.paid.total, seen())
now += 1
use(stats)
assert seen() == (15, 10.0, 5)
""")
    assert names(tmp_path) == ["billing.mmstats"]
    assert run(REST).split() == ["18", "10.0", "5"]


def test_a_label_that_nobody_declares_comes_along(run):
    run("""
class Before(mmstats.BaseMmStats):
    other = mmstats.CounterField()
Before(filename='billing.mmstats', persistent=True).other.incr(7)
""")
    run("""
full = True
stats = begin()
recover()
use(stats)
assert (mmstats.combined().value('other'), seen()[0]) == (7, 6)
class Again(mmstats.BaseMmStats):
    other = mmstats.CounterField()
assert Again(filename='billing.mmstats', persistent=True).other.total == 7
""")
    assert run("begin(); print(mmstats.combined().value('other'))").split() == ["7"]


@pytest.mark.parametrize("step", ["replace", "_lock"])
def test_a_try_that_fails_late_takes_nothing(run, step, tmp_path):
    """The old file goes on to count, and the next try has its totals once."""
    run("begin()")
    run(f"""
step = {step!r}
good = getattr(backing.File, step)
def bad(*arguments):
    raise OSError(ENOSPC, 'no room for a name')
full = True
stats = begin()
setattr(backing.File, step, bad)
for _ in range(3):
    recover()
    use(stats)
    assert stats.paid.total == stats.paid.value, stats.paid.total
setattr(backing.File, step, good)
recover()
use(stats)
assert (stats.paid.value, stats.paid.total) == (15, 18), (stats.paid.value, stats.paid.total)
assert seen() == (18, 10.0, 5), seen()
""")
    assert names(tmp_path) == ["billing.mmstats"]
    assert run(REST).split() == ["21", "10.0", "5"]


def test_a_directory_that_cannot_be_brought_to_its_disk(run, tmp_path):
    """The new file has the name by then; only those beside it stay until the next run."""
    run("""
stats = begin()
if not os.fork():
    use(stats)
    os._exit(0)
os.wait()
""")
    run("""
import stat
sync = os.fsync
def refuse(fd):
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        raise OSError(5, 'Input/output error')
    sync(fd)
os.fsync = refuse
stats = begin()
assert stats.filename.endswith('billing.mmstats') and stats.paid.total == 9, stats.paid.total
assert seen() == (9, 10.0, 5), seen()
""")
    assert len(names(tmp_path)) == 2
    assert run(REST).split() == ["12", "10.0", "5"]
    assert names(tmp_path) == ["billing.mmstats"]


def test_a_child_begins_at_zero_and_the_parent_takes_over(run):
    run("begin()")
    run("""
full = True
stats = begin()
pid = os.fork()
if not pid:
    use(stats)
    recover()
    use(stats)
    assert stats.filename and stats.paid.total == 6, (stats.filename, stats.paid.total)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
recover()
use(stats)
assert stats.filename and seen() == (15, 10.0, 5), seen()
""")
    assert run(REST).split() == ["18", "10.0", "5"]


def test_a_file_that_was_deleted_is_made_again_with_its_totals(run, tmp_path):
    run("begin()")
    run("""
stats = begin()
os.unlink(stats.filename)
stats.flush()
assert seen() == (6, 10.0, 5) and stats.paid.total == 6, (seen(), stats.paid.total)
""")
    assert names(tmp_path) == ["billing.mmstats"]
    assert run(REST).split() == ["9", "10.0", "5"]


def test_flush_says_so_while_there_is_no_file(run):
    run("""
full = True
stats = begin()
try:
    stats.flush()
except mmstats.RegionError:
    pass
else:
    raise AssertionError('no RegionError')
full = False
stats.flush()
assert seen() == (3, 10.0, 5)
""")
