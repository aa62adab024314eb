"""Opens a TCP connection: DNS, then TCP, with a deadline. Loaded while one is made.

Only the DNS look-up blocks, as MicroPython's getaddrinfo does: once an attempt, for as long as the
port's resolver tries.
"""

import asyncio
import errno
import select
import socket
import time

from micropython import const

from .errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TCP = const(6)
_NODELAY = const(1)
_POLL_MS = const(5)
_TCP_MS = const(10_000)


async def connect(host: str, port: int) -> "Any":
    """Return the connected socket, which does not block. Raises LinkError."""
    try:
        info = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0]
    except (OSError, IndexError) as error:
        raise LinkError("DNS_FAILED", "%s: %s" % (host, error))
    raw = socket.socket(info[0], info[1])
    try:
        await _connect(raw, info[-1], "%s:%d" % (host, port))
    except BaseException:
        raw.close()
        raise
    return raw


async def _connect(raw: "Any", address: "Any", name: str) -> None:
    raw.setblocking(False)
    try:
        raw.setsockopt(_TCP, _NODELAY, 1)
    except OSError:
        pass  # only a slower connection
    try:
        raw.connect(address)
    except OSError as error:
        if abs(error.errno or 0) != errno.EINPROGRESS:
            raise LinkError("TCP_FAILED", "%s: %s" % (name, error))
    poller = select.poll()
    poller.register(raw, select.POLLOUT)
    began = time.ticks_ms()
    while True:
        ready = poller.poll(0)
        if ready and ready[0][1] & (select.POLLERR | select.POLLHUP):
            raise LinkError("TCP_REFUSED", name)
        if ready:
            return
        if time.ticks_diff(time.ticks_ms(), began) > _TCP_MS:
            raise LinkError("TCP_TIMEOUT", "%s, %d ms" % (name, _TCP_MS))
        await asyncio.sleep_ms(_POLL_MS)
