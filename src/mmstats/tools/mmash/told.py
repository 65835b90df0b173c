"""What is said of a history: as JSON, and as a table."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mmstats.tools.mmash.history import History
    from mmstats.tools.mmash.series import Series
    from mmstats.tools.mmash.watch import Watch
    from mmstats.tools.select import Selection

MOST_NUMBERS = 100_000  # in one answer of history


class Chosen:
    """The series of a history that somebody wants."""

    __slots__ = ("history", "series")

    def __init__(self, history: History, wanted: Selection) -> None:
        self.history = history
        self.series = [(place, one) for place, one in enumerate(history.series) if wanted.chooses(one.about)]


def history_told(
    chosen: Chosen, first: int, state: Mapping[str, object], most: int = MOST_NUMBERS
) -> dict[str, object]:
    """The samples from one on, as many of the last ones as an answer may have numbers."""
    history, last = chosen.history, chosen.history.last
    first = max(history.first, first)
    if len(chosen.series) * max(0, last - first + 1) > most:
        first = max(first, last + 1 - most // len(chosen.series))
    series = [
        {**series_told(one), "values": history.values(place, first, last)} for place, one in chosen.series
    ]
    times = list(history.times(first, last))
    told = {"schema": 1, **state, "epoch": history.epoch, "left_out": history.left_out}
    return {**told, "first": first, "last": last, "t": times, "series": series}


def state_of(watch: Watch) -> dict[str, object]:
    """What is said of the sampler with each answer that has samples."""
    history = watch.history
    return {
        "epoch": history.epoch,
        "interval": watch.settings.interval,
        "left_out": history.left_out,
        "failed": watch.failed or None,
    }


def series_told(one: Series) -> dict[str, object]:
    """What one line is of."""
    about = one.about
    return {
        "name": one.name,
        "label": about.label,
        "tags": dict(about.tags),
        "group": one.group,
        "kind": about.kind,
        "what": one.what,
        "unit": one.unit,
        "help": about.help,
        "aggregate": about.aggregate,
        "process": one.process,
    }


def lines(chosen: Chosen, first: int) -> Iterable[str]:
    """CSV, some lines at a time."""
    history, last = chosen.history, chosen.history.last
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["time", *(_safe(_head(one)) for _, one in chosen.series)])
    for at in range(max(history.first, first), last + 1, 100):
        to = min(at + 99, last)
        columns = [history.values(place, at, to) for place, _ in chosen.series]
        for row, when in enumerate(history.times(at, to)):
            moment = datetime.fromtimestamp(when, timezone.utc).isoformat(timespec="milliseconds")
            writer.writerow(
                [moment, *("" if column[row] is None else repr(column[row]) for column in columns)]
            )
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _head(one: Series) -> str:
    return " ".join(filter(None, (one.name, one.what, one.process)))


def _safe(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
