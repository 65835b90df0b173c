"""Families → lines of text, where Prometheus's format and OpenMetrics are the same."""

from __future__ import annotations

from math import isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    Tags = tuple[tuple[str, str], ...]

INFINITY = float("inf")
MOST_REMEMBERED, LONGEST_REMEMBERED = 16_384, 512  # those of others may be long
_tagged: dict[Tags, str] = {}


def tagged(tags: Tags) -> str:
    """Tags as they stand between braces; remembered, as they are the same each time."""
    said = _tagged.get(tags)
    if said is None:
        said = ",".join([f'{tag}="{quoted(text)}"' for tag, text in tags])
        if len(_tagged) >= MOST_REMEMBERED:
            _tagged.clear()
        if len(said) <= LONGEST_REMEMBERED:
            _tagged[tags] = said
    return said


def named(name: str, tags: str, more: Tags) -> str:
    """What a line begins with. `tags`: as `tagged` gives them, of several samples; `more`: of this one."""
    said = tagged(more) if more else ""
    said = f"{tags},{said}" if tags and said else tags or said
    return f"{name}{{{said}}}" if said else name


def spelled(number: float) -> str:
    """Exact: integers of any size as they are, doubles with as many digits as tell them from others."""
    if isinstance(number, int):
        return str(int(number))
    if isnan(number):
        return "NaN"
    if number in (INFINITY, -INFINITY):
        return "+Inf" if number > 0 else "-Inf"
    return repr(number)


def escaped(text: str) -> str:
    """A help: on one line. Lone surrogates, which are no text, are question marks."""
    return _utf8(text.replace("\\", r"\\").replace("\n", r"\n"))


def quoted(text: str) -> str:
    """What stands between quotes."""
    return escaped(text).replace('"', r"\"")


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
