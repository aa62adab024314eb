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

from .errors import LinkError
from .lazy import borrow, relax, spawn
from .wire import ERRORS, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from .config import Config
    from .log import Log

_PUBLISH = const(0x30)
_SUBACK = const(0x90)
_PINGRESP = const(0xD0)
_ANSWER_MS = const(10_000)
_CROWDED_MS = const(5000)
_GLANCE_MS = const(1000)  # how often it is looked for what is late or to be checked


class Link:
    """Keeps one MQTT connection.

    `prepare(trouble)` is awaited before each attempt: it brings up the network and the clock or
    raises LinkError. `on_message(tail, payload)` gets every message about this thing's jobs; it
    must not block, and the payload, a buffer or an open file, is good only during the call.
    `on_oversized(tail, full)` is told of a message that has been thrown away, because it is too
    large to be held or the flash is full; `on_online()` and `on_closed()` of each change;
    `on_glance()` is called about once a second while there is a connection.
    """

    on_message: "Callable[[str, Any], None]"
    on_oversized: "Callable[[str, bool], None]"
    on_closed: "Callable[[], None]"
    on_online: "Callable[[], None]"
    on_glance: "Callable[[], None]"

    def __init__(
        self, config: "Config", context: "Any", prepare: "Callable[..., Awaitable]", log: "Log"
    ) -> None:
        self.online = asyncio.Event()
        self.state = "offline"
        self.since = log.uptime_ms()  # it is online, or is not
        # of the last failure, as `causes` has judged it
        self.trouble: "tuple[str, str] | None" = None  # code, detail
        self.failures = 0  # in a row
        self.drops = 0  # of connections, with no failed attempt between them
        self.again = 0  # when it is tried again, in uptime
        self.subscribing = False  # SUBSCRIBE is not answered
        self.config = config
        self.context = context  # of TLS; for `download-file`, too
        self.log = log
        self.prefix = borrow("topics").prefix(config.thing).encode()  # of topics about its jobs
        self._prepare = prepare
        self._wire = Wire()
        self._client: "Any" = None
        self.stream: "Any" = None  # a Stream while there is a connection
        self._checking = False  # whether the peer is there is to be asked
        self._leaving = False

    async def run(self) -> None:
        """Connect, serve, and begin again, for ever."""
        while True:
            try:
                self._enter("connecting")
                await self._prepare(self.trouble)
                await self._connect()
                await self._serve()
            except ERRORS + (LinkError, MemoryError) as error:
                failure: BaseException = error
                lost = self.state, self.age_ms(), self.subscribing
            finally:
                self.close()
            if not self._leaving:
                self._report(failure, lost)
                await asyncio.sleep_ms(self.again - self.log.uptime_ms())
            self._leaving = False

    def publish(self, tail: str, payload: bytes) -> None:
        """Send one request, at QoS 0: the service's answer acknowledges it.

        Raises LinkError when offline.
        """
        self._send("publish", self.prefix + tail.encode(), payload)

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
        if self.state == "online":
            self._send("disconnect")

    def age_ms(self) -> int:
        """Return for how many milliseconds it has been online, or has not."""
        return self.log.uptime_ms() - self.since

    def check(self) -> None:
        """Ask soon whether the peer is there; for whom a request was not answered."""
        self._checking = True

    def close(self) -> None:
        """Close the connection, at once."""
        self.online.clear()
        if self.stream:
            self.stream.close()
            self.stream = None
        self._wire.packet()  # what was not sent is void
        self.subscribing = self._checking = False
        self._enter("offline")
        self.on_closed()
        gc.collect()

    # Connecting

    async def _connect(self) -> None:
        self._client, self.stream = await borrow("connecting").run(self, self._wire)
        self.subscribing = True
        self.stream.send(borrow("topics").subscribe_packet(self.config.thing))
        self._enter("online")
        self.online.set()
        self.on_online()

    # Online

    async def _serve(self) -> None:
        stream: "Any" = self.stream
        watching: "Any" = asyncio.create_task(self._watch(asyncio.current_task()))
        try:
            await self._hear(stream)
        except asyncio.CancelledError:
            if stream.trouble:
                raise stream.trouble
            raise
        finally:
            watching.cancel()

    async def _hear(self, stream: "Any") -> None:
        while True:
            packet, start, size = await stream.receive()
            kind = packet[0] & 0xF0
            if kind == _PUBLISH and len(packet) < start + size:
                # in a task of its own: when its wait_for is cancelled, it may be so once more a
                # little later (extmod/asyncio/funcs.py), and this task lives on
                await spawn(borrow("large").take(self, packet, start, size))
            elif kind == _PUBLISH:
                self.take(packet)
            elif kind == _SUBACK:
                self._check_suback(packet[start:])
            elif kind != _PINGRESP:
                raise LinkError("MALFORMED_PACKET", "unexpected packet %02x" % packet[0])
            stream.done()

    async def _watch(self, hearing: "Any") -> None:
        # has no stream of its own: a task that has ended may be held for long (see `spawn`)
        try:
            await self._look()
        except Exception as error:
            if self.stream:  # else it has been closed in order
                self.stream.trouble = error
                hearing.cancel()

    async def _look(self) -> None:
        # Whatever comes shows that the peer is there: PINGRESP may be behind a long message
        patience_ms = min(_ANSWER_MS, 500 * self.config.keepalive_s)
        while True:
            await self._pass(patience_ms)
            if self.subscribing:
                raise LinkError("SUBACK_TIMEOUT", "")
            if not self.stream.heard:
                raise LinkError("NO_PINGRESP", "")
            await self._pass(1000 * self.config.keepalive_s - patience_ms)
            self.stream.heard = self._checking = False
            self._send("ping")

    async def _pass(self, ms: int) -> None:
        # Let so much time pass, less for a check; an answer that is awaited has its time
        end = time.ticks_add(time.ticks_ms(), ms)
        while ms > 0 and not (self._checking and self.stream.heard):
            await asyncio.sleep_ms(min(ms, _GLANCE_MS))
            if self.stream.trouble:
                raise self.stream.trouble
            self.on_glance()
            ms = time.ticks_diff(end, time.ticks_ms())

    def take(self, packet: "Any") -> None:
        """Have umqtt take a PUBLISH, and acknowledge it."""
        self._wire.offer(packet)
        self._send("wait_msg")

    def hand_out(self, topic: "Any", payload: "Any") -> None:
        """Hand out a message, `payload` a buffer or an open file, if it is about a job."""
        topic = bytes(topic)
        if topic.startswith(self.prefix):
            self.on_message(topic[len(self.prefix) :].decode(), payload)

    def _check_suback(self, body: memoryview) -> None:
        self.subscribing = False
        for code in body[2:]:
            if code & 0x80:  # MQTT 3.1.1, 3.9.3: failure
                raise LinkError("SUBSCRIBE_REFUSED", "")
        relax()
        self.log.info("link", "ready")

    def _send(self, method: str, *arguments: "Any") -> None:
        # What umqtt writes when this method of its client is called
        if self.state != "online":
            raise LinkError("Offline", "")
        try:
            getattr(self._client, method)(*arguments)
        finally:
            packet = self._wire.packet()  # half a packet must not be sent before the next one
        if len(packet):
            self.stream.send(packet)

    def _report(self, error: BaseException, lost: "tuple[str, int, bool]") -> None:
        try:
            borrow("causes").report(error, lost, self, self.log)
        except MemoryError:  # what else is loaded will have gone by the next attempt
            self.trouble = "OUT_OF_MEMORY", ""
            self.again = self.log.uptime_ms() + _CROWDED_MS
            self.log.warning("link", "OUT_OF_MEMORY")

    def _enter(self, state: str) -> None:
        if "online" in (state, self.state):
            self.since = self.log.uptime_ms()
        self.state = state
