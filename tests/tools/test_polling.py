"""pollstats as its rows: samples in, text out; churn, with times that are written by hand."""

from __future__ import annotations

import csv
import io
import json

import pytest

from exposed import histogram
from mmstats import kinds
from mmstats.stat import About, Origin, Problem, Snapshot, Stat
from mmstats.tools import poll_machine
from mmstats.tools.moment import Sample
from mmstats.tools.poll_options import parse
from mmstats.tools.poll_rows import Table, comings, cut, fitting, in_common
from mmstats.tools.polling import Poll

START = 1_700_000_000.0


def stat(label, value, kind="counter", unit="", tags=(), aggregate="sum"):
    about = About(aggregate, "", False, kind, label, tags, unit)
    parts = value
    if kind in ("histogram", "timer"):
        rest = (0.5, 1, 1.0, 0.5) if kind == "timer" else ()
        parts = (value.count, value.sum, value.min, value.max, *rest, value.spread)
    if kind == "enum":
        parts, aggregate = frozenset((value,)), "set"
        about = About(aggregate, "", False, kind, label, tags, unit)
    if kind == "average":
        parts, value = value, value[0] / value[1]
    return Stat(about, "g", parts, value)


def process(pid, *stats, created=START - 60, state="alive", problems=(), uuid=None):
    uuid = uuid or f"{pid:032x}"
    origin = Origin("app", created, f"/d/app-{pid}", "g", "h", pid, created, state, 0, uuid)
    return Snapshot(kinds.merged, origin, list(problems), int(state == "alive"), list(stats))


def retired(*stats, created=START - 60):
    origin = Origin("", created, "/d/g-retired.mmstats", "g", "", 0, 0.0, "retired", 0, "e" * 32)
    return Snapshot(kinds.merged, origin, [], 0, list(stats))


def samples(*many, elapsed=1.0, interval=1.0):
    for at, snapshots in enumerate(many):
        yield Sample(snapshots, START + at * elapsed, elapsed if at else 0.0, interval)


@pytest.fixture
def poll(capsys):
    """Runs it over samples; (exit code, its lines, what it says on stderr)."""

    def run(words, *many, width=0, notes=True, elapsed=1.0):
        options = parse(words)
        assert not isinstance(options, int), capsys.readouterr().err
        out = []
        if options.format == "table":
            output = Table(options, lambda: width, out.append)
        elif options.format == "jsonl":
            output = poll_machine.JsonLines(out.append)
        else:
            output = poll_machine.Separated(tabs=options.format == "tsv", out=out.append)
        code = Poll(options, output, notes=notes).run(
            samples(*many, elapsed=elapsed, interval=options.interval)
        )
        return code, "".join(out).splitlines(), capsys.readouterr().err

    return run


def status(pid, two, five, **more):
    return process(pid, stat("web.status.2XX", two), stat("web.status.5XX", five), **more)


def test_the_readme_of_0_8(poll):
    """Its own example printed zeros, as prefix and field were joined without a dot."""
    code, lines, err = poll(["-p", "web.status", "2XX,5XX"], [status(1, 1000, 0)], [status(1, 2204, 12)])
    assert (code, err) == (0, "")
    assert lines == [
        "web.status   delta per 1 s, sum of 1 process",
        "     2XX      5XX   procs",
        "   1,204       12       1",
    ]


@pytest.mark.parametrize("prefix", ["web.status.", "web.status"])
def test_a_prefix_with_or_without_its_dot(poll, prefix):
    _, lines, _ = poll(["-p", prefix, "2XX"], [status(1, 1, 0)], [status(1, 4, 0)])
    assert lines[-1].split() == ["3", "1"]


def test_churn(poll):
    """Born, dead and folded, killed without a trace, a pid again, a counter set back; never a negative."""
    code, lines, _ = poll(
        ["web.status.2XX"],
        [status(1, 100, 0), status(2, 50, 0)],
        [status(1, 110, 0), status(2, 55, 0), status(3, 7, 0, created=START + 0.5)],  # 10 + 5 + 7
        [
            status(1, 120, 0),
            status(3, 9, 0, created=START + 0.5),
            retired(stat("web.status.2XX", 58), created=START + 1.5),
        ],
        [status(1, 5, 0), retired(stat("web.status.2XX", 58))],  # 1 began anew; 3 vanished
        [status(1, 6, 0), status(4, 1000, 0), retired(stat("web.status.2XX", 58))],  # 4 came into sight
        [
            status(1, 6, 0, uuid="d" * 32, created=START + 4.5),
            status(4, 1001, 0),
            retired(stat("web.status.2XX", 58)),
        ],
    )
    assert code == 0
    assert [line.split() for line in lines[2:]] == [
        ["22", "3", "+app", "3"],
        ["15", "2", "-app", "2"],  # 10 + 2 + (58 - 55)
        ["5", "1", "-app", "3"],
        ["1", "2", "+app", "4"],
        ["7", "2", "+app", "1", "-app", "1"],
    ]


