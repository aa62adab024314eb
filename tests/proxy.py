"""A proxy between a board and its cloud, in the test's own process, to be imported by a
conftest.py.

It is the virtual board's own `Pipe`, so what it can do to a connection is the same; here a test
holds it directly: it sets the conditions, cuts at an exact byte, and counts.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tools.board.pipe import DOWN, UP, Conditions, Pipe
from tests.loopback import Loopback

__all__ = ["DOWN", "UP", "Proxy", "make_proxy"]


class Proxy(Loopback):
    """Listens on `port` and carries every connection to `target` of this machine.

    `conditions` may be changed at any time. `pipes` are the connections so far, oldest first.
    """

    def __init__(self, target: int) -> None:
        self.conditions = Conditions()
        self.pipes: list[Pipe] = []
        self._target = target
        super().__init__()

    @property
    def connections(self) -> int:
        return len(self.pipes)

    def cut(self) -> None:
        """Reset the connections there are."""
        self._loop.call_soon_threadsafe(self._cut)

    def cut_after(self, way: str, count: int) -> None:
        """Reset the connection once `count` more bytes have passed in this direction."""
        self.conditions.cut_after[way] = count

    def bytes_passed(self, way: str) -> int:
        """Return how many bytes all connections have delivered in this direction."""
        return sum(pipe.passed[way] for pipe in self.pipes)

    def _cut(self) -> None:
        for pipe in self.pipes:
            pipe.cut()

    async def _serve(self, near: socket.socket) -> None:
        far = socket.socket()
        far.setblocking(False)
        try:
            await self._loop.sock_connect(far, ("127.0.0.1", self._target))
        except OSError:  # the cloud is down: the board sees a reset
            near.close()
            far.close()
            return
        pipe = Pipe(self.conditions, near, far)
        self.pipes.append(pipe)
        await pipe.run()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    """Makes proxies to a port of this machine."""
    made: list[Any] = []

    def make(target: int) -> Proxy:
        made.append(Proxy(target))
        proxy: Proxy = made[-1]
        return proxy

    yield make
    for each in made:
        each.close()
