"""A file as another machine's disk would show it: its bytes, and none of the locks on it.

    elsewhere.py FILE COMMAND…

Lays a FUSE file system over FILE that shows what is in it, as nfs or virtiofs would, and runs COMMAND.
Locks there are asked of the mount, which knows nothing of those on the file below. Only for a mount
namespace of its own (`unshare -m`): who ends this ends the file system.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys

GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT = 3, 14, 15, 17, 18, 25, 26
NO_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
ENOSYS = 38
REQUEST = struct.Struct("<IIQQIIII")  # length, what, number, node, uid, gid, pid, padding
ANSWER = struct.Struct("<IiQ")  # length, error, number
ATTRIBUTES = struct.Struct("<QIIQQQQQQIIIIIIIIII")  # validity, then struct fuse_attr


class Mirror:
    """Answers the kernel's questions about one file."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def attributes(self, _body: bytes) -> bytes:
        found = os.fstat(self.fd)
        size = (found.st_ino, found.st_size, found.st_blocks, 0, 0, 0, 0, 0, 0)
        return ATTRIBUTES.pack(1, 0, 0, *size, found.st_mode, 1, 0, 0, 0, 4096, 0)

    def read(self, body: bytes) -> bytes:
        _, offset, length = struct.unpack_from("<QQI", body)
        return os.pread(self.fd, length, offset)

    def answer(self, what: int, body: bytes) -> bytes | None:
        known = {
            INIT: lambda _: struct.pack("<IIII48x", 7, 31, 65536, 0),
            GETATTR: self.attributes,
            OPEN: lambda _: struct.pack("<QII", 0, 0, 0),
            READ: self.read,
            RELEASE: lambda _: b"",
        }
        return known[what](body) if what in known else None

    def serve(self, kernel: int) -> None:
        while True:
            try:
                request = os.read(kernel, 1 << 17)
            except OSError:  # unmounted
                return
            _, what, number, *_ = REQUEST.unpack_from(request)
            if what in NO_ANSWER:
                continue
            body = self.answer(what, request[REQUEST.size :])
            error = -ENOSYS if body is None else 0
            os.write(kernel, ANSWER.pack(ANSWER.size + len(body or b""), error, number) + (body or b""))


def main() -> None:
    path = sys.argv[1]
    mirror, kernel = Mirror(os.open(path, os.O_RDONLY)), os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={kernel},rootmode=100644,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"elsewhere", os.fsencode(path), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    server = os.fork()
    if not server:
        mirror.serve(kernel)
        os._exit(0)
    os.close(kernel)
    done = subprocess.run(sys.argv[2:], check=False)
    os.kill(server, 9)
    os.waitpid(server, 0)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