def test_a_late_row_is_of_the_time_that_passed(poll):
    words = ["--rate", "web.status.2XX"]
    _, lines, _ = poll(words, [status(1, 0, 0)], [status(1, 300, 0)], elapsed=1.5)
    assert lines == ["web.status.2XX/s   procs", "             200       1  ~"]


LEVELS = (
    stat("free", 512.0, "gauge", "bytes"),
    stat("up", True, "bool", aggregate="any"),
    stat("state", "on", "enum"),
)
LATER = (
    stat("free", 2048.0, "gauge", "bytes"),
    stat("up", False, "bool", aggregate="any"),
    stat("state", "off", "enum"),
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("hits", "30"),
        ("hits:delta", "30"),
        ("hits:rate", "15"),
        ("hits:value", "130"),
        ("hits:avg", "15"),
        ("hits:max", "20"),
        ("hits:min", "10"),
        ("free", "4Ki"),
        ("free:delta", "3Ki"),
        ("free:rate", "1.5Ki"),
        ("free:max", "2Ki"),
        ("up", "False"),
        ("state", "off"),
        ("state:rate", "-"),
        ("mean", "3"),
        ("mean:value", "2.09"),
        ("hits{m=a}", "30"),
        ("hits{m=b}", "-"),
    ],
)
def test_what_a_field_shows(poll, field, expected):
    """Two processes, 2 seconds apart."""
    tags = (("m", "a"),)
    before = [
        process(pid, stat("hits", 50, tags=tags), stat("mean", (20.0, 10), "average"), *LEVELS)
        for pid in (1, 2)
    ]
    after = [
        process(
            pid,
            stat("hits", 50 + 10 * pid, tags=tags),
            stat("mean", (20.0 + 6 * (pid == 1), 10 + 2 * (pid == 1)), "average"),
            *LATER,
        )
        for pid in (1, 2)
    ]
    code, lines, err = poll([field, "-d", "2"], before, after, elapsed=2.0)
    assert (code, err) == (0, "")
    assert lines[-1].split()[0] == expected


@pytest.mark.parametrize("kind", ["timer", "histogram"])
def test_percentiles_of_the_interval(poll, kind):
    """What was slow before does not make this second slow."""
    slow, fast = [30.0] * 1000, [0.001] * 98 + [0.5] * 2

    def made(values):
        return stat("t", histogram(values, timer=kind == "timer"), kind, "seconds")

    _, lines, _ = poll(
        ["--raw", "t,t:p90,t:max,t:avg,t:rate,t:value"],
        [process(1, made(slow))],
        [process(1, made(slow + fast))],
    )
    p50, p99, count, p90, most, mean, rate, value, _ = map(float, lines[-1].split())
    assert (count, rate, value) == (100, 100, 1100)
    assert (p50, p90) == (pytest.approx(0.001, rel=0.05), pytest.approx(0.001, rel=0.05))
    assert (p99, most, mean) == (
        pytest.approx(0.5, rel=0.1),
        pytest.approx(0.5, rel=0.1),
        pytest.approx(0.01098),
    )


def test_no_value_in_the_interval(poll):
    made = stat("t", histogram([1.0]), "histogram", "seconds")
    _, lines, _ = poll(["t"], [process(1, made)], [process(1, made)])
    assert lines[-1].split() == ["-", "-", "0", "1"]


def test_the_totals_of_before(poll):
    _, lines, _ = poll(["--totals", "web.status.2XX"], [status(1, 1000, 0)], [status(1, 1001, 0)])
    assert [line.split() for line in lines[2:]] == [["1,000", "1", "total"], ["1", "1"]]


def test_the_busiest_without_fields(poll):
    labels = [f"c{at}" for at in range(12)]
    before = [process(1, *(stat(label, 0) for label in labels), stat("free", 1.0, "gauge"))]
    after = [process(1, *(stat(label, at) for at, label in enumerate(labels)), stat("free", 9.0, "gauge"))]
    code, lines, err = poll([], before, after)
    assert (code, err) == (0, "pollstats: no FIELDS; the busiest counters: c11,c10,c9,c8,c7,c6,c5,c4\n")
    assert lines[1].split() == ["c11", "c10", "c9", "c8", "c7", "c6", "c5", "c4", "procs"]
    assert lines[2].split() == ["11", "10", "9", "8", "7", "6", "5", "4", "1"]


