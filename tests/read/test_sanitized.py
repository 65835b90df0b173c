"""The native twin of what reads many files, with sanitizers: its two threads meet only where they may."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import mmstats
from mmstats.read.gather import Gatherer, gatherer_type

HERE = Path(__file__).parent
PACKAGE = Path(mmstats.__file__).parent
COMMAND = [
    "gcc",
    "-shared",
    "-fPIC",
    "-std=c11",
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-pthread",
    "-Wno-tsan",
]
WHERE = f"-I{PACKAGE.parent.parent / 'c'}", f"-I{PACKAGE}", f"-I{sysconfig.get_path('include')}"
LIBRARIES = {"thread": ["libtsan.so"], "address,undefined": ["libasan.so", "libubsan.so"]}
TOLD = {"TSAN_OPTIONS": "exitcode=66", "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}


def built(directory, how, spoil=None):
    """A copy of the package, whose native twin of reading is built so."""
    ignored = shutil.ignore_patterns("*.so", "page", "static", "__pycache__")
    copy = shutil.copytree(PACKAGE, directory / "mmstats", ignore=ignored)
    if spoil:
        source = copy / "read" / "_native_sweep.h"
        before = source.read_text()
        source.write_text(before.replace(*spoil))
        assert source.read_text() != before
    name = f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    words = [*COMMAND, f"-fsanitize={how}", *WHERE, "_native.c", "-o", name]
    subprocess.run(words, cwd=copy / "read", check=True)


def ran(directory, how, wanted):
    """Exit code and output of the tests of gathering, which run over it."""
    paths = [
        subprocess.run(["gcc", f"-print-file-name={one}"], capture_output=True, text=True, check=True)
        for one in LIBRARIES[how]
    ]
    environment = {**os.environ, **TOLD, "PYTHONPATH": str(directory), "PYTHONMALLOC": "malloc"}
    environment["LD_PRELOAD"] = " ".join(one.stdout.strip() for one in paths)
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", wanted, "test_gather.py"]
    done = subprocess.run(
        [sys.executable, *words], cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


pytestmark = [
    pytest.mark.main,
    pytest.mark.skipif(gatherer_type() is Gatherer, reason="not on machines where no native twin was wanted"),
]


@pytest.mark.parametrize("how", LIBRARIES)
def test_sanitizers_have_nothing_to_say(tmp_path, how):
    built(tmp_path, how)
    code, told = ran(tmp_path, how, "one_processor or (native and (whatever or come))")
    assert code == 0, told
    assert " passed" in told


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="not on a machine of one processor")
def test_they_would_say_it(tmp_path):
    """Where both threads write to one place."""
    worker = "    struct worker *worker = given;\n"
    built(tmp_path, "thread", (worker, f"    static volatile int racy;\n    racy++;\n{worker}"))
    code, told = ran(tmp_path, "thread", "one_processor")
    assert code == 66, told
    assert "ThreadSanitizer: reported" in told
