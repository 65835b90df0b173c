"""Knows: one outside language each.

Never knows: files, where a snapshot came from, servers.
"""

from __future__ import annotations

from mmstats.export import openmetrics, prometheus

FORMATS = {"prometheus": prometheus, "openmetrics": openmetrics}  # each has MEDIA_TYPE and render()
