"""Folding as a model: every order of the steps of a writer, two folders that may die, and two readers.

One file is being written, another one's writer is dead from the start. A step is what happens in one piece: a
store, a listing, the reading of one file, a rename, an unlink. Time is in it as the law has it: a name whose
file is known to be gone may be left out once every reader is through that had begun by then.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

COUNTS = 1  # of the living writer; the dead one counted once
FOLDS = 2  # of each folder
READS = 2  # of both readers together


class State(NamedTuple):
    """`counted`: by the living writer. `there`: files. `holder`: of the lock. `reads`: yet to begin."""

    counted: int
    alive: bool
    there: frozenset
    totals: Totals
    holder: int | None
    folders: tuple
    readers: tuple
    reads: int


class Totals(NamedTuple):
    """`names`: of folded files, each with None, or the readers that had begun when it was found gone."""

    sum: int
    names: tuple


class Folder(NamedTuple):
    step: str
    folds: int
    new: Totals | None
    dead: frozenset


class Reader(NamedTuple):
    step: str
    least: int
    left: frozenset
    seen: frozenset
    totals: Totals | None


IDLE, READ, RENAME, UNLINK = "idle", "read", "rename", "unlink"
AWAKE = Folder(IDLE, FOLDS, None, frozenset())
WAITING = Reader(IDLE, 0, frozenset(), frozenset(), None)
BEGIN = State(0, True, frozenset("ab"), Totals(0, ()), None, (AWAKE, AWAKE), (WAITING, WAITING), READS)


class Law:
    """The order of spec/FORMAT.md section 9.1."""

    def commit(self, state, old, dead):
        """What the totals will be."""
        entered = dict.fromkeys(dead)
        kept = {
            name: kept
            for name, waits in old.names
            if name not in dead and (kept := self.kept(state, name, waits)) is not True
        }
        added = sum(count_of(state, name) for name in dead if name not in dict(old.names))
        return Totals(old.sum + added, tuple(sorted({**kept, **entered}.items())))

    def kept(self, state, name, waits):
        """What is known of a name's end; True: it is long gone."""
        if name in state.there:
            return waits
        if waits is None:
            return frozenset(number for number, reader in enumerate(state.readers) if reader.step != IDLE)
        return waits or True

    def order(self):
        """Of a folder's last steps."""
        return RENAME, UNLINK

    def first(self):
        """What a reader reads before the files."""
        return "files"


class RetiredFirst(Law):
    def first(self):
        return "totals"


class NoNames(Law):
    def commit(self, state, old, dead):
        return Totals(super().commit(state, old, dead).sum, ())


class PrunedAtOnce(Law):
    def kept(self, state, name, waits):
        return waits if name in state.there else True


class PrunedByTheTimeOfTheFold(Law):
    """A folder may stand still for long between the rename and the unlink."""

    def commit(self, state, old, dead):
        totals = super().commit(state, old, dead)
        now = super().kept(state._replace(there=frozenset()), "", None)
        return Totals(
            totals.sum, tuple((name, now if name in dead else waits) for name, waits in totals.names)
        )

    def kept(self, state, name, waits):
        return waits if name in state.there else waits or True


class UnlinkFirst(Law):
    def order(self):
        return UNLINK, RENAME


def count_of(state, name):
    return state.counted if name == "a" else 1


def steps(state, law):
    """What may happen next: (what, state)."""
    if state.alive:
        yield "the writer dies", state._replace(alive=False)
        if state.counted < COUNTS:
            yield "the writer counts", state._replace(counted=state.counted + 1)
    for number, folder in enumerate(state.folders):
        for what, after in steps_of_folder(state, number, folder, law):
            yield f"folder {number} {what}", after
    for number, reader in enumerate(state.readers):
        for what, after in steps_of_reader(state, number, reader, law):
            yield f"reader {number} {what}", after


