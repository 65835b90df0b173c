"""How a tool ends: exit codes, messages, and the manners of a program in a pipe.

0 fine, 1 nothing matched, 2 usage, 3 printed but something could not be read or written, 4 what was asked
for does not hold, 130 Ctrl-C, 141 the reader of our output went away.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.stat import Snapshot

OK, NOTHING, USAGE, PARTLY, UNMET, INTERRUPTED = 0, 1, 2, 3, 4, 130


def run(name: str, work: Callable[[], int]) -> int:
    """The exit code of `work`, with a program's manners around it; all that was said is out by then."""
    code = _run(name, work)
    if sys.stderr is not None:
        sys.stderr.flush()
    return code


def _run(name: str, work: Callable[[], int]) -> int:
    _die_of_sigpipe()
    gc.disable()  # a tool that runs once makes no garbage worth looking for
    if sys.stdout is None:
        say(name, "standard output is closed")
        return PARTLY
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:  # a full disk; what is read never raises
        say(name, f"standard output: {error.strerror}")
        _forget_output()
        return PARTLY
    return code


def say(name: str, message: str) -> None:
    """One line on stderr; nothing where there is none."""
    if sys.stderr is not None:
        sys.stderr.write(f"{name}: {message}\n")


def close(
    name: str,
    snapshots: Sequence[Snapshot],
    readable: Sequence[Snapshot],
    words: Sequence[str],
    *,
    quiet: bool = False,
) -> int:
    """Say what could not be read and who is gone; the exit code."""
    problems = [problem for one in snapshots for problem in one.problems]
    if not quiet:
        for problem in problems:
            say(name, on_one_line(str(problem)))
        gone = sum(one.origin.state == "gone" for one in readable)
        if gone:
            say(name, _of_the_gone(gone))
    if not snapshots:
        say(name, nothing_found(name, words))
    if not readable:
        return NOTHING
    return PARTLY if problems else OK


def nothing_found(name: str, words: Sequence[str]) -> str:
    """That there is no file, where that was looked for, and what to do."""
    where = ", ".join(words) or ", ".join(default_globs())
    hint = f"set MMSTATS_PATH or MMSTATS_GLOB, or name the files: {name} /run/app"
    return f"no mmstats file matches {on_one_line(where)}\n  {hint}"


def default_globs() -> list[str]:
    """Where files are looked for if nobody names any."""
    import os

    from mmstats.host.places import reading_places

    return [os.path.join(place.directory, place.names) for place in reading_places()]


def _of_the_gone(count: int) -> str:
    return (
        f"{count} files are of processes that are gone; cleanstats folds them"
        if count > 1
        else "1 file is of a process that is gone; cleanstats folds it"
    )


def on_one_line(text: str) -> str:
    """The text on one line, whatever a file's name has in it."""
    from mmstats.tools.text import shown

    return shown(text)


def _die_of_sigpipe() -> None:
    """`slurpstats | head` ends as `yes | head` does. `_signal`: `signal` itself loads enum."""
    import _signal

    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)


def _forget_output() -> None:
    """Let Python not try again at its end what just failed."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
