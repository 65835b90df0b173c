"""The house rules, as tests: who may import whom, what a start costs, what stands at the front door."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mmstats

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
FILES = sorted((SRC / "mmstats").rglob("*.py"))
PYPY = sys.implementation.name == "pypy"

# What a program that publishes has no use for, and would wait for at every start.
HEAVY = """
    argparse ast asyncio concurrent contextlib ctypes dataclasses datetime decimal email
    enum fnmatch glob hashlib http importlib.metadata inspect json logging pathlib pickle platform random
    re shutil signal socket string subprocess tempfile threading tokenize traceback typing urllib uuid
    warnings weakref
""".split()


def module_name(path):
    name = ".".join(path.relative_to(SRC).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = [module_name(path) for path in FILES]


# What serves a browser needs the extra `web`; what mmash is told, and that the extra is missing, does not.
WEB = "mmstats.tools.mmash."
OF_WEB = {
    f"{WEB}{name}"
    for name in "access answers api application classic events metrics page query uploads".split()
}
BROUGHT_BY_WEB = {"starlette", "uvicorn"}


def fresh(code, *arguments, env=None, alone=True):
    """What `code` prints in a new interpreter that has seen nothing: no site, no environment of Python's."""
    head = f"import sys; sys.path.insert(0, {str(SRC)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", *["-S"] * alone, "-c", head + code, *arguments],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.main
def test_layers():
    """Imports go one way through the house: the contracts in pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_each_module_can_be_imported_alone(name):
    """No module relies on another one having been imported before it."""
    if name in OF_WEB:
        pytest.importorskip("starlette", reason="what serves a browser is tested where starlette is")
    fresh(f"import {name}", alone=name not in OF_WEB)


IMPORTED = """
before = set(sys.modules)
{statement}
print(*sorted(set(sys.modules) - before))
"""


def imported_by(statement, **env):
    return set(fresh(IMPORTED.format(statement=statement), env=env).split())


@pytest.mark.skipif(PYPY, reason="not on PyPy: it loads half of its library by itself")
def test_import_mmstats_is_light():
    assert imported_by("import mmstats") & set(HEAVY) == set()


@pytest.mark.skipif(PYPY, reason="not on PyPy: it loads half of its library by itself")
def test_publishing_is_light(tmp_path):
    """A program that publishes, and counts, has loaded nothing that it did not need for it."""
    statement = "import mmstats\nclass S(mmstats.MmStats): c = mmstats.CounterField()\nS().c.incr()"
    assert imported_by(statement, MMSTATS_PATH=str(tmp_path)) & set(HEAVY) == set()


@pytest.mark.skipif(PYPY, reason="not on PyPy: reading loads what it loads")
def test_who_publishes_loads_no_reader(tmp_path):
    names = imported_by("import mmstats\nmmstats.MmStats()", MMSTATS_PATH=str(tmp_path))
    rooms = ("mmstats.read", "mmstats.aggregate", "mmstats.tools")
    assert [name for name in names if name.startswith(rooms)] == []


def test_who_reads_loads_no_writer(tmp_path):
    names = imported_by("import mmstats\nmmstats.snapshot()\nmmstats.combined()", MMSTATS_PATH=str(tmp_path))
    assert [name for name in names if name.startswith(("mmstats.publish", "mmstats.cells"))] == []


def test_import_mmstats_opens_nothing():
    """Apart from the modules themselves: no file, no socket, no thread, no process."""
    code = """
touched = []
def hook(event, arguments):
    word = str(arguments[0]) if arguments else ""
    if event.split(".")[0] in {"open", "socket", "subprocess", "os", "mmap", "fcntl"}:
        if not word.endswith((".py", ".pyc", ".so")) and event != "os.listdir":
            touched.append((event, word))
sys.addaudithook(hook)
import mmstats
print(touched)
import _thread; print(_thread._count())
"""
    assert fresh(code).split("\n")[:2] == ["[]", "0"]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="not on Python 3.9: it has no list of its own modules")
@pytest.mark.parametrize("path", FILES, ids=MODULES)
def test_nothing_is_imported_that_python_does_not_bring(path):
    ours = sys.stdlib_module_names | {"mmstats", "cffi", "_cffi_backend", "__pypy__"}  # PyPy brings cffi
    ours |= BROUGHT_BY_WEB if module_name(path).startswith(WEB) else set()
    assert {name.split(".")[0] for name in imports_of(path)} <= ours


@pytest.mark.parametrize("path", FILES, ids=MODULES)
def test_rooms_do_not_leave_by_the_front_door(path):
    """`mmstats` itself is for users; a room imports from the room that has what it needs."""
    modules = set(MODULES)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert "mmstats" not in {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module == "mmstats":
            names = {alias.name for alias in node.names}
            assert names <= {"__version__", *(m.split(".")[1] for m in modules if "." in m)}


def imports_of(path):
    """What is imported when the module runs: not what only type checkers see."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("name", sorted(mmstats.__all__))
def test_each_name_at_the_front_door_is_there(name):
    assert getattr(mmstats, name) is not None


def test_no_module_has_the_name_of_what_is_at_the_front_door():
    """Whoever imported `mmstats.it` first would be given the module for `mmstats.it` from then on."""
    assert [name for name in mmstats.__all__ if f"mmstats.{name}" in MODULES] == []


def test_a_misspelt_name_is_an_attribute_error_that_says_it():
    with pytest.raises(AttributeError, match="CounterFeild"):
        mmstats.CounterFeild  # noqa: B018 - reading it is the point


def test_dir_shows_the_front_door():
    assert set(mmstats.__all__) <= set(dir(mmstats))


def test_type_checkers_see_the_names_that_are_there():
    """What stands in the TYPE_CHECKING block is what the lazy door opens to."""
    tree = ast.parse((SRC / "mmstats/__init__.py").read_text())
    seen = {
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        for alias in node.names
    }
    modules = {("mmstats", name) for name in mmstats._MODULES}
    assert seen == modules | {(room, name) for name, room in mmstats._ROOM_OF.items()}


@pytest.mark.parametrize("path", FILES, ids=MODULES)
def test_each_module_opens_with_its_rule(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "layout.py"])
def test_a_module_is_read_in_one_sitting(path):
    """At most 300 lines; layout.py is generated, and nobody reads it."""
    assert len(path.read_text().splitlines()) <= 300


def our_files():
    made = ("_cache", "__pycache__", ".egg-info", ".hypothesis", ".git", ".venvs", "build", "dist")
    made = (*made, "node_modules")
    for directory, names, files in os.walk(ROOT):
        names[:] = [name for name in names if not name.endswith(made)]
        kept = (name for name in files if not name.endswith((".so", ".pyc", ".coverage")))
        yield from (Path(directory, name) for name in kept)


def test_no_file_names_a_place_outside_of_the_project():
    """Nobody's home directory, and not the one that this checkout happens to be in."""
    places = ["/" + "home/", "/" + "root/"]
    if len(ROOT.parts) > 2:  # a checkout in the root directory is called like many a thing
        places.append(str(ROOT))
    found = [
        (str(path.relative_to(ROOT)), place)
        for path in our_files()
        for text in [path.read_bytes().decode(errors="replace")]
        for place in places
        if place in text
    ]
    assert found == []


def test_locked_requirements_name_no_place_to_get_them_from():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert text.count("--hash=sha256:") >= text.count("==")