def steps_of_folder(state, number, folder, law):
    if folder.step == IDLE:
        if folder.folds and state.holder is None:
            yield (
                "locks",
                with_folder(state, number, folder._replace(step=READ, folds=folder.folds - 1), number),
            )
        return
    yield "dies", with_folder(state, number, Folder(IDLE, 0, None, frozenset()), None)
    first, second = law.order()
    if folder.step == READ:
        dead = frozenset(name for name in state.there if name == "b" or not state.alive)
        new = law.commit(state, state.totals, dead)
        yield "adds up", with_folder(state, number, folder._replace(step=first, new=new, dead=dead))
    elif folder.step == RENAME:
        after = second if first == RENAME else IDLE
        yield "renames", done(state._replace(totals=folder.new), number, folder._replace(step=after))
    elif folder.dead & state.there:
        name = min(folder.dead & state.there)
        yield f"unlinks {name}", state._replace(there=state.there - {name})
    else:
        after = second if first == UNLINK else IDLE
        yield "is through", done(state, number, folder._replace(step=after))


def done(state, number, folder):
    """The folder goes on; at its end it lets go of the lock."""
    if folder.step == IDLE:
        return with_folder(state, number, folder._replace(new=None, dead=frozenset()), None)
    return with_folder(state, number, folder)


def with_folder(state, number, folder, *holder):
    folders = tuple(folder if at == number else one for at, one in enumerate(state.folders))
    return state._replace(folders=folders, holder=holder[0] if holder else state.holder)


def steps_of_reader(state, number, reader, law):
    if reader.step == IDLE:
        if state.reads:
            begun = Reader("listing", state.counted + 1, frozenset(), frozenset(), None)
            if law.first() == "totals":
                begun = begun._replace(totals=state.totals)
            yield "begins", with_reader(state._replace(reads=state.reads - 1), number, begun)
    elif reader.step == "listing":
        yield "lists", with_reader(state, number, reader._replace(step="files", left=state.there))
    elif reader.left:
        for name in reader.left:
            seen = reader.seen | ({(name, count_of(state, name))} if name in state.there else frozenset())
            yield (
                f"reads {name}",
                with_reader(state, number, reader._replace(left=reader.left - {name}, seen=seen)),
            )
    else:
        totals = reader.totals or state.totals
        found = totals.sum + sum(count for name, count in reader.seen if name not in dict(totals.names))
        if not reader.least <= found <= state.counted + 1:
            raise Wrong(f"reader {number} finds {found}, not {reader.least} to {state.counted + 1}")
        yield "is through", without_reader(state, number)


def with_reader(state, number, reader):
    return state._replace(
        readers=tuple(reader if at == number else one for at, one in enumerate(state.readers))
    )


def without_reader(state, number):
    """Nobody waits for it any more."""

    def freed(totals):
        return totals and Totals(
            totals.sum, tuple((name, waits and waits - {number}) for name, waits in totals.names)
        )

    folders = tuple(folder._replace(new=freed(folder.new)) for folder in state.folders)
    state = state._replace(totals=freed(state.totals), folders=folders)
    readers = tuple(
        WAITING if at == number else one._replace(totals=freed(one.totals))
        for at, one in enumerate(state.readers)
    )
    return state._replace(readers=readers)


class Wrong(Exception):  # noqa: N818 - what the search looks for
    """A reader that found what was never counted."""


def search(law):
    """How many states there are; Wrong, with the way there, if a reader can go wrong in one."""
    came_from = {BEGIN: None}
    to_do = [BEGIN]
    for state in to_do:
        try:
            for what, after in steps(state, law):
                if after not in came_from:
                    came_from[after] = state, what
                    to_do.append(after)
        except Wrong as wrong:
            raise Wrong("; ".join([*way_to(state, came_from), str(wrong)])) from None
    return len(to_do)


def way_to(state, came_from):
    way = []
    while (before := came_from[state]) is not None:
        state, what = before
        way.append(what)
    return reversed(way)


@pytest.mark.main
@pytest.mark.slow
def test_the_law_is_right_in_all_states():
    assert search(Law()) > 100_000


@pytest.mark.parametrize("wrong", [RetiredFirst, NoNames, PrunedAtOnce, UnlinkFirst])
def test_another_order_goes_wrong(wrong):
    with pytest.raises(Wrong, match="finds"):
        search(wrong())


@pytest.mark.main
@pytest.mark.slow
def test_a_minute_from_the_fold_on_is_not_a_minute_from_the_end_of_the_file_on():
    with pytest.raises(Wrong, match=r"unlinks .*finds"):
        search(PrunedByTheTimeOfTheFold())
