"""The docs tell the truth: examples run, outputs are real, options and names are those there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mmstats

pytestmark = pytest.mark.main  # what is written down does not change with the Python

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[a-z ]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


def blocks(page, language):
    """The code of one language in a page, in order, as (mark, text)."""
    found = FENCE.finditer((ROOT / page).read_text())
    return [(block["mark"], block["text"]) for block in found if block["language"] == language]


@pytest.fixture
def environment(tmp_path):
    """That of somebody who has mmstats installed, and its files in a place of his own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("MMSTATS_")},
        "MMSTATS_PATH": str(tmp_path),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }


class Program:
    """The python blocks of a page as one program, which lives until the test is through."""

    def __init__(self, page, directory, environment):
        text = "\n".join(text for mark, text in blocks(page, "python") if mark != "not run")
        path = directory / "web.py"
        path.write_text(text + "\nprint('ready', flush=True)\ninput()\n")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", path],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        said = []
        while not said or said[-1] not in {"ready\n", ""}:
            said.append(self.process.stdout.readline())
        assert said[-1] == "ready\n"
        return self

    def __exit__(self, *_):
        self.process.communicate("\n")
        assert self.process.returncode == 0


@pytest.mark.parametrize("page", ["README.md", "docs/python.md", "docs/prometheus.md"])
def test_python_examples_run(page, tmp_path, environment):
    with Program(page, tmp_path, environment):
        pass


@pytest.mark.parametrize("page", ["README.md", "docs/tools.md"])
def test_what_the_tools_print_is_what_they_print(page, tmp_path, environment):
    """Each `$ command` of a console block marked `run`, while README's program is alive."""
    wanted = [text for mark, text in blocks(page, "console") if mark == "run"]
    assert wanted
    with Program("README.md", tmp_path, environment):
        assert [shape(replay(text, environment)) for text in wanted] == [shape(text) for text in wanted]


def replay(text, environment):
    """A console block, with what its commands print now."""
    out = []
    for line in text.splitlines():
        if line.startswith("$ "):
            said = subprocess.run(
                line[2:], shell=True, env=environment, capture_output=True, text=True, check=False
            )
            out += [line, *(said.stdout + said.stderr).splitlines()]
    return "\n".join(out) + "\n"


def shape(text):
    """A text without what is different each time: places, pids, moments, versions."""
    for pid in set(re.findall(r"web\.py[- ](\d+)", text)):
        text = re.sub(rf"\b{pid}\b", "9999", text)  # a pid may be short
    text = re.sub(r"/[\w./-]+/", "/", text)
    text = re.sub(r"(?m)^( *\S*(?:sys\.\S+|org\.python\.version)) .*$", r"\1 …", text)
    text = re.sub(r"web\.py-\d+-[0-9a-f]{8}", "web.py-PID-ID", text)
    text = re.sub(r'("(?:t|pid|value)": ?)\d{4,}[\d.]*', r"\1N", text)
    text = re.sub(r"\d{4,}(\.\d+)?|\b\d+s\b", "N", text)
    return re.sub(r" {2,}", "  ", text)


TOOLS = {
    "slurpstats": [BIN / "slurpstats"],
    "pollstats": [BIN / "pollstats"],
    "cleanstats": [BIN / "cleanstats"],
    "mmash": [BIN / "mmash"],
    "export": [sys.executable, "-m", "mmstats", "export"],
    "the doctor": [sys.executable, "-m", "mmstats", "doctor"],
}
SECTIONS = {
    "slurpstats": "slurpstats",
    "pollstats": "pollstats",
    "cleanstats": "cleanstats",
    "mmash": "mmash",
    "export": "python -m mmstats export",
    "the doctor": "python -m mmstats doctor",
}


def help_of(tool, environment):
    command = [*TOOLS[tool], "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def section_of(tool):
    """What tools.md says of one tool."""
    _, _, after = (ROOT / "docs/tools.md").read_text().partition(f"\n## {SECTIONS[tool]}\n")
    return after.partition("\n## ")[0]


OPTION = re.compile(r"(?<![\w-])(--[a-z][\w-]*)")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_option_of_a_tool_is_documented_and_no_other(tool, environment):
    assert set(OPTION.findall(help_of(tool, environment))) == set(OPTION.findall(section_of(tool)))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_help_in_the_docs_is_the_help(tool, environment):
    (written,) = [text for mark, text in blocks("docs/tools.md", "text") if mark == f"help of {tool}"]
    assert help_of(tool, environment).strip() == written.strip()


EXIT_CODES = {
    "slurpstats": "0 1 2 3 4 130 141",
    "pollstats": "0 1 2 3 4 141",
    "cleanstats": "0 1 2 3 130 141",
    "mmash": "0 1 2 69",
    "export": "0 1 2 3 130 141",
}


@pytest.mark.parametrize("tool", EXIT_CODES)
def test_the_exit_codes_of_a_tool_are_documented(tool):
    assert re.findall(r"^\| (\d+) \|", section_of(tool), re.MULTILINE) == EXIT_CODES[tool].split()


def test_every_public_name_is_documented():
    page = (ROOT / "docs/python.md").read_text()
    assert [name for name in mmstats.__all__ if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_what_is_not_there(page):
    """Every `mmstats.name` in code exists; CHANGELOG and decisions may speak of what was."""
    if page.name == "CHANGELOG.md" or page.parent.name == "decisions":
        return
    for code in re.findall(r"`([^`]+)`", page.read_text()):
        for name in re.findall(r"(?<![\w./])mmstats\.([a-z_]\w*|[A-Z][a-z]\w*)\b(?![./])", code):
            assert hasattr(mmstats, name) or (ROOT / "src/mmstats" / name).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s:]+)(?:#[\w-]*)?\)", text):
        assert (page.parent / target).exists()
    anchors = {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads(text)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= anchors


def heads(text):
    return re.findall(r"^#+ (.*)$", text, re.MULTILINE)


def test_variables_of_the_environment_are_those_the_code_reads():
    page = (ROOT / "docs/python.md").read_text()
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    assert set(re.findall(r"MMSTATS_[A-Z]+\b", source)) == set(re.findall(r"MMSTATS_[A-Z]+\b", page))


def test_the_map_shows_the_rooms_as_the_contract_has_them():
    settings = (ROOT / "pyproject.toml").read_text()
    (layers,) = re.findall(r"^layers = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL)
    page = (ROOT / "ARCHITECTURE.md").read_text()
    assert "\n".join(re.findall(r'"(.*)"', layers)) in page
    assert [room for room in re.findall(r"\w+", layers) if f"| `{room}` |" not in page] == []
