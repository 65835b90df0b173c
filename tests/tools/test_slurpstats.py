"""slurpstats as its users meet it: what it prints, what it says, how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import filebuilder as fb
import mmstats
from mmstats.format import layout
from mmstats.format.spread import Range
from mmstats.tools import ends

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = str(ROOT / "bin/slurpstats")
CLOSED = {"state": layout.STATE_CLOSED}

pytestmark = pytest.mark.usefixtures("quiet_world")


def program(*words, **more):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, env=env, timeout=60, check=False, **more
    )


# --- 0.8's text ------------------------------------------------------------------------------------


def test_the_text_of_0_8_byte_for_byte(slurp, stats):
    path = stats(
        ("hits", "counter", fb.U64, 120443),
        ("a.longer.label", "number", fb.F64, 3.0),
        ("ok", "bool", fb.BOOL, True),
        ("off", "bool", fb.BOOL, False),
        ("pi", "number", fb.F64, 3.14159265358979),
        ("negative", "number", fb.I64, -5),
        ("version", "static", fb.TEXT, "3.13.1 (main, …)"),
    )
    expected = f"""==> {path}
  hits           120443
  a.longer.label 3.0
  ok             True
  off            False
  pi             3.14159265359
  negative       -5
  version        3.13.1 (main, …)

