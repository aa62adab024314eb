"""A cloud that says what a script tells it to, over real TLS and MQTT: for what the local IoT Core
never says. In tests only.

A script is a text that reads as the protocol, one packet or check a line:

    # a comment; the lines up to `> CONNECT` are as good as any others
    > CONNECT                               the board must send this
    < CONNACK 0                             the cloud sends this, with a return code
    > SUBSCRIBE
    < SUBACK
    > PUBLISH start-next {}                 a topic behind $aws/things/<thing>/jobs/ and members
                                            that the payload must have, it may have more
    < PUBLISH start-next/accepted {"clientToken": "@start-next"}
    < PUBLISH notify 7b7d                   no JSON: bytes, in hexadecimal
    < RAW d0 00                             bytes that need not be MQTT
    < CLOSE                                 the cloud ends the connection
    > END                                   the board must end it
    = led 1 0                               a check by the test, of its name and the rest

`@<topic>` is the clientToken of the last request on that topic, `@1 <topic>` of the first one.
Notifications go at QoS 1 and must be acknowledged by the end of the script. Packets that the board
may send at any time are answered or passed over: PINGREQ, PUBACK. What else it sends waits for its
`>` line, in any order; at the end of the script nothing may be left.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import mqtt_wire
from tests.firmware import pki

__all__ = ["ScriptedPeer", "scripted"]

WAIT_S = 15.0
QUIET_S = 0.3
_NOTIFICATIONS = ("notify", "notify-next")
_TOKEN = re.compile(r'"@(?:(\d+) )?([^"]+)"')
Packet = tuple[str, str, Any]
"""(kind, topic behind the prefix or "", JSON or bytes of the payload)"""


class ScriptedPeer:
    """Listens on `port` with a certificate of its own; `root` is what the board must trust."""

    def __init__(self, folder: Path, thing: str) -> None:
        made = pki.make(folder)
        self.root = (made / "ca.der").read_bytes()
        self.prefix = f"$aws/things/{thing}/jobs/"
        self.checks: dict[str, Callable[[str], None]] = {}
        self._context = _context(made / "server", folder / "server.pem")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._packets: queue.Queue[Packet] = queue.Queue()
        self._waiting: list[Packet] = []
        self._tokens: dict[str, list[str]] = {}
        self._unacknowledged: set[int] = set()
        self._connection: ssl.SSLSocket | None = None
        self._lock = threading.Lock()  # OpenSSL reads or writes a connection, not both at a time
        self._number = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, script: str) -> None:
        """Play a script to its end; raises AssertionError at the line that did not come true."""
        for number, line in enumerate(script.splitlines(), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                try:
                    self._play(line)
                except AssertionError as error:
                    raise AssertionError(f"line {number}: {line}\n{error}") from None

    def answer_until_quiet(self) -> None:
        """Answer that there is nothing to start as often as the board asks."""
        self._collect(QUIET_S)
        while self._waiting:
            _, topic, members = self._waiting.pop(0)
            assert topic == "start-next", f"not in the script: {topic}"
            answer = {"clientToken": members["clientToken"]}
            self.publish("start-next/accepted", json.dumps(answer).encode())
            self._collect(QUIET_S)

    def finish(self) -> None:
        """Check that the board has sent nothing more, and acknowledged every notification."""
        self._collect(QUIET_S)
        assert not self._waiting, f"not in the script: {self._waiting}"
        assert not self._unacknowledged, "a notification was not acknowledged"

    def publish(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        """Send a PUBLISH, whatever its payload."""
        packet_id = b""
        if qos:
            self._number += 1
            self._unacknowledged.add(self._number)
            packet_id = struct.pack("!H", self._number)
        body = mqtt_wire.text(self.prefix + topic) + packet_id + payload
        self.send(mqtt_wire.packet(mqtt_wire.PUBLISH, qos << 1, body))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._connection, "there is no connection"
        with self._lock:
            self._connection.sendall(data)

    def close(self) -> None:
        """End it all."""
        self._listening.close()
        self._hang_up()

    # One line of a script

    def _play(self, line: str) -> None:
        mark, _, rest = line.partition(" ")
        kind, _, rest = rest.partition(" ")
        if mark == "=":
            self.checks[kind](rest)
        elif mark == ">":
            self._expect(kind, rest)
        elif mark == "<":
            self._say(kind, rest)
        else:
            raise ValueError(f"not a line of a script: {line}")

    def _expect(self, kind: str, rest: str) -> None:
        topic, _, text = rest.partition(" ")
        members = self._filled(text) if text else {}
        for packet in self._arriving():
            if packet[:2] == (kind, topic) and _has(packet[2], members):
                self._waiting.remove(packet)
                return

    def _arriving(self) -> Iterator[Packet]:
        # what waits, then what comes, each once
        yield from list(self._waiting)
        while True:
            try:
                packet = self._packets.get(timeout=WAIT_S)
            except queue.Empty:
                raise AssertionError(f"it did not come; what came is {self._waiting}") from None
            self._waiting.append(packet)
            yield packet

    def _say(self, kind: str, rest: str) -> None:
        if kind == "CONNACK":
            self.send(mqtt_wire.packet(mqtt_wire.CONNACK, 0, bytes([0, int(rest or 0)])))
        elif kind == "SUBACK":
            codes = bytes.fromhex(rest) if rest else b"\1\1\0\0\0\0"
            self.send(mqtt_wire.packet(mqtt_wire.SUBACK, 0, b"\0\1" + codes))
        elif kind == "PUBLISH":
            topic, _, text = rest.partition(" ")
            self.publish(topic, self._payload(text), qos=int(topic in _NOTIFICATIONS))
        elif kind == "RAW":
            self.send(bytes.fromhex(rest))
        elif kind == "CLOSE":
            self._hang_up()
        else:
            raise ValueError(f"the cloud cannot say {kind}")

    def _payload(self, text: str) -> bytes:
        if text.startswith("{"):
            return json.dumps(self._filled(text)).encode()
        return bytes.fromhex(text)

    def _filled(self, text: str) -> Any:
        return json.loads(_TOKEN.sub(lambda found: json.dumps(self._token(found)), text))

    def _token(self, found: re.Match[str]) -> str:
        tokens = self._tokens[found[2]]
        return tokens[int(found[1]) - 1] if found[1] else tokens[-1]

    # The connection, in a thread

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                self._connection = self._context.wrap_socket(plain, server_side=True)
                self._read(mqtt_wire.Wire(_Turns(self._connection, self._lock)))
            except (OSError, EOFError, ValueError):  # the last if it is hung up just now
                pass
            self._packets.put(("END", "", b""))

    def _read(self, wire: mqtt_wire.Wire) -> None:
        while True:
            kind, flags, body = wire.packet(3600)
            if kind == mqtt_wire.PINGREQ:
                self.send(bytes([mqtt_wire.PINGRESP << 4, 0]))
            elif kind == mqtt_wire.PUBACK:
                self._unacknowledged.discard(struct.unpack("!H", body)[0])
            else:
                self._packets.put(self._named(kind, flags, body))

    def _named(self, kind: int, flags: int, body: bytes) -> Packet:
        if kind != mqtt_wire.PUBLISH:
            return _NAMES[kind], "", body
        assert flags == 0, "requests go at QoS 0"
        end = 2 + struct.unpack_from("!H", body)[0]
        topic, message = body[2:end].decode(), json.loads(body[end:])
        assert topic.startswith(self.prefix), topic
        topic = topic.removeprefix(self.prefix)
        self._tokens.setdefault(topic, []).append(message["clientToken"])
        return "PUBLISH", topic, message

    def _collect(self, quiet_s: float) -> None:
        while True:
            try:
                self._waiting.append(self._packets.get(timeout=quiet_s))
            except queue.Empty:
                return

    def _hang_up(self) -> None:
        if self._connection:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()
            self._connection = None


class _Turns:
    """A TLS socket for `Wire` to read while another thread writes."""

    def __init__(self, connection: ssl.SSLSocket, lock: threading.Lock) -> None:
        self._connection = connection
        self._lock = lock

    def settimeout(self, seconds: float) -> None:
        self._connection.settimeout(seconds)

    def recv(self, count: int) -> bytes:
        if not self._connection.pending():
            select.select([self._connection], [], [])
        with self._lock:
            return self._connection.recv(count)


_NAMES = {
    mqtt_wire.CONNECT: "CONNECT",
    mqtt_wire.SUBSCRIBE: "SUBSCRIBE",
    mqtt_wire.DISCONNECT: "DISCONNECT",
}


def _has(message: Any, wanted: Any) -> bool:
    # an object may have more members; one that is null in the script must be missing
    if not isinstance(wanted, dict):
        return bool(message == wanted)
    return all(_has(message.get(name), value) for name, value in wanted.items())


def _context(folder: Path, pem: Path) -> ssl.SSLContext:
    certificate = ssl.DER_cert_to_PEM_cert((folder / "certificate.der").read_bytes())
    key = base64.encodebytes((folder / "private_key.der").read_bytes()).decode()
    pem.write_text(f"{certificate}-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[[str], ScriptedPeer]]:
    """Makes scripted peers for a thing."""
    made: list[ScriptedPeer] = []

    def make(thing: str) -> ScriptedPeer:
        folder = tmp_path / f"peer{len(made)}"
        folder.mkdir()
        made.append(ScriptedPeer(folder, thing))
        return made[-1]

    yield make
    for each in made:
        each.close()
