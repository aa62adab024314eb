"""What umqtt takes for its socket: umqtt packs and unpacks MQTT here and never touches the
network.

Stock umqtt.simple (1.3.4 to 1.8.0) blocks without a deadline and sends every packet in four or
five pieces. So it is given this instead of a socket: what it writes gathers into one packet, which
the link then sends; what it reads is a packet that the link has already received whole.
"""

from micropython import const
from umqtt.simple import MQTTException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ROOM = const(256)  # a packet of the usual size; larger ones grow the buffer for a moment

# What umqtt raises on protocol input that it does not expect
ERRORS = (OSError, MQTTException, ValueError, IndexError, TypeError, AssertionError)


class Wire:
    """A socket whose far end is this object's user."""

    def __init__(self) -> None:
        self._out = bytearray(_ROOM)
        self._length = 0
        self.offer(b"")

    def offer(self, packet: "Any") -> None:
        """Let umqtt read a received packet, piece by piece."""
        self._offered = memoryview(packet)
        self._at = 0

    def packet(self) -> memoryview:
        """Return what umqtt has written since the last call; good until it writes again."""
        packet = memoryview(self._out)[: self._length]
        if len(self._out) > _ROOM:
            self._out = bytearray(_ROOM)
        self._length = 0
        return packet

    def write(self, data: "Any", size: int | None = None) -> int:
        """Append the first `size` bytes of `data`, all by default, to the packet under way."""
        if size is None:
            size = len(data)
        end = self._length + size
        if end > len(self._out):
            larger = bytearray(end)
            larger[: self._length] = memoryview(self._out)[: self._length]
            self._out = larger
        view = memoryview(data)
        self._out[self._length : end] = view if size == len(data) else view[:size]
        self._length = end
        return size

    def read(self, size: int) -> "Any":
        """Return the next `size` bytes of the packet on offer, fewer at its end.

        The last piece, the payload, is a view and no copy.
        """
        piece = self._offered[self._at : self._at + size]
        self._at += size
        return bytes(piece) if self._at < len(self._offered) else piece

    def setblocking(self, _flag: bool) -> None:
        """Nothing here ever blocks."""

    def close(self) -> None:
        """The link closes the connection."""
