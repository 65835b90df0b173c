"""Many files of a directory are added up or left to the long way: by both twins, by one thread and by two."""

from __future__ import annotations

import gc
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest

import filebuilder as fb
import mmstats
from conftest import IS_PYPY, NATIVE_IS_OPTIONAL
from mmstats.aggregate.combine import combine
from mmstats.combining import Combiner
from mmstats.format import layout
from mmstats.host import identity
from mmstats.read import program
from mmstats.read.files import scanned
from mmstats.read.gather import Gatherer, gatherer_type, scan_function
from mmstats.read.together import Together

NATIVE = gatherer_type()
TWINS = [Gatherer] if NATIVE is Gatherer and NATIVE_IS_OPTIONAL else [Gatherer, NATIVE]
MANY = 200  # files: worth a second thread
ROW = ("hits", "counter", fb.U64, 2)


@pytest.fixture(params=TWINS, ids=lambda one: "pure" if one is Gatherer else "native")
def pure(request):
    return request.param is Gatherer


@pytest.mark.skipif(IS_PYPY, reason="PyPy: there is no native twin")
def test_there_are_two_twins():
    assert NATIVE_IS_OPTIONAL or (NATIVE is not Gatherer and scan_function() is not scanned)


# --- what is added, and what is left ---------------------------------------------------------------


def knowing(directory, pure):
    """A reader that has met the program whose files these are, and forgot the files."""
    reader = Together(pure=pure)
    reader.read(directory)
    reader.read(directory)
    reader._start()
    return reader


def counted(reader):
    """How many files it took the short way."""
    return sum(one.count for met in reader._met.values() for one in met.programs)


def gathered(reader, prefix, names, owners=None):
    """Names that are left, and how many files were added."""
    before = counted(reader)
    left = reader._gatherer.gather(
        prefix,
        names,
        owners,
        reader._judge.near(),
        identity.PROC,
        reader._met,
        reader._seen,
        reader._took,
    )
    return [name for name, _ in left], counted(reader) - before


@pytest.fixture
def held(tmp_path):
    """Three files of one program, whose writers live."""
    for name in "abc":
        fb.write_held(tmp_path / f"{name}.mmstats", fb.whole(*fb.fields(ROW), **fb.ELSEWHERE))
    return tmp_path


def listed(directory):
    return sorted((entry.name, entry.inode()) for entry in os.scandir(directory))


def test_whatever_is_no_such_file_is_left(held, pure):
    reader = knowing(held, pure)
    data = (held / "a.mmstats").read_bytes()
    os.mkfifo(held / "fifo")
    os.symlink(held / "a.mmstats", held / "link")
    (held / "short").write_bytes(data[:500])
    (held / "text").write_text("x" * 4096)
    (held / "directory").mkdir()
    fb.write(held / "free", data)
    fb.write_held(held / "huge", data)
    os.truncate(held / "huge", 17 << 20)
    for name in ("missing", "", "nul\0", "missing too"):
        assert gathered(reader, f"{held}/", [(name, 0)]) == ([name], 0)
    odd = [pair for pair in listed(held) if not pair[0].endswith(".mmstats")]
    assert gathered(reader, f"{held}/", odd) == ([name for name, _ in odd], 0)
    assert reader._seen == set()
    left, added = gathered(reader, f"{held}/", [("missing", 0), *listed(held), ("missing", 0)])
    assert (left, added) == (["missing", *[name for name, _ in odd], "missing"], 3)


def test_files_count_once_whatever_they_are_called(held, pure):
    reader = knowing(held, pure)
    os.link(held / "a.mmstats", held / "d.mmstats")
    assert gathered(reader, f"{held}/", listed(held)) == ([], 3)
    assert len(reader._seen) == 3
    assert gathered(reader, f"{held}//", [("b.mmstats", 0), ("c.mmstats", 0)]) == ([], 0)


