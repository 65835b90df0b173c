"""The reader that everybody uses, as a reader under test: what is in one file, as JSON (vectors/README.md).

python spec/python_reader.py FILE
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from mmstats import snapshot
from mmstats.distribution import Distributed
from mmstats.format.decode import decode

if TYPE_CHECKING:
    from mmstats.stat import Stat

OF_STAT = ("label", "unit", "help", "kind", "aggregate")


def read(path: str) -> dict[str, Any]:
    """All of it, in the words of the contract."""
    one, *removed = snapshot(path)
    problems = [problem.reason for problem in one.problems]
    is_believed = bool(one.origin.uuid)
    is_old = "-" in one.origin.uuid
    is_damaged = any("damaged: " in problem for problem in problems)
    told: dict[str, Any] = {
        "version": (1 if is_old else 2) if is_believed else 0,
        "error": "damaged" if is_damaged else "" if is_believed else "refused",
        "stats": [said(stat, is_old=is_old) for stat in one.stats],
        "problems": problems,
    }
    left = [said(stat, is_old=is_old) for other in removed for stat in other.stats]
    folded = folded_in(path) if is_believed and not is_old else []
    return {**told, **({"left": left} if left else {}), **({"folded": folded} if folded else {})}


def folded_in(path: str) -> list[str]:
    """The uuids of files whose totals are in this one: snapshots have no use for them."""
    with open(path, "rb") as file:
        return [uuid.hex() for uuid, _, _ in decode(file.read()).folded]


def said(stat: Stat, *, is_old: bool) -> dict[str, Any]:
    """One stat."""
    names = [name for name in OF_STAT if not (is_old and name in ("help", "aggregate"))]
    about = {name: getattr(stat, name) for name in names}
    return {**about, "tags": dict(stat.tags), "value": tagged(stat.value, stat.kind)}


def tagged(value: Any, kind: str) -> dict[str, Any]:
    """A value with its type, as text."""
    if isinstance(value, Distributed):
        return {"type": kind, "value": distribution(value)}
    if isinstance(value, bool):
        return {"type": "bool", "value": str(value).lower()}
    if isinstance(value, int):
        return {"type": "i64" if value < 0 else "u64", "value": str(value)}
    if isinstance(value, float):
        return {"type": "f64", "value": repr(value)}
    if isinstance(value, frozenset):
        each = [tagged(one, kind) for one in value]
        return {"type": "set", "value": sorted(each, key=lambda one: (one["type"], one["value"]))}
    return {"type": "text", "value": str(value)}


def distribution(value: Any) -> dict[str, Any]:
    names = [name for name in ("sum", "min", "max", "last", "moving") if hasattr(value, name)]
    told: dict[str, Any] = {"count": str(value.count), **{name: repr(getattr(value, name)) for name in names}}
    spread = value.spread
    if spread is None:
        return told
    extent = spread.range
    return {
        **told,
        "scale": str(extent.scale),
        "octaves": [str(extent.low), str(extent.high)],
        "zero": str(spread.zero),
        "overflow": str(spread.overflow),
        "negative": str(spread.negative),
        "buckets": {str(index): str(count) for index, count in sorted(spread.buckets.items()) if count},
        "bounds": [repr(float(bound)) for bound in extent.bounds],
        "counts": [str(count) for count in spread.counts],
    }


def main(arguments: list[str]) -> int:
    """The answer; 1 where nothing of the file was believed."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python_reader.py FILE", file=sys.stderr)
        return 2
    told = read(arguments[0])
    print(json.dumps(told, indent=1))
    return 0 if told["version"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
