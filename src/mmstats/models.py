"""0.8's module of the models; `import mmstats` has them."""

from __future__ import annotations

from mmstats.publish.models import BaseMmStats, MmStats

__all__ = ["BaseMmStats", "MmStats"]
