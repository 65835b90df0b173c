"""Pieces of work that are tried at each of their system calls: `python scenes.py SCENE HOW [SPOILT]`.

HOW: `kill` ends it at each call, `refuse` refuses it each call, `beside` reads at each call, `reader` does
the work at each call of a reader. SPOILT is Python that breaks something before. What was counted is noted in
memory that outlives whoever counts: before each update, and behind it. See docs/crash-testing.md.
"""

from __future__ import annotations

import atexit
import gc
import logging
import mmap
import os
import struct
import sys
import threading
from operator import itemgetter

import crashing
import mmstats
from crashing import KILL, begin, end
from mmstats import publish
from mmstats.fold.folder import Folder
from mmstats.format import layout
from mmstats.publish import names_taken, publication, report
from mmstats.publish.retire import retire

DIRECTORY = os.environ["MMSTATS_PATH"]
RETIRED = "-retired.mmstats"
ACTORS = range(8)
RECORDS, UNRAISABLE, DROPPED = 64, 65, 66
notes = memoryview(mmap.mmap(-1, 4096)).cast("Q")


class Model(mmstats.BaseMmStats):
    count = mmstats.CounterField()
    mean = mmstats.AverageField()
    took = mmstats.TimerField()
    kept = mmstats.UInt64Field(keep=True)


class Large(Model):
    pass


class Other(mmstats.BaseMmStats):
    count = mmstats.CounterField()
    other = mmstats.CounterField()


for number in range(60):
    setattr(Large, f"counter{number}", mmstats.CounterField(help="x" * 60))


# --- what is counted, and what was ------------------------------------------------------------------


def update(stats, actor=0):
    """Each field once: begun is noted before, acknowledged behind it."""
    updates = (stats.count.incr, lambda: stats.mean.add(2.0), lambda: stats.took.observe(0.5))
    for field, one in enumerate((*updates, lambda: setattr(stats, "kept", stats.kept + 1))):
        notes[8 * actor + field] += 1
        one()
        notes[8 * actor + 4 + field] += 1


def begun():
    return [sum(notes[8 * actor + field] for actor in ACTORS) for field in range(4)]


def acknowledged():
    return [sum(notes[8 * actor + 4 + field] for actor in ACTORS) for field in range(4)]


def counted_here(stats, *actors):
    """At the end of the work: nothing was lost for the program itself."""
    acked = sum(notes[8 * actor + 4] for actor in actors or (0,))
    assert stats.count.total == acked, (stats.count.total, acked)


def totals():
    """What readers see of each field: how much of it was counted."""
    whole = mmstats.combined(DIRECTORY)
    assert not whole.problems, [str(problem) for problem in whole.problems]
    counts = {"count": int, "mean": itemgetter(1), "took": itemgetter(0), "kept": int}
    return [
        sum(of(stat.parts) for stat in whole.stats if stat.label == label and stat.parts is not None)
        for label, of in counts.items()
    ]


def names():
    return sorted(os.listdir(DIRECTORY))


def files():
    return [name for name in names() if name.endswith(".mmstats") and not name.endswith(RETIRED)]


# --- the scenes: each a work between its marks, and who died before it ------------------------------


def dead(filename="{CMD}-{PID}-{ID}.mmstats", group="scene", times=1):
    """The file of a process that was killed, and that left its neighbours alone."""
    pid = os.fork()
    if not pid:
        publication.retire_neighbours = lambda own: None
        stats = Model(filename=filename, group=group)
        for _ in range(times):
            update(stats)
        os._exit(0)
    os.waitpid(pid, 0)


def three_dead():
    dead(times=2)
    dead(group="other")
    retire_all()
    dead(times=3)
    dead()
    dead(group="other", times=2)


def model(**more):
    return Model(**{"group": "scene", **more})


def create():
    begin()
    stats = model()
    update(stats)
    update(stats)
    end()
    counted_here(stats)


def grow():
    stats = model()
    update(stats)
    begin()
    large = Large(group="scene")
    update(large)
    update(stats)
    end()
    counted_here(stats)


def new_thread():
    stats = model()
    update(stats)
    begin()
    in_thread(update, stats, 1)
    in_thread(update, stats, 2)
    end()
    counted_here(stats, 0, 1, 2)


def in_thread(work, *arguments):
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()


def fork():
    stats = model()
    update(stats)
    begin()
    pid = os.fork()
    if not pid:
        update(stats, 1)
        update(stats, 1)
        say()
        os._exit(0)
    os.waitpid(pid, 0)
    update(stats)
    end()
    counted_here(stats)


