"""Any sequence of operations, then reading, gives what a plain Python model gives."""

from __future__ import annotations

import os
import struct
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "publish"))
from conftest import mmstats  # noqa: E402, F401 - the fixture of the publishing room

WIDTHS = {"UInt64Field": (64, False), "Int64Field": (64, True), "UIntField": (32, False), "IntField": (32, True),
          "UShortField": (16, False), "ShortField": (16, True), "ByteField": (8, True)}
"""Width and sign of each integer field."""


def wrapped(value: int, bits: int, signed: bool) -> int:
    """What a C integer of that width holds."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value
