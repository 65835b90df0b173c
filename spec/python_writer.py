"""The Python writer as a writer under test: commands on its input, an answer to each (vectors/README.md).

MMSTATS_CELLS=pure|native MMSTATS_PATH=DIRECTORY python spec/python_writer.py
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import mmstats

KINDS = {
    "counter": mmstats.CounterField,
    "updown": mmstats.UpDownField,
    "number": mmstats.DoubleField,
    "integer": mmstats.Int64Field,
    "boolean": mmstats.BoolField,
    "gauge": mmstats.GaugeField,
    "average": mmstats.AverageField,
    "moving": mmstats.MovingAverageField,
    "timer": mmstats.TimerField,
    "histogram": mmstats.HistogramField,
    "string": mmstats.StringField,
    "enum": mmstats.EnumField,
}
AGGREGATES = ("", "sum", "max", "min", "avg", "last", "all", "any", "set")
NUMBERS = {
    "size": int,
    "window": float,
    "scale": int,
    "low": float,
    "high": float,
    "max_series": int,
    "ttl": float,
}
LISTS = {"tags": str, "states": str, "bounds": float}


class Writer:
    """One model, whose fields are added as they are declared."""

    def __init__(self) -> None:
        self._stats = mmstats.BaseMmStats()
        self._count = 0
        self._names: dict[str, str] = {}
        self._states: dict[str, tuple[str, ...]] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def declare(self, kind: str, label: str, options: dict[str, str]) -> None:
        """One field."""
        about = {name: options[name] for name in ("unit", "help") if name in options}
        about.update({name: NUMBERS[name](options[name]) for name in NUMBERS if name in options})
        for name, each in LISTS.items():
            if name in options:
                about[name] = tuple(map(each, options[name].split(",")))
        if "aggregate" in options:
            about["aggregate"] = AGGREGATES[int(options["aggregate"])]
        if "keep" in options:
            about["keep"] = True
        self._count += 1
        name = self._names[label] = f"f{self._count}"
        self._stats.add(name, self._field(kind, label, options, about))
        self._states[label] = about.get("states", ())

    @staticmethod
    def _field(kind: str, label: str, options: dict[str, str], about: dict) -> mmstats.Field:
        if kind == "info":
            pairs = dict(zip(options["names"].split(","), options["texts"].split(",")))
            return mmstats.InfoField(label, pairs, **about)
        if kind == "static" and "number" in options:
            return mmstats.StaticDoubleField(label=label, value=float(options["number"]), **about)
        if kind == "static":
            return mmstats.StaticTextField(label=label, value=options["text"], **about)
        return KINDS[kind](label=label, **about)

    def update(self, what: str, word: str, text: str) -> None:
        """One update of a stat, or of a family's member."""
        label, _, values = word.rstrip("}").partition("{")
        name = self._names[label]
        stat = getattr(self._stats, name)
        if values:
            stat = stat.tagged(*values.split(","))
        if what == "incr":
            stat.incr(int(text))
        elif what == "move":
            stat.incr(int(text)) if int(text) >= 0 else stat.decr(-int(text))
        elif what == "add":
            stat.add(float(text))
        elif what == "observe":
            stat.observe(float(text))
        elif what == "forget":
            getattr(self._stats, name).forget(*values.split(","))
        else:
            self._set(name, stat if values else None, self._value(what, label, text))

    def _value(self, what: str, label: str, text: str) -> object:
        if what == "state":
            return self._states[label][int(text)]
        return {"set": float, "integer": int, "bool": lambda word: word != "0", "text": str}[what](text)

    def _set(self, name: str, member: object, value: object) -> None:
        if member is None:
            setattr(self._stats, name, value)
        else:
            member.set(value)  # type: ignore[attr-defined] # of the kinds that have it

    def run(self, line: str) -> None:
        """One command, and whatever commands are in it."""
        what, _, rest = line.partition(" ")
        if what == "thread":
            thread = threading.Thread(target=self._all, args=(rest,))
            thread.start()
            thread.join()
            answer("ok")
        elif what == "keep":
            self._keep(*rest.split(" ", 1))
        else:
            self._one(what, [word.replace("\\s", " ") for word in rest.split(" ")])

    def _all(self, commands: str) -> None:
        for command in commands.split(" ; "):
            self.run(command)

    def _keep(self, name: str, commands: str) -> None:
        if commands == "end":
            self._threads.pop(name).shutdown()
            answer("ok")
            return
        thread = self._threads.setdefault(name, ThreadPoolExecutor(1))
        thread.submit(self._all, commands).result()

    def _one(self, what: str, words: list[str]) -> None:
        if what == "open":
            pass
        elif what == "file":
            answer(self._stats.filename or "none")
            return
        elif what == "forget":
            self.update(what, words[0], "")
        elif len(words) > 1 and "=" not in words[1]:
            for _ in range(int(words[2]) if len(words) > 2 else 1):
                self.update(what, words[0], words[1])
        else:
            self.declare(what, words[0], dict(word.split("=", 1) for word in words[1:]))
        answer("ok")


def answer(text: str) -> None:
    """One line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Until `end`."""
    writer = Writer()
    for line in sys.stdin:
        if line.strip() == "end":
            break
        writer.run(line.rstrip("\n"))


if __name__ == "__main__":
    main()
