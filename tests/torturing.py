"""Processes that count and are killed, folders that are killed, readers that look all the time.

    MMSTATS_PATH=DIRECTORY python torturing.py KILLS SEED

Eight processes of both twins acknowledge each update through a pipe once it has returned. They fork, end in
order, remove their models, have files for each thread or names that are fixed, and are killed in the middle
of it. Two folders run against each other and are killed too. Four readers see no total fall; in the end each
is what was acknowledged, or more by at most one for each kill. SPOILT in the environment is Python that
breaks something in all of them.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

FIELDS = "cmtk"  # the letter that acknowledges an update of each
TOGETHER = 4  # processes that count, of each twin
LIFE = 0.03  # seconds from its first word until it is killed
AT_BIRTH = 0.2  # of them are killed before they say one
FOLDERS, READERS = 2, 4
NAMES = (
    *["{CMD}-{PID}-{ID}.mmstats"] * 3,
    *("fixed-one.mmstats", "fixed-two.mmstats"),
    "{CMD}-{PID}-{TID}.mmstats",
)


# --- one process that counts ------------------------------------------------------------------------


def live(pipe, chance):
    """One life: a model, updates, perhaps a fork, an end."""
    import mmstats

    class Model(mmstats.BaseMmStats):
        count = mmstats.CounterField()
        mean = mmstats.AverageField()
        took = mmstats.TimerField()
        kept = mmstats.UInt64Field(keep=True)

    stats = Model(filename=chance.choice(NAMES), group="torture")
    end = chance.choice(("never", "never", "exit", "exit", "remove", "fork", "thread"))
    update(stats, pipe, 10**9 if end == "never" else chance.randrange(1, 200))
    if end == "fork":
        os.write(pipe, b"F")
        child = os.fork()
        update(stats, pipe, chance.randrange(1, 100))
        if child:
            os.waitpid(child, 0)
    elif end == "thread":
        thread = threading.Thread(target=update, args=(stats, pipe, 20))
        thread.start()
        thread.join()
        gc.collect()
    if end == "remove":
        stats.remove()
    atexit._run_exitfuncs()


def update(stats, pipe, times):
    for _ in range(times):
        stats.count.incr()
        os.write(pipe, b"c")
        stats.mean.add(1.0)
        os.write(pipe, b"m")
        stats.took.observe(0.5)
        os.write(pipe, b"t")
        stats.kept += 1
        os.write(pipe, b"k")


# --- those who keep processes, and kill them ----------------------------------------------------------


class Child:
    def __init__(self, work, chance, life):
        seed = chance.random()
        self.life = chance.expovariate(1 / life)
        self.end = time.monotonic() + (self.life if chance.random() < AT_BIRTH else 60)
        self.pipe, pipe = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                os.setpgid(0, 0)
                work(pipe, random.Random(seed))
                code = 0
            finally:
                os._exit(code)
        os.close(pipe)
        self._lead()

    def _lead(self):
        """Be the first of a group of its own, whoever is faster."""
        try:
            os.setpgid(self.pid, self.pid)
        except OSError:
            pass

    def spoke(self):
        """From now on it lives as long as it is given."""
        if self.life:
            self.end, self.life = time.monotonic() + self.life, 0

    def kill(self):
        os.killpg(self.pid, signal.SIGKILL)


def keep(kills, chance, work, together, life):
    """What was acknowledged by letter, how many were killed, how many of the dead may have counted more."""
    acked = dict.fromkeys(FIELDS, 0)
    killed = mortal = 0
    children = {}
    while children or killed < kills:
        while len(children) < together and killed < kills:
            child = Child(work, chance, life)
            children[child.pipe] = child
        now = time.monotonic()
        for child in list(children.values()):
            if child.end < now or killed >= kills:
                child.kill()
                child.end, child.life = now + 60, 0
                killed += 1
                mortal += 1
        until = min(child.end for child in children.values()) - now
        for pipe in select.select([*children], [], [], max(until, 0))[0]:
            said = os.read(pipe, 1 << 16)
            child = children[pipe]
            child.spoke()
            mortal += said.count(b"F")
            for letter in FIELDS:
                acked[letter] += said.count(letter.encode())
            if not said:
                code = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
                assert code in (0, -signal.SIGKILL), f"a process ended with {code}"
                os.close(pipe)
                del children[pipe]
    return acked, killed, mortal


def keep_counting(kills, seed):
    import mmstats.publish.models  # noqa: F401 - so that no child need load it

    acked, killed, mortal = keep(kills, random.Random(seed), live, TOGETHER, LIFE)
    print(json.dumps({"acked": acked, "killed": killed, "mortal": mortal}))


def keep_folding(seed):
    """Two folders at a time, killed like the others, until nobody listens any more."""
    import mmstats.fold.folder  # noqa: F401 - so that no child need load it

    os.environ["KEEPER"] = str(os.getpid())
    threading.Thread(target=end_with_stdin, daemon=True).start()
    keep(10**9, random.Random(seed), fold, FOLDERS, LIFE)


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


def fold(pipe, chance):
    os.write(pipe, b".")
    while os.getppid() == int(os.environ["KEEPER"]):  # not asked for here: it may be gone already
        fold_once()
        time.sleep(chance.random() * 0.002)


def fold_once():
    from mmstats.fold.folder import Busy, Folder

    directory = os.environ["MMSTATS_PATH"]
    names = [name for name in os.listdir(directory) if name.endswith(".mmstats")]
    try:
        with Folder(directory) as folder:
            return folder.fold(name for name in names if not name.endswith("-retired.mmstats"))
    except Busy:
        return []


# --- one who reads ------------------------------------------------------------------------------------


def totals():
    import mmstats

    whole = mmstats.combined()
    assert not whole.problems, [str(problem) for problem in whole.problems]
    parts = {stat.label: stat.parts for stat in whole.stats if stat.parts is not None}
    mean, took = parts.get("mean", (0.0, 0)), parts.get("took", (0,))
    return dict(zip(FIELDS, (parts.get("count", 0), mean[1], took[0], parts.get("kept", 0))))


def keep_reading(_seed):
    over = []
    threading.Thread(target=lambda: over.append(sys.stdin.read()), daemon=True).start()
    before, reads = dict.fromkeys(FIELDS, 0), 0
    while not over:
        found = totals()
        for field in FIELDS:
            assert found[field] >= before[field], f"read {reads}: {field} fell, {before} and then {found}"
        before, reads = found, reads + 1
    print(json.dumps({"reads": reads}))


# --- all of them --------------------------------------------------------------------------------------


@contextmanager
def running(role, number, seed):
    """So many of them; at the end they end."""
    command = [sys.executable, __file__, role]
    those = [
        subprocess.Popen([*command, str(seed + at)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for at in range(number)
    ]
    answers = []
    try:
        yield answers
    finally:
        for one in those:
            said, _ = one.communicate()
            assert one.returncode == 0, f"a {role} ended with {one.returncode}"
            answers.append(json.loads(said) if said else {})


def torture(kills, seed, twins):
    """What came of it; AssertionError where something was wrong."""
    began = time.monotonic()
    with running("read", READERS, seed) as readers:
        with running("fold", 1, seed):
            each = -(-kills // len(twins))
            counters = [
                subprocess.Popen(
                    [sys.executable, __file__, "count", str(each), f"{seed}-{twin}"],
                    env={**os.environ, "MMSTATS_CELLS": twin},
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for twin in twins
            ]
            said = [json.loads(one.communicate()[0]) for one in counters]
            assert [one.returncode for one in counters] == [0] * len(twins)
        left = fold_once()
        found = totals()
    mortal = sum(one["mortal"] for one in said)
    for field in FIELDS:
        acked = sum(one["acked"][field] for one in said)
        assert acked <= found[field] <= acked + mortal, (field, acked, found[field], mortal)
    names = sorted(os.listdir(os.environ["MMSTATS_PATH"]))
    assert names == [".fold", "torture-retired.mmstats"], (names, left)
    return {
        "kills": sum(one["killed"] for one in said),
        "seed": seed,
        "counts": found["c"],
        "more": found["c"] - sum(one["acked"]["c"] for one in said),
        "reads": sum(one["reads"] for one in readers),
        "seconds": round(time.monotonic() - began, 1),
    }


ROLES = {
    "count": lambda kills, seed: keep_counting(int(kills), seed),
    "fold": keep_folding,
    "read": keep_reading,
}

if __name__ == "__main__":
    exec(os.environ.get("SPOILT", ""), {"__name__": "spoilt"})
    if sys.argv[1] in ROLES:
        ROLES[sys.argv[1]](*sys.argv[2:])
    else:
        print(json.dumps(torture(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or ["pure", "native"])))