def test_a_name_that_leads_elsewhere_by_now_is_left(held, pure):
    reader = knowing(held, pure)
    a, _, c = listed(held)
    assert gathered(reader, f"{held}/", [("b.mmstats", 1), a, c]) == (["b.mmstats"], 2)
    reader._start()
    moved = ("b.mmstats", c[1])  # as where it got another name while the directory was listed
    left, added = gathered(reader, f"{held}/", [moved, a, c])
    assert (left, added) in ((["b.mmstats"], 2), (["b.mmstats", "c.mmstats"], 1))


def test_names_in_any_bytes(held, pure):
    reader = knowing(held, pure)
    for name in ("ü.mmstats", "\udcff.mmstats"):
        os.link(held / "a.mmstats", held / name)
        reader._start()
        assert gathered(reader, f"{held}/", [(name, 0)]) == ([], 1)


def test_files_of_others_are_left(held, pure):
    reader, us = knowing(held, pure), os.geteuid()
    assert gathered(reader, f"{held}/", listed(held), frozenset((us + 1, us + 2)))[1] == 0
    assert gathered(reader, f"{held}/", listed(held), frozenset((us + 1, us))) == ([], 3)


def test_a_directory_that_is_gone(held, pure):
    reader = knowing(held, pure)
    assert gathered(reader, f"{held}/nowhere/", [("a.mmstats", 1)]) == (["a.mmstats"], 0)


def test_a_file_that_grew(held, pure):
    """More of it is read than of those that were met before, and no more than that the next time."""
    reader = knowing(held, pure)
    rows = fb.whole(*fb.fields(ROW), fb.pad(64 * 1100), **fb.ELSEWHERE)
    fb.write_held(held / "long.mmstats", rows)
    for _ in range(2):
        reader._start()
        assert gathered(reader, f"{held}/", listed(held)) == ([], 4)


def test_directories_are_listed_alike(tmp_path):
    for name in (".hidden.mmstats", "a.mmstats", "b.txt", "ü.mmstats", "\udcff.mmstats", ".mmstats"):
        (tmp_path / name).touch()
    scan = scan_function()
    for end in (".mmstats", "", "x"):
        assert sorted(scan(str(tmp_path), end)) == sorted(scanned(str(tmp_path), end))
    for missing in (scan, scanned):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            missing(f"{tmp_path}/nowhere", "")


@pytest.mark.skipif(len(TWINS) < 2, reason="not on PyPy, nor where no native twin was wanted")
def test_it_is_for_one_thread_at_a_time(held):
    """Who does not heed that is told, rather than given wrong numbers."""
    reader = knowing(held, False)
    told = []

    def again(*_):
        with pytest.raises(RuntimeError, match="one thread at a time"):
            reader._gatherer.gather(f"{held}/", [], None, b"", "/proc", {}, set(), None)
        told.append(True)
        return True

    made = NATIVE(again)
    reader._gatherer = made
    assert gathered(reader, f"{held}/", listed(held)) == ([], 3)
    assert told == [True]


# --- many ------------------------------------------------------------------------------------------

HISTOGRAM = {"kind": "histogram"}


def some(choose, number):
    """A file with members of a family, some of them, in any order, of doubles and integers."""
    names = choose.sample("abcdefgh", choose.randrange(1, 9))
    cells = [word for _ in names for word in (1, choose.randrange(1 << 40))]
    blocks = [fb.member((name,), 1, index=2 * at) for at, name in enumerate(names)]
    real = fb.bits(choose.randrange(-64, 64) / 8, fb.F64)
    return fb.whole(
        fb.metric("requests", tags=("method",), segment=0),
        fb.metric("level", "gauge", fb.F64, number=2, segment=2, initial=None),
        *blocks,
        fb.lane(1),
        fb.cells(1, cells),
        fb.cells(1, [real], segment=2),
        created=(10**9 + number) * 10**9,
        uuid=number.to_bytes(16, "big"),
        pid=number + 1,
        **fb.ELSEWHERE,
    )


def plain(value):
    return repr(sorted(value) if isinstance(value, frozenset) else value)


