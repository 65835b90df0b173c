"""What a lawful name is: labels, units, helps, groups. Knows nothing of fields or files."""

from __future__ import annotations

from mmstats.errors import UsageError
from mmstats.format.layout import TEXT_LIMIT

GROUP_LIMIT = 64  # bytes in the header
OVERFLOW = "overflow"
LONGEST_TTL = 1e9  # seconds, which is 30 years
RETIRED = "-retired.mmstats"


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


def retired_name(group: str) -> str:
    """What the file with a group's retired totals is called (spec/FORMAT.md section 9.1)."""
    safe = "".join("_" if c == "/" or is_control(c) else c for c in group)
    if safe != group or safe.startswith("."):
        from zlib import crc32  # a library of its own, and hardly ever needed

        safe = f"{safe.lstrip('.')}~{crc32(group.encode()):08x}"
    return safe + RETIRED


def check_tags(what: str, names: object) -> tuple[str, ...]:
    """The names of a family's tags: letters, digits and _, each once."""
    if isinstance(names, str) or not isinstance(names, (tuple, list)):
        raise UsageError(f"{what} must be a tuple of names, as ('method', 'status'): {names!r}")
    for name in names:
        if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
            raise UsageError(f"{what}: a tag is called by letters, digits and _: {name!r}")
    if len(set(names)) < len(names) or OVERFLOW in names:
        why = f"{OVERFLOW!r} is the tag of what is too much" if OVERFLOW in names else "each name once"
        raise UsageError(f"{what}: {why}: {names!r}")
    return tuple(names)


def check_ttl(what: str, ttl: object) -> float:
    """Seconds, more than none; 0.0 for None."""
    if ttl is None:
        return 0.0
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not 1e-3 <= ttl <= LONGEST_TTL:
        raise UsageError(f"{what} must be seconds from 0.001 to {LONGEST_TTL:g}: {ttl!r}")
    return float(ttl)


def check_size(what: str, size: object, most: int) -> int:
    """The size, an integer from 1 to `most`; UsageError otherwise."""
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= most:
        raise UsageError(f"{what} must be an integer from 1 to {most}: {size!r}")
    return size