"""
    assert slurp() == (0, expected, "")
    assert slurp(path) == (0, expected, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (1e16, "1e+16"),
        (1e-5, "1e-05"),
        (-2.0, "-2.0"),
        (float("inf"), "inf"),
        (1234567890123.0, "1.23456789012e+12"),
        (100.0, "100.0"),
    ],
)
def test_floats_as_python_2_printed_them(slurp, stats, value, text):
    stats(("f", "number", fb.F64, value))
    assert slurp()[1].splitlines()[1] == f"  f {text}"


def test_a_file_without_stats(slurp, stats):
    path = stats()
    assert slurp() == (0, f"==> {path}\n\n", "")


def test_files_in_natural_order_and_named_ones_in_their_own(slurp, stats):
    ten, nine = stats(name="web-10-x"), stats(name="web-9-x")
    assert re.findall("==> (.*)", slurp()[1]) == [nine, ten]
    assert re.findall("==> (.*)", slurp(ten, nine)[1]) == [ten, nine]


def test_what_a_terminal_would_obey_is_shown(slurp, stats):
    stats(
        ("evil\u202elabel", "counter", fb.U64, 1),
        ("t", "static", fb.TEXT, "\x1b[31m\x07\x9b\n\udc80".encode("utf-8", "replace").decode()),
    )
    out = slurp()[1]
    assert "evil\\u202elabel" in out
    assert "\\x1b[31m\\x07\\x9b\\x0a?" in out


def test_the_files_of_the_gone_are_shown_and_counted(slurp, stats):
    stats(("a", "counter", fb.U64, 1), **CLOSED)
    code, out, err = slurp()
    assert (code, "a 1" in out, err) == (
        0,
        True,
        "slurpstats: 1 file is of a process that is gone; cleanstats folds it\n",
    )
    stats(name="b", **CLOSED)
    assert slurp()[2] == "slurpstats: 2 files are of processes that are gone; cleanstats folds them\n"
    assert slurp("-q")[2] == ""
    assert slurp("--alive") == (1, "", "slurpstats: no process matches state alive or unknown; looked at 2\n")


# --- ends ------------------------------------------------------------------------------------------


def test_exit_codes_and_messages(slurp, stats, tmp_path):
    good = stats(("web.hits", "counter", fb.U64, 1))
    (tmp_path / "bad").mkdir()
    bad = str(tmp_path / "bad/a.mmstats")
    Path(bad).write_bytes(b"vm\0")
    hint = "\n  set MMSTATS_PATH or MMSTATS_GLOB, or name the files: slurpstats /run/app\n"
    table = [
        ([good], 0, ""),
        ([f"{tmp_path}/*.none"], 1, f"slurpstats: no mmstats file matches {tmp_path}/*.none{hint}"),
        ([bad], 1, f"slurpstats: {bad}: not an mmstats file (begins with 76 6d 00); skipped\n"),
        ([bad, good], 3, f"slurpstats: {bad}: not an mmstats file (begins with 76 6d 00); skipped\n"),
        ([bad, good, "-q"], 3, ""),
        ([f"{tmp_path}/gone"], 1, f"slurpstats: {tmp_path}/gone: No such file or directory; skipped\n"),
        (["-s", "web.hitz"], 1, "slurpstats: no stat is called 'web.hitz'. Close: web.hits\n"),
        (["-p", "zzz"], 1, "slurpstats: no stat is called 'zzz'\n"),
        (["-f", "pid=0"], 1, "slurpstats: no process matches pid=0; looked at 1\n"),
    ]
    for words, code, err in table:
        assert slurp(*words)[::2] == (code, err), words


def test_no_file_in_the_default_place(slurp, tmp_path):
    code, out, err = slurp()
    assert (code, out) == (1, "")
    assert err.startswith(
        f"slurpstats: no mmstats file matches {tmp_path}/stats/*.mmstats\n  set MMSTATS_PATH"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "xml"], "invalid choice: 'xml'"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--sel", "x"], "unrecognized arguments"),
        (["-s", "/(/"], "not a regular expression: /(/"),
        (["-s", "a{b}"], "expected key=value"),
        (["-f", "=5"], "expected KEY, KEY=V"),
        (["-f", "cmd~("], "not a regular expression: '('"),
        (
            ["-f", "a=b", "/run/app"],
            "-f took '/run/app' of 'a=b /run/app' for a condition. Put -f last, or write -f=a=b",
        ),
        (["--by", "all", "--files"], "--by combines stats; it says nothing of --files"),
    ],
)
def test_usage_errors(slurp, words, message):
    code, out, err = slurp(*words)
    assert (code, out) == (2, "")
    assert message in err


def test_help_and_version(slurp):
    code, out, err = slurp("-h")
    assert (code, err, len(out.splitlines())) == (0, "", 3)
    code, out, _ = slurp("--help")
    assert (code, out.startswith("examples:"), "--select" in out, "exit codes" in out) == (
        0,
        True,
        True,
        True,
    )
    assert max(map(len, out.splitlines())) <= 80
    assert slurp("--version") == (0, f"slurpstats {mmstats.__version__}\n", "")


def test_ctrl_c_is_130(monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    assert ends.run("x", interrupt) == 130


# --- which -----------------------------------------------------------------------------------------


ROWS = (
    ("web.status.2XX", "counter", fb.U64, 1),
    ("web.status.5XX", "counter", fb.U64, 2),
    ("db.hits", "counter", fb.U64, 3),
)


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["-s", "web.*"], "2XX 5XX"),
        (["-s", "*.2XX", "-s", "db.*"], "2XX hits"),
        (["-x", "*.2XX"], "5XX hits"),
        (["-x", "*.2XX", "-s", "web.*"], "5XX"),
        (["-s", "web.*", "-x", "*.2XX"], "2XX 5XX"),
        (["-s", "/[25]XX$/"], "2XX 5XX"),
        (["-p", "web."], "2XX 5XX"),
        (["-p", "web.status", "-s", "5XX"], "5XX"),
        (["-p", "web.status.", "-s", "5XX"], "5XX"),
        (["-p", "web.sta", "-s", "tus.*"], "2XX 5XX"),
        (["-p", "web.", "-s", "/^status.2/"], "2XX"),
    ],
)
def test_selecting_stats(slurp, stats, words, labels):
    stats(*ROWS)
    assert re.findall(r"\.(\w+) +\d$", slurp(*words)[1], re.MULTILINE) == labels.split()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("mmstats.dropped{reason=space}", ["space"]),
        ("mmstats.*{reason!=space}", ["private"]),
        ("*{reason=~s.*}", ["space"]),
        ("*{reason!~s.*}", ["private"]),
        ('*{reason="space"}', ["space"]),
    ],
)
def test_selecting_by_tags(slurp, stats, pattern, found):
    stats(dropped=(0).to_bytes(8, "little") + (1).to_bytes(8, "little") * 2)
    assert re.findall('reason="(.*)"', slurp("-s", pattern)[1]) == found


@pytest.mark.parametrize(
    ("conditions", "pids"),
    [
        (["pid=1"], [1]),
        (["pid!=1"], [2]),
        (["pid>1"], [2]),
        (["pid>=1", "pid<=1"], [1]),
        (["pid<2"], [1]),
        (["cmd~^w"], [2]),
        (["cmd=web"], [2]),
        (["n"], [1, 2]),
        (["n>5"], [2]),
        (["only"], [2]),
        (["only=True"], [2]),
        (["missing"], []),
        (["missing!=1"], []),
        (["state=alive", "group=app", "uid>=0", "user", "host", "file~mmstats$"], [1, 2]),
        (["age>1d"], [1, 2]),
        (["age<10m"], []),
        (["tid=9"], [1]),
    ],
)
def test_choosing_processes(slurp, stats, conditions, pids):
    stats(("n", "counter", fb.U64, 5), ("sys.tid", "static", fb.U64, 9), pid=1, cmd="job")
    stats(("n", "counter", fb.U64, 10), ("only", "bool", fb.BOOL, True), pid=2, cmd="web", name="b")
    _, out, _ = slurp("--files", "-o", "plain", "-f", *conditions)
    assert [int(line.split("\t")[2]) for line in out.splitlines()] == pids


def test_a_condition_on_a_timer_is_one_on_its_moving_average(slurp, stats):
    cells = [1, 0, 7, *(fb.bits(value, fb.F64) for value in (0, 0, 0, 2.0, 2.0, 2.0))]
    cells += [0, 0, 0, 1, 0, 0, *(fb.bits(value, fb.F64) for value in (2.0, 0))]
    metric = fb.metric("latency", "timer", fb.F64, cells=17, extra=Range(0, 40, 41).pack())
    data = fb.whole(metric, fb.lane(1), fb.cells(1, cells))
    fb.write(Path(os.environ["MMSTATS_PATH"]) / "timer.mmstats", data)
    assert slurp("-f", "latency>1.5")[0] == 0
    assert slurp("-f", "latency>2.5")[0] == 1


def test_a_histogram_in_each_format(slurp):
    """A line for people, an object for programs; a condition on it is one on its count."""
    cells = [3, *(fb.bits(value, fb.F64) for value in (0, 0, 0, 28.0, 5.0, 12.0)), 0, 0, 0, 1, 0, 0]
    metric = fb.metric("size", "histogram", fb.F64, cells=13, unit="bytes", extra=Range(1, 3, 5).pack())
    octave = fb.cells(1, [1, 1], segment=1 + layout.OCTAVE_STEP)
    data = fb.whole(metric, fb.lane(1), fb.cells(1, cells), octave)
    path = fb.write(Path(os.environ["MMSTATS_PATH"]) / "sizes.mmstats", data)
    line = "count=3 mean=9.33333333333 p50=9.37 p99=12 min=5.0 max=12.0"
    assert line in slurp(path)[1]
    assert slurp("-o", "plain", path)[1].endswith(f"size\t{line}\n".replace("\\t", "\t"))
    assert "histogram of 1" in slurp("--by", "all", path)[1]
    value = json.loads(slurp("--jsonl", path)[1])["value"]
    assert value.keys() == {"count", "sum", "min", "max", "mean", "p50", "p90", "p95", "p99", "p999"}
    assert (value["count"], value["sum"], value["p99"]) == (3, 28.0, 12.0)
    assert slurp("-f", "size>2")[0] == 0
    assert slurp("-f", "size>3")[0] == 1


def test_a_condition_may_stand_anywhere_with_an_equals_sign(slurp, stats):
    path = stats(*ROWS, pid=1)
    assert slurp("-f=pid=1", path)[0] == 0
    assert slurp("--where=pid=2", path)[0] == 1


def test_a_process_whose_start_is_not_known_has_no_age(slurp, stats):
    stats(started=0, created=0)
    assert slurp("-f", "age>0")[0] == 1
    assert " ? " in slurp("--files")[1]


def test_a_user_without_a_name_is_a_number(slurp, stats):
    stats(uid=54321)
    assert slurp("-f", "user=54321")[0] == 0


# --- how -------------------------------------------------------------------------------------------


def test_one_table_for_all(slurp, stats):
    for pid, hits in ((4242, 118200), (4243, 122000)):
        stats(
            ("web.requests", "counter", fb.U64, hits),
            ("mem", "counter", fb.U64, hits),
            pid=pid,
            name=str(pid),
            cmd="gunicorn",
        )
    assert (
        slurp("--by", "all", "-s", "web.*")[1]
        == """\
