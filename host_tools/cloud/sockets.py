"""The loopback sockets the local IoT Core listens on, opened before it starts.

Opening them here and handing them over leaves no gap in which another process could take a port
that was just found free, and nothing but 127.0.0.1 can be meant. Who connects early waits in the
backlog.
"""

from __future__ import annotations

import socket

from host_tools.errors import ToolError

LOOPBACK = "127.0.0.1"


def listen(wanted: int | None, preferred: list[int], purpose: str) -> socket.socket:
    """Return a socket listening on a loopback port.

    1. `wanted` given: that port, or ToolError if it is taken.
    2. else the first free one of `preferred`, or any free one.
    """
    for port in [wanted] if wanted is not None else [*preferred, 0]:
        bound = _try_listen(port)
        if bound is not None:
            return bound
    raise ToolError(
        f"port {wanted} for {purpose} is taken or not allowed",
        "the same without the port option: a free one is then chosen",
    )


def _try_listen(port: int) -> socket.socket | None:
    if port and _answers(port):  # macOS lets an address be bound beside a wildcard listener
        return None
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT after a stop
        bound.bind((LOOPBACK, port))
        bound.listen(128)  # two sockets may share a port until one of them listens
    except (OSError, OverflowError):
        bound.close()
        return None
    return bound


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except (OSError, OverflowError):
        return False
