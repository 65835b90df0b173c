"""Ended or refused at each system call: every acknowledged count is there exactly once, whatever is left.

The scenes are in tests/scenes.py, what plays them is tests/crashing.py; docs/crash-testing.md tells of both.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

import crashing
import programs

pytestmark = [
    pytest.mark.main,
    pytest.mark.slow,
    pytest.mark.skipif(not crashing.POSSIBLE, reason=crashing.WHY_NOT),
]
refusing = pytest.mark.skipif(not crashing.CAN_REFUSE, reason=crashing.WHY_NO_REFUSAL)

SCENES = (
    *("create", "create beside the dead", "grow", "new thread", "fork", "fold", "orderly exit", "first exit"),
    *("remove", "remove one of two", "flush", "end of a thread", "taken name", "taken name, others fold"),
)
FOLDING = ("fold", "fold twice", "orderly exit", "end of a thread", "taken name", "taken name, others fold")
LONG = ("create beside the dead", "first exit", "remove", "remove one of two")


def play(scene, how, twin, directory, spoilt="", every="", timeout=300):
    return subprocess.run(
        [sys.executable, programs.ROOT / "tests/scenes.py", scene, how, spoilt, every],
        env=programs.environment(
            twin, directory, PYTHONPATH=f"{programs.ROOT / 'src'}:{programs.ROOT / 'tests'}"
        ),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def played(*arguments, **more):
    """How often the scene was played, all of it well."""
    done = play(*arguments, **more)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


@pytest.mark.parametrize("scene", SCENES)
def test_killed_before_each_call(twin, stats_dir, scene):
    """What was acknowledged is in the totals once; the next folder leaves these and its lock alone."""
    assert played(scene, "kill", twin, stats_dir) > (3 if scene == "flush" else 10)


@refusing
@pytest.mark.parametrize("scene", SCENES)
def test_each_call_refused(twin, stats_dir, scene):
    """No exception, no update left out, one log record at most; what cannot be seen is said to be dropped."""
    assert played(scene, "refuse", twin, stats_dir) > 3


def in_turn(scenes):
    """Each scene with one twin, one after the other: of what is read, the other one's file is the same."""
    twins = programs.twins()
    return [(scene, twins[at % len(twins)]) for at, scene in enumerate(scenes)]


@pytest.mark.parametrize(("scene", "writer"), in_turn(SCENES))
def test_read_before_each_call(writer, stats_dir, scene):
    """Readers see what was acknowledged, at every moment, and no more than was begun."""
    assert played(scene, "beside", writer, stats_dir) > 5


@pytest.mark.parametrize(("scene", "writer"), in_turn(FOLDING))
def test_folded_at_each_call_of_a_reader(writer, stats_dir, scene):
    """A reader that is overtaken anywhere, by a fold or by one that is killed, sees what was counted."""
    assert played(scene, "reader", writer, stats_dir) > 30


# --- all of it --------------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.parametrize("scene", SCENES)
def test_killed_before_each_call_that_only_looks_too(twin, stats_dir, scene):
    assert played(scene, "kill", twin, stats_dir, every="every", timeout=900) > 5


@pytest.mark.soak
@refusing
@pytest.mark.parametrize("scene", SCENES)
def test_each_call_refused_with_each_answer(twin, stats_dir, scene):
    assert played(scene, "refuse", twin, stats_dir, every="every", timeout=900) > 5


@pytest.mark.soak
@pytest.mark.parametrize("scene", FOLDING + LONG)
def test_killed_at_each_call_at_each_call_of_a_reader(twin, stats_dir, scene):
    assert played(scene, "reader", twin, stats_dir, every="every", timeout=3600) > 500


# --- the harness finds what it is there to find -------------------------------------------------------

UNLINK_FIRST = """
from mmstats.fold.folder import Folder
add = Folder._add
def removed_at_once(self, one, ledger, results):
    added = add(self, one, ledger, results)
    if added:
        self.directory.unlink(one.name)
    return added
Folder._add = removed_at_once
"""
NO_NAMES = """
from mmstats.fold import ledger
encode = ledger.encode_retired
ledger.encode_retired = lambda totals, folded, **header: encode(totals, [], **header)
"""
NO_NAMES_OF_BEFORE = """
from mmstats.fold.ledger import Ledger
Ledger._remembered = lambda self: []
"""
IN_PLACE = """
from mmstats.format import layout
from mmstats.host.directory import OLD, Directory
import os
def in_place(self, old, new):
    source, fd = self.open(old), self.open(new, OLD | os.O_CREAT | os.O_TRUNC)
    data = bytearray(os.read(source, 1 << 20))
    data[layout.HEADER_INO : layout.HEADER_INO + 8] = os.fstat(fd).st_ino.to_bytes(8, "little")
    os.write(fd, data)
    os.close(source)
    os.close(fd)
    self.unlink(old)
Directory.rename = in_place
"""
RETIRED_FIRST = """
from mmstats.read.files import Finder
files, retired = Finder.files, Finder.retired
Finder.files, Finder.retired = retired, files
"""
WHEREVER_IT_LEADS = """
from mmstats.read.files import Candidate
make = Candidate.__init__
Candidate.__init__ = lambda self, path, owners=None, ino=0, named=False: make(self, path, owners, named=named)
"""
SPOILT = {
    "the dead are removed before the rename": (UNLINK_FIRST, "fold", "kill"),
    "a name that is forgotten": (NO_NAMES, "fold", "kill"),
    "names of before that are forgotten": (NO_NAMES_OF_BEFORE, "fold twice", "reader"),
    "totals written in their place": (IN_PLACE, "fold", "kill"),
    "retired totals read first": (RETIRED_FIRST, "fold", "reader"),
    "names followed wherever they lead": (WHEREVER_IT_LEADS, "taken name, others fold", "reader"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_fold_that_is_spoilt_is_found_out(twin, stats_dir, name):
    spoilt, scene, how = SPOILT[name]
    done = play(scene, how, twin, stats_dir, spoilt)
    assert done.returncode == 1
    assert "AssertionError: " in done.stderr, done.stderr[-2000:]


UPDATE_RAISES = """
from mmstats.publish import birth
birth._make_file.__globals__['OSError'] = KeyError
"""
NOT_NOTED = """
from mmstats.publish import retire
retire._note_left = lambda *_: 1 / 0
"""


@refusing
@pytest.mark.parametrize("spoilt", [UPDATE_RAISES, NOT_NOTED], ids=["at its birth", "at its end"])
def test_a_fault_that_reaches_the_application_is_found_out(twin, stats_dir, spoilt):
    scene = "create" if spoilt is UPDATE_RAISES else "remove"
    done = play(scene, "refuse", twin, stats_dir, spoilt)
    assert done.returncode == 1
    assert "an exception reached the application" in done.stderr, done.stderr[-2000:]
