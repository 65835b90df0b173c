"""Whose the other end of a connection within this machine is, as the kernel tells (sock_diag(7), proc(5)).

Asked for the one socket by netlink, which takes some 20 us however many there are; where there is none,
looked up in the table of all.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from struct import Struct, pack, unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    Address = tuple[str, int]

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, NLMSG_ERROR = 20, 1, 2
ANY_STATE, NO_COOKIE = 0xFFFFFFFF, b"\xff" * 8
PATIENCE = 1.0  # seconds
TABLES = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}

_head = Struct("=IHHII")  # length, type, flags, number, who
_request = Struct("=BBBBI")  # family, protocol, extensions, nothing, states
_of_socket = 4 + 48 + 12  # where the uid stands in an answer: behind state, addresses, timer and queues


def uid_of(client: Address, server: Address) -> int | None:
    """The uid of the client's socket; None: it is none of this machine, or there is no saying."""
    try:
        family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
        ends = [_packed(family, end) for end in (client, server)]
    except (OSError, ValueError, struct.error):
        return None
    with contextlib.suppress(OSError):
        found = _asked(family, ends)
        if found is not None:
            return found
    return _in_table(family, client, server)


def _packed(family: socket.AddressFamily, end: Address) -> tuple[bytes, bytes]:
    return socket.inet_pton(family, end[0]), pack(">H", end[1])


def _asked(family: socket.AddressFamily, ends: list[tuple[bytes, bytes]]) -> int | None:
    (source, source_port), (target, target_port) = ends
    name = (
        source_port + target_port + source.ljust(16, b"\0") + target.ljust(16, b"\0") + bytes(4) + NO_COOKIE
    )
    body = _request.pack(family, socket.IPPROTO_TCP, 0, 0, ANY_STATE) + name
    head = _head.pack(_head.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(PATIENCE)
        asking.sendto(head + body, (0, 0))
        answer = asking.recv(4096)
    _, kind, *_ = _head.unpack_from(answer)
    end = _head.size + _of_socket
    if (
        kind != SOCK_DIAG_BY_FAMILY
        or len(answer) < end + 4
        or answer[_head.size + 4 :][: len(name) - 12] != name[:-12]
    ):
        return None
    return int(unpack_from("=I", answer, end)[0])


def _in_table(family: socket.AddressFamily, client: Address, server: Address) -> int | None:
    try:
        local, remote = _written(family, client), _written(family, server)
        with open(TABLES[family], encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if len(fields) > 7 and fields[1] == local and fields[2] == remote:
                    return int(fields[7])
    except (OSError, ValueError):
        pass
    return None


def _written(family: socket.AddressFamily, address: Address) -> str:
    """An address as the table has it: words of four bytes, each in the order of the machine."""
    raw = socket.inet_pton(family, address[0])
    words = [unpack_from("=I", raw, at)[0] for at in range(0, len(raw), 4)]
    return "".join(f"{word:08X}" for word in words) + f":{address[1]:04X}"
