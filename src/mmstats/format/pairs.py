r"""The text of an info, `name="text",…` with `\` before a quote and itself (FORMAT.md 6) → its pairs."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """All pairs, in their order. What is none of the form is one pair, `value`."""
    try:
        return tuple(_pairs(text))
    except ValueError:
        return (("value", text),)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        middle = text.index('="', at)
        name, at = text[at:middle], middle + 2
        if not (name.isascii() and name.isidentifier()):
            raise ValueError(name)
        said = []
        while text[at : at + 1] != '"':
            if text[at : at + 1] == "\\":
                at += 1
            if at >= len(text):
                raise ValueError(text)
            said.append(text[at])
            at += 1
        yield name, "".join(said)
        at += 1
        if text[at : at + 1] not in ("", ","):
            raise ValueError(text)
        at += 1
