"""Labels → names of metrics as Prometheus has them, so that no two labels become one name.

Whatever is no ASCII letter, digit or `_` becomes `_`. A name that would begin with a digit gets one in
front; of several in front one stays. Then comes the unit, unless the name ends with it. Where another family
has that name already, or one that its samples have, digits of the label's checksum come before the unit:
`a.b` is `a_b`, but `a_b_9c1e7d20` beside a label that is called `a_b` as it stands.
"""

from __future__ import annotations

from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Key = tuple[str, str, str]  # label, type, unit

COUNTER, GAUGE, SUMMARY, HISTOGRAM, INFO, STATES = "counter gauge summary histogram info stateset".split()
# What the samples of each type have behind the name; OpenMetrics keeps them for one family all.
SUFFIXES = {
    COUNTER: ("", "_total", "_created"),
    GAUGE: ("",),
    SUMMARY: ("", "_count", "_sum", "_created"),
    HISTOGRAM: ("", "_bucket", "_count", "_sum", "_created"),
    INFO: ("", "_info"),
    STATES: ("",),
}
MOST_REMEMBERED, LONGEST_REMEMBERED = 16_384, 512  # characters
_mangled: dict[str, str] = {}
OWN = {COUNTER: "_total", INFO: "_info"}  # not said twice where a label has it


def mangled(text: str) -> str:
    """ASCII letters, digits and `_` alone, no digit first, and no `__`, which is Prometheus's own."""
    known = _mangled.get(text)
    if known is not None:
        return known
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)
    if len(_mangled) >= MOST_REMEMBERED:
        _mangled.clear()
    is_odd = name[:1] == "_" or not name or name[0].isdigit()
    made = f"_{name.lstrip('_')}" if is_odd else name
    if len(text) <= LONGEST_REMEMBERED:
        _mangled[text] = made  # another thread may clear it at once
    return made


def unit_of(unit: str) -> str:
    """What a name ends with for its unit."""
    return mangled(unit).strip("_") if unit else ""


def names_of(families: Iterable[Key]) -> dict[Key, str]:
    """The name of each family, without the suffixes of its samples.

    It does not depend on the order in which they come: labels that need no change choose first.
    """
    names: dict[Key, str] = {}
    taken: set[str] = set()
    for key in sorted(set(families), key=lambda key: (mangled(key[0]) != key[0], key)):
        names[key] = name = _free(key, taken)
        taken.update(name + suffix for suffix in SUFFIXES[key[1]])
    return names


def _free(key: Key, taken: set[str]) -> str:
    """A name of which, and of whose samples' names, none is taken."""
    label, type_, unit = key
    base = mangled(label).removesuffix(OWN.get(type_, "")) or "_"
    end = f"_{unit_of(unit)}" if unit_of(unit) else ""
    base = base.removesuffix(end)
    name = mangled(base + end)
    salt = 0
    while any(name + suffix in taken for suffix in SUFFIXES[type_]):
        salt = crc32("\0".join(key).encode("utf-8", "surrogatepass"), salt)
        name = mangled(f"{base}_{salt:08x}{end}")
    return name