def fold():
    paths = [os.path.join(DIRECTORY, name) for name in files()]
    begin()
    retire(paths)
    end()


def fold_twice():
    """The second has nothing of the first, but for its names."""
    first, second = files()[:1], files()[1:]
    begin()
    retire([os.path.join(DIRECTORY, name) for name in first])
    retire([os.path.join(DIRECTORY, name) for name in second])
    end()


def retire_all():
    with Folder(DIRECTORY) as folder:
        return folder.fold(files())


def orderly_exit(before_it=lambda: None):
    stats = model()
    update(stats)
    update(stats)
    before_it()
    begin()
    atexit._run_exitfuncs()
    end()
    counted_here(stats)


def first_exit():
    """The modules that fold are loaded by nothing but the exit."""
    orderly_exit(forget_how_to_fold)


def forget_how_to_fold():
    for name in [name for name in sys.modules if name.startswith("mmstats.fold")]:
        del sys.modules[name]


def remove():
    stats, other = model(), Other(group="scene")
    update(stats)
    begin()
    other.remove()
    update(stats)
    stats.remove()
    end()


def remove_the_kept():
    """What a removed model counted stays in the file for another one's sake."""
    stats, other = model(), Other(group="scene")
    update(stats)
    other.other.incr()
    begin()
    stats.remove()
    other.remove()
    end()


def flush():
    stats = model()
    update(stats)
    begin()
    try:
        stats.flush()
    except mmstats.RegionError:
        pass  # who asks whether it came to the disk is told when it did not
    update(stats)
    end()
    counted_here(stats)


def end_of_thread():
    stats = model(filename="{CMD}-{PID}-{TID}.mmstats")
    update(stats)
    begin()
    in_thread(update, stats, 1)
    gc.collect()
    update(stats)
    end()
    counted_here(stats, 0, 1)


def one_dead():
    dead(filename="fixed.mmstats", times=2)


def taken_name():
    begin()
    stats = model(filename="fixed.mmstats")
    update(stats)
    end()
    counted_here(stats)


def taken_name_while_others_fold():
    """The dead file is not folded, but gets another name."""
    names_taken.retire = publication.retire_neighbours = lambda paths: None
    taken_name()


SCENES = {
    "create": (create, None),
    "create beside the dead": (create, three_dead),
    "grow": (grow, None),
    "new thread": (new_thread, None),
    "fork": (fork, None),
    "fold": (fold, three_dead),
    "fold twice": (fold_twice, three_dead),
    "orderly exit": (orderly_exit, three_dead),
    "first exit": (first_exit, one_dead),
    "remove": (remove, one_dead),
    "remove one of two": (remove_the_kept, one_dead),
    "flush": (flush, None),
    "end of a thread": (end_of_thread, one_dead),
    "taken name": (taken_name, one_dead),
    "taken name, others fold": (taken_name_while_others_fold, one_dead),
}


# --- the stage ---------------------------------------------------------------------------------------


class Stage:
    """The directory as it was before the scene, as often as wanted."""

    def __init__(self, before):
        if before is not None:
            before()
        self.files = {}
        for name in names():
            with open(os.path.join(DIRECTORY, name), "rb") as file:
                self.files[name] = file.read()
        self.prior = totals()

    def set(self):
        for name in names():
            os.unlink(os.path.join(DIRECTORY, name))
        for name, data in self.files.items():
            with open(os.path.join(DIRECTORY, name), "wb") as file:
                file.write(data)
                if data:
                    file.seek(layout.HEADER_INO)
                    file.write(struct.pack("<Q", os.fstat(file.fileno()).st_ino))
        notes[:] = memoryview(bytes(4096)).cast("Q")

    def check(self, where, *, hidden=False):
        """Each acknowledged update is there exactly once; one that was begun may be there."""
        acked = acknowledged()  # before the look and behind it: another thread may go on meanwhile
        found = totals()
        for total, prior, least, most in zip(found, self.prior, acked, begun()):
            lowest = prior if hidden else prior + least
            assert lowest <= total <= prior + most, (where, found, self.prior, acked, names())

    def check_cleaned(self, where, *, hidden=False):
        """The next folder leaves the totals and its lock, and nothing else."""
        retire_all()
        left = [name for name in names() if not name.endswith(RETIRED)]
        assert left == [".fold"], (where, left)
        self.check(f"{where}, and folded", hidden=hidden)


