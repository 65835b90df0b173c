"""Whether a name matches a glob: `*`, `?`, `[a-z]`, `[!a-z]`. In time that is at most name x pattern.

The standard library's own turns a glob into a regular expression; importing `re` alone costs more
than all that slurpstats does.
"""

from __future__ import annotations

MAGIC = "*?["


def has_magic(text: str) -> bool:
    """Whether `text` means more than itself as a glob."""
    return any(character in text for character in MAGIC)


def escaped(text: str) -> str:
    """`text` as a glob that matches nothing else."""
    return "".join(f"[{character}]" if character in MAGIC else character for character in text)


def matches(name: str, pattern: str) -> bool:
    """Whether the whole of `name` matches `pattern`."""
    at, place, star, resume = 0, 0, -1, 0
    while at < len(name):
        if pattern[place : place + 1] == "*":
            star, resume, place = place, at, place + 1
            continue
        after = _step(name[at], pattern, place)
        if after:
            at, place = at + 1, after
        elif star >= 0:  # the last star takes one character more; earlier ones need not
            resume, place = resume + 1, star + 1
            at = resume
        else:
            return False
    return pattern[place:].strip("*") == ""


def _step(character: str, pattern: str, place: int) -> int:
    """Where `pattern` goes on after `character` matched at `place`; 0 if it did not."""
    wanted = pattern[place : place + 1]
    if wanted == "[":
        end = _end_of_set(pattern, place)
        if end:
            return end + 1 if _in_set(character, pattern[place + 1 : end]) else 0
    return place + 1 if wanted and wanted in ("?", character) else 0


def _end_of_set(pattern: str, place: int) -> int:
    """Where the set that begins at `place` has its `]`; 0 if it has none, and is a plain `[`."""
    first = place + 2 if pattern[place + 1 : place + 2] == "!" else place + 1
    return max(0, pattern.find("]", first + 1))


def _in_set(character: str, inner: str) -> bool:
    negated = inner[0] == "!"
    place, found = int(negated), False
    while place < len(inner):
        if inner[place + 1 : place + 2] == "-" and place + 2 < len(inner):
            found = found or inner[place] <= character <= inner[place + 2]
            place += 3
        else:
            found = found or inner[place] == character
            place += 1
    return found != negated
