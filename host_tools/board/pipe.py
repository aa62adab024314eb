"""A TCP connection that passes through here, where bad things can happen to it.

Nothing is ever lost or swapped, as TCP loses nothing: what is held back is delivered once the link
is good again. Only a cut ends a connection, with a reset, in the middle of whatever was under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

UP, DOWN = "up", "down"
"""Directions: from the board to the cloud, and back."""
_CHUNK = 65536
_POLL_S = 0.01
_DRIBBLE_S = 0.001
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


@dataclass
class Conditions:
    """What the link is like. It may change at any time, and counts for every connection.

    `frozen`: nothing passes, either way, the end of a connection included. `delay_s`: how much
    later each byte arrives, each way. `dribble`: bytes arrive one by one. `bytes_per_s`: 0 = no
    limit, each way. `cut_after`: direction → how many more bytes pass before the reset.
    """

    frozen: bool = False
    delay_s: float = 0.0
    dribble: bool = False
    bytes_per_s: float = 0.0
    cut_after: dict[str, int] = field(default_factory=dict)


class Pipe:
    """One connection between `near`, the board's end, and `far`; `run` carries it to its end.

    `passed` counts the bytes delivered in each direction, `segments` the pieces they came in.
    """

    def __init__(self, conditions: Conditions, near: socket.socket, far: socket.socket) -> None:
        self.passed = {UP: 0, DOWN: 0}
        self.segments = {UP: 0, DOWN: 0}
        self._conditions = conditions
        self._sockets = (near, far)
        self._writers: list[asyncio.StreamWriter] = []

    async def run(self) -> None:
        """Carry bytes both ways until both ends have closed or the connection is cut."""
        (near, to_near), (far, to_far) = [
            await asyncio.open_connection(sock=each) for each in self._sockets
        ]
        self._writers = [to_near, to_far]
        for each in self._sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = (self._carry(UP, near, to_far), self._carry(DOWN, far, to_near))
        try:
            await asyncio.gather(*ways)
        except OSError:
            self.cut()
        finally:
            for writer in self._writers:
                writer.close()

    def cut(self) -> None:
        """Reset the connection at both ends, at once."""
        for writer in self._writers:
            end = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            writer.transport.abort()

    async def _carry(
        self, way: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(way, queue, target))
        try:
            while data := await source.read(_CHUNK):
                self.segments[way] += 1
                queue.put_nowait((self._due(), data))
        except OSError:  # reset: so is the other end, once what came before has been delivered
            await self._join(queue, delivery)
            raise
        await self._join(queue, delivery)
        with contextlib.suppress(OSError, RuntimeError):
            target.write_eof()

    async def _join(
        self, queue: asyncio.Queue[tuple[float, bytes]], delivery: asyncio.Task[None]
    ) -> None:
        queue.put_nowait((self._due(), b""))
        await delivery

    def _due(self) -> float:
        return asyncio.get_running_loop().time() + self._conditions.delay_s

    async def _deliver(
        self, way: str, queue: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter
    ) -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            while self._conditions.frozen:
                await asyncio.sleep(_POLL_S)
            if not data:
                return
            await self._pass(way, data, target)

    async def _pass(self, way: str, data: bytes, target: asyncio.StreamWriter) -> None:
        while data:
            size, pause_s = self._portion(way, len(data))
            target.write(data[:size])
            await target.drain()
            self.passed[way] += size
            data = data[size:]
            if self._spend(way, size):
                raise ConnectionResetError("cut")
            if pause_s:
                await asyncio.sleep(pause_s)
            while self._conditions.frozen:
                await asyncio.sleep(_POLL_S)

    def _portion(self, way: str, size: int) -> tuple[int, float]:
        # how many bytes may pass now, and how long to wait behind them
        now = self._conditions
        pause_s = 0.0
        if now.dribble:
            size, pause_s = 1, _DRIBBLE_S
        elif now.bytes_per_s:
            size = min(size, max(1, int(now.bytes_per_s / 20)))
            pause_s = size / now.bytes_per_s
        if way in now.cut_after:
            size = min(size, max(1, now.cut_after[way]))
        return size, pause_s

    def _spend(self, way: str, size: int) -> bool:
        # whether these were the last bytes before a cut
        left = self._conditions.cut_after.get(way)
        if left is None:
            return False
        if left > size:
            self._conditions.cut_after[way] = left - size
            return False
        del self._conditions.cut_after[way]
        return True