2 processes · 2 files · 1 stat
  LABEL         KIND        SUM     MIN     MAX  WHO HAS MAX
  web.requests  counter  240200  118200  122000  gunicorn 4243
"""
    )
    assert "240.2k  118.2k  122k" in slurp("--by", "all", "--human")[1]


def test_a_mean_is_called_one(slurp):
    """Processes' averages are added up to be divided; what is shown is no sum."""
    cells = [2, fb.bits(5.0, fb.F64), 0]
    data = fb.whole(fb.metric("size", "average", fb.F64, cells=3), fb.lane(1), fb.cells(1, cells))
    fb.write(Path(os.environ["MMSTATS_PATH"]) / "mean.mmstats", data)
    heads, row = slurp("--by", "all")[1].splitlines()[1:]
    assert heads.split()[2:4] == ["VALUE", "OF"]
    assert row.split()[:6] == ["size", "average", "2.5", "mean", "of", "1"]


def test_the_rule_stands_beside_what_is_no_sum(slurp, stats):
    for pid, group in ((1, "x"), (2, "y")):
        stats(
            *(
                ("m", "number", fb.I64, pid, {"aggregate": "max"}),
                ("own", "gauge", fb.F64, 1.0, {"aggregate": "all"}),
            ),
            *(
                ("v", "static", fb.TEXT, "x" * 50),
                ("s", "static", fb.U64, pid),
                ("never", "gauge", fb.F64, None),
            ),
            pid=pid,
            name=str(pid),
            group=group,
        )
    lines = slurp("--by", "all")[1].splitlines()
    assert lines[1].split() == "GROUP LABEL KIND VALUE OF MIN MAX WHO HAS MAX".split()
    assert "max of 1" in lines[2]
    assert any('own{pid="1"}' in line for line in lines)
    assert any("x" * 39 + "…" in line for line in lines)


