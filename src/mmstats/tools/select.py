"""Which stats: patterns on labels and tags, in the order given; the first that matches decides."""

from __future__ import annotations

from mmstats.globs import escaped, matches
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mmstats.stat import About, Snapshot, Stat

    Test = Callable[[str], bool]


class WordsError(Exception):
    """Words of a command line that make no sense, in a sentence."""


class PatternError(WordsError):
    """A pattern that says nothing."""


class Pattern:
    """A glob on the label, `/regex/`, or `name{key=value,key=~regex,key!=value}`."""

    __slots__ = ("_label", "_tags", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tags: list[tuple[str, Test]] = []
        name = text
        if len(text) > 1 and text[0] == text[-1] == "/":
            name = ""
            self._label: Test | None = _regex(text[1:-1])
        else:
            self._label = None
            if text.endswith("}") and "{" in text:
                name, _, inner = text[:-1].partition("{")
                self._tags = [_condition(part) for part in inner.split(",") if part.strip()]
        self.text = name or text

    def matches(self, about: About, prefix: str) -> bool:
        """Whether a stat is meant. `prefix` stands before the glob; a regex sees what follows it."""
        label = about.label
        if self._label:
            if not (label.startswith(prefix) and self._label(label[len(prefix) :])):
                return False
        elif not matches(label, escaped(prefix) + self.text):
            return False
        tags = dict(about.tags)
        return all(test(tags.get(key, "")) for key, test in self._tags)


class Selection:
    """What -s, -x and -p choose together."""

    __slots__ = ("_patterns", "_prefix", "_shown")

    def __init__(self, patterns: list[tuple[bool, Pattern]], prefix: str) -> None:
        self._patterns = patterns
        self._prefix = prefix
        self._shown: dict[int, bool] = {}

    def settled(self, snapshots: list[Snapshot]) -> list[Snapshot]:
        """The same snapshots, once it is clear what the prefix is: `P.` if `P` names nothing."""
        undecided = self._prefix and self._patterns and not self._prefix.endswith(".")
        if undecided and not any(self.of(one.stats) for one in snapshots):
            self._prefix += "."
            self._shown.clear()
        return snapshots

    def of(self, stats: Sequence[Stat]) -> list[Stat]:
        """Those that are wanted, in their order."""
        if not (self._patterns or self._prefix):
            return list(stats)
        shown, found = self._shown, []
        for stat in stats:
            about = stat.about
            key = id(about)
            if key not in shown:
                shown[key] = self.chooses(about)
            if shown[key]:
                found.append(stat)
        return found

    def chooses(self, about: About) -> bool:
        """Whether a stat of that name is wanted."""
        for wanted, pattern in self._patterns:
            if pattern.matches(about, self._prefix):
                return wanted
        only = any(wanted for wanted, _ in self._patterns)
        return not only and about.label.startswith(self._prefix)

    def nothing(self, snapshots: Iterable[Snapshot]) -> str:
        """That nothing is called so, with what is called nearly so."""
        from mmstats.near import close

        labels = {stat.label for one in snapshots for stat in one.stats}
        wanted = [self._prefix + pattern.text for chosen, pattern in self._patterns if chosen] or [
            self._prefix
        ]
        near = list(map(shown, close(wanted[0], labels)))
        message = f"no stat is called {' or '.join(map(repr, wanted))}"
        return message + (f". Close: {', '.join(near)}" if near else "")


def _condition(text: str) -> tuple[str, Test]:
    """One `key=value`, `key=~regex`, `key!=value` or `key!~regex` between the braces."""
    for operator in ("=~", "!~", "!=", "="):
        key, found, value = text.partition(operator)
        if found and key.strip() and key.strip().isidentifier():
            return key.strip(), _test(operator, value.strip().strip('"'))
    raise PatternError(f"in {{{text}}}: expected key=value, key=~regex, key!=value or key!~regex")


def _test(operator: str, wanted: str) -> Test:
    if "~" in operator:
        found = _regex(f"^(?:{wanted})$")
        return found if operator == "=~" else lambda text: not found(text)
    return (lambda text: text == wanted) if operator == "=" else (lambda text: text != wanted)


def _regex(text: str) -> Test:
    import re

    try:
        compiled = re.compile(text)
    except re.error as error:
        raise PatternError(f"not a regular expression: /{text}/: {error}") from None
    return lambda label: compiled.search(label) is not None
