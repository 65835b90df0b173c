"""How it is told: to people at 80 and 120 columns, to programs as JSON, to scripts by the exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import filebuilder as fb
import mmstats
import programs
from mmstats.doctor import main
from worlds import shape

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python

OF_A_FILE = "file counts state pid cmd group host uid age stats format persistent dropped".split()
OF_A_FILE += "size removed folded fold fold_reason".split()
HOSTILE = "a\x1b[31m\u202e\n"


@pytest.fixture
def hostile(world):
    """A directory with names and texts that would have a terminal do something."""
    own = world.shm / "mmstats-0"
    own.mkdir(mode=0o700)
    rows = fb.fields(("hits", "counter", fb.U64, 42))
    given = {**fb.ELSEWHERE, "cmd": "\x1b]0;x\x07", "group": "\u202eg", "hostname": "\x9bh\n"}
    fb.write_held(own / f"good{HOSTILE}.mmstats", fb.whole(*rows, **given))
    (own / f"bad{HOSTILE}.mmstats").touch()
    Path(os.fsdecode(os.fsencode(own) + b"/\xff.mmstats")).touch()
    world.env["MMSTATS_GROUP"] = "x\x1b[2J"
    world.env["MMSTATS_MODE"] = "\x1b[2J"
    return world


@pytest.mark.parametrize("columns", [80, 100, 120, 400])
def test_no_line_is_wider_than_the_terminal(hostile, columns):
    """But for names that stand alone or in the table of files; and never wider than is read with ease."""
    text = hostile.doctor(COLUMNS=str(columns)).text
    wide = [line for line in text.splitlines() if len(line) >= min(columns, 120)]
    assert [line for line in wide if " " in line[6:] and not line.endswith(".mmstats")] == []


def test_nothing_hostile_reaches_the_terminal(hostile):
    said = at_a_terminal(hostile)
    assert "gooda\\x1b[31m\\u202e\\x0a.mmstats" in said
    plain = re.sub(r"\x1b\[(31|2|0)m", "", said.replace("\r\n", ""))
    assert [c for c in plain if not c.isprintable() or unicodedata.category(c) in ("Cf", "Cc")] == []


def at_a_terminal(world, **more):
    parent, child = pty.openpty()
    with open(parent, "rb", buffering=0) as terminal:
        running = subprocess.Popen(
            [*world.under(), sys.executable, "-m", "mmstats", "doctor"],
            env=world.environment(LC_ALL="C.UTF-8", TERM="xterm", **more),
            stdout=child,
            stderr=child,
        )
        os.close(child)
        said = b""
        while chunk := _read(terminal):
            said += chunk
        running.wait(60)
    return said.decode()


def _read(terminal):
    try:
        return terminal.read(65536)
    except OSError:  # nobody has the other end any more
        return b""


def test_color_is_only_for_lines_that_are_marked_anyway(hostile):
    said = at_a_terminal(hostile)
    assert "\x1b[31m" in said
    colored = [line for line in said.splitlines() if line.startswith("\x1b[31m")]
    assert [line for line in colored if not re.match(r"\x1b\[31m(  !   |\d+ lines? marked !)", line)] == []
    assert "\x1b" not in at_a_terminal(hostile, NO_COLOR="1")
    assert "\x1b" not in hostile.doctor().text
    assert "\x1b[31m" in hostile.doctor("--color", "always").text


# --- JSON ------------------------------------------------------------------------------------------


def strictly(text):
    """As JSON says, and not as Python's json lets pass: no NaN, no key twice."""

    def once(pairs):
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    def refuse(word):
        raise AssertionError(word)

    text.encode("ascii")
    return json.loads(text, object_pairs_hook=once, parse_constant=refuse)


def test_json_of_everything(hostile):
    answer = hostile.doctor("--json")
    whole = strictly(answer.text)
    keys = "schema t version ok software environment writer readers files kernel folding dropped"
    assert list(whole) == keys.split()
    assert (whole["schema"], whole["version"], whole["ok"]) == (1, mmstats.__version__, False)
    assert answer.code == 1
    for key in ("software", "environment", "writer", "readers", "files", "kernel"):
        assert whole[key]
        for finding in whole[key]:
            assert list(finding)[:4] == ["mark", "name", "text", "hint"]
            assert finding["mark"] in ("ok", "note", "wrong")


