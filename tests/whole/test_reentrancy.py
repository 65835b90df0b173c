"""Code that runs in the middle of ours, on the same thread: no hang, and native counts are exact."""

from __future__ import annotations

import re
import sys
import textwrap

import pytest

import programs

PROGRAM = """
import gc, itertools, signal, time

class Other(mmstats.BaseMmStats):
    o = mmstats.CounterField(label='o')
    text = mmstats.StaticTextField(label='text', value='x' * 100)

class Compound(Model):
    average = mmstats.AverageField(label='average')
    phase = mmstats.StringField(label='phase')

stats = Compound()
came_in, made = itertools.count(), itertools.count()

def make_and_remove():
    if next(made) > 20_000:
        return  # a removed model leaves its room in the file, and a file has its limits
    other = Other()
    other.o.incr()
    other.remove()

def come_in(*_):
    number = next(came_in)
    stats.count.incr()
    stats.average.add(1)
    stats.phase = str(number)
    if number % 20 == 0:
        make_and_remove()

class Paced:  # once in half a millisecond
    def __init__(self):
        self.next = 0
    def __call__(self, *_):
        now = time.monotonic()
        if now >= self.next:
            self.next = now + .0005
            come_in()

class Cycle:
    def __init__(self):
        self.me = self

class Finalized(Cycle):
    def __del__(self):
        come_in()

def work():
    stats.count.incr()
    stats.average.add(1)

def go_on(seconds, garbage=lambda: None):
    mine = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        make_and_remove()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        for _ in range(50):
            work()
            garbage()
        mine += 51
    return mine

def finish(mine):
    ours = [one for one in mmstats.snapshot() if one.origin.pid == os.getpid()]
    (snapshot,) = [one for one in ours if one.origin.state == 'alive']
    assert not snapshot.problems, snapshot.problems
    labels = [stat.label for stat in snapshot.stats if stat.label != 'mmstats.dropped']
    assert labels == ['count', 'number', 'real', 'average', 'phase'], labels
    assert snapshot.value('count') == stats.count.total
    assert snapshot.value('average') == 1.0
    print(next(came_in), min(next(made), 20_001), mine, stats.count.total)
"""

WAYS_IN = {
    "signal handler": """
        signal.signal(signal.SIGALRM, come_in)
        signal.setitimer(signal.ITIMER_REAL, .0005, .0005)
        mine = go_on(SECONDS)
        signal.setitimer(signal.ITIMER_REAL, 0)
        """,
    "gc.callbacks": """
        gc.set_threshold(100)
        gc.callbacks.append(Paced())
        mine = go_on(SECONDS, Cycle)
        gc.callbacks.clear()
        """,
    "__del__": """
        gc.set_threshold(10)
        mine = go_on(SECONDS, Finalized)
        gc.collect()
        gc.set_threshold(700)
        """,
    "sys.setprofile": """
        sys.setprofile(Paced())
        threading.setprofile(Paced())
        mine = go_on(SECONDS)
        sys.setprofile(None)
        """,
    "sys.setprofile, each event": """
        sys.setprofile(come_in)
        threading.setprofile(come_in)
        mine = go_on(SECONDS)
        sys.setprofile(None)
        """,
}


PYPY = sys.implementation.name == "pypy"
COLLECTING = [
    pytest.param(way_in, marks=pytest.mark.skipif(PYPY, reason="not on PyPy: it collects when it likes"))
    for way_in in ("gc.callbacks", "__del__")
]
ALL_WAYS = [*COLLECTING, *(way_in for way_in in WAYS_IN if way_in not in {"gc.callbacks", "__del__"})]


def most_lost(twin, came_in):
    """Of the pure twin one may lose what it counts into the very cell that it interrupts (docs/python.md)."""
    often = PYPY or sys.version_info < (3, 10)
    return 0 if twin == "native" else came_in / (10 if often else 50)


def run(way_in, seconds, twin, directory):
    """How often the way in was taken, how many models were made, what was counted meanwhile, and lost."""
    script = PROGRAM + f"SECONDS = {seconds}\n" + textwrap.dedent(WAYS_IN[way_in]) + "finish(mine)\n"
    done = programs.run(script, twin, directory)
    came_in, made, mine, counted = map(int, done.stdout.split())
    return came_in, made, mine, came_in + mine - counted


