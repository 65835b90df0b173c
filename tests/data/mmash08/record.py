"""Three files of 0.8, and what its mmash answers of them: run under Python 2.7, with mmstats 0.8.0 and Flask.

    PYTHON2 tests/data/mmash08/record.py

The files are kept as they are, where they are there; answers are asked anew.
"""

from __future__ import print_function

import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ["MMSTATS_PATH"] = HERE

import mmstats  # noqa: E402
from mmstats import mmash  # noqa: E402

PATHS = [
    "/stats/",
    "/stats/web",
    "/stats/web.requests",
    "/stats/web.requests?exact=1",
    "/stats/web.requests?exact=1&aggr=sum",
    "/stats/nothing",
    "/stats/flag",
    "/stats/name",
    "/stats/web?glob=b*.mmstats",
    "/stats/web?glob=nothing*",
    "/stats/web?glob=../*",
    "/files/",
    "/files/b*.mmstats",
    "/files/nothing*",
    "/stats/name?aggr=sum",
    "/stats/web.idle?aggr=nonzero-avg",
    "/stats/web.idle?aggr=nonzero-min",
    "/stats/web?aggr=mode",
    "/nothing",
] + [
    "/stats/%s?aggr=%s" % (name, word)
    for name in ("web", "level", "flag")
    for word in ("avg", "one", "max", "min", "sum", "nonzero-min", "nonzero-avg")
]


class Web(mmstats.MmStats):
    """Of which each process has other numbers."""

    requests = mmstats.CounterField(label="web.requests")
    slow = mmstats.CounterField(label="web.requests.slow")
    idle = mmstats.CounterField(label="web.idle")
    level = mmstats.DoubleField(label="level")
    flag = mmstats.BoolField(label="flag")
    name = mmstats.StringField(label="name")


def write():
    """The files."""
    for number, letter in enumerate("abc"):
        stats = Web(path=HERE, filename=letter + ".mmstats")
        stats.requests.inc(10**number)
        if number:
            stats.slow.inc(number)
        stats.level = number - 0.5
        stats.flag = bool(number % 2)
        stats.name = letter * 3


def main():
    """Write what is not there, and ask."""
    if not os.path.exists(os.path.join(HERE, "a.mmstats")):
        write()
    mmash.app.config["MMSTATS_GLOB"] = os.path.join(HERE, "*.mmstats")
    client = mmash.app.test_client()
    found = {}
    for path in PATHS:
        answer = client.get(path)
        is_json = answer.headers["content-type"].startswith("application/json")
        said = answer.data.decode("utf-8").replace(HERE, "DIRECTORY")
        found[path] = [answer.status_code, json.loads(said) if is_json else None]
    with open(os.path.join(HERE, "answers.json"), "w") as file:
        rows = [(json.dumps(path), json.dumps(found[path], sort_keys=True)) for path in sorted(found)]
        file.write("{\n" + ",\n".join("%s: %s" % row for row in rows) + "\n}\n")


if __name__ == "__main__":
    main()
