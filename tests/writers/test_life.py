"""A writer's life: threads, forks, kill -9, and what the machine refuses."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys

import pytest

from mmstats import combined, snapshot

pytestmark = pytest.mark.main
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file system of the test's own")


def files(directory):
    return sorted(path for path in directory.iterdir() if path.suffix == ".mmstats")


def read(directory):
    found = snapshot(directory)
    assert [str(problem) for one in found for problem in one.problems] == []
    return found


# --- threads ---------------------------------------------------------------------------------------


def test_threads_that_come_and_go_share_their_lanes(driver, stats_dir):
    driver.do("counter hits", *["thread incr hits 1"] * 300)
    (one,) = read(stats_dir)
    assert one.value("hits") == 300
    assert os.path.getsize(one.origin.file) == 4096


def test_threads_at_one_time_have_lanes_of_their_own(driver, stats_dir):
    driver.do("counter hits", *(f"keep t{number} incr hits {number}" for number in range(12)))
    (one,) = read(stats_dir)
    assert one.value("hits") == sum(range(12))


def test_the_file_grows(driver, stats_dir):
    """Metrics that are declared while threads count begin at zero in their lanes."""
    driver.do("counter first", "incr first 1", "keep other incr first 1")
    driver.do(*(f"counter hits.{number}" for number in range(900)))
    driver.do(*(f"incr hits.{number} {number}" for number in range(900)))
    (one,) = read(stats_dir)
    assert [one.value(f"hits.{number}") for number in range(900)] == list(range(900))
    assert os.path.getsize(one.origin.file) > 100_000


def test_one_label_is_one_metric(driver, stats_dir):
    driver.do("counter hits", "incr hits 1", "counter hits", "incr hits 1")
    assert driver.ask("gauge hits") == "null 'hits' is declared already, as something else"
    (one,) = read(stats_dir)
    assert one.value("hits") == 2


# --- forks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fork", ["fork", "raw-fork"])
def test_a_child_has_a_file_of_its_own(c_driver, stats_dir, fork):
    """Also where the C library hears nothing of the fork; the parent's file is left alone."""
    c_driver.do("counter hits", "counter requests tags=name", "histogram size", "incr hits 5")
    c_driver.do("incr requests{a} 1", "observe size 3")
    c_driver.do(f"{fork} incr hits 2 ; incr requests{{a}} 10 ; observe size 4", "incr hits 1")
    found = sorted(
        (one.value("hits"), one.value("requests", name="a"), one.value("size").count)
        for one in read(stats_dir)
    )
    assert found == [(2, 10, 1), (6, 1, 1)]
    assert len({one.origin.pid for one in read(stats_dir)}) == 2


def test_a_child_that_does_nothing_has_no_file(c_driver, stats_dir):
    c_driver.do("counter hits", "incr hits 1", "fork nothing")
    assert len(files(stats_dir)) == 1


def test_a_child_of_a_child(c_driver, stats_dir):
    c_driver.do("counter hits", "incr hits 1")
    assert [c_driver.ask("fork fork incr hits 10"), c_driver.answer(), c_driver.answer()] == ["ok"] * 3
    assert sorted(one.value("hits") for one in read(stats_dir)) == [1, 10]


# --- the end -----------------------------------------------------------------------------------------


def test_an_end_in_order(driver, stats_dir):
    driver.do("counter hits", "gauge free", "incr hits 3", "set free 7", "close")
    (one,) = read(stats_dir)
    assert (one.origin.state, one.value("hits")) == ("gone", 3)
    whole = combined(stats_dir)
    assert whole.value("hits") == 3
    assert whole.value("free", default=None) is None


