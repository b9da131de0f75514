"""What the kernel knows of a connection over loopback: whether the other side has read everything."""

import asyncio
import struct
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_ELSEWHERE_SECONDS = 0.05
"""Where there is no such table."""


async def read_by_peer(writer: asyncio.StreamWriter) -> None:
    """Return once the peer of an IPv4 connection over loopback has read all that was sent to it, or is gone."""
    await writer.drain()
    if not _TABLE.exists():  # noqa: ASYNC240 nothing to wait for
        await asyncio.sleep(_ELSEWHERE_SECONDS)
        return
    here, there = _hex(writer.get_extra_info("sockname")), _hex(writer.get_extra_info("peername"))
    while _is_on_its_way(here, there):  # noqa: ASYNC110 the kernel sends no events of it
        await asyncio.sleep(0.001)


def _is_on_its_way(here: str, there: str) -> bool:
    """Whether anything is in our queue for sending, or in the peer's for receiving (proc(5), net/tcp)."""
    rows = [line.split() for line in _TABLE.read_text().splitlines()[1:]]
    queues = {(row[1], row[2]): row[4].split(":") for row in rows}
    sending, received = queues.get((here, there)), queues.get((there, here))
    return bool(sending and received and (int(sending[0], 16) or int(received[1], 16)))


def _hex(name: tuple[str, int]) -> str:
    """Write an address as the table does: the IP in the machine's byte order."""
    packed = bytes(int(part) for part in name[0].split("."))
    return f"{struct.unpack('=I', packed)[0]:08X}:{name[1]:04X}"
