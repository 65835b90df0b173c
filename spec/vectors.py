"""The vectors as bytes: each is commented hex with its answer beside it (vectors/README.md).

python spec/vectors.py DIRECTORY    write them as binary files, and their answers, for other languages
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

VECTORS = Path(__file__).resolve().parent / "vectors"


class Vector(NamedTuple):
    """One claim. `name`: as `valid/one_counter`; `answer`: what every reader must give."""

    name: str
    data: bytes
    answer: dict


def vectors() -> list[Vector]:
    """All of them, by name."""
    return [
        Vector(
            f"{path.parent.name}/{path.stem}",
            assemble(path.read_text()),
            json.loads(path.with_suffix(".json").read_text()),
        )
        for path in sorted(VECTORS.glob("*/*.hex"))
    ]


def assemble(text: str) -> bytes:
    """Hex → bytes. Behind `#` a comment; `.. 512` alone on its line: zeros up to offset 512."""
    out = bytearray()
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        try:
            out += _zeros(said, len(out)) if said.startswith("..") else bytes.fromhex(said)
        except ValueError as error:
            raise SystemExit(f"line {number}: {error}: {line}") from None
    return bytes(out)


def _zeros(said: str, at: int) -> bytes:
    end = int(said[2:])
    if end < at:
        raise ValueError(f"offset {at} is beyond {end}")
    return bytes(end - at)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: vectors.py DIRECTORY", file=sys.stderr)
        return 2
    for vector in vectors():
        path = Path(arguments[0]) / f"{vector.name}.mmstats"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(vector.data)
        shutil.copy(VECTORS / f"{vector.name}.json", path.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