def kill_at_each(work, stage, *, every=False):
    """Before each call, or only before those in front of which something may have changed."""
    count, before = 0, None
    for at, call in enumerate(whole(work, stage), 1):
        if every or before is None or not before.only_looks:
            hit = played(work, stage, at, KILL)
            where = f"killed before call {at}, {hit}"
            stage.check(where)
            stage.check_cleaned(where)
            count += 1
        before = call
    return count


def played(work, stage, at, what):
    """The call to which `what` was done, the `at`-th; None: it ended before, and well."""
    stage.set()
    hit = []

    def visit(number, call):
        if number != at or (what != KILL and what not in call.answers):
            return None
        hit.append(call)
        return what

    code = crashing.run(work, visit, at)
    well = code == 0 or (what == KILL and hit)
    assert well, f"call {at}, {hit}, {what}: an exception reached the application"
    return hit[0] if hit else None


def refuse_each(work, stage, *, every=False):
    calls = whole(work, stage)
    planned = acknowledged()
    count = 0
    for at, call in enumerate(calls, 1):
        first = at % max(len(call.answers), 1)
        for answer in call.answers if every else call.answers[first : first + 1]:
            refuse(work, stage, at, answer, planned)
            count += 1
    return count


def refuse(work, stage, at, answer, planned):
    where = f"call {at}, {played(work, stage, at, answer)}, refused with {os.strerror(answer)}"
    assert acknowledged() == planned, (where, acknowledged(), planned)
    assert notes[RECORDS] <= 1, (where, notes[RECORDS])
    assert notes[UNRAISABLE] == 0, where
    hidden = notes[DROPPED] > 0
    stage.check(where, hidden=hidden)
    stage.check_cleaned(where, hidden=hidden)


def whole(work, stage):
    """Its calls, nothing done to them."""
    stage.set()
    calls = []
    code = crashing.run(work, lambda _, call: calls.append(call))
    assert code == 0, code
    return calls


def read_at_each(work, stage, *, every=False):
    stage.set()
    seen = []

    def visit(number, call):
        stage.check(f"before call {number}, {call}")
        seen.append(number)

    assert crashing.run(work, visit) == 0
    stage.check_cleaned("at the end")
    return len(seen)


def work_at_each_call_of_a_reader(work, stage, *, every=False):
    """A reader stops at one call; meanwhile the work is done, as a whole or up to its death."""
    ends = range(len(whole(work, stage)) + 1)
    calls = len(whole(read, stage))
    count = 0
    for at in range(1, calls + 1):
        for end_at in ends if every else (0, 1 + at * 7 % len(ends))[: 1 + at % 2]:
            read_around(work, stage, at, end_at)
            count += 1
    return count


def read_around(work, stage, at, end_at):
    stage.set()

    def visit(number, call):
        if number == at:
            crashing.run(work, lambda number, call: KILL if number == end_at else None, end_at)

    assert crashing.run(read, visit, at) == 0
    found = [*notes[100:104]]
    for total, prior, most in zip(found, stage.prior, begun()):
        where = f"read, and at its call {at} the work up to its call {end_at or 'last'}"
        assert prior <= total <= prior + most, (where, found, stage.prior, begun(), names())


def read():
    begin()
    found = totals()
    end()
    for field, total in enumerate(found):
        notes[100 + field] = total


class Records(logging.Handler):
    def emit(self, record):
        notes[RECORDS] += 1
        print(record.getMessage(), file=sys.stderr)


def watched(work):
    """The work, and then what it had to say."""

    def watch():
        work()
        say()

    return watch


def say():
    notes[DROPPED] += int(mmstats.dropped)
    report.say()


HOW = {
    "kill": kill_at_each,
    "refuse": refuse_each,
    "beside": read_at_each,
    "reader": work_at_each_call_of_a_reader,
}


def unraisable(unraised):
    notes[UNRAISABLE] += 1
    sys.__unraisablehook__(unraised)


def main(scene, how, spoilt="", every=""):
    logging.getLogger("mmstats").addHandler(Records())
    sys.unraisablehook = unraisable
    publish.retire.BUDGET = 60.0  # the work is slow that stops at every call
    work, before = SCENES[scene]
    stage = Stage(before)
    exec(spoilt, {"__name__": "spoilt"})
    print(HOW[how](watched(work), stage, every=bool(every)))


if __name__ == "__main__":
    main(*sys.argv[1:])