def test_several_values_of_a_static(slurp, stats):
    for pid in (1, 2):
        stats(("s", "static", fb.U64, pid), pid=pid, name=str(pid))
    assert "2 values: 1, 2  set of 2" in slurp("--by", "all")[1]
    assert slurp("--by", "all", "-o", "plain")[1] == "all\ts\t1,2\n"
    assert json.loads(slurp("--by", "all", "--jsonl")[1])["value"] == [1, 2]


def test_a_disagreement_is_told_once(slurp, stats):
    stats(("a", "counter", fb.U64, 1), pid=1, created=1)
    stats(("a", "gauge", fb.F64, 2.0), pid=2, created=2, name="b")
    code, _, err = slurp("--by", "all")
    assert (code, err.count("'a' is declared as counter by app 1, by a younger program as gauge")) == (3, 1)


def test_json_lines(slurp, stats):
    path = stats(
        *(
            ("web.requests", "counter", fb.U64, 2**64 - 1, {"unit": "bytes"}),
            ("nan", "number", fb.F64, float("nan")),
        ),
        *(("ok", "bool", fb.BOOL, True), ("t", "static", fb.TEXT, 'a"\\\n'), ("f", "gauge", fb.F64, 0.1)),
        pid=4242,
        cmd="gunicorn",
        group="shop",
    )
    lines = [json.loads(line) for line in slurp("--jsonl")[1].splitlines()]
    first = lines[0]
    assert first.pop("t") > 1.7e9
    assert list(first) == [
        "schema",
        "file",
        "cmd",
        "group",
        "pid",
        "state",
        "label",
        "tags",
        "kind",
        "unit",
        "value",
    ]
    assert list(first.values()) == [
        *(1, path, "gunicorn", "shop", 4242, "alive", "web.requests", {}, "counter", "bytes", 2**64 - 1),
    ]
    assert [line["value"] for line in lines[1:]] == [None, True, 'a"\\\n', 0.1]
    assert [json.dumps(one["label"]) for one in json.loads(slurp("--json")[1])] == [
        json.dumps(one["label"]) for one in lines
    ]
    assert slurp("-o", "jsonl")[1].count("\n") == 5


