"""A small shop in Flask that publishes what it answers.

The counters are made once, here, before gunicorn forks; every worker then counts in a file of its own,
and nothing below knows of workers or threads.
"""

from __future__ import annotations

import time

import flask

import mmstats


class ShopStats(mmstats.MmStats):
    """What is published: a counter for each status, when the last request came, whether one is served."""

    ok = mmstats.CounterField(label="status.200", help="requests answered with 200")
    found = mmstats.CounterField(label="status.302", help="requests sent elsewhere")
    not_found = mmstats.CounterField(label="status.404", help="requests for what is not there")
    failed = mmstats.CounterField(label="status.500", help="requests that ran into an error")
    other = mmstats.CounterField(label="status.other", help="requests with any other answer")
    last_hit = mmstats.DoubleField(label="last_hit", unit="timestamp", help="when the last answer was sent")
    workers = mmstats.CounterField(label="workers", help="workers that began to serve")
    working = mmstats.BoolField(label="working", help="whether a request is being served")


stats = ShopStats(label_prefix="shop.")
counters = {"200": stats.ok, "302": stats.found, "404": stats.not_found, "500": stats.failed}

shop = flask.Flask(__name__)


@shop.get("/")
def index():
    """A page like most."""
    return "Welcome.\n"


@shop.get("/item/<int:number>")
def item(number):
    """One of a thousand things; the shelf ends there."""
    if number >= 1000:
        flask.abort(404)
    return flask.jsonify(number=number, name=f"thing {number}", price=number * 3 % 97)


@shop.get("/old")
def moved():
    """What has gone elsewhere."""
    return flask.redirect("/", code=302)


@shop.get("/slow")
def slow():
    """What waits for somebody else."""
    time.sleep(0.05)
    return "At last.\n"


@shop.get("/broken")
def broken():
    """What nobody has repaired yet."""
    raise ArithmeticError("two and two make five")


@shop.errorhandler(ArithmeticError)
def apologize(_error):
    """The answer when it was our fault."""
    return "Sorry.\n", 500


class Counted:
    """A WSGI application that counts each answer once all of it has been handed to the client.

    The server asks for the piece after the last one only when it has sent all those before, so the end
    of the loop below is the moment. A client that goes away in between leaves by GeneratorExit, and is
    not counted: it never got its answer.
    """

    def __init__(self, application) -> None:
        self.application = application

    def __call__(self, environ, start_response):
        """The pieces of the answer, and then one more in its counter."""
        stats.working = True
        status = ""

        def start(line, headers, exc_info=None):
            nonlocal status
            status = line[:3]
            return start_response(line, headers, exc_info)

        pieces = self.application(environ, start)
        try:
            yield from pieces
            counters.get(status, stats.other).incr()
            stats.last_hit = time.time()
        finally:
            stats.working = False
            pieces.close()


application = Counted(shop)
