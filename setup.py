"""The optional extension, nothing else: without a C compiler the pure twin does the work."""

from __future__ import annotations

import os
import platform
from glob import glob

from setuptools import Extension, setup

FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden"]
if os.environ.get("MMSTATS_WERROR") == "1":
    FLAGS.append("-Werror")


def native(room: str, *more: str) -> Extension:
    """The native twin of a room, with what it takes from elsewhere."""
    return Extension(
        f"mmstats.{room}._native",
        sources=[f"src/mmstats/{room}/_native.c", *more],
        depends=glob(f"src/mmstats/{room}/*.h") + glob("c/*.h"),
        include_dirs=["c", f"src/mmstats/{room}"],
        extra_compile_args=FLAGS,
        optional=True,
    )


# PyPy stores through cffi faster than through a C call of ours.
twins = [native("cells", "c/threads.c"), native("aggregate")]
setup(ext_modules=[] if platform.python_implementation() == "PyPy" else twins)