def test_killed_and_folded(driver, stats_dir):
    """What it counted is in the group's totals; nothing is lost, and nothing is counted twice."""
    driver.do("counter hits", "histogram size", "incr hits 41", "observe size 3", "incr hits 1")
    driver.kill()
    (one,) = read(stats_dir)
    assert (one.origin.state, one.value("hits")) == ("gone", 42)
    command = [sys.executable, "-m", "mmstats", "clean", str(stats_dir)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (totals,) = read(stats_dir)
    assert (totals.origin.state, totals.value("hits"), totals.value("size").count) == ("retired", 42, 1)


def test_two_publishers_in_turn(driver, stats_dir):
    driver.do("counter hits", "incr hits 1", "close", "open", "counter hits", "incr hits 2")
    assert sorted(one.value("hits") for one in read(stats_dir)) == [1, 2]


# --- names and places --------------------------------------------------------------------------------


def test_the_file_is_for_its_owner(driver, stats_dir):
    (path,) = files(stats_dir)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name.startswith(f"{driver.name}-{driver.pid}-")
    assert driver.ask("file") == str(path)


def test_mode_group_and_name_from_the_environment(drivers, stats_dir):
    told = {"MMSTATS_MODE": "0644", "MMSTATS_GROUP": "web", "MMSTATS_FILES": "x-{PID}.mmstats"}
    driver = drivers(**told).do("open", "counter hits", "incr hits 1")
    (path,) = files(stats_dir)
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == (f"x-{driver.pid}.mmstats", 0o644)
    assert read(stats_dir)[0].origin.group == "web"


def test_a_name_that_is_taken(drivers, stats_dir):
    one = drivers().do("open filename=web.mmstats", "counter hits", "incr hits 1")
    two = drivers().do("open filename=web.mmstats", "counter hits", "incr hits 2")
    names = [path.name for path in files(stats_dir)]
    assert "web.mmstats" in names
    assert any(name.startswith(f"web-{two.pid}-") for name in names), (names, one.pid)
    assert sum(each.value("hits") for each in read(stats_dir)) == 3


def test_a_shared_directory(drivers, stats_dir):
    """In one that others may write to, files go into a directory of the user's own."""
    stats_dir.chmod(0o1777)
    drivers().do("open")
    (own,) = list(stats_dir.iterdir())
    assert own.name == f"mmstats-{os.geteuid()}"
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("open filename=x-{WHO}", "template 'x-{WHO}': there are {CMD} {PID} {TID} {ID} {UID}"),
        (f"open group={'x' * 65}", "group has 65 bytes, at most 64 fit"),
    ],
)
def test_wrong_options(drivers, line, said):
    assert drivers().ask(line) == f"null {said}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("counter a\tb", "label holds a control character: 'a\tb'"),
        ("counter hits unit=\x01", "unit holds a control character"),
        ("histogram size scale=9", "'size': scale=9"),
        ("histogram size low=5 high=4", "'size': scale=3 low=5 high=4"),
        ("histogram size bounds=2,1", "bounds that ascend"),
        ("counter hits tags=a,a", "tags of 'hits'"),
        ("counter hits tags=overflow", "no 'overflow'"),
        ("counter hits tags=a-b", "tags of 'hits'"),
        ("moving load window=-1", "a window of -1 seconds"),
        ("string phase size=70000", "size=70000: expected at most 65535"),
        ("enum phase states=", "has no states"),
    ],
)
def test_wrong_declarations(driver, stats_dir, line, said):
    wrong(driver, stats_dir, line, said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("counter hits aggregate=12", "aggregate=12 is none"),
        ("static version tags=a text=1", "'version' takes no tags"),
    ],
)
def test_declarations_that_types_do_not_forbid(c_driver, stats_dir, line, said):
    wrong(c_driver, stats_dir, line, said)


def wrong(driver, stats_dir, line, said):
    answer = driver.ask(line)
    assert answer.startswith("null ")
    assert said in answer
    assert list(read(stats_dir)[0].stats) == []


def test_an_update_of_another_kind_is_said_once(c_driver, stats_dir):
    c_driver.do("counter hits", "gauge free")
    c_driver.do("set hits 5", "observe free 5", "incr nothing 1")
    assert c_driver.said == ["mmstats: 'hits' takes no mmstats_set()"]
    assert read(stats_dir)[0].value("hits") == 0


# --- faults of the machine -----------------------------------------------------------------------------


def test_a_place_that_cannot_be_had(drivers, stats_dir):
    """Said once; the program goes on, and counts in private memory."""
    (stats_dir / "file").write_text("precious")
    driver = drivers(stats_dir / "file")
    driver.do("open", "counter hits", "incr hits 1 1000", "string phase", "text phase up")
    (said,) = driver.said
    assert said.startswith("mmstats: cannot publish, the stats are in private memory: ")
    assert str(stats_dir / "file") in said
    assert driver.ask("file") == "none"
    assert (stats_dir / "file").read_text() == "precious"


def test_a_missing_directory_is_made(drivers, stats_dir):
    place = stats_dir / "one/other"
    drivers(place).do("open", "counter hits", "incr hits 1")
    assert read(place)[0].value("hits") == 1
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_directory_that_vanishes(drivers, stats_dir):
    """What was seen is seen no more; the program goes on, also where the file grows."""
    place = stats_dir / "place"
    driver = drivers(place).do("open", "counter hits", "incr hits 1")
    shutil.rmtree(place)
    driver.do(*(f"counter hits.{number}" for number in range(200)), "incr hits 1", "incr hits.199 1")
    driver.do("keep other incr hits 5")
    assert driver.said == []


