"""Numbers as people read them, by their unit: 4.2Mi, 12.1ms, 481.9k, 2h13m."""

from __future__ import annotations

from mmstats.distribution import Distributed, TimerValue
from mmstats.tools.text import parts_of, value_text

BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = ("", "k", "M", "G", "T", "P", "E")
INFINITY = float("inf")
SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def human(value: object, unit: str, *, counts: bool = False) -> str:
    """The value with its unit; a count as `481.9k` where `counts` says that digits do not matter."""
    if isinstance(value, Distributed):
        return " ".join(
            f"{word}={part if word == 'count' else human(part, unit or of_all(value))}"
            for word, part in parts_of(value)
        )
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -INFINITY < value < INFINITY:
        return value_text(value)
    if unit == "bytes":
        return scaled(value, 1024, BINARY)
    if unit == "seconds":
        return seconds(value)
    return scaled(value, 1000, DECIMAL) if counts and unit != "timestamp" else value_text(value)


def of_all(value: Distributed) -> str:
    """The unit of a value that says none."""
    return "seconds" if isinstance(value, TimerValue) else ""


def scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    """The value divided by a power of `base`, with its name."""
    power, left = 0, float(value)
    while abs(left) >= base and power < len(names) - 1:
        left /= base
        power += 1
    return f"{_short(left)}{names[power]}" if power else value_text(value)


def seconds(value: float) -> str:
    """A time with the unit in which it is a small number above one."""
    if not -INFINITY < value < INFINITY:
        return value_text(value)
    if abs(value) >= 60:
        return duration(value)
    factor, name = next((pair for pair in SECONDS if abs(value) >= pair[0]), SECONDS[0])
    return f"{_short(value / factor)}{name}"


def duration(value: float) -> str:
    """`2h13m`: the two largest parts of a long time, which is finite."""
    left, sign = int(abs(value)), "-" if value < 0 else ""
    parts = [(left // 86400, "d"), (left // 3600 % 24, "h"), (left // 60 % 60, "m"), (left % 60, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), 3)
    (big, name), rest = parts[first], parts[first + 1 : first + 2]
    return f"{sign}{big}{name}" + "".join(f"{count:02d}{word}" for count, word in rest)


def _short(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:.0f}"
