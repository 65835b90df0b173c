"""One thing that was looked at, and whether it is well."""

from __future__ import annotations

from mmstats.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OK, NOTE, WRONG = "ok", "note", "wrong"


class Finding(Frozen):
    """`mark`: ok, note or wrong. `name`: what was looked at; `text`: what it is; `hint`: what to do.

    `facts`: the same for programs, with keys that stay.
    """

    __slots__ = ("facts", "hint", "mark", "name", "text")

    facts: dict[str, Any]
    hint: str
    mark: str
    name: str
    text: str

    def __init__(self, mark: str, name: str, text: str, hint: str = "", **facts: Any) -> None:
        put = object.__setattr__
        put(self, "mark", mark)
        put(self, "name", name)
        put(self, "text", text)
        put(self, "hint", hint)
        put(self, "facts", facts)
