"""The optional extension, nothing else: without a C compiler the pure twin does the work."""

from __future__ import annotations

import os
import platform
from glob import glob

from setuptools import Extension, setup

FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra"]
if os.environ.get("MMSTATS_WERROR") == "1":
    FLAGS.append("-Werror")


def native(room: str) -> Extension:
    """The native twin of a room."""
    return Extension(
        f"mmstats.{room}._native",
        sources=[f"src/mmstats/{room}/_native.c"],
        depends=glob(f"src/mmstats/{room}/*.h") + glob("c/*.h"),
        include_dirs=["c", f"src/mmstats/{room}"],
        extra_compile_args=FLAGS,
        optional=True,
    )


# PyPy stores through cffi faster than through a C call of ours.
setup(
    ext_modules=[] if platform.python_implementation() == "PyPy" else [native("cells"), native("aggregate")]
)
