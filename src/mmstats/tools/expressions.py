"""What must hold of stats: `web.status.5XX<100`, `web.latency:p99<=50ms`, `web.requests{method=GET}>0`."""

from __future__ import annotations

from math import isnan

from mmstats.distribution import Distributed, TimerValue
from mmstats.tools.select import Pattern, WordsError
from mmstats.tools.text import PERCENTILES, part_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.stat import About

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "!=": lambda left, right: left != right,
    "==": lambda left, right: left == right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    "=": lambda left, right: left == right,
}
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "k": 1e3, "M": 1e6, "G": 1e9}
UNITS.update({"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30})
OF_ONE = {"ns": 1e9, "us": 1e6, "µs": 1e6, "ms": 1e3, "%": 100.0}  # how many make one: exact, as 1e-6 is not
LETTERS = "".join(set("".join([*UNITS, *OF_ONE])))
PARTS = ("count", "sum", "mean", "min", "max", "last", "moving", *PERCENTILES)


class Expression:
    """`PATTERN[:PART] OPERATOR NUMBER`. `pattern`: which stats it is about; `part`: empty, or of PARTS."""

    __slots__ = ("_compare", "limit", "name", "part", "pattern", "text")

    def __init__(self, text: str, parts: Sequence[str] = PARTS) -> None:
        self.text = text
        name, operator, number = _split(text)
        self.name, self.part = parted(name, parts)
        name = self.name
        self._compare = OPERATORS[operator]
        self.limit = _number(text, number)
        self.pattern = Pattern(name)

    def matches(self, about: About, prefix: str = "") -> bool:
        """Whether it says anything of that stat."""
        return self.pattern.matches(about, prefix)

    def holds(self, value: object) -> bool:
        """Whether it is true of the value; of what is no number it is not."""
        return self.met(number_of(value, self.part))

    def met(self, number: object) -> bool:
        """Whether it is true of the number, or of that part."""
        is_number = isinstance(number, (int, float)) and not isnan(number)
        return is_number and self._compare(number, self.limit)  # type: ignore[arg-type]  # see is_number


def parted(name: str, parts: Sequence[str] = PARTS) -> tuple[str, str]:
    """A name without `:PART` behind it, and that part."""
    before, colon, part = name.rpartition(":")
    return (before, part) if colon and part in parts else (name, "")


def number_of(value: Any, part: str) -> float | None:
    """The number that a value is, or a part of it; of a timer the moving average, else the count."""
    if isinstance(value, Distributed):
        is_timer = isinstance(value, TimerValue)
        word = part or ("moving" if is_timer else "count")
        return None if word in ("last", "moving") and not is_timer else part_of(value, word)
    return value if isinstance(value, (int, float)) and not part else None


def _split(text: str) -> tuple[str, str, str]:
    """Name, operator and number; what stands between braces belongs to the name."""
    at = text.rfind("}") + 1 if text[text.find("{") + 1 :].count("}") else 0
    places = [(text.find(word, at), -len(word), word) for word in OPERATORS if word in text[at:]]
    if not places:
        raise WordsError(f"in {text!r}: expected NAME<NUMBER, or with one of > <= >= = !=")
    at, _, operator = min(places)
    name, number = text[:at].strip(), text[at + len(operator) :].strip()
    if not name or not number:
        raise WordsError(f"in {text!r}: nothing {'before' if not name else 'behind'} {operator!r}")
    return name, operator, number


def _number(text: str, number: str) -> float:
    digits = number.rstrip(LETTERS)
    unit = number[len(digits) :].strip()
    try:
        if unit in OF_ONE:
            return float(digits) / OF_ONE[unit]
        return float(digits) * UNITS[unit] if unit in UNITS else float(number)
    except ValueError:
        raise WordsError(f"in {text!r}: {number!r} is no number, as 100, 1.5, 50ms, 4Ki or 5%") from None
