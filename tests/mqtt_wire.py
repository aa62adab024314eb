"""An MQTT client of a few lines that can do wrong what a real one cannot.

Packets are made by hand (MQTT 3.1.1, and 5 as far as needed) and sent over a real TLS socket.
"""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
WAIT_S = 30.0


@dataclass(frozen=True)
class Device:
    """A thing's credentials, and where it connects."""

    name: str
    certificate: Path
    key: Path
    certificate_id: str
    certificate_arn: str
    ca: Path
    port: int

    def tls(self, *, with_certificate: bool = True) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        if with_certificate:
            context.load_cert_chain(str(self.certificate), str(self.key))
        return context

    def open(self, *, server_name: str | None = "localhost") -> Wire:
        """Make the TLS connection, nothing more."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = self.tls()
        context.check_hostname = server_name is not None
        return Wire(context.wrap_socket(plain, server_hostname=server_name))

    def connected(self, client_id: str | None = None, **options: Any) -> Wire:
        """Connect and check that the server agrees."""
        wire = self.open()
        wire.send(connect(client_id or self.name, **options))
        kind, _, body = wire.packet()
        assert (kind, body[:2]) == (CONNACK, b"\0\0")
        return wire


class Wire:
    """One connection. `packet` returns the next packet, `closed` waits for the end."""

    def __init__(self, tls: Any) -> None:
        self._tls = tls
        self._ids = itertools.count(1)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._tls.close()

    def send(self, data: bytes) -> None:
        self._tls.sendall(data)

    def packet(self, timeout_s: float = WAIT_S) -> tuple[int, int, bytes]:
        """Return type, flags, body. Raises EOFError at the end, TimeoutError if nothing comes."""
        self._tls.settimeout(timeout_s)
        first = self._read(1)[0]
        length, shift = 0, 0
        while True:
            byte = self._read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return first >> 4, first & 15, self._read(length)

    def closed(self, timeout_s: float = WAIT_S) -> bool:
        """Say whether the server ends the connection, whatever it sends before."""
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                self.packet(max(0.01, deadline - time.monotonic()))
        except EOFError:
            return True
        except TimeoutError:
            return False
        except OSError:  # closed while something was being sent
            return True

    def alive(self) -> bool:
        """Say whether a PINGREQ is answered, skipping what comes before the answer."""
        try:
            self.send(bytes([PINGREQ << 4, 0]))
            while self.packet()[0] != PINGRESP:
                pass
        except OSError:
            return False
        except EOFError:
            return False
        return True

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Subscribe and return the codes of the SUBACK."""
        self.send(subscribe(next(self._ids), filters, qos=qos))
        while True:
            kind, _, body = self.packet()
            if kind == SUBACK:
                return list(body[2:])

    def publish(self, topic: str, payload: bytes | dict[str, Any] = b"") -> None:
        """Publish at QoS 0."""
        data = json.dumps(payload).encode() if isinstance(payload, dict) else payload
        self.send(publish(topic, data))

    def message(self, timeout_s: float = WAIT_S) -> tuple[str, Any]:
        """Return topic and payload, decoded if it is JSON, of the next message; acknowledge it."""
        while True:
            kind, flags, body = self.packet(timeout_s)
            if kind == PUBLISH:
                return self._opened(flags, body)

    def messages(self) -> list[tuple[str, Any]]:
        """Return the messages the server had sent when it came to answer a PINGREQ."""
        self.send(bytes([PINGREQ << 4, 0]))
        found: list[tuple[str, Any]] = []
        while True:
            kind, flags, body = self.packet()
            if kind == PINGRESP:
                return found
            if kind == PUBLISH:
                found.append(self._opened(flags, body))

    def ask(self, thing: str, what: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send a Jobs request, return the answer with `accepted` added; skip events before it."""
        topic = f"$aws/things/{thing}/jobs/{what}"
        self.publish(topic, request)
        while True:
            came, answer = self.message()
            if came.startswith(topic + "/"):
                return {**answer, "accepted": came.endswith("/accepted")}

    def _opened(self, flags: int, body: bytes) -> tuple[str, Any]:
        length = struct.unpack_from("!H", body)[0]
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        if flags & 6:
            self.send(packet(PUBACK, 0, rest[:2]))
            rest = rest[2:]
        return topic, _decoded(rest)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                more = self._tls.recv(count - len(data))
            except (ssl.SSLError, ConnectionError) as error:
                if isinstance(error, TimeoutError) or "timed out" in str(error):
                    raise
                raise EOFError(str(error)) from error
            if not more:
                raise EOFError
            data += more
        return data


def packet(kind: int, flags: int, body: bytes) -> bytes:
    """Return an MQTT packet."""
    length, size = b"", len(body)
    while True:
        length += bytes([size % 128 | (128 if size > 127 else 0)])
        size //= 128
        if not size:
            return bytes([kind << 4 | flags]) + length + body


def text(value: str) -> bytes:
    """Return an MQTT string."""
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def connect(
    client_id: str, *, keepalive: int = 60, will: tuple[str, bytes] | None = None, version: int = 4
) -> bytes:
    """Return a CONNECT with a clean session."""
    flags = 0x02 | (0x04 if will else 0)
    properties = b"\0" if version == 5 else b""
    body = (
        text("MQTT")
        + struct.pack("!BBH", version, flags, keepalive)
        + properties
        + text(client_id)
    )
    if will:
        body += properties + text(will[0]) + struct.pack("!H", len(will[1])) + will[1]
    return packet(CONNECT, 0, body)


def subscribe(packet_id: int, filters: Any, *, qos: int = 1, version: int = 4) -> bytes:
    """Return a SUBSCRIBE."""
    body = struct.pack("!H", packet_id) + (b"\0" if version == 5 else b"")
    return packet(SUBSCRIBE, 2, body + b"".join(text(topic) + bytes([qos]) for topic in filters))


def publish(topic: str, payload: bytes, *, qos: int = 0, version: int = 4) -> bytes:
    """Return a PUBLISH."""
    properties = b"\0" if version == 5 else b""
    return packet(
        PUBLISH, qos << 1, text(topic) + (b"\0\1" if qos else b"") + properties + payload
    )


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data
