"""spec/plain_reader.py as a module: it is a program beside the package, not a part of it."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

SPEC = Path(__file__).resolve().parent.parent / "spec"


@cache
def reader():
    """The plain reader."""
    return _module("plain_reader")


@cache
def vectors():
    """What assembles the vectors."""
    return _module("vectors")


def _module(name):
    spec = importlib.util.spec_from_file_location(name, SPEC / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
