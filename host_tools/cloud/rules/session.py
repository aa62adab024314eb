"""What the rules know of an MQTT connection, and how they read its packets.

The session object is MiniStack's; what the rules remember of it is kept beside it, so that nothing
of theirs can be mistaken for its own.
"""

from __future__ import annotations

import struct
import time
import weakref
from dataclasses import dataclass
from typing import Any

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ = 1, 3, 4, 8, 12
MQTT_5 = 5


@dataclass(frozen=True)
class Refused:
    """Why a packet ends the connection, and the MQTT 5 reason code that says so."""

    rule: str
    reason: str
    code: int


@dataclass
class Link:
    """What the rules know of a connection. Times are of the monotonic clock, in seconds."""

    seen: float
    keepalive_s: float
    version: int


@dataclass(frozen=True)
class Packet:
    """One MQTT packet, and MiniStack's session and codec to read it with."""

    kind: int
    flags: int
    body: bytes
    session: Any
    link: Link | None
    iot: Any

    def connect(self) -> tuple[int, int, int, str]:
        """Return version, flags, keep-alive, client id; ValueError, IndexError, struct.error."""
        name, at = self.iot._read_string(self.body, 0)
        version, flags, keepalive = struct.unpack_from("!BBH", self.body, at)
        at += 4
        if name != "MQTT" or flags & 1:
            raise ValueError("not an MQTT CONNECT")
        if version == MQTT_5:
            _, at = self.iot._decode_properties(self.body, at)
        return version, flags, keepalive, self.iot._read_string(self.body, at)[0]

    def publish(self) -> tuple[str, int]:
        """Return the topic and the length of the payload."""
        topic, at = self.iot._read_string(self.body, 0)
        at += 2 if self.flags & 6 else 0
        if self.session.protocol_version == MQTT_5:
            _, at = self.iot._decode_properties(self.body, at)
        return topic, len(self.body) - at

    def filters(self) -> list[str]:
        """Return the topic filters of a SUBSCRIBE."""
        at = 2
        if self.session.protocol_version == MQTT_5:
            _, at = self.iot._decode_properties(self.body, at)
        found = []
        while at < len(self.body):
            topic_filter, at = self.iot._read_string(self.body, at)
            found.append(topic_filter)
            at += 1
        return found


class Links:
    """The connections that have sent a good CONNECT, as long as MiniStack keeps them."""

    def __init__(self, keepalive_min_s: float) -> None:
        self._links: weakref.WeakKeyDictionary[Any, Link] = weakref.WeakKeyDictionary()
        self._keepalive_min_s = keepalive_min_s

    def get(self, session: Any) -> Link | None:
        """Return what is known of a session's connection, or None before its CONNECT."""
        return self._links.get(session)

    def saw(self, packet: Packet) -> None:
        """Note an accepted packet: it keeps the connection alive."""
        if packet.kind == CONNECT:
            version, _, asked, _ = packet.connect()
            self._links[packet.session] = Link(time.monotonic(), self.keepalive_s(asked), version)
        elif packet.link:
            packet.link.seen = time.monotonic()

    def keepalive_s(self, asked: int) -> float:
        """Return the keep-alive that counts, from 30 to 1200 s; 0 means 1200 (quotas)."""
        return 1200.0 if asked == 0 else min(max(float(asked), self._keepalive_min_s), 1200.0)
