"""How a stat looks in a line of text: 0.8's shape, byte for byte, and nothing that a terminal obeys."""

from __future__ import annotations

from mmstats.distribution import Distributed, TimerValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from mmstats.stat import About, Snapshot

DIGITS = 12
WIDEST = 255  # characters of a label that others are lined up with
OF_TIMER = ("count", "mean", "moving", "last", "p50", "p99", "min", "max")  # of a timer's value, for people
OF_HISTOGRAM = ("count", "mean", "p50", "p99", "min", "max")
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
# What changes the direction of text: a label could show another one's value beside itself.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Listing:
    """0.8's text of file after file; remembers the labels, which are the same in most of them."""

    __slots__ = ("_names", "_padded")

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._padded: dict[int, dict[int, str]] = {}

    def of(self, one: Snapshot) -> str:
        """A line with the name, a line for each stat, an empty line."""
        columns = one.columns()
        abouts, values = columns.abouts, columns.values
        keys = list(map(id, abouts))
        width = self._width(keys, abouts)
        padded = self._padded.setdefault(width, {})
        lines = [f"==> {shown(one.origin.file)}\n"]
        for key, value in zip(keys, values):
            text = value if type(value) is int else value_text(value)
            lines.append(f"{padded.get(key) or self._pad(key, width)}{text}\n")
        lines.append("\n")
        return "".join(lines)

    def _width(self, keys: list[int], abouts: list[About]) -> int:
        """The length of the longest label, within reason."""
        names = self._names
        try:
            longest = max([len(names[key]) for key in keys], default=0)
        except KeyError:
            names.update((id(about), shown(name_of(about))) for about in abouts)
            longest = max(len(names[key]) for key in keys)
        return min(longest, WIDEST)

    def _pad(self, key: int, width: int) -> str:
        padded = self._padded[width][key] = f"  {self._names[key]:<{width}} "
        return padded


def name_of(about: About) -> str:
    """The label, with its tags as `label{key="value"}`."""
    if not about.tags:
        return about.label
    tags = ",".join(f'{key}="{quoted(text)}"' for key, text in about.tags)
    return f"{about.label}{{{tags}}}"


def quoted(text: str) -> str:
    """A tag's value between double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def value_text(value: object) -> str:
    """A value as 0.8 showed it: a float with 12 digits, as Python 2 printed it."""
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, (frozenset, tuple)):
        return ", ".join(value_text(one) for one in in_order(value))
    if isinstance(value, Distributed):
        return " ".join(f"{word}={_part_text(word, part)}" for word, part in parts_of(value))
    return str(value)


def parts_of(value: Distributed) -> list[tuple[str, Any]]:
    """What is told of a timer or histogram in one line."""
    words = OF_TIMER if isinstance(value, TimerValue) else OF_HISTOGRAM
    return [(word, part_of(value, word)) for word in words]


def part_of(value: Distributed, word: str) -> Any:
    """A percentile, or an attribute."""
    return value.percentile(PERCENTILES[word]) if word in PERCENTILES else getattr(value, word)


def _part_text(word: str, part: Any) -> str:
    """Of a percentile no more digits than are right."""
    return f"{float(f'{part:.3g}'):.12g}" if word in PERCENTILES else value_text(part)


def float_text(value: float) -> str:
    """12 significant digits, as Python 2's str: `.0` where the result would look like an integer.

    From 1e11 on it has no room for that `.0`, and an exponent instead.
    """
    text = f"{value:.12g}"
    digits = text.lstrip("-")
    if not digits.isdigit():
        return text
    if len(digits) < DIGITS:
        return text + ".0"
    mantissa, _, exponent = f"{value:.{DIGITS - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"


def in_order(values: Iterable[object]) -> list[object]:
    """Several values in an order that is always the same: numbers, then texts."""
    return sorted(values, key=lambda one: (isinstance(one, str), one))


def shown(text: str) -> str:
    r"""`text` for a person's terminal: what a terminal would obey stands as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if character in BIDI or 0xD800 <= code < 0xE000 or code in (0x2028, 0x2029):
        return f"\\u{code:04x}"
    return character
