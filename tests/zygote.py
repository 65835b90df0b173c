"""Processes that publish as they are told, one thing after the other.

Each is forked off a program that has all loaded, so that a test may use up hundreds of them.

    with zygote.Zygote("pure", directory) as zygote:
        one = zygote.process()
        one.do("hits", "incr", 3)
        one.kill()
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

LONG = 60  # seconds


class Zygote:
    """The program; `model`: Python that declares a class `Model` of `mmstats`."""

    def __init__(self, twin, directory, model):
        import programs

        self._home = tempfile.TemporaryDirectory()
        self._path = os.path.join(self._home.name, "socket")
        self._program = subprocess.Popen(
            [sys.executable, __file__, self._path, model],
            env=programs.environment(twin, directory, MMSTATS_GROUP="app"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._program.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_raised):
        self._program.kill()
        self._program.communicate()
        self._home.cleanup()

    def process(self):
        """Another process."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LONG)
        connection.connect(self._path)
        return Process(connection)


class Process:
    """One process; what it raises is raised here, as a RuntimeError."""

    def __init__(self, connection):
        self._connection = connection
        self._file = connection.makefile("rw")
        self.pid = self._call("pid")

    def _call(self, *request):
        print(json.dumps(request), file=self._file, flush=True)
        answer = json.loads(self._file.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def declare(self):
        """Make the model."""
        self._call("declare")

    def remove(self, *, discard=False):
        """Remove it."""
        self._call("remove", discard)

    def do(self, field, verb, *arguments, tags=(), in_thread=False):
        """Call a method of a field, or assign (`set`); in a thread that ends with that, if it is to."""
        self._call("in_thread" if in_thread else "do", field, list(tags), verb, list(arguments))

    def exit(self):
        """End in order, and be gone."""
        self._call("end")
        self._gone()

    def kill(self):
        """As by kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def _gone(self):
        """Until the kernel has no such process: the zygote leaves nobody a zombie."""
        self._file.close()
        self._connection.close()
        end = time.monotonic() + LONG
        while os.path.exists(f"/proc/{self.pid}"):
            assert time.monotonic() < end, f"process {self.pid} does not end"
            time.sleep(0.001)


# --- the other side ----------------------------------------------------------------------------------


class Work:
    """What a process can be told."""

    def __init__(self, model):
        self._model = model
        self._stats = None
        self.is_over = False

    def pid(self):
        return os.getpid()

    def declare(self):
        self._stats = self._model()

    def remove(self, discard):
        self._stats.remove(discard=discard)
        self._stats = None

    def do(self, field, tags, verb, arguments):
        place = getattr(self._stats, field) if verb not in ("set", "add_to") or tags else None
        if tags and verb != "forget":
            place = place.tagged(*tags)
        if place is not None:
            getattr(place, verb)(*(tags if verb == "forget" else arguments))
        elif verb == "set":
            setattr(self._stats, field, *arguments)
        else:
            setattr(self._stats, field, getattr(self._stats, field) + arguments[0])

    def in_thread(self, *what):
        failed = []

        def work():
            try:
                self.do(*what)
            except BaseException:  # noqa: BLE001 - told to the test
                failed.append(traceback.format_exc())

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        until_it_is_gone(thread.native_id)
        if failed:
            raise RuntimeError(failed[0])

    def end(self):
        self.is_over = True


def until_it_is_gone(thread):
    """The last steps of a thread, which give its lane back, come after join()."""
    end = time.monotonic() + LONG
    while os.path.exists(f"/proc/self/task/{thread}") and time.monotonic() < end:
        time.sleep(0.0005)


def serve(path, source):
    """Fork a process for each connection."""
    import mmstats

    told = {"mmstats": mmstats}
    exec(source, told)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return obey(connection, Work(told["Model"]))
            connection.close()


def obey(connection, work):
    """Do what is told, until it is over."""
    with connection, connection.makefile("rw") as file:
        while not work.is_over:
            verb, *arguments = json.loads(file.readline())
            try:
                answer = {"value": getattr(work, verb)(*arguments)}
            except Exception:  # noqa: BLE001 - told to the test
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), file=file, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
