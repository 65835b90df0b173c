"""slurpstats for scripts and other programs: CSV, Prometheus, bare values, checks, other rules and orders."""

from __future__ import annotations

import csv
import io
import json

import pytest

import filebuilder as fb
import programs
from exposed import promtool
from mmstats.aggregate.chosen import WORDS
from mmstats.export import FORMATS
from mmstats.tools import options

pytestmark = pytest.mark.usefixtures("quiet_world")
OPENMETRICS = "prometheus_client.openmetrics.parser"


@pytest.fixture
def three(quiet_world, stats):
    """Three processes: hits 1, 2 and 30; one text each."""
    for pid, hits in ((4242, 1), (4243, 2), (4244, 30)):
        rows = ("web.hits", "counter", fb.U64, hits), ("web.name", "static", fb.TEXT, f"a\tb{pid}")
        stats(*rows, name=f"app-{pid}", pid=pid, group=b"app", cmd=b"app")


def values(out):
    return {one["label"]: one["value"] for one in map(json.loads, out.splitlines())}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("word", "value"),
    [("sum", 33), ("avg", 11.0), ("min", 1), ("max", 30), ("one", 1), ("count", 3), ("p50", 2), ("p99", 30)],
)
def test_by_another_rule(slurp, word, value):
    code, out, err = slurp("-a", word, "--jsonl")
    assert (code, values(out), err) == (0, {"web.hits": value}, "")


def test_the_words_are_those_that_are_known():
    """They stand in the options too, so that help loads no arithmetic and no formats."""
    assert options.AGGREGATES == list(WORDS)
    assert set(options.WHOLE) == set(FORMATS) < set(options.FORMATS)


@pytest.mark.usefixtures("three")
def test_the_rule_stands_beside_it(slurp):
    _, out, _ = slurp("-a", "avg")
    assert out.splitlines()[-1].split() == [
        "web.hits",
        "gauge",
        "11.0",
        *("avg", "of", "3"),
        "1",
        "30",
        "app",
        "4244",
    ]


@pytest.mark.usefixtures("three")
def test_by_another_rule_and_a_key(slurp):
    _, out, _ = slurp("-a", "max", "--by", "pid", "--jsonl")
    assert [json.loads(line)["tags"]["pid"] for line in out.splitlines()] == ["4242", "4243", "4244"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["-s", "web.hits"], "33\n"),
        (["-s", "web.hits", "-a", "avg"], "11.0\n"),
        (["-s", "web.hits", "-f", "pid=4242"], "1\n"),
        (["-s", "web.name", "-f", "pid=4242"], "a\\tb4242\n"),
    ],
)
def test_the_bare_value(slurp, words, out):
    assert slurp("--value", *words) == (0, out, "")


@pytest.mark.usefixtures("three")
def test_no_bare_value(slurp):
    code, out, err = slurp("--value", "-s", "web.hitz")
    assert (code, out, "web.hits" in err) == (1, "", True)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        (["--check", "web.hits<100"], 0, []),
        (["--check", "web.hits<30"], 4, [30]),
        (["--check", "web.hits<2", "--check", "web.hits>1"], 4, [1, 2, 30]),
        (["--check", "web.hits<30", "--by", "all"], 4, [33]),
        (["--check", "web.hits<=33", "--by", "all"], 0, []),
        (["--check", "web.hits<30", "-f", "pid=4242"], 0, []),
        (["--check", "web.name<1"], 4, ["a\tb4242", "a\tb4243", "a\tb4244"]),
    ],
)
def test_checks(slurp, words, code, shown):
    found, out, err = slurp("--jsonl", *words)
    assert (found, [json.loads(line)["value"] for line in out.splitlines()], err) == (code, shown, "")


@pytest.mark.usefixtures("three")
def test_checks_in_a_table(slurp):
    code, out, _ = slurp("--check", "web.hits<30")
    assert code == 4
    assert [line.split() for line in out.splitlines()[1:-1]] == [["web.hits", "30"]]
    assert slurp("--check", "web.hits<31")[:2] == (0, "")


@pytest.mark.usefixtures("three")
def test_a_check_of_nothing_is_a_mistake(slurp):
    code, out, err = slurp("--check", "web.hitz<5")
    assert (code, out) == (1, "")
    assert (
        err == "slurpstats: --check 'web.hitz<5': no stat is called 'web.hitz'. Close: web.hits, web.name\n"
    )


@pytest.mark.usefixtures("three")
def test_a_check_beside_what_cannot_be_read(slurp, tmp_path):
    (tmp_path / "stats" / "z.mmstats").write_bytes(b"nonsense")
    assert slurp("--check", "web.hits<30")[0] == 4
    assert slurp("--check", "web.hits<31")[0] == 3


