"""Takes a message that the heap has no room for into flash, piece by piece, to be parsed from
there: a document of 8 KB needs its objects in the heap, not its text, too. Loaded for one.
"""

import asyncio

from micropython import const

from .errors import LinkError
from .files import STATE, make_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .link import Link
    from .stream import Stream

PATH = STATE + "/message.json"
_SILENCE_MS = const(10_000)
_QOS = const(0x06)


async def take(link: "Link", packet: memoryview, start: int, size: int) -> None:
    """Take the PUBLISH whose beginning is `packet` and hand it out as a file, or tell of it if it
    is thrown away. Raises LinkError and OSError when the connection breaks.
    """
    limit = link.config.receive_limit
    topic, identifier, held = await keep(link.stream, packet, start, size, limit)
    if identifier:  # QoS 1: umqtt is to acknowledge it, or it is sent again for an hour
        # as it sees it, there are no topic and no payload
        link.take(b"\x32\4\0\0" + identifier)
    if held:
        with open(PATH, "rb") as file:
            link.hand_out(topic, file)
        return
    link.log.warning("link", "no room for a message of %d bytes", size)
    if topic.startswith(link.prefix):  # within the limit, it is the flash that is full
        link.on_oversized(topic[len(link.prefix) :].decode(), size <= limit)


async def keep(
    stream: "Stream", packet: memoryview, start: int, size: int, limit: int
) -> "tuple[bytes, bytes, bool]":
    """Take the PUBLISH (MQTT 3.1.1, 3.3) whose beginning is `packet`.

    Returns its topic, the packet identifier to be acknowledged (b"" at QoS 0), and whether the
    payload is in PATH: not so if it is over `limit` bytes, or the flash is full; it is thrown away
    then. Raises LinkError when the rest does not come, and OSError when the connection breaks.
    """
    end = start + 2 + (packet[start] << 8 | packet[start + 1])
    topic, identifier = bytes(packet[start + 2 : end]), b""
    if packet[0] & _QOS:
        end += 2
        identifier = bytes(packet[end - 2 : end])
    if end > len(packet):
        return topic, b"", False  # no topic of ours is so long
    make_folder(STATE)
    file = _tried(open, PATH, "wb") if size <= limit else None
    if not file:
        return topic, identifier, False
    try:
        held = _tried(file.write, packet[end:])
        stream.done()
        while held and stream.left:
            held = _tried(file.write, await asyncio.wait_for_ms(stream.more(), _SILENCE_MS))
    except asyncio.TimeoutError:
        raise LinkError("NO_PINGRESP", "%d bytes of a message did not come" % stream.left)
    finally:
        closed = _tried(file.close) is not False  # what is in its buffer may find no room, too
    return topic, identifier, bool(held and closed)


def _tried(act: "Callable[..., Any]", *arguments: "Any") -> "Any":
    # What a full flash or heap refuses is False
    try:
        return act(*arguments)
    except (OSError, MemoryError):
        return False
