"""A Flask application that counts its answers; `run_flask_example` serves it from four processes.

One instance, made when the module is imported, serves every process and every thread: each process
has a file of its own, also one that was forked later.
"""

from __future__ import annotations

import flask

import mmstats


class Stats(mmstats.MmStats):
    """Good answers, bad answers, and whether a request is being served."""

    ok = mmstats.CounterField(label="flask.example.ok")
    bad = mmstats.CounterField(label="flask.example.bad")
    working = mmstats.BoolField(label="flask.example.working")


stats = Stats()

application = app = flask.Flask(__name__)


@app.before_request
def set_working() -> None:
    """A request begins."""
    stats.working = True


@app.after_request
def count(response: flask.Response) -> flask.Response:
    """Its answer is ready."""
    if response.status_code == 200:
        stats.ok.incr()
    elif response.status_code == 500:
        stats.bad.incr()
    return response


@app.teardown_request
def unset_working(_error: BaseException | None) -> None:
    """It is through, whatever came of it."""
    stats.working = False


@app.get("/")
def ok() -> str:
    """What goes well."""
    return "OK; /500 goes wrong, and /status is what this process has counted\n"


@app.get("/500")
def bad() -> tuple[str, int]:
    """What goes wrong."""
    return "oh noes!\n", 500


@app.get("/status")
def status() -> dict[str, object]:
    """What this process has counted; slurpstats shows all of them, from outside."""
    return {"ok": stats.ok.total, "bad": stats.bad.total, "working": stats.working}


if __name__ == "__main__":
    app.run(port=5001)
