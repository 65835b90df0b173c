"""What it costs to begin: importing, making a model, a thread's first update and a forked child's.

    python bench/startup.py [--rounds N]

Each row is a program that is run as often as there are rounds, one after the other: what is printed is the
median of the milliseconds that it measures itself. The third row is how much longer it takes as a whole than
one that does nothing; of mmstats with the end of the process, which folds its file. The two rows behind it
are what the second one consists of: as many modules as it loads that hold nothing, and the making of a model
once all are loaded. Bytecode is there, as it is in any second run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

NOTHING = "pass"
MODEL = """
import time
begun = time.perf_counter()
import mmstats
fields = {f"field{at}": mmstats.CounterField(label=f"field.{at}") for at in range(20)}
stats = type(mmstats.MmStats)("Stats", (mmstats.MmStats,), fields)()
"""
TELL = "print((time.perf_counter() - begun) * 1e3, flush=True)\n"
IMPORT = "import time\nbegun = time.perf_counter()\nimport {}\n" + TELL
THEIRS = """
import time
begun = time.perf_counter()
import prometheus_client as theirs
fields = [theirs.Counter(f"field_{at}", "") for at in range(20)]
"""
TIMED = """
import os, threading, time
def work():
    begin = time.perf_counter()
    {update}
    print((time.perf_counter() - begin) * 1e3, flush=True)
{update}
"""
IN_A_THREAD = "thread = threading.Thread(target=work); thread.start(); thread.join()"
IN_A_CHILD = """
if os.fork() == 0:
    work()
    os._exit(0)
os.wait()
"""
MADE_BEFORE = """
import time, mmstats
mmstats.MmStats()
begun = time.perf_counter()
""" + MODEL.split("import mmstats\n")[1]
EMPTY = """
import importlib, sys, time
sys.path.insert(0, {directory!r})
begun = time.perf_counter()
for at in range({modules}):
    importlib.import_module(f"nothing.at{{at}}")
"""
COUNT = "import sys; print(sum(name.split('.')[0] == 'mmstats' for name in sys.modules))\n"
WHOLE = "a program with a model of 20 counters, to its end"
ROWS = {
    "import": (IMPORT.format("mmstats"), IMPORT.format("prometheus_client")),
    "import, and a model of 20 counters": (MODEL + TELL, THEIRS + TELL),
    WHOLE: (MODEL, THEIRS),
}
INSIDE = {"a thread's first update": IN_A_THREAD, "a forked child's first update": IN_A_CHILD}
OURS = {"mmstats": {"MMSTATS_CELLS": "native"}, "mmstats, pure": {"MMSTATS_CELLS": "pure"}}
OTHERS = {"prometheus_client": {}, "multiprocess": {"PROMETHEUS_MULTIPROC_DIR": ""}}


def run(program: str, told: dict[str, str], directory: str) -> tuple[float, str]:
    """Milliseconds from beginning to end, and what it printed; in a directory that nobody used before."""
    directory = tempfile.mkdtemp(dir=directory)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "MMSTATS_PATH": directory,
        **{key: value or directory for key, value in told.items()},
    }
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return (time.perf_counter() - begin) * 1e3, done.stdout


def empty_modules(directory: str) -> int:
    """How many modules the model needs. Makes the package `nothing`, with as many without a statement."""
    _, said = run(MODEL + COUNT, OURS["mmstats"], directory)
    os.mkdir(os.path.join(directory, "nothing"))
    for name in ("__init__", *(f"at{at}" for at in range(int(said)))):
        open(os.path.join(directory, "nothing", f"{name}.py"), "w").close()
    return int(said)


def rows(directory: str, modules: int) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Title → of each contestant the program, and its environment."""
    found = {}
    for title, (ours, theirs) in ROWS.items():
        found[title] = [(ours, told) for told in OURS.values()] + [(theirs, told) for told in OTHERS.values()]
    found["another model of 20 counters"] = [(MADE_BEFORE + TELL, told) for told in OURS.values()]
    empty = EMPTY.format(directory=directory, modules=modules) + TELL
    found[f"{modules} empty modules"] = [(empty, {})]
    for title, how in INSIDE.items():
        programs = (MODEL, "stats.field7.incr()"), (THEIRS, "fields[7].inc()")
        ours, theirs = (made + TIMED.format(update=update) + how for made, update in programs)
        found[title] = [(ours, told) for told in OURS.values()] + [(theirs, told) for told in OTHERS.values()]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    spent: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        programs_of = rows(directory, empty_modules(directory))
        for _ in range(rounds):
            base, _ = run(NOTHING, {}, directory)
            spent.setdefault(("nothing", 0), []).append(base)
            for title, programs in programs_of.items():
                for at, (program, told) in enumerate(programs):
                    took, said = run(program, told, directory)
                    spent.setdefault((title, at), []).append(float(said) if title != WHOLE else took - base)
    print(f"Python itself: {statistics.median(spent['nothing', 0]):.1f} ms. In ms:\n")
    print(f"| {' | '.join(['', *OURS, *OTHERS])} |\n|---|---|---|---|---|")
    for title, programs in programs_of.items():
        cells = [f"{statistics.median(spent[title, at]):.2f}" for at in range(len(programs))]
        print(f"| {title} | {' | '.join([*cells, '', '', ''][:4])} |")


if __name__ == "__main__":
    main()
