"""A process that is started, heard, and ended for sure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

PATIENCE = 40  # seconds for an orderly end: more than either child needs


def python() -> list[str]:
    """How to start this very Python, without its buffers: what a child says is heard at once."""
    return [sys.executable, "-u"]


class Child:
    """One child in a session of its own: Ctrl-C is for its parent, who then ends it in order.

    A context manager: whatever happens, it is gone afterwards.
    """

    def __init__(self, words: list[str], directory: str, environment: dict, keep: tuple = ()) -> None:
        self.said = b""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self.process = subprocess.Popen(
            words,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            pass_fds=keep,
            start_new_session=True,
        )

    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self.process.poll() is None

    def first_line(self) -> str:
        """What it says first; empty where it ends without a word."""
        return self.process.stdout.readline().decode().strip()

    def stop(self) -> bytes:
        """End it in order, and give what it said."""
        if not self.process.stdout.closed:
            self.process.terminate()
            self.said, _ = self.process.communicate(timeout=PATIENCE)
        return self.said

    def stop_and_hear(self) -> dict[str, Any] | None:
        """End it in order, and give the JSON in its last line, if there is one."""
        lines = self.stop().splitlines()
        return json.loads(lines[-1]) if lines else None

    def last_words(self) -> str:
        """The end of what it wrote as errors."""
        self.errors.seek(0)
        return self.errors.read()[-2000:].decode(errors="replace").rstrip()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.process.kill()
            self.process.wait()
            self.errors.close()
