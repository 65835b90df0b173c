"""What is built: the extensions, without which pure Python does the work; and man pages and completions."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from glob import glob

from setuptools import Extension, setup

MMASH = "src/mmstats/tools/mmash"
MAKING = {"bdist_wheel", "build", "build_py", "develop", "editable_wheel", "install", "sdist"}
FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden", "-pthread"]
if os.environ.get("MMSTATS_WERROR") == "1":
    FLAGS.append("-Werror")


def native(room: str, *more: str) -> Extension:
    """The native twin of a room, with what it takes from elsewhere."""
    return Extension(
        f"mmstats.{room}._native",
        sources=[f"src/mmstats/{room}/_native.c", *more],
        depends=glob("src/mmstats/*.h") + glob(f"src/mmstats/{room}/*.h") + glob("c/*.h"),
        include_dirs=["c", "src/mmstats", f"src/mmstats/{room}"],
        extra_compile_args=FLAGS,
        extra_link_args=["-pthread"],
        optional=True,
    )


def shared() -> list[tuple[str, list[str]]]:
    """Man pages and completions, where they belong; of an installation from the tree there are none."""
    if "bdist_wheel" not in sys.argv:
        return []
    sys.path[:0] = [os.path.abspath("src"), os.path.abspath("dev")]
    try:
        import shell_files
    except ImportError as error:
        sys.stderr.write(f"no man pages and completions: {error}\n")
        return []
    return shell_files.write("build")


def page() -> None:
    """Build the page of mmash, where npm is there; an sdist has it. Without npm it has no charts."""
    source, built = f"{MMASH}/page", f"{MMASH}/static/app.js"
    parts = [f"{source}/package-lock.json", *glob(f"{source}/*.ts*"), f"{source}/page.css"]
    if not MAKING.intersection(sys.argv):
        return  # somebody only asks what there is
    if os.path.exists(built) and os.path.getmtime(built) >= max(map(os.path.getmtime, parts)):
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("mmash's page is built without charts: there is no npm\n")
        return
    fetching = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"]
    for words in (["ci", *fetching], ["run", "build"]):
        done = subprocess.run([npm, "--silent", *words], cwd=source, check=False)  # noqa: S603 - our own words
        if done.returncode:
            sys.stderr.write(f"mmash's page is built without charts: npm {words[0]} failed\n")
            return


# PyPy stores through cffi faster than through a C call of ours.
twins = [native("cells", "c/threads.c"), native("read")]
page()
setup(ext_modules=[] if platform.python_implementation() == "PyPy" else twins, data_files=shared())