def test_json_of_the_combination(slurp, stats):
    stats(("a", "counter", fb.U64, 1))
    stats(("a", "counter", fb.U64, 2), name="b")
    (one,) = json.loads(slurp("--by", "all", "--json")[1])
    assert one.pop("t") > 1.7e9
    assert one == {
        "schema": 1,
        "cmd": "app",
        "group": "app",
        "state": "alive",
        "label": "a",
        "tags": {},
        "kind": "counter",
        "unit": "",
        "value": 3,
        "processes": 1,
    }


def test_no_line_of_json_for_nothing(slurp, stats):
    stats()
    assert slurp("--jsonl")[1] == ""
    assert json.loads(slurp("--json")[1]) == []


def test_tags_in_json(slurp, stats):
    stats(dropped=(3).to_bytes(8, "little"))
    assert json.loads(slurp("--jsonl")[1])["tags"] == {"reason": "removed"}


def test_plain_lines(slurp, stats):
    path = stats(
        ("f", "number", fb.F64, 0.1 + 0.2),
        ("t", "static", fb.TEXT, "a\tb\\c\nd"),
        ("ok", "bool", fb.BOOL, True),
    )
    assert (
        slurp("-o", "plain")[1]
        == f"{path}\tf\t0.30000000000000004\n{path}\tt\ta\\tb\\\\c\\nd\n{path}\tok\tTrue\n"
    )


def test_the_list(slurp, stats):
    for name in "ab":
        stats(
            ("z", "counter", fb.U64, 1, {"unit": "bytes", "help": "what it is"}),
            ("a", "gauge", fb.F64, 1.0),
            name=name,
        )
    assert (
        slurp("--list")[1]
        == "  LABEL  KIND     UNIT   HELP\n  a      gauge\n  z      counter  bytes  what it is\n"
    )
    assert slurp("--list", "-o", "plain")[1] == "z\tcounter\tbytes\twhat it is\na\tgauge\t\t\n"
    assert [json.loads(line)["help"] for line in slurp("--list", "--jsonl")[1].splitlines()] == [
        "what it is",
        "",
    ]


def test_the_files(slurp, stats):
    path = stats(("a", "counter", fb.U64, 1), pid=7, cmd="job")
    heads, row = slurp("--files")[1].splitlines()
    assert heads.split() == "STATE PID CMD AGE STATS SIZE FILE".split()
    assert re.fullmatch(rf"  alive +7 +job +\d+d\d\dh +1 +4096 +{re.escape(path)}", row)
    assert " 4Ki " in slurp("--files", "--human")[1]
    one = json.loads(slurp("--files", "--jsonl")[1])
    assert (one["file"], one["stats"], one["size"], one["started"]) == (path, 1, 4096, 1.7e9)


def test_verbose_says_what_was_looked_at(slurp, stats):
    path = stats(pid=7)
    assert slurp("-v")[2] == f"slurpstats: {path}: alive, app 7, 0 stats\n"


def test_units_for_people(slurp, stats):
    stats(
        *(
            ("size", "gauge", fb.F64, 5120.0, {"unit": "bytes"}),
            ("took", "gauge", fb.F64, 0.0121, {"unit": "seconds"}),
        ),
        *(
            ("pid", "number", fb.U64, 4242),
            ("long", "gauge", fb.F64, 7985.0, {"unit": "seconds"}),
            ("t", "static", fb.TEXT, "x"),
        ),
    )
    assert slurp("--human")[1].splitlines()[1:6] == [
        "  size    5Ki",
        "  took 12.1ms",
        "  pid    4242",
        "  long  2h13m",
        "  t    x",
    ]
    assert "5120.0" in slurp("--raw")[1]


