"""A port of this machine that asyncio serves in a thread: for what tests put in between."""

from __future__ import annotations

import asyncio
import socket
import threading


class Loopback:
    """Listens on `port` and serves every connection, until it is closed."""

    def __init__(self) -> None:
        """Begin at once: a subclass has its own attributes before."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listening.close()

    async def _serve(self, near: socket.socket) -> None:
        """Serve one connection."""
        raise NotImplementedError

    def _cut(self) -> None:
        """Cut the connections there are; called at the end, too."""

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

    async def _accept(self) -> None:
        while True:
            near, _ = await self._loop.sock_accept(self._listening)
            task = self._loop.create_task(self._serve(near))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
