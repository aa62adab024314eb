"""A proxy between a board and its cloud, in the test's own process, to be imported by a
conftest.py.

It is the virtual board's own `Pipe`, so what it can do to a connection is the same; here a test
holds it directly: it sets the conditions, cuts at an exact byte, and counts.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tools.board.pipe import DOWN, UP, Conditions, Pipe

__all__ = ["DOWN", "UP", "Proxy", "make_proxy"]


class Proxy:
    """Listens on `port` and carries every connection to `target` of this machine.

    `conditions` may be changed at any time. `pipes` are the connections so far, oldest first.
    """

    def __init__(self, target: int) -> None:
        self.conditions = Conditions()
        self.pipes: list[Pipe] = []
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

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

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._listening.setblocking(False)
        self._loop.create_task(self._accept())
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._cut()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def _cut(self) -> None:
        for pipe in self.pipes:
            pipe.cut()

    async def _accept(self) -> None:
        while True:
            near, _ = await self._loop.sock_accept(self._listening)
            task = self._loop.create_task(self._carry(near))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, near: socket.socket) -> None:
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
