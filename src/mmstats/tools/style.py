"""How output should look: for a person at a terminal, or for whoever reads a pipe."""

from __future__ import annotations

import os
import sys

DIM, RED, RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"


class Style:
    """`human`: units as people read them; `color`: with escapes; `plain`: neither, as 0.8."""

    __slots__ = ("color", "human")

    def __init__(self, *, human: bool | None = None, color: str = "auto") -> None:
        self.human = sys.stdout.isatty() if human is None else human
        self.color = color == "always" or (color == "auto" and _terminal_wants_color())

    @property
    def plain(self) -> bool:
        return not (self.human or self.color)

    def dim(self, text: str) -> str:
        return f"{DIM}{text}{RESET}" if self.color and text else text

    def alarm(self, text: str) -> str:
        return f"{RED}{text}{RESET}" if self.color and text else text


def _terminal_wants_color() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
