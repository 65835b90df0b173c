"""A descriptor is closed, whatever is said to it."""

from __future__ import annotations

import os

from mmstats.host.descriptors import close


def test_it_is_closed():
    reading, writing = os.pipe()
    close(writing)
    assert os.read(reading, 1) == b""
    close(reading)


def test_what_is_closed_already_is_fine():
    """And so is every other answer: there is nobody who could do better."""
    close(-1)