def test_json_of_a_file(hostile):
    found = {one["counts"]: one for one in strictly(hostile.doctor("--json").text)["files"]}
    good = found["all"]
    assert list(good)[4:] == OF_A_FILE
    assert good["file"] == f"/dev/shm/mmstats-0/good{HOSTILE}.mmstats"
    assert (good["stats"], good["state"], good["cmd"], good["group"]) == (
        1,
        "alive",
        "\x1b]0;x\x07",
        "\u202eg",
    )
    assert list(found["no"]) == ["mark", "name", "text", "hint", "file", "counts", "fold", "fold_reason"]


def test_json_where_all_is_well(world):
    answer = world.doctor("--json")
    whole = strictly(answer.text)
    assert (answer.code, whole["ok"], whole["files"], whole["dropped"]) == (0, True, [], [])
    directory, fast, room, safe = whole["writer"]
    assert (directory["directory"], directory["there"], fast["file_system"]) == (world.own, False, "tmpfs")
    assert 0 < room["free"] <= room["size"]
    assert (safe["mode"], safe["uid"], safe["file_mode"]) == ("0700", 0, "0600")
    looked = [(one["directory"], one["looked"], one["files"]) for one in whole["readers"]]
    assert looked[-1] == (str(world.tmp), True, 0)
    assert {one["name"]: one["there"] for one in whole["kernel"]} == dict.fromkeys(
        ("/dev/shm", "/proc", "F_OFD_SETLK", "O_TMPFILE", "MADV_WIPEONFORK"), True
    )


# --- the command line ------------------------------------------------------------------------------


def test_help_begins_with_examples(world):
    for word in ("-h", "--help"):
        answer = world.doctor(word)
        assert (answer.code, answer.error) == (0, "")
        assert answer.text.startswith("examples:\n  python -m mmstats doctor  ")
        assert "exit codes:\n  0 all is well · 1 a line is marked ! · 2 usage · " in answer.text


@pytest.mark.parametrize("word", ["--jsonl", "--js", "-x", "--color=blue"])
def test_usage_errors(world, word):
    answer = world.doctor(word)
    assert (answer.code, answer.text) == (2, "")
    assert answer.error.startswith("usage: python -m mmstats doctor [FILES…] [--json]\n")


def test_version(world):
    assert world.doctor("--version").text == f"mmstats {mmstats.__version__}\n"


def test_ctrl_c_is_130(monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_doctor", interrupt)
    monkeypatch.setattr("mmstats.tools.ends._die_of_sigpipe", lambda: None)
    monkeypatch.setattr("mmstats.tools.ends.gc.disable", lambda: None)
    assert main.main([]) == 130


def test_a_full_disk_is_said_and_no_traceback(world):
    done = world.run(["sh", "-c", f"{sys.executable} -m mmstats doctor > /dev/full"])
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
    assert "standard output: No space left on device" in done.stderr


# --- the docs --------------------------------------------------------------------------------------


def generic(text):
    """What is the same for every user, machine and moment."""
    text = re.sub(r"mmstats-\d+", "mmstats-UID", text)
    text = re.sub(r"[\w-]+ \(uid \d+\)( on \S+, Linux \S+)?", "USER", text)
    text = re.sub(r"\w+Py\w* [\d.]+ \(\S+\)|CPython [\d.]+ \(\S+\)", "PYTHON", text)
    text = re.sub(r"cells +.*", "cells", text)
    text = re.sub(r"web\.py-\d+-[0-9a-f]{8}", "web.py-PID-ID", text)
    return shape(text.splitlines())


def test_the_example_in_the_docs_is_what_it_says(world, publishing):
    world.before, world.env["TMPDIR"] = f"mount --bind {world.tmp} /tmp", "/tmp"
    page = (programs.ROOT / "docs/tools.md").read_text()
    (written,) = re.findall(
        r"<!-- doctor -->\n```console\n\$ python -m mmstats doctor\n(.*?)```", page, re.DOTALL
    )
    readme = re.findall(r"```python\n(.*?)```", (programs.ROOT / "README.md").read_text(), re.DOTALL)
    script = "\n".join(["import sys; sys.argv = ['web.py']", *readme, "print(webstats.filename, flush=True)"])
    _, _, path = publishing(script=script + "\ninput()")
    dead, _, _ = publishing(script=script + "\ninput()")
    dead.kill()
    dead.wait()
    shutil.copy(path, path.with_name("web-backup.mmstats"))
    assert generic(world.doctor().text) == generic(written)
