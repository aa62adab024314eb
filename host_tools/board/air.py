"""The air between a virtual board and the network: every TCP connection that the board makes
passes through its supervisor here, so that it can be made bad at any time.

The board's `socket` stand-in asks the exchange for a way to (host, port) when a name is looked up.
The connection onward is made first: if that fails, the board is told to go by itself and meets the
real failure. If not, it gets a port that waits for this one connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

from host_tools.board import faults
from host_tools.board.files import BoardFiles
from host_tools.board.pipe import Conditions, Pipe

LOOPBACK = "127.0.0.1"
_ONWARD_S = 0.3  # the look-up, which blocks the board, takes that much longer
_TAKEN_UP_S = 10.0
_LOOK_S = 0.05
_BY_ITSELF = 0


class Air:
    """The exchange and the connections that pass; runs in a thread that ends with the process."""

    def __init__(self, files: BoardFiles) -> None:
        self._files = files
        self._conditions = Conditions()
        self._pipes: set[Pipe] = set()
        self._cuts = 0
        self._exchange = socket.create_server((LOOPBACK, 0))
        self.port: int = self._exchange.getsockname()[1]
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()

    async def _run(self) -> None:
        self._cuts = faults.cuts(self._files)
        await asyncio.start_server(self._connect, sock=self._exchange)
        while True:
            self._look()
            await asyncio.sleep(_LOOK_S)

    def _look(self) -> None:
        # Conditions change in place: a cut under way keeps what it has counted
        pressed = faults.pressed(self._files)
        link = pressed.get("link") or {}
        self._conditions.frozen = bool(link.get("frozen")) or "wifi" in pressed
        self._conditions.delay_s = link.get("delay_s", 0.0)
        self._conditions.dribble = bool(link.get("dribble"))
        if (cuts := faults.cuts(self._files)) != self._cuts:
            self._cuts = cuts
            for pipe in self._pipes:
                pipe.cut()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The exchange: `host port` in a line, the answer is a port, 0 = go by yourself
        host, _, port = (await reader.readline()).decode().rpartition(" ")
        onward = await self._onward(host, port)
        listening = socket.create_server((LOOPBACK, 0), backlog=1) if onward else None
        writer.write(b"%d\n" % (listening.getsockname()[1] if listening else _BY_ITSELF))
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()
        if onward and listening:
            await self._serve(listening, onward)

    async def _onward(self, host: str, port: str) -> socket.socket | None:
        target = socket.socket()
        target.setblocking(False)
        connecting = asyncio.get_running_loop().sock_connect(target, (host, int(port)))
        try:
            await asyncio.wait_for(connecting, _ONWARD_S)
        except OSError:  # TimeoutError is one
            target.close()
            return None
        return target

    async def _serve(self, listening: socket.socket, onward: socket.socket) -> None:
        listening.setblocking(False)
        accepting = asyncio.get_running_loop().sock_accept(listening)
        try:
            near, _ = await asyncio.wait_for(accepting, _TAKEN_UP_S)
        except TimeoutError:  # the name was looked up for something else
            onward.close()
            return
        finally:
            listening.close()
        pipe = Pipe(self._conditions, near, onward)
        self._pipes.add(pipe)
        try:
            await pipe.run()
        finally:
            self._pipes.discard(pipe)
