"""What a lawful name is: labels, units, helps, groups. Knows nothing of fields or files."""

from __future__ import annotations

from mmstats.errors import UsageError
from mmstats.format.layout import TEXT_LIMIT

GROUP_LIMIT = 64  # bytes in the header


def check_text(what: str, text: object, *, limit: int = TEXT_LIMIT) -> str:
    """The text itself, if it fits into `limit` bytes of UTF-8 and holds no control character.

    `what` names it in the error, as `label` or `unit of field 'x'`.
    """
    if not isinstance(text, str):
        raise UsageError(f"{what} must be text, not {type(text).__name__}: {text!r}")
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} cannot be written as UTF-8: {text!r}: {error.reason}") from None
    if length > limit:
        raise UsageError(f"{what} has {length} bytes, at most {limit} fit: {text[:40]!r}…")
    for position, character in enumerate(text):
        if is_control(character):
            raise UsageError(f"{what} holds a control character at position {position}: {text[:40]!r}")
    return text


def is_control(character: str) -> bool:
    """C0, DEL and C1: what a terminal would obey instead of show."""
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0


def check_label(label: object) -> str:
    """A label: lawful text that is not empty."""
    if label == "":
        raise UsageError("label is empty: give the field a label, or the model a label_prefix")
    return check_text("label", label)


def check_group(group: object) -> str:
    """A group: lawful text of at most 64 bytes that is not empty."""
    if group == "":
        raise UsageError("group is empty: name what belongs together, or leave it out for the command's name")
    return check_text("group", group, limit=GROUP_LIMIT)