def whole_of(snapshot):
    told = [(stat.label, stat.about.tags, plain(stat.parts), plain(stat.value)) for stat in snapshot.stats]
    origin = snapshot.origin
    return sorted(told), origin.state, origin.group, origin.cmd, snapshot.processes, snapshot.problems


@pytest.fixture(scope="module", autouse=True)
def let_go():
    """Descriptors of files that were held for these tests."""
    before = len(fb.HELD)
    yield
    for fd in fb.HELD[before:]:
        os.close(fd)
    del fb.HELD[before:]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    directory, choose = tmp_path_factory.mktemp("many"), random.Random(7)
    for number in range(MANY):
        fb.write_held(directory / f"{number}.mmstats", some(choose, number))
    return directory


@pytest.mark.main
def test_many_files_are_what_they_are_one_by_one(many, pure):
    expected = whole_of(combine(mmstats.snapshot(many)))
    combiner = Combiner(pure=pure)
    for _ in range(4):
        assert whole_of(combiner.combined(many)) == expected
    assert counted(combiner._reader) == MANY
    assert expected[4] == MANY


class Rich(mmstats.MmStats):
    latency = mmstats.TimerField()
    route = mmstats.TimerField(tags=("route",))
    size = mmstats.HistogramField(bounds=(1, 10))
    queue = mmstats.UpDownField(tags=("queue",))
    most = mmstats.Int64Field(aggregate="max")
    least = mmstats.DoubleField(aggregate="min")


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Files of a real writer at many moments, as if each were of another one."""
    directory, choose = tmp_path_factory.mktemp("rich"), random.Random(8)
    pid = struct.pack("<Q", os.getpid())  # in the header, and what sys.pid says
    model = Rich(path=str(tmp_path_factory.mktemp("model")))
    for number in range(MANY):
        value = choose.randrange(1, 640) / 64
        model.latency.observe(value)
        model.route.tagged(choose.choice("abcdef")).observe(value)
        model.size.observe(value)
        model.queue.tagged(choose.choice("ab")).incr(choose.randrange(9))
        model.most, model.least = choose.randrange(99), value
        with open(model.filename, "rb") as file:
            data = bytearray(file.read().replace(pid, struct.pack("<Q", number + 1)))
        data[layout.HEADER_UUID : layout.HEADER_UUID + 16] = (number + 1).to_bytes(16, "big")
        for at, word in (
            (layout.HEADER_PID_NS, 1),
            (layout.HEADER_INO, 0),
            (layout.HEADER_CREATED, 10**18 + number),
        ):
            struct.pack_into("<Q", data, at, word)
        fb.write_held(directory / f"{number}.mmstats", bytes(data))
    model.remove()
    return directory


@pytest.mark.main
def test_many_files_of_whatever_there_is(rich, pure):
    expected = whole_of(combine(mmstats.snapshot(rich)))
    combiner = Combiner(pure=pure)
    for _ in range(4):
        assert whole_of(combiner.combined(rich)) == expected
    assert expected[4] == MANY
    assert counted(combiner._reader) >= MANY // 2  # those before the first route was met have another layout


@pytest.mark.skipif(len(TWINS) < 2, reason="not on PyPy, nor where no native twin was wanted")
def test_one_processor_says_what_two_say(many):
    """A second thread is only made where it would have a processor to itself."""
    ours = os.sched_getaffinity(0)
    expected = whole_of(Combiner(pure=True).combined(many))
    try:
        for processors in ({min(ours)}, ours):
            os.sched_setaffinity(0, processors)
            combiner = Combiner()
            assert [whole_of(combiner.combined(many)) for _ in range(3)] == [expected] * 3
    finally:
        os.sched_setaffinity(0, ours)


@pytest.mark.main
def test_members_that_come_are_met_by_whoever_reads_their_file(many, pure, tmp_path):
    """Also in the half that may not ask what such a member is."""
    combiner = Combiner(pure=pure)
    for path in many.iterdir():
        os.link(path, tmp_path / path.name)
    for _ in range(2):
        combiner.combined(tmp_path)
    names = [entry.name for entry in os.scandir(tmp_path)]
    for name in (names[1], names[-1]):
        number = int(name.split(".")[0])
        (tmp_path / name).unlink()
        data = some(random.Random(number), 1000 + number).replace(b"h\0", b"z\0").replace(b"a\0", b"y\0")
        fb.write_held(tmp_path / name, data)
    for _ in range(3):
        found = combiner.combined(tmp_path)
        assert whole_of(found) == whole_of(combine(mmstats.snapshot(tmp_path)))
        assert counted(combiner._reader) == MANY


@pytest.mark.main
@pytest.mark.parametrize("place", [0, MANY // 2 - 1, MANY // 2, MANY - 1])
def test_the_youngest_is_found_in_either_half(many, pure, tmp_path, place):
    for path in many.iterdir():
        os.link(path, tmp_path / path.name)
    reader = Together(pure=pure)
    name = [entry.name for entry in os.scandir(tmp_path)][place]
    with open(tmp_path / name, "rb") as file:
        data = bytearray(file.read())
    struct.pack_into("<I", data, layout.HEADER_PID, 99_999)
    struct.pack_into("<Q", data, layout.HEADER_CREATED, 2 * 10**18)
    fb.write_held(tmp_path / "new", bytes(data))
    os.replace(tmp_path / "new", tmp_path / name)
    for _ in range(3):
        few = reader.read(tmp_path)
    assert [(one.origin.pid, one.origin.file) for one in few] == [(99_999, f"{tmp_path}/{name}")]
    assert len(reader.behind[0].people) == MANY


@pytest.mark.main
def test_other_threads_go_on_meanwhile(many, pure):
    """Python's lock is given back while files are read by the native twin; results are the same."""
    expected, combiners = whole_of(combine(mmstats.snapshot(many))), [Combiner(pure=pure) for _ in range(3)]
    found = [[] for _ in combiners]

    def read(combiner, told):
        for _ in range(5):
            told.append(whole_of(combiner.combined(many)))

    threads = [threading.Thread(target=read, args=pair) for pair in zip(combiners, found)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[expected] * 5] * 3


