"""A directory in memory for each test's files: what is promised of stores is promised there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

import programs


@pytest.fixture(params=programs.twins())
def twin(request):
    """The name of the twin that the test's programs publish with."""
    return request.param


@pytest.fixture
def stats_dir():
    """A directory of this test on tmpfs; gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="mmstats-test-", dir="/dev/shm"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