@pytest.mark.parametrize("way_in", ALL_WAYS)
def test_who_comes_in_between_counts_makes_and_removes(twin, stats_dir, way_in):
    """It updates, makes and removes models while the program does the same: no hang, exact counts."""
    came_in, made, mine, lost = run(way_in, 1, twin, stats_dir)
    assert min(came_in, made, mine) > 10
    assert 0 <= lost <= most_lost(twin, came_in)


def test_one_comes_in_at_each_step_of_a_threads_first_update(twin, stats_dir):
    """What it counts while its thread has no cells yet is put off, and done: each step in turn."""
    done = programs.run(
        """
        stats = Model()
        def first_update(step):
            met = []
            def come_in(*_):
                met.append(1)
                if len(met) == step:
                    stats.count.incr()
            def work():
                sys.setprofile(come_in)
                stats.count.incr()
                sys.setprofile(None)
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return len(met)
        step = 1
        while first_update(step) >= step:
            step += 1
        print(step, stats.count.total)
        """,
        twin,
        stats_dir,
    )
    step, counted = map(int, done.stdout.split())
    assert step > 20
    assert 0 <= 2 * step - 1 - counted <= most_lost(twin, step)


@pytest.mark.soak
@pytest.mark.parametrize(
    "way_in", list(WAYS_IN)[:4]
)  # the last is as often as can be, for that the first second
def test_who_comes_in_between_for_a_minute(twin, stats_dir, way_in):
    """Its result goes into docs/soak.md, by hand."""
    came_in, made, mine, lost = run(way_in, 60, twin, stats_dir)
    print(
        f"\n| {programs.when_and_where()} | {twin}, {way_in} | {came_in:,} | {made:,} | {mine:,} | {lost} |"
    )
    assert 0 <= lost <= most_lost(twin, came_in)


@pytest.mark.main
@pytest.mark.parametrize("way_in", list(WAYS_IN)[:4])
def test_the_minute_is_recorded(twin, way_in):
    page = (programs.ROOT / "docs/soak.md").read_text()
    lost = "0" if twin == "native" else r"\d+"
    assert re.search(rf"^\| 20.*\| {twin}, {re.escape(way_in)} \|.*\| {lost} \|$", page, re.MULTILINE)


def test_a_handler_of_our_logger_counts_makes_and_removes(twin, stats_dir):
    """At each fault, in four threads at once, and with a fault in its own midst now and then."""
    programs.run(
        """
        taken = os.path.join(os.environ['MMSTATS_PATH'], 'taken')
        said = []
        class Handler(logging.Handler):
            def emit(self, record):
                said.append(record.getMessage())
                number = len(said)
                stats.count.incr()
                other = Model(label_prefix='other.')
                other.count.incr()
                other.remove()
                if number % 3 == 0:
                    fault(f'emit-{number}')
        def fault(where):
            Model(path=f'{taken}/{where}/d').remove()
        def work(who):
            for number in range(50):
                fault(f'{who}-{number}')
                stats.count.incr()
        stats = Model()
        open(taken, 'w').close()
        logger = logging.getLogger('mmstats')
        logger.propagate = False
        logger.addHandler(Handler())
        threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        faults = mmstats.dropped.by_reason['private']
        assert len(set(said)) == len(said) == faults > 250, (len(said), faults)
        assert stats.count.total == 200 + len(said), (stats.count.total, len(said))
        """,
        twin,
        stats_dir,
        timeout=60,
    )
    assert programs.totals(twin, stats_dir)["count"] > 450


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy collects when it likes")
def test_a_finalizer_counts_inside_the_slow_path(twin, stats_dir):
    """A garbage collection at every allocation, and finalizers that count wherever it happens."""
    programs.run(
        """
        import gc
        stats = Model()
        died = 0
        class Cycle:
            def __init__(self):
                self.me = self
            def __del__(self):
                global died
                died += 1
                stats.count.incr()
        gc.set_threshold(1)
        def work():
            Cycle()
            stats.number += 1
            Cycle()
        for _ in range(100):
            Cycle()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            Model().remove()
        gc.collect()
        gc.set_threshold(700)
        assert died == 300, died
        assert stats.count.total == 300, stats.count.total
        assert mmstats.snapshot()[0].value('number') == 100
        """,
        twin,
        stats_dir,
    )
