"""Which words are nearly like another one. Loaded when somebody named what is not there."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def close(word: str, words: Iterable[str], limit: int = 3) -> list[str]:
    """The few of `words` that share most of their beginning and end with `word`, best first."""
    scored = sorted((-_shared(word, other), other) for other in words)
    return [other for score, other in scored[:limit] if -score * 2 >= len(word)]


def _shared(one: str, other: str) -> int:
    """How many characters the two have in common from the left and from the right, each once."""
    shorter = min(len(one), len(other))
    left = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    right = next((i for i in range(shorter - left) if one[-1 - i] != other[-1 - i]), shorter - left)
    return left + right


def why_not(label: str, tags: dict[str, str], found: int, labels: Iterable[str]) -> str:
    """Why there is no one value of a label; `found`: how many stats have it. `labels`: that there are."""
    if found:
        return f"{found} stats are called {label!r}; name their tags"
    near = close(label, labels)
    with_tags = f" with tags {tags}" if tags else ""
    return f"no stat is called {label!r}{with_tags}" + (f". Close: {', '.join(near)}" if near else "")
