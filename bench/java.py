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
    if shutil.which("javac") is None or shutil.which("make") is None:
        print("needs a JDK and make")
        return 0
    with tempfile.TemporaryDirectory() as build, tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        subprocess.run(["make", "-s", "-C", str(JAVA), f"BUILD={build}", "classes"], check=True)
        bench = ["java", "-cp", f"{build}/classes", "mmstats.Bench"]
        told = {
            "env": {**os.environ, "MMSTATS_PATH": directory},
            "check": True,
            "capture_output": True,
            "text": True,
        }
        names = subprocess.run(bench, **told).stdout.splitlines()
        spent = {name: float(subprocess.run([*bench, name], **told).stdout) for name in names}
    print("| update | ns | against AtomicLong |\n|---|---|---|")
    for name, each in sorted(spent.items(), key=lambda item: item[1]):
        print(f"| {name} | {each:.1f} | {each / spent['AtomicLong.incrementAndGet']:.2f} x |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
