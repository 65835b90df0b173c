"""What the object model costs: an update, as a ratio to an empty method call of the same shape.

    python bench/object_model.py [--rounds N]

Models are built as the house builds them: a metaclass takes the fields out of the class, handles are
plain attributes of the instance, numbers are data descriptors. Every round runs every case once, so that
a slow moment of the machine meets all of them. What is printed is the median over the rounds, of the
whole loop, and its ratio; then the ratio of the least, which a machine that is busy otherwise spoils
less. `left in the class` is the same without the metaclass: what it saves.
"""

from __future__ import annotations

import argparse
import importlib.util
import mmap
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from time import perf_counter_ns

from mmstats.cells import pure
from mmstats.format.layout import CELL_TYPE_F64, CELL_TYPE_U64

try:
    from mmstats.cells import _native
except ImportError:
    _native = None

LOOPS = 10_000  # short, so that some rounds of a busy machine are undisturbed


def empty_type():
    """The type of `_empty.c`, compiled for this Python."""
    directory = Path(tempfile.mkdtemp())
    library = directory / ("_empty" + sysconfig.get_config_var("EXT_SUFFIX"))
    source = Path(__file__).with_name("_empty.c")
    include = "-I" + sysconfig.get_paths()["include"]
    command = ["cc", "-std=c11", "-O2", "-fPIC", "-shared", include, str(source), "-o", str(library)]
    subprocess.run(command, check=True)
    spec = importlib.util.spec_from_file_location("_empty", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Empty


class Field:
    """A declared counter."""


class Gatherer(type):
    """Takes the fields out of the class, and answers for them."""

    def __new__(cls, name, bases, body):
        fields = {
            key: value for base in bases for key, value in getattr(base, "__mmstats_fields__", {}).items()
        }
        fields.update((key, value) for key, value in body.items() if isinstance(value, Field))
        body = {key: value for key, value in body.items() if not isinstance(value, Field)}
        return super().__new__(cls, name, bases, {**body, "__mmstats_fields__": fields})

    def __getattr__(cls, name):
        try:
            return type.__getattribute__(cls, "__mmstats_fields__")[name]
        except KeyError:
            raise AttributeError(name) from None


def filled(stats, twin, fields):
    """The instance with its handles bound, and memory for its cells."""
    memory = mmap.mmap(-1, 4096)
    segment = twin.Segment(lambda segment: segment.attach(memory))
    stats._mm_bind("_mm_cells", {"ratio": (segment, 50, 0.0), "size": (segment, 51, 0)})
    for index, name in enumerate(fields):
        stats._mm_bind(name, twin.Counter(segment, index, CELL_TYPE_U64, name, None))
    return stats


def model(twin, count):
    """An instance of a model with that many counters, two numbers, and a method."""
    names = ["requests"] + [f"field{i}" for i in range(count - 1)]
    body = {name: Field() for name in names}
    body["ratio"] = twin.Number("ratio", CELL_TYPE_F64, 64, signed=True, never=True)
    body["size"] = twin.Number("size", CELL_TYPE_U64, 32, signed=False, never=False)
    return Gatherer(f"Model{count}", (twin.Instance,), body), names


def subclassed(base, levels=2):
    """A subclass of a subclass, each with a property of its own."""
    for level in range(levels):
        base = type(base)(f"Sub{level}", (base,), {f"property{level}": property(id)})
    return base


def plain_model(twin, count):
    """The same, with the fields left in the class: what the interpreter does not specialise."""
    _, names = model(twin, count)
    return type("Plain", (twin.Instance,), {name: Field() for name in names}), names


def loop(source):
    """A function that runs the statement LOOPS times."""
    space = {}
    exec(f"def run(stats, loops):\n    for _ in loops:\n        {source}\n", space)  # noqa: S102 - the loop is timed without a call around it
    return space["run"]


def cases_of(name, twin):
    """Label, statement and instance of each case."""
    five = filled(model(twin, 5)[0](), twin, model(twin, 5)[1])
    cls, names = model(twin, 40)
    forty = filled(subclassed(cls)(), twin, names)
    plain = filled(plain_model(twin, 5)[0](), twin, names[:5])
    yield f"{name}: incr(), 5 fields", "stats.requests.incr()", five
    yield f"{name}: incr(), 40 fields, subclass of a subclass", "stats.requests.incr()", forty
    yield f"{name}: incr(3)", "stats.requests.incr(3)", five
    yield f"{name}: incr(), fields left in the class", "stats.requests.incr()", plain
    yield f"{name}: assign a float", "stats.ratio = 1.5", five
    yield f"{name}: assign a float, 40 fields, subclass of a subclass", "stats.ratio = 1.5", forty
    yield f"{name}: assign an int of 32 bits", "stats.size = 77", five
    yield f"{name}: += on a number", "stats.size += 1", five
    yield f"{name}: .value", "stats.requests.value", five


class Holder:
    """One attribute, and nothing else."""

    def __init__(self, requests):
        self.requests = requests


def measure(cases, rounds):
    """The nanoseconds of one statement in each round, for each label."""
    loops = range(LOOPS)
    runs = [(label, loop(source), stats) for label, source, stats in cases]
    times = {label: [] for label, _, _ in runs}
    for _ in range(rounds):
        for label, run, stats in runs:
            begun = perf_counter_ns()
            run(stats, loops)
            times[label].append((perf_counter_ns() - begun) / LOOPS)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    cases = [("empty call", "stats.requests.incr()", Holder(empty_type()()))]
    for name, twin in (("native", _native), ("pure", pure)):
        if twin is not None:
            twin.token.renew()
            cases += cases_of(name, twin)
    times = measure(cases, rounds)
    empty = times["empty call"]
    print(f"Python {sys.version.split()[0]}, {rounds} rounds of {LOOPS}{'median':>42} {'least':>15}")
    for label, spent in times.items():
        median, least = statistics.median(spent), min(spent)
        ratios = f"{median / statistics.median(empty):6.2f} x {least / min(empty):12.2f} x"
        print(f"{label:<60} {median:7.1f} ns {ratios}")


if __name__ == "__main__":
    main()
