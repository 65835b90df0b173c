"""How gunicorn runs the demo: many processes, many threads, and no worker grows old."""

from __future__ import annotations

worker_class = "gthread"
workers = 4
threads = 4
preload_app = True  # the counters are made before the fork, as many applications do it
max_requests = 300  # a worker is replaced after so many,
max_requests_jitter = 100  # or a few more, so that not all go at once
graceful_timeout = 20  # seconds to answer what was asked before
loglevel = "error"
control_socket_disable = True  # newer versions would leave a socket in the home directory


def post_worker_init(_worker):
    """A worker begins: the first thing that it counts is itself."""
    import app  # loaded before the fork

    app.stats.workers.incr()
