"""The C writer as somebody who does not know us builds it: pkg-config, sanitizers, another processor."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mmstats
from mmstats import snapshot

pytestmark = pytest.mark.main
C = Path(__file__).resolve().parent.parent.parent / "c"
CROSS, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
CROSS_TOOLS = [f"{tool}=aarch64-linux-gnu-{tool.lower()}" for tool in ("LD", "OBJCOPY", "AR")]


def run(*command, **more):
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **more,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def there(directory):
    return {**os.environ, "MMSTATS_PATH": str(directory)}


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="needs pkg-config")
@pytest.mark.parametrize("static", [True, False], ids=["static", "shared"])
def test_installed_and_found_by_pkg_config(built, stats_dir, tmp_path, static):
    """What stands in the example's first lines, and slurpstats reads it while it runs."""
    prefix = tmp_path / "prefix"
    run("make", "-s", "-C", C, "install", f"BUILD={tmp_path / 'build'}", f"PREFIX={prefix}", "CC=gcc")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    flags = run(
        "pkg-config", "--cflags", "--libs", *(["--static"] if static else []), "mmstats", env=environment
    ).split()
    if static:
        flags = [f"-l:{name[2:]}.a" if name == "-lmmstats" else name for name in flags]
        flags = [flag.replace("-l:mmstats", "-l:libmmstats") for flag in flags]
    run("gcc", C / "example.c", *flags, "-o", tmp_path / "example")
    environment = {**there(stats_dir), "LD_LIBRARY_PATH": str(prefix / "lib")}
    program = subprocess.Popen([tmp_path / "example", "100"], env=environment, stdout=subprocess.DEVNULL)
    try:
        shown = ""
        while 'requests{method="GET",status="200"}' not in shown:
            assert program.poll() is None
            shown = run(sys.executable, "-m", "mmstats", "slurp", stats_dir)
        assert "working" in shown
    finally:
        program.kill()
        program.wait()


def test_the_versions_are_one():
    assert f'#define MMSTATS_VERSION "{mmstats.__version__}"' in (C / "mmstats.h").read_text()


def test_the_header_is_one_of_cpp_too(tmp_path):
    """And it needs no other header of ours."""
    program = tmp_path / "program.cc"
    program.write_text('#include "mmstats.h"\nint main() { return mmstats_open(nullptr) == nullptr; }\n')
    for compiler, arguments in (("g++", ["-std=c++11", "-Wall", "-Wextra", "-Werror"]),):
        if shutil.which(compiler) is None:
            pytest.skip("needs a C++ compiler")
        shutil.copy(C / "mmstats.h", tmp_path)
        run(compiler, *arguments, "-fsyntax-only", program)


def jobs_of(example, stats_dir):
    """What a program publishes, run to its end."""
    said = run(example, "25", env=there(stats_dir))
    (one,) = snapshot(stats_dir)
    assert said.strip() == one.origin.file
    assert one.value("latency").count == 50
    assert one.value("latency").min >= 0.002
    return one