def test_no_counters(poll):
    both = [process(1, stat("free", 1.0, "gauge"))]
    assert poll([], both, both) == (1, [], "pollstats: there are no counters; name FIELDS\n")


def test_globs(poll):
    _, lines, _ = poll(["web.*"], [status(1, 1, 1)], [status(1, 2, 3)])
    assert lines[0] == "web.status.   delta per 1 s, sum of 1 process"
    assert lines[1].split()[:2] == ["2XX", "5XX"]
    assert lines[2].split() == ["1", "2", "1"]


def test_an_unknown_field(poll):
    code, lines, err = poll(["-p", "web.status", "6XX"], [status(1, 1, 1)])
    assert (code, lines) == (1, [])
    assert err == ("pollstats: no stat is called 'web.status.6XX'. Close: web.status.2XX, web.status.5XX\n")


def test_nothing_to_look_at(poll):
    code, lines, err = poll(["x"], [])
    assert (code, lines) == (1, [])
    assert "no mmstats file matches" in err
    code, lines, err = poll(["x", "-f", "pid=9"], [status(1, 1, 1)])
    assert (code, lines, err) == (1, [], "pollstats: no process matches pid=9; looked at 1\n")


def test_so_many_rows(poll):
    many = [[status(1, at, 0)] for at in range(9)]
    code, lines, _ = poll(["-c", "3", "web.status.2XX"], *many)
    assert (code, len(lines)) == (0, 5)


def test_headers_again(poll):
    many = [[status(1, at, 0)] for at in range(6)]
    words = ["web.status.2XX:rate"]
    assert sum("procs" in line for line in poll(["-n", "2", *words], *many)[1]) == 3
    assert sum("procs" in line for line in poll(["-n", "0", *words], *many)[1]) == 1
    assert sum("procs" in line for line in poll(words, *many)[1]) == 1


def ready(count):
    """So many processes that are."""
    return [process(pid, stat("web.ready", 1.0, "gauge")) for pid in range(1, count + 1)]


def test_until(poll):
    words = ["--until", "web.ready>=2", "web.ready"]
    assert poll(words, [], ready(1), ready(2), ready(3))[0] == 0
    code, lines, _ = poll(["-c", "2", *words], [], ready(1), ready(1), ready(1))
    assert code == 4
    assert [line.split()[0] for line in lines if "procs" not in line] == ["1", "1"]
    code, lines, _ = poll(["-c", "1", *words], ready(1), ready(3))
    assert code == 0  # in the last row


def test_what_is_waited_for_is_shown_where_no_field_is_named(poll):
    code, lines, err = poll(["--until", "web.ready>=2"], [], ready(1), ready(2))
    assert (code, err) == (0, "")
    assert [line.split() for line in lines[-3:]] == [
        ["web.ready", "value", "procs"],
        ["1", "1", "+app", "1"],
        ["2", "2", "+app", "2"],
    ]


def test_until_a_rate(poll):
    words = ["--until", "web.status.2XX:rate>5", "web.status.2XX"]
    code, lines, _ = poll(
        words, [status(1, 100, 0)], [status(1, 101, 0)], [status(1, 110, 0)], [status(1, 120, 0)]
    )
    assert (code, [line.split()[0] for line in lines[2:]]) == (0, ["1", "9"])


def test_marks(poll):
    words = ["-p", "web.status", "2XX,5XX", "--warn", "5XX>1", "--crit", "5XX>5", "--warn", "2XX<1"]
    many = [[status(1, at, five)] for at, five in enumerate((0, 1, 3, 13))]
    _, lines, _ = poll(words, *many)
    assert [line.split()[:2] for line in lines[2:]] == [["1", "1"], ["1", "2!"], ["1", "10!!"]]
    _, lines, _ = poll([*words, "--color", "always"], *many)
    assert "\x1b[31m    10!!\x1b[0m" in lines[-1]


def test_a_line_for_each_process(poll):
    before = [status(1, 0, 0), status(2, 0, 0), retired(stat("web.status.2XX", 5))]
    after = [status(1, 3, 0), status(2, 4, 0), retired(stat("web.status.2XX", 5))]
    _, lines, _ = poll(["--by", "pid", "web.status.2XX"], before, after)
    assert [line.split() for line in lines[1:]] == [
        ["pid", "web.status.2XX", "procs"],
        ["1", "3", "2"],
        ["2", "4", "2"],
    ]


