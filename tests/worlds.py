"""A machine of a test's own, in which the doctor is asked and programs publish."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import programs

WRITER = "A writer started here, now"

MAIN = """
import os, sys
from mmstats.doctor.main import main
out, sys.stdout = sys.stdout, open(os.devnull, 'w')
main(['/does/not/exist'])  # all is loaded: another user may not be able to read it
sys.stdout = out
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
sys.exit(main(sys.argv[2:]))
"""


class Answer:
    """What the doctor said: `code`, `text`, `error`; `lines` of a section."""

    def __init__(self, done):
        self.code, self.text, self.error = done.returncode, done.stdout, done.stderr

    def lines(self, title):
        """The lines below a title, up to the next empty one."""
        _, _, after = f"\n{self.text}".partition(f"\n{title}\n")
        return after.partition("\n\n")[0].splitlines()

    def sentences(self, title):
        """The same in one line, for what takes several."""
        return " ".join(" ".join(self.lines(title)).split())

    def found(self, key):
        """The findings of a section of --json."""
        return json.loads(self.text)[key]


class World:
    """`shm` is its /dev/shm, `tmp` its temporary directory; nothing of another test is in sight."""

    def __init__(self):
        self.shm = Path(tempfile.mkdtemp(prefix="mmstats-world-", dir="/dev/shm"))
        # On a disk, and where other users may go: what pytest gives is root's alone.
        self.directory = Path(tempfile.mkdtemp(prefix="mmstats-world-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        self.tmp = self.made("tmp")
        for path in (self.shm, self.tmp):
            path.chmod(0o1777)
        self.before = ""
        self.env = {"TMPDIR": str(self.tmp), "COLUMNS": "100"}
        self.own = f"/dev/shm/mmstats-{os.geteuid()}"

    def remove(self):
        for path in (self.shm, self.directory):
            shutil.rmtree(path)

    def squatted(self):
        """Somebody else has made our directory."""
        (self.shm / "mmstats-0").mkdir(mode=0o700)
        os.chown(self.shm / "mmstats-0", 12345, -1)

    def made(self, name):
        """A directory for a test to name."""
        place = self.directory / name
        place.mkdir()
        return place

    def under(self):
        """What makes a process live in it: mounts of its own."""
        script = f'mount --bind {self.shm} /dev/shm && {self.before or ":"} && exec "$@"'
        return ["unshare", "-m", "sh", "-c", script, "sh"]

    def environment(self, **more):
        known = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MMSTATS_", "XDG_", "NO_COLOR", "FORCE_COLOR"))
        }
        return {**known, "PYTHONPATH": str(programs.ROOT / "src"), **self.env, **more}

    def doctor(self, *words, user=0, more_under=(), **more):
        """Ask it, with these words and this environment."""
        start = ["-c", MAIN, str(user)] if user else ["-m", "mmstats", "doctor"]
        return Answer(self.run([*more_under, sys.executable, *start, *map(str, words)], **more))

    def run(self, command, **more):
        return subprocess.run(
            [*self.under(), *command],
            env=self.environment(**more),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def program(self, script, **more):
        """A program that runs in it; ends by itself, or when `input()` has its line."""
        return subprocess.Popen(
            [*self.under(), sys.executable, "-c", programs.MODEL + script],
            env=self.environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def shape(lines):
    """Lines without what is another one each time: pids, ids, ages, inodes, sizes."""
    text = "\n".join(lines)
    text = re.sub(r"-c-\d+-[0-9a-f]{8}", "-c-PID-ID", text)
    text = re.sub(
        r"(?m)^(  (?:ok|!|-) +(?:all|part) +\w+ +)(?:\d+|-)((?: +\S+)+? +)\d+[smhd]\S*", r"\1PID\2AGE", text
    )
    text = re.sub(r"\b(inode|as) \d+", r"\1 N", text)
    text = re.sub(r"\b\d+[smhd]\S* ago", "AGE ago", text)
    text = re.sub(r"[\d.]+[KMGT]i? free of [\d.]+[KMGT]i?", "A free of B", text)
    return [" ".join(line.split()) for line in text.splitlines()]
