"""`format=1`: what 0.8 would have written, byte for byte, with what programs of today expect around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import mmstats
from mmstats.format.legacy import decode_legacy

DATA = Path(__file__).resolve().parent.parent / "data/v1"
FIELDS = {
    ("Q", True): mmstats.UInt64Field,
    ("I", True): mmstats.UIntField,
    ("i", True): mmstats.IntField,
    ("h", True): mmstats.ShortField,
    ("H", True): mmstats.UShortField,
    ("f", True): mmstats.FloatField,
    ("d", True): mmstats.DoubleField,
    ("b", False): mmstats.ByteField,
    ("?", False): mmstats.BoolField,
    ("I", False): mmstats.StaticUIntField,
    ("q", False): mmstats.StaticInt64Field,
    ("Q", False): mmstats.StaticUInt64Field,
    ("f", False): mmstats.StaticFloatField,
    ("d", False): mmstats.StaticDoubleField,
}


@pytest.fixture(autouse=True)
def _nothing_was_dropped():
    """What these tests drop is not of the process that runs them."""
    yield
    mmstats.dropped.forget()


def raw_fields(data):
    """Label, letter, whether there are two buffers, and the bytes of the value that counts."""
    at, found = 1, []
    while at + 2 <= len(data) and (length := int.from_bytes(data[at : at + 2], "little")):
        label = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        size = int.from_bytes(data[at : at + 2], "little")
        letter = data[at + 2 : at + 2 + size].decode()
        at += 2 + size
        index = data[at]
        width = 1 if letter in "b?" else 2 if letter in "hH" else 4 if letter in "iIf" else 8
        width = int(letter[:-1]) if letter.endswith("s") else width
        start = at + 1 + (0 if index == 255 else (index ^ 1) * width)
        found.append((label, letter, index != 255, data[start : start + width]))
        at += 1 + width * (1 if index == 255 else 2)
    return found


def a_model(fields):
    """A class of such fields, and what is to be assigned to each."""
    namespace, values = {}, {}
    for number, (raw, told) in enumerate(fields):
        label, letter, buffered, _ = raw
        name = f"f{number}"
        if letter == "256s":
            namespace[name] = mmstats.StaticTextField(label=label, value=told.value)
        elif letter.endswith("s"):
            namespace[name] = mmstats.StringField(label=label, size=int(letter[:-1]))
            values[name] = told.value
        elif not buffered and letter not in "b?":
            namespace[name] = FIELDS[letter, buffered](label=label, value=told.value)
        else:
            namespace[name] = FIELDS[letter, buffered](label=label)
            values[name] = told.value
    return type(mmstats.BaseMmStats)("Golden", (mmstats.BaseMmStats,), namespace), values


@pytest.mark.parametrize("name", ["bare", "empty", "everything", "extreme"])
def test_the_golden_files_are_written_again(name, tmp_path, twin):
    """Each field as 0.8 had it, and the file as large."""
    data = (DATA / f"{name}.mmstats").read_bytes()
    raws = raw_fields(data)
    cls, values = a_model(zip(raws, decode_legacy(data).fields))
    stats = cls(path=tmp_path, filename="again.mmstats", format=1)
    for attribute, value in values.items():
        setattr(stats, attribute, value)
    again = Path(stats.filename).read_bytes()
    assert raw_fields(again) == raws
    assert len(again) == len(data) == stats.size
    assert [getattr(stats, name) for name in values] == [
        pytest.approx(value, nan_ok=True) if isinstance(value, float) else value for value in values.values()
    ]
    stats.remove()
    assert not (tmp_path / "again.mmstats").exists()


def test_a_file_of_one_counter_byte_for_byte(tmp_path):
    class Bare(mmstats.BaseMmStats):
        only = mmstats.CounterField()

    stats = Bare(path=tmp_path, format=1)
    for _ in range(3):
        stats.only.incr()
    assert Path(stats.filename).read_bytes() == (DATA / "bare.mmstats").read_bytes()
    stats.remove()


class Web(mmstats.MmStats):
    hits = mmstats.CounterField(label="web.hits")
    errors = mmstats.IntField()
    port = mmstats.UShortField()
    small = mmstats.ByteField()
    mean = mmstats.AverageField()
    load = mmstats.MovingAverageField(size=2)
    latency = mmstats.TimerField(size=2)
    phase = mmstats.StringField(size=6)
    ratio = mmstats.FloatField()
    ready = mmstats.BoolField(initial=True)
    version = mmstats.StaticTextField(value=lambda: "1.2" + "ü" * 200)


@pytest.fixture
def web(tmp_path, twin):
    stats = Web(path=tmp_path, label_prefix="x.", format=1)
    yield stats
    stats.remove()


def told(stats):
    return {field.label: field.value for field in decode_legacy(Path(stats.filename).read_bytes()).fields}


def test_what_each_field_stores(web):
    web.hits.incr()
    web.hits.inc(4)
    web.errors -= 7
    web.port = 70_000
    web.small = 200
    web.mean.add(1)
    web.mean.add(2)
    for value in (10, 20, 40):
        web.load.add(value)
    web.phase = "naïve and more"
    web.ratio = 0.1
    web.ready = False
    found = told(web)
    assert [found[f"x.{name}"] for name in ("web.hits", "errors", "port", "small")] == [5, -7, 4464, -56]
    assert [found[f"x.{name}"] for name in ("mean", "load", "phase", "ready")] == [1.5, 30.0, "naïve", False]
    assert found["x.ratio"] == web.ratio == pytest.approx(0.1)
    assert found["x.sys.pid"] == web.pid == os.getpid()
    assert len(found["x.version"].encode()) == 255
    assert web.version == found["x.version"]
    assert (web.hits.value, web.hits.total, web.errors, web.phase, web.ready) == (5, 5, -7, "naïve", False)
    assert (web.label_prefix, isinstance(web, Web)) == ("x.", True)


def test_numbers_beyond_what_there_is_room_for(web):
    web.hits.value = -1
    web.ratio = 1e300
    assert (web.hits.value, web.ratio) == ((1 << 64) - 1, float("inf"))
    web.hits.incr(2)
    assert web.hits.value == 1
    with pytest.raises(AttributeError):
        web.version = "2"
    with pytest.raises(AttributeError):
        web.pid = 5


def test_timers(web):
    with web.latency as elapsed:
        assert not elapsed.done
        with web.latency:
            pass
    assert elapsed.done
    assert web.latency.last == elapsed.elapsed
    web.latency.observe(3.0)
    web.latency.observe(5.0)
    assert (web.latency.value, web.latency.last) == (4.0, 5.0)

    @web.latency.timed
    def work():
        return 7

    assert work() == 7
    assert web.latency.last < 5.0
    web.latency.start()
    web.latency.stop()
    web.latency.stop()
    with pytest.raises(KeyError), web.hits.count_exceptions(KeyError):
        raise KeyError
    assert web.hits.value == 1


def test_each_thread_has_a_file(web, tmp_path):
    web.hits.incr()
    names = []

    def work():
        web.hits.incr(10)
        names.append(web.filename)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len({*names, web.filename}) == 2
    assert web.hits.value == 1
    by_reader = mmstats.combined(tmp_path)
    assert by_reader.value("x.web.hits") == 11
    web.remove()
    assert list(tmp_path.iterdir()) == []


def test_threads_that_share_a_file_lose_nothing(tmp_path):
    stats = Web(path=tmp_path, filename="one.mmstats", format=1)
    threads = [threading.Thread(target=lambda: [stats.hits.incr() for _ in range(3_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stats.hits.value == 12_000
    stats.remove()


def test_a_forked_child_has_a_file_of_its_own(web, tmp_path):
    web.hits.incr(5)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            web.hits.incr(2)
            code = 0 if web.hits.value == 2 and str(os.getpid()) in web.filename else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert web.hits.value == 5
    assert len(list(tmp_path.iterdir())) == 2


def test_after_the_end(web):
    web.remove()
    before = mmstats.dropped.by_reason.get("removed", 0)
    web.hits.incr()
    web.errors = 5
    assert mmstats.dropped.by_reason["removed"] == before + 2
    with pytest.raises(mmstats.Removed):
        web.hits.value  # noqa: B018 - reading it
    web.remove()


def test_another_model_of_the_name_stands_beside(tmp_path):
    one, other = (Web(path=tmp_path, filename="one.mmstats", format=1) for _ in range(2))
    one.hits.incr(1)
    other.hits.incr(2)
    assert Path(one.filename).name == "one.mmstats"
    assert Path(other.filename).name.startswith(f"one-{os.getpid()}-")
    assert mmstats.combined(tmp_path).value("web.hits") == 3
    one.remove()
    other.remove()


def test_the_name_of_somebody_who_is_gone_is_taken(tmp_path):
    """The old file is replaced, not cut short: who has it mapped goes on to read it."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    data = bytearray((DATA.parent / "mmash08/a.mmstats").read_bytes())
    at = data.index(b"sys.pid") + len("sys.pid") + 2 + 1 + 1
    data[at : at + 4] = dead.pid.to_bytes(4, "little")
    path = tmp_path / "one.mmstats"
    path.write_bytes(data)
    with open(path, "rb") as old:
        stats = Web(path=tmp_path, filename="one.mmstats", format=1)
        assert stats.filename == str(path)
        assert old.read() == bytes(data)
    stats.remove()
    path.write_bytes(b"precious")
    stats = Web(path=tmp_path, filename="one.mmstats", format=1)
    assert path.read_bytes() == b"precious"
    stats.remove()
    path.unlink()
    os.mkfifo(path)  # whoever reads that without care waits for ever
    stats = Web(path=tmp_path, filename="one.mmstats", format=1)
    assert path.is_fifo()
    stats.remove()