def test_by_what_nothing_has(poll):
    code, lines, err = poll(["--by", "pit", "web.status.2XX"], [status(1, 1, 0)])
    assert (code, lines, err) == (1, [], "pollstats: nothing has a tag 'pit'. Close: pid\n")


def test_by_a_tag(poll):
    def made(get, put):
        return [process(1, *(stat("r", n, tags={"m": m, "u": "x"}) for m, n in (("GET", get), ("PUT", put))))]

    _, lines, _ = poll(["--by", "m", "r"], made(1, 1), made(3, 8))
    assert [line.split() for line in lines[2:]] == [["GET", "2", "1"], ["PUT", "7", "1"]]


def test_a_narrow_terminal(poll):
    before = [process(1, *(stat(f"some.very.long.name.{at}", 0) for at in range(6)))]
    after = [process(1, *(stat(f"some.very.long.name.{at}", 10**at) for at in range(6)))]
    _, lines, _ = poll(["some.*:rate"], before, after, width=40)
    assert lines == [
        "some.very.long.name.",
        "    0/s     1/s     2/s     3/s   procs  … +2",
        "      1      10     100   1,000       1",
    ]
    _, lines, _ = poll(["--vertical", "some.*:rate"], before, after, width=40)
    assert len(lines) == 7


def test_stats_that_are_made_anew_each_time(capsys):
    """As those of retired totals are: what is remembered of one may not be said of another in its place."""
    options = parse(["web.status.5XX", "--raw"])
    out = []

    def many():
        for at in range(300):
            others = [stat(f"web.other.{one}", 7) for one in range(at % 5)]
            yield Sample([process(1, *others, stat("web.status.5XX", at))], START + at, float(at > 0))

    Poll(options, Table(options, lambda: 0, out.append), notes=False).run(many())
    rows = [line.split() for line in out if "procs" not in line and "delta" not in line]
    assert rows == [["1", "1"]] * 299


def test_a_terminal_that_changes(poll, capsys):
    widths = iter([80, 80, 40, 40])
    options = parse(["web.status.2XX:rate", "-n", "0"])
    out = []
    table = Table(options, lambda: next(widths), out.append)
    many = [[status(1, at, 0)] for at in range(5)]
    Poll(options, table, notes=True).run(samples(*many))
    assert sum("procs" in line for line in out) == 2


@pytest.mark.parametrize(
    ("names", "room", "widths", "left_out"),
    [
        (["a", "bb"], 0, [8, 8], 0),
        (["a" * 20], 0, [20], 0),
        (["a" * 20, "b"], 25, [15, 8], 0),
        (["a"] * 5, 20, [7, 7], 3),
        (["a"], 3, [7], 0),
    ],
)
def test_columns_that_fit(names, room, widths, left_out):
    assert fitting(names, room) == (widths, left_out)


@pytest.mark.parametrize(
    ("names", "common"),
    [
        (["web.a", "web.b"], "web."),
        (["web.a", "web.b.c", "web.b.d"], "web."),
        (["web.a", "api.a"], ""),
        (["web.a p50", "web.a p99"], "web."),
        (["web.aa", "web.ab"], "web."),
        (["web.a"], ""),
        ([], ""),
    ],
)
def test_what_names_have_in_common(names, common):
    assert in_common(names) == common


def test_names_are_cut_in_the_middle():
    assert cut("web.status.2XX", 7) == "web…2XX"
    assert cut("short", 7) == "short"


def test_very_many_who_come():
    origins = [process(pid).origin for pid in range(1, 6)]
    assert comings(origins[:2], []) == "+app 1  +app 2"
    assert comings(origins, origins[:1]) == "+5 -1 processes"


def test_vertical_with_a_clock(poll):
    _, lines, _ = poll(["--vertical", "-p", "web.status", "2XX,5XX"], [status(1, 1, 0)], [status(1, 3, 9)])
    assert lines[0].endswith("1 procs")
    assert [line.split() for line in lines[1:]] == [["2XX", "2"], ["5XX", "9"]]


def test_the_time_of_each_row(poll):
    _, lines, _ = poll(["-t", "web.status.2XX"], [status(1, 1, 0)], [status(1, 3, 9)])
    assert lines[-1].split()[0].count(":") == 2


