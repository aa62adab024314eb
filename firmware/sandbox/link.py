"""The connection to AWS IoT Core: made, watched, made again.

States: `offline` (waiting to try again), `connecting`, `online` (requests may be sent).
Invariants: one TLS record per MQTT packet; nothing waits without a deadline; a silent peer is
noticed within 1.5 keep-alive periods; after every connect the six subscriptions are made in one
packet and their answer is checked.
"""

import asyncio
import gc
import time

from micropython import const

from . import topics
from .errors import LinkError
from .lazy import borrow
from .wire import ERRORS, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from .config import Config
    from .log import Log

_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBACK = const(0x90)
_PINGRESP = const(0xD0)
_ANSWER_MS = const(10_000)
_GLANCE_MS = const(1000)  # how often what others ask for is seen: a check, a broken connection
_STABLE_MS = const(60_000)  # a connection that lasted this long resets the back-off


class Link:
    """Keeps one MQTT connection.

    `prepare()` is awaited before each attempt: it brings up the network and the clock or raises
    LinkError. `on_message(tail, payload)` gets every message about this thing's jobs; it must not
    block, and the payload, a buffer or an open file, is good only during the call.
    `on_oversized(tail)` is told of a message that was too large to be held and has been thrown
    away; `on_online()` and `on_closed()` of each change.
    """

    on_message: "Callable[[str, Any], None]"
    on_oversized: "Callable[[str], None]"
    on_closed: "Callable[[], None]"
    on_online: "Callable[[], None]"

    def __init__(
        self, config: "Config", context: "Any", prepare: "Callable[[], Awaitable]", log: "Log"
    ) -> None:
        self.online = asyncio.Event()
        self.state = "offline"
        self.since: "Any" = time.ticks_ms()
        self.failures = 0  # in a row
        self.delay_ms = 0  # from the begin of `offline` to the next attempt
        self.suback_by: "Any" = None  # when the answer to SUBSCRIBE is due
        self.trouble: "tuple[str, str] | None" = None  # (code, detail) of the last failure
        self._config = config
        self.context = context  # of TLS; for `download-file`, too
        self._prepare = prepare
        self._log = log
        self._prefix = topics.prefix(config.thing).encode()
        self._wire = Wire()
        self._client: "Any" = None
        self._stream: "Any" = None  # a Stream while there is a connection
        self._sending = asyncio.Lock()
        self._heard_at: "Any" = 0
        self._sent_at: "Any" = 0
        self._pong_by: "Any" = None
        self._broken: "LinkError | None" = None  # why a request could not be sent
        self._leaving = False

    async def run(self) -> None:
        """Connect, serve, and begin again, for ever."""
        while True:
            try:
                self._enter("connecting")
                await self._prepare()
                await self._connect()
                await self._serve()
            except ERRORS + (LinkError, MemoryError) as error:
                if not self._leaving:
                    self._report(error)
            finally:
                self.close()
            if not self._leaving:
                await self._pause()
            self._leaving = False

    async def publish(self, tail: str, payload: bytes) -> None:
        """Send one request, at QoS 0: the service's answer acknowledges it.

        Raises LinkError when offline, or when it cannot be sent, which ends the connection.
        """
        async with self._sending:
            if self.state != "online" or self._broken:
                raise LinkError("Offline", "")
            try:
                self._client.publish(self._prefix + tail.encode(), payload)
            except MemoryError:
                self._wire.packet()  # half a packet, which must not be sent before the next one
                raise
            try:
                await self._send()
            except OSError as error:
                self._broken = LinkError("CONNECTION_LOST", str(error))
                raise self._broken
            except LinkError as error:
                self._broken = error
                raise

    async def disconnect(self) -> None:
        """Say goodbye to the service and close; whoever runs `run` cancels it."""
        await self.leave()
        self._leaving = False
        self.close()

    async def leave(self) -> None:
        """Say goodbye to the service, which closes the connection; `run` then makes it again, at
        once.
        """
        self._leaving = True
        async with self._sending:
            if self.state == "online":
                self._client.disconnect()
                try:
                    await self._send()
                except ERRORS + (LinkError,):
                    pass  # the connection was dying anyway

    def age_ms(self) -> int:
        """Return for how many milliseconds the state has lasted."""
        return time.ticks_diff(time.ticks_ms(), self.since)

    def check(self) -> None:
        """Ask soon whether the peer is there; for whom a request was not answered."""
        self._heard_at = time.ticks_add(time.ticks_ms(), -1000 * self._config.keepalive_s)

    def close(self) -> None:
        """Close the connection, at once."""
        self.online.clear()
        if self._stream:
            self._stream.close()
            self._stream = None
        self._wire.packet()  # what was not sent is void
        self._pong_by = self.suback_by = self._broken = None
        self._enter("offline")
        self.on_closed()
        gc.collect()

    # Connecting

    async def _connect(self) -> None:
        config = self._config
        began = time.ticks_ms()
        dial = borrow("dial")
        self._stream, self._client = await dial.connect(config, self.context, self._wire)
        self._client.set_callback(self._on_publish)
        self._wire.write(dial.subscribe_packet(config.thing))
        self._heard_at = time.ticks_ms()
        self.suback_by = time.ticks_add(self._heard_at, _ANSWER_MS)
        await self._send()
        self._enter("online")
        self.online.set()
        took = time.ticks_diff(self.since, began)
        where = (config.endpoint, config.port, config.client_id, took)
        self._log.info("link", "connected to %s:%d as %s in %d ms", *where)
        self.on_online()

    async def _pause(self) -> None:
        self.delay_ms = borrow("dial").pause_ms(self.failures)
        self._log.info("link", "next attempt in %d ms", self.delay_ms)
        await asyncio.sleep_ms(self.delay_ms)

    # Online

    async def _serve(self) -> None:
        while True:
            try:
                packet, start, size = await asyncio.wait_for_ms(
                    self._stream.receive(), min(self._patience_ms(), _GLANCE_MS)
                )
            except asyncio.TimeoutError:
                if self._broken:
                    raise self._broken
                if not self._patience_ms():
                    await self._on_silence()
                continue
            self._heard_at = time.ticks_ms()
            kind = packet[0] & 0xF0
            if kind == _PUBLISH:
                await self._take(packet, start, size)
            elif kind == _SUBACK:
                self._check_suback(packet[start:])
            elif kind == _PINGRESP:
                self._pong_by = None
            else:
                raise LinkError("MALFORMED_PACKET", "unexpected packet %02x" % packet[0])
            self._stream.done()

    async def _take(self, packet: memoryview, start: int, size: int) -> None:
        if len(packet) - start < size:
            await self._take_large(packet, start, size)
            return
        async with self._sending:  # the PUBACK goes into the wire
            self._wire.offered = packet
            self._client.wait_msg()
            await self._send()

    def _on_publish(self, topic: "Any", payload: "Any") -> None:
        topic = bytes(topic)
        if topic.startswith(self._prefix):
            self.on_message(topic[len(self._prefix) :].decode(), payload)

    async def _take_large(self, packet: memoryview, start: int, size: int) -> None:
        large, limit = borrow("large"), self._config.receive_limit
        topic, identifier, held = await large.take(self._stream, packet, start, size, limit)
        if identifier:  # QoS 1: acknowledge, or the service sends it again for an hour
            async with self._sending:
                self._wire.write(bytes((_PUBACK, 2)) + identifier)
                await self._send()
        if not held:
            self._log.warning("link", "no room for a message of %d bytes", size)
            if topic.startswith(self._prefix):
                self.on_oversized(topic[len(self._prefix) :].decode())
            return
        with open(large.PATH, "rb") as file:
            self._on_publish(topic, file)

    def _check_suback(self, body: memoryview) -> None:
        self.suback_by = None
        for code in body[2:]:
            if code & 0x80:  # MQTT 3.1.1, 3.9.3: failure
                raise LinkError("SUBSCRIBE_REFUSED", "")
        self._log.info("link", "ready")

    # Deadlines

    def _patience_ms(self) -> int:
        # until the next thing that must have happened: an answer, or a packet in either direction
        now = time.ticks_ms()
        last = min(self._heard_at, self._sent_at, key=lambda at: time.ticks_diff(at, now))
        due = time.ticks_add(last, 1000 * self._config.keepalive_s)
        if self._pong_by is not None:
            due = self._pong_by
        if self.suback_by is not None:
            due = self.suback_by
        return max(time.ticks_diff(due, now), 0)

    async def _on_silence(self) -> None:
        now = time.ticks_ms()
        if self.suback_by is not None:
            raise LinkError("SUBACK_TIMEOUT", "")
        if self._pong_by is not None:
            silent = time.ticks_diff(now, self._heard_at) // 1000
            raise LinkError("NO_PINGRESP", "silent for %d s" % silent)
        self._pong_by = time.ticks_add(now, min(_ANSWER_MS, 500 * self._config.keepalive_s))
        async with self._sending:
            self._client.ping()
            await self._send()

    async def _send(self) -> None:
        packet = self._wire.packet()
        if len(packet):
            await self._stream.send(packet, _ANSWER_MS)
            self._sent_at = time.ticks_ms()

    # Ending

    def _report(self, error: BaseException) -> None:
        if self.state == "online" and self.age_ms() > _STABLE_MS:
            self.failures = 0
        self.failures += 1
        self.trouble = borrow("causes").report(error, self, self._log)

    def _enter(self, state: str) -> None:
        self.state = state
        self.since = time.ticks_ms()
