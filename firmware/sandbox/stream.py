"""One TLS connection that carries MQTT packets and never blocks.

Reads and writes never wait, so nothing here takes longer than the caller's deadline, except one
step of the TLS handshake, which is computation. An SSL socket that timed out is dead
(extmod/modtls_mbedtls.c keeps `last_error`), so deadlines cancel the wait in front of the read and
never the read itself.

What is waited for is the raw socket: the Unix port looks at a TLS socket only once in 1 ms
(extmod/modselect.c). It does not show what TLS has decrypted already, which is why a read that
has filled its room is followed by another one without a wait.
"""

import asyncio

from micropython import const

from .errors import LinkError
from .lazy import borrow, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ROOM = const(512)  # bytes kept for receiving; a larger packet gets a buffer for a moment
_LONGEST_HEADER = const(5)  # MQTT 3.1.1, 2.2: one byte of type, at most four of length


class Stream:
    """Whole MQTT packets in and out of `sock`, non-blocking TLS over the socket `raw`.

    `limit` is the largest packet that is received whole, in bytes. `left` counts the bytes of a
    larger one that are still to come. `heard` is set whenever something comes. `unsent` is what
    the socket has not taken yet (`flush`). `trouble` is why the connection is to be given up: what
    was sent has not been taken in time.
    """

    def __init__(self, sock: "Any", raw: "Any", limit: int) -> None:
        self.sock = sock
        self._raw = asyncio.StreamReader(raw)
        self._limit = limit
        self._room = bytearray(_ROOM)
        self._buffer = self._room
        self._have = 0  # bytes in the buffer
        self._used = 0  # of them, bytes of the packet that is handed out
        self.unsent: list[bytes] = []
        self._flushing: "Any" = None  # the task that sends it, or did
        self._more = False  # TLS may hold more
        self.left = 0
        self.heard = True
        self.trouble: "BaseException | None" = None

    def send(self, data: memoryview) -> None:
        """Send `data` as one TLS record; what the socket does not take at once follows."""
        sent = 0
        if self.trouble:
            return  # nothing may follow half a packet
        if not self.unsent:
            try:
                sent = self.sock.write(data) or 0
            except OSError:
                pass  # the next write fails, too
        if sent < len(data):
            try:
                self.unsent.append(bytes(data[sent:]))
                if len(self.unsent) == 1:
                    self._flushing = spawn(borrow("flush").run(self))
            except Exception as error:  # no room, or a flash that does not read
                self.trouble = error  # half a packet is no packet
                raise

    async def receive(self) -> "tuple[memoryview, int, int]":
        """Return (packet, start, size): the next packet, where its body starts, the body's length.

        The same packet is returned again until `done` is called, so that a wait may be cancelled
        at any time, even just when the packet has come, without losing anything. A packet over the
        limit, or one that the heap has no room for, is cut: it is then its first bytes only, and
        the rest is for `more`, or read and thrown away. Raises LinkError when the peer closes or
        sends no MQTT.
        """
        while not self._used:
            while self.left:
                await self.more()
            start, size = self._header()
            end = start + size
            if start and self._have >= end:
                self._used = end
            elif start and not self._holds(end) and self._have == len(self._buffer):
                self.left = end - self._have
                self._used = self._have
            else:
                self._have += await self._read(memoryview(self._buffer)[self._have :])
        start, size = self._header()
        return memoryview(self._buffer)[: self._used], start, size

    async def more(self) -> memoryview:
        """Return the next bytes of a packet that was cut and is done. Raises LinkError."""
        room = memoryview(self._room)[: min(self.left, _ROOM)]
        got = await self._read(room)
        self.left -= got
        return room[:got]

    def done(self) -> None:
        """Forget the packet received last; its view is no longer good."""
        rest = self._buffer[self._used : self._have]
        if len(rest) <= _ROOM:
            self._buffer = self._room
        self._buffer[: len(rest)] = rest
        self._have = len(rest)
        self._used = 0

    def close(self) -> None:
        """Close the connection; may be called at any time."""
        if self._flushing:
            self._flushing.cancel()
        try:
            self.sock.close()
        except OSError:
            pass

    def _header(self) -> tuple[int, int]:
        # (length of the fixed header, length of the body), or (0, 0) while the header is
        # incomplete
        size = 0
        for i in range(1, min(self._have, _LONGEST_HEADER)):
            byte = self._buffer[i]
            size |= (byte & 0x7F) << 7 * (i - 1)
            if not byte & 0x80:
                return i + 1, size
        if self._have >= _LONGEST_HEADER:
            raise LinkError("MALFORMED_PACKET", "length of more than four bytes")
        return 0, 0

    def _holds(self, length: int) -> bool:
        # Whether the buffer holds a packet of this length, growing if the limit and the heap allow
        if length <= len(self._buffer):
            return True
        try:
            larger = bytearray(length) if length <= self._limit else None
        except MemoryError:
            larger = None
        if larger is None:
            return False
        larger[: self._have] = memoryview(self._buffer)[: self._have]
        self._buffer = larger
        return True

    async def _read(self, room: memoryview) -> int:
        while True:
            # reading nothing from the raw socket is the wait for it
            await (asyncio.sleep_ms(0) if self._more else self._raw.read(0))
            got = self.sock.readinto(room)
            self._more = got == len(room)
            if got:
                self.heard = True
                return got
            if got is not None:
                raise LinkError("CLOSED_BY_PEER", "")
