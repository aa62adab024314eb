"""Makes a connection: DNS, TCP, TLS, CONNECT; each with a deadline. Loaded while one is made.

Only the DNS look-up blocks, as MicroPython's getaddrinfo does: once an attempt, for as long as the
port's resolver tries.

umqtt makes the CONNECT packet, without touching the network, by the interface of its version:

1. all versions open their socket with `socket.socket()`, by a global of their module: it is set;
2. from 1.4 on, an object passed as `ssl=` is asked for `wrap_socket(sock, server_hostname=…)`;
3. 1.3.4 imports `ussl`, which MicroPython no longer has, and calls its `wrap_socket(sock)`.
"""

import asyncio
import errno
import select
import socket
import sys
import time

from micropython import const
from umqtt import simple

from .errors import LinkError
from .lazy import borrow
from .stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import Config
    from .log import Log
    from .wire import Wire

_TCP = const(6)
_NODELAY = const(1)
_POLL_MS = const(5)
_LARGEST = const(2048)  # bytes of a packet that is held in the heap; a larger one: see `large`
_TCP_MS = const(10_000)
_TLS_MS = const(30_000)  # a handshake takes 1 to 3 s on an ESP32, more on a weak link
_ANSWER_MS = const(10_000)
_CONNACK = const(0x20)
_SUBSCRIBE = const(0x82)
_CONNACK_ACCEPTED = b"\x20\x02\0\0"  # session not present, return code 0


async def connect(
    config: "Config", context: "Any", wire: "Wire", log: "Log"
) -> "tuple[Stream, Any]":
    """Return the open stream and umqtt's client, CONNECT sent and accepted. Raises LinkError.

    Whatever TLS raises passes, too: ValueError when the server cannot be verified, OSError.
    """
    began = time.ticks_ms()
    raw = await _open(config.endpoint, config.port)
    try:
        sock = context.wrap_socket(
            raw, server_hostname=config.endpoint, do_handshake_on_connect=False
        )
        sock.setblocking(False)
        client = _client(config, wire)
        await _handshake(sock, wire.packet())
        stream = Stream(sock, raw, min(config.receive_limit, _LARGEST))
        await _expect_connack(stream)
        took = time.ticks_diff(time.ticks_ms(), began)
        where = (config.endpoint, config.port, config.client_id, took)
        log.info("link", "connected to %s:%d as %s in %d ms", *where)
    except BaseException:
        raw.close()
        raise
    return stream, client


def subscribe_packet(thing: str) -> bytes:
    """Return the SUBSCRIBE packet (MQTT 3.1.1, 3.8) with all filters of `thing`.

    umqtt sends one filter a packet, and up to 1.7 breaks those of over 122 bytes.
    """
    body = b"\0\x01"
    for name, qos in borrow("topics").filters(thing):
        body += len(name).to_bytes(2, "big") + name.encode() + bytes((qos,))
    size = len(body)
    length = b""
    while size > 0x7F:
        length += bytes((size & 0x7F | 0x80,))
        size >>= 7
    return bytes((_SUBSCRIBE,)) + length + bytes((size,)) + body


async def _open(host: str, port: int) -> "Any":
    try:
        info = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0]
    except (OSError, IndexError) as error:
        raise LinkError("DNS_FAILED", "%s: %s" % (host, error))
    raw = socket.socket(info[0], info[1])
    try:
        await _connect(raw, info[-1], "%s:%d" % (host, port))
    except BaseException:
        raw.close()
        raise
    return raw


async def _connect(raw: "Any", address: "Any", name: str) -> None:
    raw.setblocking(False)
    try:
        raw.setsockopt(_TCP, _NODELAY, 1)
    except OSError:
        pass  # only a slower connection
    try:
        raw.connect(address)
    except OSError as error:
        if abs(error.errno or 0) != errno.EINPROGRESS:
            raise LinkError("TCP_FAILED", "%s: %s" % (name, error))
    poller = select.poll()
    poller.register(raw, select.POLLOUT)
    began = time.ticks_ms()
    while True:
        ready = poller.poll(0)
        if ready and ready[0][1] & (select.POLLERR | select.POLLHUP):
            raise LinkError("TCP_REFUSED", name)
        if ready:
            return
        if time.ticks_diff(time.ticks_ms(), began) > _TCP_MS:
            raise LinkError("TCP_TIMEOUT", "%s, %d ms" % (name, _TCP_MS))
        await asyncio.sleep_ms(_POLL_MS)


async def _handshake(sock: "Any", packet: memoryview) -> None:
    # The handshake runs, in steps, when the first packet is sent
    writer = asyncio.StreamWriter(sock)
    writer.write(bytes(packet))
    try:
        await asyncio.wait_for_ms(writer.drain(), _TLS_MS)
    except asyncio.TimeoutError:
        raise LinkError("TLS_TIMEOUT", "%d ms" % _TLS_MS)


async def _expect_connack(stream: Stream) -> None:
    packet: "Any"
    start: "Any"
    try:
        packet, start, _ = await asyncio.wait_for_ms(stream.receive(), _ANSWER_MS)
    except asyncio.TimeoutError:
        raise LinkError("MQTT_CONNACK_TIMEOUT", "%d ms" % _ANSWER_MS)
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


def _client(config: "Config", wire: "Wire") -> "Any":
    # umqtt's client, its CONNECT packet in the wire; the answer that it is shown is ours
    door: "Any" = _Door(wire)
    setattr(simple, "socket", door)  # noqa: B010  the type checker takes a module's as final
    sys.modules["ussl"] = door
    client = simple.MQTTClient(
        config.client_id, config.endpoint, config.port, keepalive=config.keepalive_s, ssl=door
    )
    wire.offer(_CONNACK_ACCEPTED)
    client.connect()
    # whoever keeps the door keeps this module
    client.ssl = None
    setattr(simple, "socket", None)  # noqa: B010
    del sys.modules["ussl"]
    return client


class _Door:
    # The modules `socket` and `ussl`, the object `ssl=` and the unconnected socket as umqtt knows
    # them; behind it is the wire.

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire

    def socket(self, *_args: "Any") -> "_Door":
        return self

    def getaddrinfo(self, host: str, port: int, *_args: "Any") -> list:
        return [(host, port)]

    def connect(self, _address: "Any") -> None:
        pass

    settimeout = connect

    def wrap_socket(self, _sock: "Any", **_options: "Any") -> "Wire":
        return self._wire
