"""The package with each twin, publishing into a directory of the test's own."""

from __future__ import annotations

import pytest

import loading
import programs


@pytest.fixture(params=programs.twins())
def twin(request):
    """The name of a twin."""
    return request.param


@pytest.fixture
def stats_dir(tmp_path):
    """Where `mmstats` publishes."""
    return tmp_path / "stats"


@pytest.fixture
def mmstats(twin, stats_dir, monkeypatch):
    """The package with `twin`; MMSTATS_PATH is a directory of this test."""
    monkeypatch.setenv("MMSTATS_PATH", str(stats_dir))
    with loading.loaded(twin) as package:
        yield package
