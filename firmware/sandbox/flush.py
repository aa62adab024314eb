"""Sends what a connection's socket did not take at once. Loaded for that."""

import asyncio

from micropython import const

from .errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .stream import Stream

_SEND_MS = const(10_000)


async def run(stream: "Stream") -> None:
    """Send what is left over; if that fails, say so in the stream's `trouble`."""
    try:
        writer = asyncio.StreamWriter(stream.sock)
        while stream.unsent:
            writer.write(stream.unsent[0])
            await asyncio.wait_for_ms(writer.drain(), _SEND_MS)
            stream.unsent.pop(0)
    except asyncio.TimeoutError:
        stream.trouble = LinkError("SEND_TIMEOUT", "%d ms" % _SEND_MS)
    except (OSError, MemoryError) as error:
        stream.trouble = error