@pytest.mark.usefixtures("three")
def test_csv(slurp):
    code, out, _ = slurp("--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [(one["pid"], one["label"], one["value"]) for one in rows] == [
        *(("4242", "web.hits", "1"), ("4242", "web.name", "a\tb4242"), ("4243", "web.hits", "2")),
        *(("4243", "web.name", "a\tb4243"), ("4244", "web.hits", "30"), ("4244", "web.name", "a\tb4244")),
    ]
    assert {one["state"] for one in rows} == {"alive"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("words", "header", "count"),
    [
        (
            [],
            "file cmd group pid state name label kind unit value count sum min max mean p50 p90 p95 p99 p999",
            6,
        ),
        (
            ["--by", "all"],
            "group processes name label kind unit value count sum min max mean p50 p90 p95 p99 p999",
            2,
        ),
        (["--files"], "file cmd group pid state uid host started stats size", 3),
        (["--list"], "group name label kind unit help", 2),
    ],
)
def test_tsv(slurp, words, header, count):
    """As many fields in each line as the header has."""
    _, out, _ = slurp("-o", "tsv", *words)
    head, *rows = [line.split("\t") for line in out.splitlines()]
    assert head == header.split()
    assert [len(row) for row in rows] == [len(head)] * count


@pytest.mark.usefixtures("quiet_world")
def test_a_distribution_in_columns(slurp, monkeypatch, stats_dir):
    programs.run("stats = Timed()\nstats.timer.observe(0.5)\n", "pure", stats_dir, start=TIMED)
    _, out, _ = slurp("--csv", "-s", "timer", str(stats_dir))
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["value"], row["count"], row["sum"], row["p99"]) == ("", "1", "0.5", "0.5")


TIMED = """
import mmstats
class Timed(mmstats.BaseMmStats):
    timer = mmstats.TimerField(label="timer")
"""


@pytest.mark.usefixtures("three")
def test_prometheus(slurp):
    code, out, err = slurp("-o", "prometheus", "-s", "web.hits")
    assert (code, out, err) == (0, '# TYPE web_hits_total counter\nweb_hits_total{group="app"} 33\n', "")
    assert "error" not in promtool(out)[1]
    _, out, _ = slurp("-o", "prometheus", "-s", "web.hits", "--by", "pid")
    assert 'web_hits_total{group="app",pid="4244"} 30\n' in out


@pytest.mark.usefixtures("three")
def test_openmetrics(slurp):
    parser = pytest.importorskip(OPENMETRICS)
    _, out, _ = slurp("-o", "openmetrics")
    assert [one.name for one in parser.text_string_to_metric_families(out)] == ["web_hits", "web_name"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("words", "order"),
    [
        (["--sort", "value"], [1, 2, 30]),
        (["--sort", "-value"], [30, 2, 1]),
        (["--sort=-value"], [30, 2, 1]),
        (["--sort", "label"], [1, 2, 30]),
    ],
)
def test_in_another_order(slurp, words, order):
    _, out, _ = slurp(*words, "--by", "pid", "-s", "web.hits", "--jsonl")
    assert [json.loads(line)["value"] for line in out.splitlines()] == order


def test_numbers_come_before_texts(slurp, stats):
    stats(("z", "static", fb.TEXT, "x"), ("a", "counter", fb.U64, 1), ("b", "number", fb.F64, 2.5))
    assert list(values(slurp("--sort", "-value", "--jsonl")[1])) == ["b", "a", "z"]
    assert list(values(slurp("--sort", "label", "--jsonl")[1])) == ["a", "b", "z"]


@pytest.mark.usefixtures("three")
def test_files_by_their_names(slurp, tmp_path):
    files = [str(tmp_path / "stats" / f"app-{pid}.mmstats") for pid in (4244, 4242)]
    _, out, _ = slurp("--files", "--jsonl", "--sort", "file", *files)
    assert [json.loads(line)["pid"] for line in out.splitlines()] == [4242, 4244]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "prometheus", "--list"], "-o prometheus combines stats; it says nothing of --list"),
        (["-a", "max", "--files"], "--by combines stats; it says nothing of --files"),
        (["--value", "--jsonl"], "--value prints bare values; -o jsonl prints more"),
        (["--check", "web"], "expected NAME<NUMBER"),
        (["--check", "web<x"], "'x' is no number, as 100, 1.5, 50ms, 4Ki or 5%"),
        (["-a", "mean"], "invalid choice: 'mean'"),
        (["--sort", "size"], "invalid choice: 'size'"),
    ],
)
def test_what_makes_no_sense(slurp, words, message):
    code, out, err = slurp(*words)
    assert (code, out, message in err) == (2, "", True)
