"""What an update costs in Java, beside the JDK's own counters, each in a JVM of its own.

python bench/java.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

JAVA = Path(__file__).resolve().parent.parent / "java"


def main() -> int:
    """Print the table."""
    make = shutil.which("make")
    if shutil.which("javac") is None or make is None:
        print("needs a JDK and make")
        return 0
    with tempfile.TemporaryDirectory() as build, tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        subprocess.run([make, "-s", "-C", str(JAVA), f"BUILD={build}", "classes"], check=True)
        bench = ["java", "-cp", f"{build}/classes", "mmstats.Bench"]
        environment = {**os.environ, "MMSTATS_PATH": directory}

        def said(*words: str) -> str:
            command = [*bench, *words]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            return done.stdout

        spent = {name: float(said(name)) for name in said().splitlines()}
    print("| update | ns | against AtomicLong |\n|---|---|---|")
    for name, each in sorted(spent.items(), key=lambda item: item[1]):
        print(f"| {name} | {each:.1f} | {each / spent['AtomicLong.incrementAndGet']:.2f} x |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