def test_members_that_are_gone_are_forgotten(tmp_path, pure, monkeypatch):
    """As when each request has a tag of its own, with a ttl: what is kept is bounded by what there is."""
    monkeypatch.setattr(program, "FEW", 16)
    combiner = Combiner(pure=pure)
    for moment in range(30):
        for number in range(3):
            names = [f"{moment}-{at}" for at in range(4)]
            blocks = [fb.member((name,), 1, index=2 * at) for at, name in enumerate(names)]
            cells = [word for _ in names for word in (1, 5)]
            family = fb.metric("requests", tags=("id",), segment=0)
            data = fb.whole(family, *blocks, fb.lane(1), fb.cells(1, cells), **fb.ELSEWHERE)
            (tmp_path / f"{number}.mmstats").unlink(missing_ok=True)
            fb.write_held(tmp_path / f"{number}.mmstats", data)
        for _ in range(2):
            assert len(combiner.combined(tmp_path).stats) == 4
    (ours,) = [one for met in combiner._reader._met.values() for one in met.programs]
    assert ours.count == 3
    assert ours.tally.met <= 4 * 2 + 16 + 4


# --- who lives -------------------------------------------------------------------------------------


def of_child(directory, name, child):
    told = {"pid": child.pid, "start_ticks": identity.start_ticks(child.pid)}
    fb.write_held(directory / name, fb.whole(*fb.fields(ROW, ("level", "gauge", fb.F64, 1.5)), **told))


def pidfds():
    """Descriptors of processes that we have."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            link = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
        if "pidfd" in link:
            found.append(int(fd))
    return found


@pytest.fixture
def children(tmp_path):
    made = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(6)]
    for number, child in enumerate(made):
        of_child(tmp_path, f"{number}.mmstats", child)
    yield made
    for child in made:
        child.kill()
        child.communicate()


DEATHS = """
import os, resource, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from pathlib import Path
from mmstats.combining import Combiner
from mmstats.format import layout
from mmstats.host import identity
from read.test_gather import of_child, pidfds
command = [sys.executable, "-c", "input()"]
children = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(6)]
for number, child in enumerate(children):
    of_child(Path(sys.argv[3]), f"{number}.mmstats", child)