# --- terminals and pipes ---------------------------------------------------------------------------


def at_a_terminal(path, *words, **env):
    """What a terminal is sent."""
    parent, child = pty.openpty()
    clean = {name: text for name, text in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    environment = {**clean, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", **env}
    done = subprocess.Popen(
        [sys.executable, SCRIPT, path, *words], stdout=child, stderr=child, env=environment
    )
    os.close(child)
    out = b""
    try:
        while chunk := os.read(parent, 4096):
            out += chunk
    except OSError:  # the other end is closed
        pass
    os.close(parent)
    assert done.wait(30) == 0
    return out.decode()


def test_color_is_for_terminals_that_want_it(stats):
    path = stats(("web.hits", "counter", fb.U64, 1), ("evil", "static", fb.TEXT, "\x1b[31m"))
    assert "\x1b[2mweb.\x1b[0mhits 1" in at_a_terminal(path)
    for plain in (
        at_a_terminal(path, NO_COLOR="1"),
        at_a_terminal(path, TERM="dumb"),
        at_a_terminal(path, "--color=never"),
    ):
        assert "\x1b" not in plain
    assert "\x1b[2m" in at_a_terminal(path, NO_COLOR="")
    assert "\\x1b[31m" in at_a_terminal(path)


def test_no_color_in_a_pipe_unless_asked_for(stats):
    path = stats(("web.hits", "counter", fb.U64, 1))
    assert b"\x1b" not in program(SCRIPT, path).stdout
    assert b"\x1b" in program(SCRIPT, path, env={"FORCE_COLOR": "1"}).stdout
    assert b"\x1b" in program(SCRIPT, path, "--color", "always").stdout


@pytest.mark.parametrize("word", ["", "--jsonl"])
def test_a_reader_that_goes_away(stats, word):
    path = stats(*[(f"label.{at:04}", "counter", fb.U64, at) for at in range(20_000)])
    command = f"{sys.executable} {SCRIPT} {path} {word} | head -1; echo ${{PIPESTATUS[0]}}"
    done = program("-c", f"import subprocess, sys; sys.exit(subprocess.call(['bash', '-c', {command!r}]))")
    assert done.stdout.splitlines()[-1] == b"141"
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("where", "message"), [(">&-", b" is closed"), (">/dev/full", b": No space left on device")]
)
def test_output_that_goes_nowhere(stats, where, message):
    path = stats(("a", "counter", fb.U64, 1))
    command = f"{sys.executable} {SCRIPT} {path} {where}; echo $? >&2"
    done = program("-c", f"import subprocess, sys; sys.exit(subprocess.call(['bash', '-c', {command!r}]))")
    assert done.stderr.splitlines() == [b"slurpstats: standard output" + message, b"3"]


def test_the_module_does_the_same(stats):
    path = stats(("a", "counter", fb.U64, 1))
    assert program("-m", "mmstats", "slurp", path).stdout == program(SCRIPT, path).stdout != b""
    assert program("-m", "mmstats", "--help").returncode == 0
    done = program("-m", "mmstats", "nonsense")
    assert (done.returncode, b"'nonsense' is no tool; expected slurp" in done.stderr) == (2, True)


HEAVY = """
    typing dataclasses pathlib tempfile importlib.metadata asyncio inspect ctypes rich textual click json
    mmstats.publish mmstats.cells shutil
"""
FOR_TEXT = "signal re glob argparse fnmatch enum logging pwd"


@pytest.mark.parametrize(
    ("words", "heavy"), [([], f"{HEAVY} {FOR_TEXT}"), (["--jsonl"], HEAVY), (["--by", "all"], HEAVY)]
)
@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="not on PyPy: it loads half of its library by itself"
)
def test_start_up_loads_little(stats, words, heavy):
    path = stats(("a", "counter", fb.U64, 1))
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); before = set(sys.modules)\n"
        f"from mmstats.tools.slurpstats import main\nmain({[path, *words]!r})\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = program("-I", "-S", "-c", code)
    loaded = set(done.stderr.decode().split())
    assert loaded & set(heavy.split()) == set()
    assert len(loaded) <= 50 + (31 if words else 0)
