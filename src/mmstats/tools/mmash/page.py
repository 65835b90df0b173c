"""The page: all stats, all processes as one, in tables that need nothing but a browser; links to the rest."""

from __future__ import annotations

import os
import time
from html import escape
from urllib.parse import quote

from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mmstats import __version__
from mmstats.aggregate.combine import combine
from mmstats.stat import processes
from mmstats.tools.ends import default_globs
from mmstats.tools.human import duration, human
from mmstats.tools.mmash.access import path_of
from mmstats.tools.mmash.answers import worked_out
from mmstats.tools.mmash.classic import stats_of
from mmstats.tools.text import name_of, shown, value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from mmstats.stat import Snapshot, Stat
    from mmstats.tools.mmash.watch import Watch

STATIC = os.path.join(os.path.dirname(__file__), "static")
LONGEST = 200  # characters of a text that is shown
LINKS = (("stats/", "stats"), ("files/", "files"), ("metrics", "metrics"), ("api/v1/openapi.json", "API"))
OF_STATS = ("Stat", "Kind", "Value#", "Combined as", "Help")
OF_FILES = ("State", "PID#", "Command", "Group", "Age", "File")
HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mmash</title>
<base href="{up}">
<link rel="icon" href="static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="static/mmash.css">
{live}<div id="app"></div>
<div id="plain">
<header>
<h1>mmash</h1>
<p role="status">{status}</p>
<nav aria-label="More">{links}</nav>
</header>
<main>
"""
FOOT = '</main>\n<footer class="dim">mmstats {version}</footer>\n</div>\n</html>\n'
# What moves; where it was not built the page is what it is without scripts.
LIVE = """<link rel="stylesheet" href="static/app.css">
<script type="module" src="static/app.js"></script>
"""
NO_FILES = """<section id="nothing"><h2>No files yet</h2>
<p>Nothing matches</p>
<ul>{places}</ul>
<p>A program that publishes makes its file when it begins. If it has a place of its own, start mmash with the
same <code>MMSTATS_PATH</code>, or name the files: <code>mmash /run/app</code>.</p></section>
"""


class Page:
    """`/`, and `/graph/`, which 0.8 had beside it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.page),
            Route("/graph/", self.page),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]

    async def page(self, request: Request) -> Response:
        """All of it."""
        self._watch.begin()
        taken = await self._watch.now()
        up = "../" if path_of(request.scope).rstrip("/").endswith("/graph") else "./"
        work = lambda: "".join(_parts(taken, self._watch, up))  # noqa: E731
        return HTMLResponse(await worked_out(work, stats_of(taken)))


def _parts(taken: Sequence[Snapshot], watch: Watch, up: str) -> Iterator[str]:
    """The page, from its beginning to its end. `up`: from where it is to where all is."""
    readable = [one for one in taken if one.origin.uuid]
    whole = combine(readable)
    alive = processes(one.origin for one in readable)
    status = f"{_of(alive, 'process', 'es')} alive · {_of(len(whole.stats), 'stat')}"
    links = "".join(f'<a href="{path}">{word}</a>' for path, word in LINKS)
    live = LIVE if os.path.exists(os.path.join(STATIC, "app.js")) else ""
    yield HEAD.format(up=up, live=live, status=status, links=links)
    if not readable:
        yield _nothing(watch)
    if whole.stats:
        stats = sorted(whole.stats, key=lambda one: (one.group, one.label, one.about.tags))
        yield _table("Stats", OF_STATS, map(_stat, stats))
    if readable:
        yield _table("Files", OF_FILES, map(_file, readable))
    problems = dict.fromkeys(str(problem) for one in (*taken, whole) for problem in one.problems)
    if problems:
        items = "".join(f"<li>{_text(problem)}</li>" for problem in problems)
        yield f"<h2>What could not be read</h2>\n<ul>{items}</ul>\n"
    yield FOOT.format(version=__version__)


def _nothing(watch: Watch) -> str:
    """Where it was looked, and how to have it look elsewhere."""
    if watch.settings.replay:
        return f"<p>The recording <code>{_text(watch.settings.replay)}</code> shows nothing now.</p>\n"
    places = watch.settings.files or default_globs()
    return NO_FILES.format(places="".join(f"<li><code>{_text(place)}</code></li>" for place in places))


def _table(title: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    """Heads that end with # are of numbers."""
    told = "".join(f'<th scope="col"{_number(head.endswith("#"))}>{head.rstrip("#")}</th>' for head in heads)
    body = "".join(rows)
    return (
        f'<h2>{title}</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{told}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _stat(stat: Stat) -> str:
    name, plain = name_of(stat.about), value_text(stat.value)
    value = human(stat.value, stat.unit) if stat.unit else plain
    cut = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    is_number = isinstance(stat.value, (int, float)) and not isinstance(stat.value, bool)
    link = escape(f"stats/{quote(name, safe='')}?exact")
    return (
        f'<tr><th scope="row"><a href="{link}">{_text(name)}</a></th><td>{_text(stat.kind)}</td>'
        f'<td{_number(is_number) or " class=value"} title="{_text(plain[:LONGEST])}">{_text(cut)}</td>'
        f'<td class="dim">{_text(stat.aggregate)}</td><td class="dim">{_text(stat.help)}</td></tr>\n'
    )


def _file(one: Snapshot) -> str:
    origin = one.origin
    began = origin.started or origin.created
    age = duration(time.time() - began) if began else "?"
    return (
        f'<tr class="{_text(origin.state)}"><td>{_text(origin.state)}</td>'
        f"<td{_number(True)}>{origin.pid}</td>"
        f"<td>{_text(origin.cmd)}</td><td>{_text(origin.group)}</td><td>{_text(age)}</td>"
        f'<td class="value dim">{_text(origin.file)}</td></tr>\n'
    )


def _number(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _text(text: str) -> str:
    """A text of others, which is no markup, and changes no direction."""
    return escape(shown(text))


def _of(count: int, word: str, plural: str = "s") -> str:
    return f"{count} {word}{'' if count == 1 else plural}"
