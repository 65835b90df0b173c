"""A tiny writer made by hand: it holds the two locks of a file, as spec/FORMAT.md section 7 says.

    holder.py FILE [fork | exec | close]

Prints its pid, then waits for its end. `fork`: a child keeps the mapping; its pid is printed too.
"""

from __future__ import annotations

import mmap
import os
import sys
import time

import filebuilder as fb
from mmstats.format import layout
from mmstats.host import locks


def end_at_exec(path: str) -> None:
    """PyPy's mmap keeps a copy of the descriptor that would outlive exec, and the lock with it."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.path.samestat(os.stat(path), os.fstat(int(name))):
                os.set_inheritable(int(name), False)
        except OSError:  # the descriptor of the listing itself
            continue


def main() -> None:
    path, what = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    fb.write(
        path, fb.whole(*fb.fields(("n", "counter", fb.U64, 5), ("up", "updown", fb.I64, 3)), cmd="holder")
    )
    mapped, witness = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    assert locks.hold(mapped, layout.LOCK_WRITER)
    assert locks.hold(witness, layout.LOCK_WITNESS)
    memory = mmap.mmap(mapped, 0)
    os.close(mapped)
    end_at_exec(path)
    pids = [os.getpid()]
    if what == "fork":
        child = os.fork()
        if not child:
            os.close(witness)
            time.sleep(60)
            os._exit(0)
        pids.append(child)
    elif what == "close":
        memory[layout.HEADER_STATE : layout.HEADER_STATE + 4] = layout.STATE_CLOSED.to_bytes(4, "little")
    print(*pids, flush=True)
    if what == "exec":
        os.execv("/bin/sleep", ["sleep", "60"])
    sys.stdin.read()


if __name__ == "__main__":
    main()