def test_a_summary(poll):
    many = [[status(1, at, 0)] for at in (0, 1, 4, 14)]
    _, lines, _ = poll(["--summary", "web.status.2XX"], *many)
    assert [line.split() for line in lines[-4:]] == [
        ["1", "min"],
        ["4.67", "avg"],
        ["10", "max"],
        ["14", "total"],
    ]
    _, lines, _ = poll(["--summary", "--jsonl", "web.status.2XX"], *many)
    assert json.loads(lines[-1])["summary"]["total"] == {"web.status.2XX": 14}
    _, lines, _ = poll(["--summary", "--csv", "web.status.2XX"], *many)
    assert len(lines) == 4


def test_json_lines(poll):
    _, lines, _ = poll(
        ["--jsonl", "--totals", "web.status.2XX,t"],
        *[[process(1, stat("web.status.2XX", at), stat("t", float("inf"), "gauge"))] for at in (1, 1205)],
    )
    total, row = map(json.loads, lines)
    assert total == {
        "schema": 1,
        "t": START,
        "dt": 0.0,
        "procs": 1,
        "total": True,
        "values": {"web.status.2XX": 1, "t": None},
    }
    assert row == {
        "schema": 1,
        "t": START + 1,
        "dt": 1.0,
        "procs": 1,
        "values": {"web.status.2XX": 1204, "t": None},
    }
    _, lines, _ = poll(["--jsonl", "--by", "pid", "web.status.2XX"], [status(1, 1, 0)], [status(1, 2, 0)])
    assert json.loads(lines[0])["by"] == {"pid": "1"}


def test_csv(poll):
    _, lines, _ = poll(
        ["--csv", "--totals", "web.status.2XX:rate,web.status.5XX"], [status(1, 1, 0)], [status(1, 2, 1)]
    )
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    assert rows == [
        ["t", "dt", "procs", "web.status.2XX/s", "web.status.5XX"],
        [f"{START:.3f}", "", "1", "", "0"],
        [f"{START + 1:.3f}", "1.0", "1", "1.0", "1"],
    ]
    _, lines, _ = poll(["-o", "tsv", "web.status.2XX"], [status(1, 1, 0)], [status(1, 2, 1)])
    assert [line.split("\t")[2:] for line in lines] == [["procs", "web.status.2XX"], ["1", "1"]]


def test_what_cannot_be_read_is_said_once(poll):
    bad = Snapshot(None, Origin(file="/d/bad"), [Problem("/d/bad", "damaged\x1b")], 0, [])
    code, _, err = poll(["web.status.2XX"], *[[status(1, at, 0), bad] for at in range(4)])
    assert (code, err) == (3, "pollstats: /d/bad: damaged\\x1b\n")
    assert poll(["-q", "web.status.2XX"], *[[status(1, at, 0), bad] for at in range(4)])[2] == ""


def test_who_comes_is_said_in_a_pipe_if_asked(poll):
    many = [status(1, 0, 0)], [status(1, 1, 0), status(2, 1, 0, created=START + 0.5)]
    assert poll(["web.status.2XX"], *many, notes=False)[2] == ""
    assert poll(["-v", "web.status.2XX"], *many, notes=False)[2] == "pollstats: +app 2\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-d", "0", "x"], "-d takes a number above 0: '0'"),
        (["-d", "x", "x"], "-d takes a number above 0: 'x'"),
        (["-c", "0", "x"], "-c takes a number above 0: '0'"),
        (["-n", "-1", "x"], "-n takes a number, 0 for once: '-1'"),
        (["/tmp/x.mmstats"], "'/tmp/x.mmstats' is a file: FIELDS come first, then FILES"),
        (
            ["-f", "a=b", "2XX", "x.mmstats"],
            "no FIELDS left; -f took 'a=b 2XX x.mmstats'. Put -f last, or write -f=a=b",
        ),
        (["a,,b"], "FIELDS 'a,,b': expected names with commas between them"),
        (["a{b"], "field 'a{b': expected NAME, NAME:WORD or NAME{key=value}"),
        (["x", "--until", "ready"], "expected NAME<NUMBER"),
        (["x", "--replay", "r", "--record", "s"], "--replay shows what was recorded; leave --record out"),
        (["x", "y.mmstats", "--replay", "r"], "--replay shows what was recorded; leave FILES out"),
        (["x", "--speed", "2"], "--speed is how fast --replay goes"),
        (["x", "--speed", "0", "--replay", "r"], "--speed takes a number above 0: '0'"),
    ],
)
def test_what_makes_no_sense(words, message, capsys):
    assert parse(words) == 2
    assert message in capsys.readouterr().err