combiner = Combiner(pure=sys.argv[4] == "True")

def levels():
    return [combiner.combined(sys.argv[3]).value("level", None) for _ in range(2)]

print(levels()[1], levels())
few = len(pidfds())
for child in children:
    child.kill()
    while identity.process(child.pid).state != "Z":
        time.sleep(0.001)
    print(levels())
    child.communicate()
    print(levels())
print(combiner.combined(sys.argv[3]).value("hits"))
print(few, len(pidfds()))
"""


@pytest.mark.parametrize(("limit", "most"), [(64, 4), (1024, 6)])
def test_each_death_is_seen_at_once(tmp_path, pure, limit, most):
    """A zombie's, and of one whose pid is free again, though somebody holds the lock of the file."""
    tests = os.path.dirname(os.path.dirname(__file__))
    words = [sys.executable, "-c", DEATHS, tests, str(limit), str(tmp_path), str(pure)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    *levels, hits, few = done.stdout.splitlines()
    after = [value or None for value in (7.5, 6.0, 4.5, 3.0, 1.5, 0)]
    assert levels == ["9.0 [9.0, 9.0]", *[f"{[value] * 2}" for value in after for _ in range(2)]]
    assert hits == "12"
    kept, left = map(int, few.split())
    assert kept <= most
    assert left == 0


def test_descriptors_of_processes_are_given_back(tmp_path, children, pure):
    before = len(pidfds())
    combiner = Combiner(pure=pure)
    for _ in range(3):
        assert combiner.combined(tmp_path).value("level") == 9.0
    assert len(pidfds()) <= before + len(children)
    children[0].kill()
    children[0].communicate()
    assert combiner.combined(tmp_path).value("level") == 7.5
    assert len(pidfds()) < before + len(children)
    del combiner
    gc.collect()
    assert len(pidfds()) == before


def test_descriptors_that_are_closed_behind_its_back(tmp_path, children, pure):
    """As by who becomes a daemon: what has their numbers by then is neither asked nor closed."""
    combiner, before = Combiner(pure=pure), set(pidfds())
    for _ in range(3):
        assert combiner.combined(tmp_path).value("level") == 9.0
    ours = set(pidfds()) - before
    sockets = []
    for fd in ours:
        os.close(fd)
        sockets.append(socket.socketpair())  # nobody says anything: they look like who lives
    children[1].kill()
    children[1].communicate()
    assert combiner.combined(tmp_path).value("level") == 7.5
    assert combiner.combined(tmp_path).value("level") == 7.5
    del combiner
    gc.collect()
    for one, other in sockets:
        one.send(b"x")
        assert other.recv(1) == b"x"
        one.close()
        other.close()
    assert set(pidfds()) <= before


def test_a_child_reads_on(tmp_path, children, pure):
    """What it has from its parent is good for it, and given back by each for itself."""
    combiner = Combiner(pure=pure)
    for _ in range(3):
        combiner.combined(tmp_path)
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            told = [combiner.combined(tmp_path).value("level") for _ in range(2)]
            del combiner
            gc.collect()
            os.write(tell, repr((told, len(pidfds()))).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(ready, 1000) == repr(([9.0, 9.0], 0)).encode()
    os.close(ready)
    os.close(tell)
    children[0].kill()
    children[0].communicate()
    assert combiner.combined(tmp_path).value("level") == 7.5


def test_pids_that_mean_something_else_here_are_not_asked_for(tmp_path, pure, monkeypatch, children):
    """Where /proc is somebody else's, a held lock says that the writer lives."""
    combiner = Combiner(pure=pure)
    monkeypatch.setattr(identity, "PROC", str(tmp_path))
    for child in children:
        child.send_signal(signal.SIGKILL)
        child.wait()
    for _ in range(3):
        assert combiner.combined(tmp_path).value("level") == 9.0
