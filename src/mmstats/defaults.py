"""0.8's constants, asked of the environment each time: what a model or a reader that is told nothing does.

DEFAULT_PATH: where files go; DEFAULT_FILENAME: the template of their names; DEFAULT_GLOB: what readers
look at, though they look in more places if nothing is named; DEFAULT_STRING_SIZE: bytes of a StringField.
"""

from __future__ import annotations

import os

from mmstats.format.legacy import UNBUFFERED as WRITE_BUFFER_UNUSED
from mmstats.host.places import default_place
from mmstats.publish.settings import DEFAULT_FILENAME as FILENAME
from mmstats.publish.texts import DEFAULT_STRING_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    DEFAULT_PATH: str
    DEFAULT_FILENAME: str
    DEFAULT_GLOB: str

__all__ = ["DEFAULT_FILENAME", "DEFAULT_GLOB", "DEFAULT_PATH", "DEFAULT_STRING_SIZE", "WRITE_BUFFER_UNUSED"]


def _path() -> str:
    return os.environ.get("MMSTATS_PATH") or default_place()


_ASKED = {
    "DEFAULT_PATH": _path,
    "DEFAULT_FILENAME": lambda: os.environ.get("MMSTATS_FILES") or FILENAME,
    "DEFAULT_GLOB": lambda: os.environ.get("MMSTATS_GLOB") or os.path.join(_path(), "*.mmstats"),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> str:
        if name not in _ASKED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _ASKED[name]()
