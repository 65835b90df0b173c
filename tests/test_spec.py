"""The law: generated files are in step with layout.toml, and the generator refuses a broken layout."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.main  # the generator is for developers, and needs Python 3.11

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"


@pytest.fixture
def generator(tmp_path):
    """spec/generate.py over a copy of the law that a test may spoil."""
    for name in ("layout.toml", "FORMAT.md", "generate.py"):
        (tmp_path / "spec").mkdir(exist_ok=True)
        shutil.copy(SPEC / name, tmp_path / "spec" / name)
    for directory in ("src/mmstats/format", "c", "java/src/mmstats"):
        (tmp_path / directory).mkdir(parents=True)
    spec = importlib.util.spec_from_file_location("generate", tmp_path / "spec" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spoil(generator, old, new):
    path = generator.SPEC / "layout.toml"
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} must stand there once"
    path.write_text(text.replace(old, new))


def test_generated_files_are_in_step():
    command = [sys.executable, SPEC / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_check_names_each_file_that_lags_and_writes_nothing(generator, capsys):
    assert generator.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "src/mmstats/format/layout.py" in said
    assert "c/mmstats_layout.h" in said
    assert "java/src/mmstats/Layout.java" in said
    assert not (generator.ROOT / "src/mmstats/format/layout.py").exists()


def test_what_it_wrote_is_in_step(generator):
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0


def test_a_number_changed_in_the_law_alone_lags(generator):
    generator.main([])
    spoil(generator, "minor = 0", "minor = 1")
    assert generator.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"minor", offset = 10', '"minor", offset = 8', "header.minor: offset=8 overlaps"),
        ('"start_ticks", offset = 104', '"start_ticks", offset = 108', "is not a multiple of its width 8"),
        (
            '"created_monotonic", offset = 416',
            '"created_monotonic", offset = 512',
            "header ends at 520, beyond",
        ),
    ],
    ids=["overlap", "misaligned", "too long"],
)
def test_a_broken_layout_is_refused(generator, old, new, message):
    """The generator names the field, and what is wrong with it."""
    spoil(generator, old, new)
    with pytest.raises(SystemExit, match=message):
        generator.main(["--check"])


def test_the_law_shows_every_table(generator):
    """Each record, enum and the table of kinds has its place in FORMAT.md."""
    text = (SPEC / "FORMAT.md").read_text()
    tables = generator.tables(generator.load())
    assert [name for name in tables if f"<!-- table {name} -->" not in text] == []


def test_an_empty_table_is_filled_and_what_follows_stays(generator):
    law = "<!-- table block -->\n<!-- end -->\n\n## Next\n\n<!-- table constants -->\n<!-- end -->\n"
    filled = generator.fill_tables(law, generator.load())
    assert "stored last" in filled
    assert "## Next" in filled
    assert filled.count("<!-- end -->") == 2
    assert generator.fill_tables(filled, generator.load()) == filled


def test_an_empty_table_is_filled_and_the_prose_around_it_stays(generator):
    law = generator.SPEC / "FORMAT.md"
    law.write_text(
        "before\n<!-- table block -->\n<!-- end -->\nbetween\n<!-- table lane -->\n<!-- end -->\nafter\n"
    )
    generator.main([])
    prose = [line for line in law.read_text().splitlines() if line[0] not in "|<"]
    assert prose == ["before", "between", "after"]
    assert law.read_text().count("| offset |") == 2
