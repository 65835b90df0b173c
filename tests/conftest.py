"""What all rooms share.

Both twins of the cells run through one suite: the `twin` fixture, and a line in the header. `world` is a
machine of the test's own.
"""

from __future__ import annotations

import gc
import importlib
import os
import platform
import shutil

import pytest
from hypothesis import HealthCheck, settings

from worlds import World

# How long an input takes to be made says something of the machine, and nothing of what is tested.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")

IS_PYPY = platform.python_implementation() == "PyPy"
NATIVE_IS_OPTIONAL = IS_PYPY or os.environ.get("MMSTATS_TEST_NO_NATIVE") == "1"


def load(name: str):
    """The twin's module, or the ImportError that says why there is none."""
    try:
        return importlib.import_module(f"mmstats.cells.{name}")
    except ImportError as error:
        return error


TWINS = {"pure": load("pure"), "native": load("_native")}


def pytest_report_header() -> str:
    there = [
        name if not isinstance(twin, ImportError) else f"no {name} ({twin})" for name, twin in TWINS.items()
    ]
    forced = os.environ.get("MMSTATS_CELLS")
    return f"twins: {', '.join(there)}" + (f"; MMSTATS_CELLS={forced}" if forced else "")


def twin_names() -> list[str]:
    """A native twin that is missing is a failure, except where it was said that there is none."""
    missing = isinstance(TWINS["native"], ImportError)
    return ["pure"] if missing and NATIVE_IS_OPTIONAL else ["pure", "native"]


@pytest.fixture(params=twin_names())
def twin(request):
    """The module of one twin, with its token standing."""
    module = TWINS[request.param]
    if isinstance(module, ImportError):
        pytest.fail(f"the native twin is missing: {module}")
    module.token.renew()
    return module


@pytest.fixture(autouse=True, scope="module")
def nothing_old_to_look_through():
    """Tests collect garbage often; what pytest and Hypothesis keep of earlier ones made that slow."""
    gc.collect()
    if hasattr(gc, "freeze"):  # not on PyPy
        gc.freeze()


@pytest.fixture
def world():
    """A machine of the test's own: another /dev/shm, another temporary directory."""
    if not (os.geteuid() == 0 and shutil.which("unshare")):
        pytest.skip("needs root and unshare: mounts of the test's own")
    made = World()
    yield made
    made.remove()
