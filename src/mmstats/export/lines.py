"""Families → lines of text, where Prometheus's format and OpenMetrics are the same."""

from __future__ import annotations

from math import isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

INFINITY = float("inf")


def tagged(tags: Iterable[tuple[str, str]]) -> str:
    """Tags as they stand between braces."""
    return ",".join([f'{tag}="{quoted(text)}"' for tag, text in tags])


def sample(name: str, tags: str, more: Iterable[tuple[str, str]], number: float) -> str:
    """One line. `tags`: as `tagged` gives them, of several samples; `more`: of this one."""
    said = tagged(more) if more else ""
    said = f"{tags},{said}" if tags and said else tags or said
    return f"{name}{{{said}}} {spelled(number)}" if said else f"{name} {spelled(number)}"


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
