"""Makes a connected socket one of MQTT: TLS, CONNECT and its answer; each with a deadline. Loaded
while it is made.
"""

import asyncio

from micropython import const

from .errors import LinkError
from .stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Coroutine

    from .link import Link

_LARGEST = const(2048)  # bytes of a packet that is held in the heap; a larger one: see `large`
_TLS_MS = const(30_000)  # a handshake takes 1 to 3 s on an ESP32, more on a weak link
_ANSWER_MS = const(10_000)
_CONNACK = const(0x20)


async def run(link: "Link", raw: "Any", packet: memoryview) -> Stream:
    """Return the open stream over the socket `raw`, CONNECT, the `packet`, sent and accepted.
    Raises LinkError.

    Whatever TLS raises passes, too: ValueError when the server cannot be verified, OSError.
    """
    config = link.config
    sock = link.context.wrap_socket(
        raw, server_hostname=config.endpoint, do_handshake_on_connect=False
    )
    sock.setblocking(False)
    stream = Stream(sock, raw, min(config.receive_limit, _LARGEST))
    try:
        writer = asyncio.StreamWriter(sock)
        writer.write(bytes(packet))  # the handshake runs, in steps, when the first packet is sent
        await _in_time(writer.drain(), _TLS_MS, "TLS_TIMEOUT")
        await _expect_connack(stream)
    except BaseException:
        stream.close()  # asyncio's poller holds it, and TLS's memory, until something else happens
        raise
    return stream


async def _expect_connack(stream: Stream) -> None:
    packet: "Any"
    start: "Any"
    try:
        packet, start, _ = await _in_time(stream.receive(), _ANSWER_MS, "MQTT_CONNACK_TIMEOUT")
    except LinkError as error:
        # AWS IoT closes without a CONNACK when policy, client id or certificate forbid it
        if error.args[0] == "CLOSED_BY_PEER":
            raise LinkError("MQTT_CLOSED_AT_CONNECT", "")
        raise
    if packet[0] != _CONNACK or len(packet) - start < 2:
        raise LinkError("MALFORMED_PACKET", "no CONNACK")
    if packet[start + 1]:
        raise LinkError("MQTT_REFUSED", "return code %d" % packet[start + 1])
    stream.done()


async def _in_time(waiting: "Coroutine", ms: int, code: str) -> "Any":
    try:
        return await asyncio.wait_for_ms(waiting, ms)
    except asyncio.TimeoutError:
        raise LinkError(code, "%d ms" % ms)