def test_an_example_in_cpp(built, stats_dir, tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("needs a C++ compiler")
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-I", C, "-pthread"]
    run("g++", *flags, C / "example.cc", built("shipped") / "libmmstats.a", "-lm", "-o", tmp_path / "example")
    one = jobs_of(tmp_path / "example", stats_dir)
    assert [one.value("jobs", worker=name) for name in ("one", "other")] == [25, 25]


def test_an_example_in_rust(built, stats_dir, tmp_path):
    if shutil.which("rustc") is None:
        pytest.skip("needs rustc")
    flags = ["-D", "warnings", "-L", built("shipped"), "-l", "static=mmstats", "-l", "m"]
    run("rustc", *flags, C / "example.rs", "-o", tmp_path / "example")
    one = jobs_of(tmp_path / "example", stats_dir)
    assert (one.value("jobs"), one.value("phase")) == (50, "done")


def test_every_function_is_exported_and_nothing_else(built):
    told = set(
        re.findall(
            r"\b(mmstats_\w+)\(", re.sub(r"/\*.*?\*/", "", (C / "mmstats.h").read_text(), flags=re.DOTALL)
        )
    )
    for how in (["-D", "libmmstats.so"], ["--extern-only", "libmmstats.a"]):
        exported = run("nm", "--defined-only", how[0], built("shipped") / how[1])
        assert {line.split()[-1] for line in exported.splitlines() if " " in line} == told


# --- sanitizers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", ["shipped", "address", "thread"])
def test_threads_at_full_speed(built, stats_dir, build):
    """Three waves of threads, which take each other's lanes over: exact sums, no race, no leak."""
    environment = {**there(stats_dir), "TSAN_OPTIONS": "exitcode=66", "ASAN_OPTIONS": "detect_leaks=1"}
    told = run(built(build) / "stress", 4, 5_000, env=environment)
    count = int(told.split()[0])
    (one,) = snapshot(stats_dir)
    assert one.problems == []
    members = [stat.value for stat in one.stats if stat.label == "requests"]
    assert (one.value("hits"), one.value("size").count, one.value("latency").count) == (count,) * 3
    assert (sum(members), one.value("load")) == (count, 1.0)


def test_the_thread_sanitizer_would_see_a_race(tmp_path):
    """The same flags, and two threads that add to one word without a word."""
    source = tmp_path / "race.c"
    source.write_text(
        "#include <pthread.h>\nstatic long word;\n"
        "static void *add(void *unused) { for (int i = 0; i < 100000; i++) word++; return unused; }\n"
        "int main(void) {\n"
        "  pthread_t one; pthread_create(&one, 0, add, 0); add(0); return pthread_join(one, 0);\n}\n"
    )
    run("gcc", "-O1", "-g", "-fsanitize=thread", source, "-o", tmp_path / "race", "-pthread")
    done = subprocess.run(
        [str(tmp_path / "race")],
        env={**os.environ, "TSAN_OPTIONS": "exitcode=66"},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 66


# --- another processor -------------------------------------------------------------------------------

PROBES = """
#include "barrier.h"
#include "values.h"
#include "distribution.h"
uint64_t probe_load_relaxed(uint64_t *word) { return load_relaxed(word); }
uint64_t probe_load_acquire(uint64_t *word) { return load_acquire(word); }
void probe_store_relaxed(uint64_t *word) { store_relaxed(word, 7); }
void probe_store_release(uint64_t *word) { store_release(word, 7); }
void probe_add(uint64_t *word) { cell_add_whole(word, 7); }
int probe_average(uint64_t *cells, double value) { return average_store(cells, value); }
void probe_text(uint64_t *cells, const char *text, uint32_t length) { text_store(cells, 4, text, length); }
int probe_histogram(const struct distribution *self, uint64_t *cells, uint64_t *octave, double value)
{ return distribution_store(self, cells, octave, number_of(self, value), value, 0); }
"""


@pytest.fixture(scope="module")
def instructions(tmp_path_factory):
    """Function → the mnemonics of the aarch64 code that the compiler makes of it."""
    if shutil.which(CROSS) is None:
        pytest.skip("needs gcc for aarch64")
    place = tmp_path_factory.mktemp("aarch64")
    (place / "probes.c").write_text(PROBES)
    run(
        CROSS,
        "-std=c11",
        "-D_GNU_SOURCE",
        "-O2",
        f"-I{C}",
        "-S",
        place / "probes.c",
        "-o",
        place / "probes.s",
    )
    found, name = {}, ""
    for line in (place / "probes.s").read_text().splitlines():
        label = re.match(r"(probe_\w+):", line)
        if label:
            name = label.group(1)
            found[name] = []
        elif name and re.match(r"\t[a-z]", line):
            found[name].append(line.split()[0])
    return found


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("load_relaxed", {"ldr"}, {"ldar", "dmb"}),
        ("load_acquire", {"ldar"}, set()),
        ("store_relaxed", {"str"}, {"stlr", "dmb"}),
        ("store_release", {"stlr"}, set()),
        ("add", {"ldr", "str", "add"}, {"ldadd", "ldxr", "stxr", "bl", "dmb"}),
    ],
)
def test_orderings_on_aarch64(instructions, name, has, has_not):
    """Each is the instruction that it is named after, and no dearer one."""
    found = set(instructions[f"probe_{name}"])
    assert has <= found
    assert not has_not & found


@pytest.mark.parametrize("name", ["average", "text", "histogram"])
def test_the_witness_comes_last_on_aarch64(instructions, name):
    """Behind a barrier what the update stores, and a release store at the very end."""
    found = instructions[f"probe_{name}"]
    stores = [at for at, each in enumerate(found) if each in ("str", "stp", "stlr")]
    releases = [at for at, each in enumerate(found) if each == "stlr"]
    assert "dmb" in found
    assert releases
    assert any(at < releases[-1] for at in stores)
    assert found.index("dmb") < releases[-1]


@pytest.mark.skipif(shutil.which(EMULATOR) is None, reason="needs qemu for aarch64")
@pytest.mark.skipif(shutil.which(CROSS) is None, reason="needs gcc for aarch64")
def test_a_program_for_aarch64_publishes(stats_dir, tmp_path):
    """The same code on another processor: threads, growth, locks; the readers here read it."""
    build = tmp_path / "build"
    run(
        "make",
        "-s",
        "-C",
        C,
        f"{build}/stress",
        f"BUILD={build}",
        f"CC={CROSS}",
        *CROSS_TOOLS,
        "LDFLAGS=-static",
    )
    told = run(EMULATOR, build / "stress", 3, 500, env=there(stats_dir))
    (one,) = snapshot(stats_dir)
    assert one.problems == []
    assert one.value("hits") == int(told.split()[0])