@pytest.mark.parametrize(
    "field",
    [
        mmstats.GaugeField(),
        mmstats.HistogramField(),
        mmstats.UpDownField(),
        mmstats.Int64Field(),
        mmstats.EnumField(states=("a", "b")),
        mmstats.InfoField(version="1"),
        mmstats.CounterField(float=True),
        mmstats.CounterField(tags=("a",)),
        mmstats.MovingAverageField(window=5.0),
    ],
    ids=repr,
)
def test_what_0_8_had_not_is_refused(field, tmp_path):
    cls = type(mmstats.BaseMmStats)("News", (mmstats.BaseMmStats,), {"news": field})
    with pytest.raises(mmstats.UsageError, match="format=1 has the fields of"):
        cls(path=tmp_path, format=1)
    assert list(tmp_path.iterdir()) == []


def test_options_that_do_not_go_together(tmp_path):
    with pytest.raises(mmstats.UsageError, match="expected 2, or 1"):
        Web(path=tmp_path, format=3)
    with pytest.raises(mmstats.UsageError, match="persistent=True"):
        Web(path=tmp_path, filename="a.mmstats", format=1, persistent=True)


def test_a_place_that_cannot_be_had(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    stats = Web(path=tmp_path / "file", format=1)
    stats.hits.incr(2)
    assert (stats.filename, stats.hits.value) == (None, 2)
    assert "cannot publish" in caplog.text
    with pytest.raises(mmstats.RegionError):
        Web(path=tmp_path / "file", format=1, strict=True)


def test_disabled(tmp_path, monkeypatch):
    monkeypatch.setenv("MMSTATS_DISABLE", "1")
    stats = Web(path=tmp_path, format=1)
    stats.hits.incr()
    assert (stats.filename, stats.hits.value, list(tmp_path.iterdir())) == (None, 1, [])


def test_where_0_8_looked(tmp_path, monkeypatch):
    """In the directory itself, whoever may write there: 0.8's readers look no further."""
    tmp_path.chmod(0o1777)
    for variable in ("MMSTATS_PATH", "TMPDIR"):
        monkeypatch.delenv("MMSTATS_PATH", raising=False)
        monkeypatch.setenv(variable, str(tmp_path))
        stats = Web(format=1)
        assert Path(stats.filename).parent == tmp_path
        assert Path(stats.filename).stat().st_mode & 0o777 == 0o600
        stats.remove()


def test_our_own_reader_and_a_dead_writer(tmp_path):
    code = """
import mmstats, sys
class Web(mmstats.MmStats):
    hits = mmstats.CounterField(label="web.hits")
stats = Web(path=sys.argv[1], format=1)
stats.hits.incr(5)
print(stats.filename, flush=True)
input()
"""
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    writer.stdout.readline()
    (one,) = mmstats.snapshot(tmp_path)
    assert (one.origin.state, one.value("web.hits")) == ("alive", 5)
    writer.kill()
    writer.communicate()
    (one,) = mmstats.snapshot(tmp_path)
    assert one.origin.state == "gone"


READ = """
from __future__ import print_function
import json, sys
from mmstats.reader import MmStatsReader
print(json.dumps([[label, value] for label, value in MmStatsReader.from_mmap(sys.argv[1])]))
"""


def is_python2(path):
    command = [str(path), "-c", "import sys; sys.exit(sys.version_info[:2] != (2, 7))"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def of_0_8(tmp_path_factory):
    """Python 2.7 with the released 0.8.0, if both can be had."""
    there = [*sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python")), shutil.which("python2.7")]
    python = next((str(one) for one in there if one and is_python2(one)), None)
    if python is None:
        pytest.skip("not on a machine without Python 2.7")
    place = tmp_path_factory.mktemp("mmstats08")
    install = [python, "-m", "pip", "install", "-q", "--no-deps", "--target", str(place), "mmstats==0.8.0"]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        pytest.skip("not on a machine whose pip reaches no registry")
    return [python, "-B"], {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(place)}


@pytest.mark.main
@pytest.mark.slow
def test_0_8_reads_the_same(of_0_8, web):
    """The released package, under Python 2.7."""
    command, environment = of_0_8
    web.hits.incr(1 << 40)
    web.errors = -5
    web.phase = "fünf"
    web.ratio = 0.25
    web.mean.add(time.time())
    done = subprocess.run(
        [*command, "-c", READ, web.filename], env=environment, capture_output=True, check=True
    )
    found = dict(json.loads(done.stdout))
    assert found == told(web)


WRITE = """
from __future__ import print_function
import sys
import mmstats
class Web(mmstats.MmStats):
    hits = mmstats.CounterField(label="web.hits")
    errors = mmstats.IntField()
    phase = mmstats.StringField()
    latency = mmstats.TimerField()
stats = Web(path=sys.argv[1])
stats.hits.inc(1 << 40)
stats.errors = -5
stats.phase = u"f\\xfcnf"
stats.latency.add(0.25)
print(stats.filename)
sys.stdout.flush()
sys.stdin.readline()
"""


@pytest.mark.main
@pytest.mark.slow
def test_what_0_8_writes_is_read_while_it_lives_and_after_it_was_killed(of_0_8, tmp_path):
    command, environment = of_0_8
    writer = subprocess.Popen(
        [*command, "-c", WRITE, str(tmp_path)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    path = writer.stdout.readline().strip()
    for state in ("alive", "gone"):
        (one,) = mmstats.snapshot(tmp_path)
        assert (one.origin.file, one.origin.pid, one.origin.state) == (path, writer.pid, state)
        values = [one.value(label) for label in ("web.hits", "errors", "phase", "latency")]
        assert values == [1 << 40, -5, "fünf", 0.25]
        writer.kill()
        writer.wait()
    writer.communicate()
