"""Which processes: conditions on what a snapshot says of its origin, or on its stats."""

from __future__ import annotations

import time

from mmstats.distribution import Distributed, TimerValue
from mmstats.tools.select import WordsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.stat import Origin, Snapshot

OPERATORS = ("!=", ">=", "<=", "=", ">", "<", "~")
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class ConditionError(WordsError):
    """A condition that says nothing."""


class Condition:
    """`KEY` (has it) or `KEY=V`, with `!= > < >= <= ~`. Numbers compare as numbers, the rest as text.

    Of a timer it is the moving average that compares.
    """

    __slots__ = ("_find", "_wanted", "key", "operator", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        at, self.operator = _first_operator(text)
        self.key = text[:at].strip()
        self._wanted = text[at + len(self.operator) :].strip()
        if not self.key:
            raise ConditionError(
                f"in {text!r}: expected KEY, KEY=V, KEY!=V, KEY>V, KEY<V, KEY>=V, KEY<=V or KEY~REGEX"
            )
        self._find = _regex(self._wanted) if self.operator == "~" else None

    def holds(self, one: Snapshot) -> bool:
        """Whether it is true of this snapshot; of a key that it does not have, nothing is."""
        found = _value(one, self.key)
        if found is None:
            return False
        if not self.operator:
            return True
        if self._find:
            return self._find(str(found))
        return _compare(self.operator, found, self._wanted)


def _first_operator(text: str) -> tuple[int, str]:
    places = [(text.find(operator), -len(operator), operator) for operator in OPERATORS if operator in text]
    at, _, operator = min(places, default=(len(text), 0, ""))
    return at, operator


def _value(one: Snapshot, key: str) -> object:
    if key in OF_ORIGIN:
        return OF_ORIGIN[key](one.origin)
    return one.value("sys.tid" if key == "tid" else key, default=None)


def _compare(operator: str, found: object, wanted: str) -> bool:
    if isinstance(found, Distributed):
        found = found.moving if isinstance(found, TimerValue) else found.count
    left, right = _number(str(found)), _number(wanted)
    pair: tuple[object, object] = (str(found), wanted) if left is None or right is None else (left, right)
    return _COMPARE[operator](*pair)


_COMPARE: dict[str, Callable[..., bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


def seconds_in(text: str) -> float | None:
    """A time with its unit, as 90, 1.5h or 10m; None where it is none."""
    factor = UNITS.get(text[-1:], 0.0)
    try:
        return float(text[:-1]) * factor if factor else float(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    """A number or a time; a bool is 1 or 0."""
    return float(text == "True") if text in ("True", "False") else seconds_in(text)


def _age(origin: Origin) -> float | None:
    began = origin.started or origin.created
    return time.time() - began if began else None


def _user(origin: Origin) -> str:
    import pwd

    try:
        return pwd.getpwuid(origin.uid).pw_name
    except (KeyError, OverflowError):
        return str(origin.uid)


OF_ORIGIN: dict[str, Callable[[Origin], object]] = {
    "pid": lambda origin: origin.pid,
    "uid": lambda origin: origin.uid,
    "user": _user,
    "cmd": lambda origin: origin.cmd,
    "group": lambda origin: origin.group,
    "host": lambda origin: origin.host,
    "age": _age,
    "file": lambda origin: origin.file,
    "state": lambda origin: origin.state,
}


def _regex(text: str) -> Callable[[str], bool]:
    import re

    try:
        compiled = re.compile(text)
    except re.error as error:
        raise ConditionError(f"not a regular expression: {text!r}: {error}") from None
    return lambda found: compiled.search(found) is not None
