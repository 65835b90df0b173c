"""The package itself, loaded once for each twin in one interpreter: `with loaded("pure") as mmstats`."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import contextmanager

_loaded: dict[str, dict[str, object]] = {}
_resting: dict[str, object] = {}  # whose thread asks what gauges track when they are back


def _ours() -> dict[str, object]:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "mmstats"}


@contextmanager
def loaded(name: str):
    """The package, with the twin called `name`, and without any model of another test."""
    others = _ours()
    for module in others:
        del sys.modules[module]
    sys.modules.update(_loaded.get(name, {}))
    forced, os.environ["MMSTATS_CELLS"] = os.environ.get("MMSTATS_CELLS"), name
    package = importlib.import_module("mmstats")
    assert str(package.CELLS) == name
    if name in _resting:
        _resting.pop(name).__exit__()
    try:
        yield package
    finally:
        _remove_all()
        _rest(name)
        left = _left()
        _put_back(name, forced, others)
        assert left == [], "what the next test would find"


def _put_back(name: str, forced: str | None, others: dict[str, object]) -> None:
    _loaded[name] = _ours()
    for module in _loaded[name]:
        del sys.modules[module]
    sys.modules.update(others)
    del os.environ["MMSTATS_CELLS"]
    if forced is not None:
        os.environ["MMSTATS_CELLS"] = forced


def _rest(name: str) -> None:
    """Let no thread of theirs run, and import, while others' modules are the ones that are loaded."""
    if "mmstats.publish.ticker" in sys.modules:
        _resting[name] = sys.modules["mmstats.publish.ticker"].ByHand()
        _resting[name].__enter__()


def _remove_all() -> None:
    """Let nothing of this test be seen by the next one."""
    if "mmstats.publish.process" in sys.modules:
        for publication in list(sys.modules["mmstats.publish.process"].publications.values()):
            for model in list(publication.models):
                model.remove()
    if "mmstats.publish.dropped" in sys.modules:
        sys.modules["mmstats.publish.dropped"].dropped.forget()
    if "mmstats.publish.healing" in sys.modules:
        sys.modules["mmstats.publish.healing"].forget()
        sys.modules["mmstats.cells"].token.renew()
    if "mmstats.publish.report" in sys.modules:
        sys.modules["mmstats.publish.report"].forget()


def _left() -> list[object]:
    """Models that nobody can remove any more, and modules that have another twin's modules."""
    on_the_fly = sys.modules.get("mmstats.publish.on_the_fly")
    left = [] if on_the_fly is None or on_the_fly.made.model is None else [on_the_fly.made.model]
    publish = sys.modules.get("mmstats.publish")
    for name, module in _ours().items():
        used = vars(module).get("process")
        if name.startswith("mmstats.publish.") and used not in (None, publish.process):
            left.append((module, used))
    return left