def test_no_descriptors(drivers, stats_dir):
    """What a second publisher asks for cannot be had. With the first one a JVM has loaded what it needs."""
    driver = drivers().do("open", "counter hits", "string phase", "incr hits 1", "text phase up", "close")
    resource.prlimit(driver.pid, resource.RLIMIT_NOFILE, (3, 3))  # numbers that are all in use
    driver.do("open", "counter hits", "incr hits 1 1000", "string phase", "text phase up")
    (said,) = driver.said
    assert said.startswith("mmstats: cannot publish, the stats are in private memory: ")
    assert len(files(stats_dir)) == 1
    driver.kill()  # at its end a sanitizer would ask for some


@needs_root
def test_a_file_system_that_is_read_only(drivers, tmp_path):
    place = tmp_path / "fixed"
    place.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=16k,mode=700", "tmpfs", str(place)], check=True)
    try:
        driver = drivers(place).do("open", "counter hits", "incr hits 1")
        (said,) = driver.said
        assert "Read-only file system" in said
        driver.kill()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_disabled(drivers, stats_dir):
    drivers(MMSTATS_DISABLE="1").do("open", "counter hits", "incr hits 1")
    assert files(stats_dir) == []


def test_descriptors_closed_behind_its_back(c_drivers, stats_dir):
    """As a program does that becomes a daemon: the file grows through its name."""
    driver = c_drivers().do("open", "counter hits", "incr hits 1")
    driver.do("close-descriptors", *(f"counter hits.{number}" for number in range(100)))
    driver.do(*(f"incr hits.{number} 1" for number in range(100)))
    (one,) = read(stats_dir)
    assert sum(one.value(f"hits.{number}") for number in range(100)) == 100


def test_a_limit_of_the_files_size(drivers, stats_dir):
    """No signal ends the program; what there is no space for counts unseen."""
    driver = drivers().do("open", "counter hits", "incr hits 1")
    resource.prlimit(driver.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    driver.do(*(f"counter hits.{number}" for number in range(100)), "incr hits 1")
    (said,) = driver.said
    assert "no space to publish a metric" in said
    (one,) = read(stats_dir)
    assert one.value("hits") == 2
    assert one.value("mmstats.dropped", reason="space") > 0


@needs_root
def test_a_full_file_system(drivers, tmp_path):
    """A store never meets a page that is not there: that would be SIGBUS."""
    place = tmp_path / "full"
    place.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(place)], check=True)
    try:
        driver = drivers(place).do("open", "counter hits", "incr hits 1")
        driver.do(*(f"counter hits.{number}" for number in range(300)))
        driver.do("keep other incr hits 1", "incr hits 1")
        assert len(driver.said) == 1
        (one,) = read(place)
        assert one.value("hits") >= 2
        driver.kill()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_file_system_without_nameless_files(built, stats_dir, tmp_path):
    """There it is made under a name that no reader looks at, and linked from there."""
    source = tmp_path / "no_tmpfile.c"
    source.write_text(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <errno.h>\n#include <fcntl.h>\n"
        "#include <stdarg.h>\n"
        "int open(const char *path, int flags, ...) {\n"
        "  va_list a; va_start(a, flags); int mode = va_arg(a, int); va_end(a);\n"
        "  if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }\n"
        '  return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(path, flags, mode);\n}\n'
    )
    library = tmp_path / "no_tmpfile.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    done = subprocess.run(
        [str(built("shipped") / "example"), "1"],
        env={**os.environ, "MMSTATS_PATH": str(stats_dir), "LD_PRELOAD": str(library)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert [str(path) for path in stats_dir.iterdir()] == [done.stdout.strip()]
    assert read(stats_dir)[0].value("phase") == "done"


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_an_update_makes_no_system_call(built, stats_dir, tmp_path):
    """A hundred thousand of them make as many as ten do."""
    counts = []
    for times in (10, 100_000):
        lines = ["open", "counter hits", "histogram size", "counter requests tags=name", "gauge free"]
        lines += [
            f"incr hits 1 {times}",
            f"observe size 3 {times}",
            f"incr requests{{a}} 1 {times}",
            f"set free 2 {times}",
        ]
        trace = tmp_path / f"trace-{times}"
        subprocess.run(
            ["strace", "-f", "-o", str(trace), str(built("shipped") / "driver")],
            input="\n".join([*lines, "end", ""]),
            env={**os.environ, "MMSTATS_PATH": str(stats_dir)},
            stdout=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        counts.append(len(trace.read_text().splitlines()))
    assert counts[0] == counts[1]
