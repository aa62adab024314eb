"""Stands between a client and its cloud and reads what they say: ends the client's TLS with a
certificate of its own, begins the cloud's with the client's, and passes everything on at once.

It knows which MQTT packets went which way when, in how many TLS records each came, and how many
round trips it took. The client must trust `ca_pem`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from host_tools.identity import ThingIdentity
from tests.firmware import pki
from tests.loopback import Loopback

__all__ = ["DOWN", "UP", "Event", "Talk", "Wiretap", "make_wiretap"]

UP, DOWN = "up", "down"
_APPLICATION_DATA = 23
_RECORD_HEADER = 5
_CHUNK = 65536
_KINDS = {
    1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 8: "SUBSCRIBE", 9: "SUBACK",
    10: "UNSUBSCRIBE", 11: "UNSUBACK", 12: "PINGREQ", 13: "PINGRESP", 14: "DISCONNECT",
}  # fmt: skip
_FLIGHTS = ("ClientHello", "client's Finished", "client's further flight")
_ANSWERS = ("ServerHello", "server's Finished", "server's further flight")


@dataclass(frozen=True)
class Event:
    """A packet or a flight of the handshake: when it passed here, which way, what it was.

    `name` is `CONNECT`, `PUBLISH start-next`, …; `records` are the TLS records it came in, `size`
    its bytes, both 0 for the handshake.
    """

    at: float
    way: str
    name: str
    records: int = 0
    size: int = 0


@dataclass
class Talk:
    """One connection: when it was made, and its events."""

    began: float
    events: list[Event] = field(default_factory=list)

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def names(self, way: str) -> list[str]:
        return [event.name for event in self.events if event.way == way]

    def round_trips(self, until: str, rtt_s: float) -> list[str]:
        """Name the round trips up to the first event `until`, TCP's included.

        What comes up belongs to a new one if it can be an answer to what went down in the last:
        if it comes a round-trip time behind it.
        """
        trips: list[tuple[list[str], list[str]]] = []
        answered: float | None = None
        for event in self.events:
            if event.way == UP and (
                not trips or (answered is not None and event.at >= answered + 0.9 * rtt_s)
            ):
                trips.append(([], []))
                answered = None
            if event.way == DOWN and answered is None:
                answered = event.at
            trips[-1][event.way == DOWN].append(event.name)
            if event.name == until:
                break
        else:
            raise AssertionError(f"no {until} in {self.events}")
        return ["TCP"] + [f"{_list(up)} → {_list(down)}" for up, down in trips]


class Wiretap(Loopback):
    """Listens on `port`. `talks` are the connections so far, oldest first."""

    def __init__(self, folder: Path, made: ThingIdentity, *, tls13: bool) -> None:
        keys = pki.make(folder)
        self.ca_der = (keys / "ca.der").read_bytes()
        self.ca_pem = folder / "ca.pem"
        self.ca_pem.write_text(ssl.DER_cert_to_PEM_cert(self.ca_der))
        self.talks: list[Talk] = []
        self._thing = f"$aws/things/{made.thing}/jobs/"
        self._target = made.port
        self._server = _server_context(keys / "server", folder / "server.pem", made, tls13)
        self._client = _client_context(made)
        super().__init__()

    async def _serve(self, near: socket.socket) -> None:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Talk(time.monotonic())
        self.talks.append(talk)
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target, ssl=self._client, server_hostname="localhost"
        )
        reader, writer = await asyncio.open_connection(sock=near)
        tap = _Tap(talk, self._server, self._thing, writer, far_writer)
        ways = (tap.up(reader), tap.down(far_reader))
        try:
            await asyncio.gather(*ways)
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()
            far_writer.close()


class _Tap:
    def __init__(
        self,
        talk: Talk,
        context: ssl.SSLContext,
        thing: str,
        near: asyncio.StreamWriter,
        far: asyncio.StreamWriter,
    ) -> None:
        self._talk = talk
        self._near = near
        self._far = far
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._open = False
        self._flights = {UP: 0, DOWN: 0}
        self._parsers = {UP: _Parser(thing), DOWN: _Parser(thing)}

    async def up(self, reader: asyncio.StreamReader) -> None:
        """Take the client's TLS records, one by one."""
        waiting = b""
        while data := await reader.read(_CHUNK):
            waiting += data
            while record := _record(waiting):
                waiting = waiting[len(record) :]
                self._in.write(record)
                if self._open:
                    self._hear(UP, self._plain())
                else:
                    self._shake_hands(record)
        self._far.close()

    async def down(self, reader: asyncio.StreamReader) -> None:
        """Take what the cloud says, once the handshake is done."""
        while data := await reader.read(_CHUNK):
            while not self._open:
                await asyncio.sleep(0.001)
            self._hear(DOWN, data)
            self._tls.write(data)
            self._near.write(self._out.read())
        self._near.close()

    def _shake_hands(self, record: bytes) -> None:
        # a flight is what comes up before something goes down
        last = self._talk.events[-1] if self._talk.events else None
        if last is None or last.way == DOWN:
            self._note(UP, _FLIGHTS)
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
            self._open = True
        answer = self._out.read()
        if answer and not (self._open and self._tls.version() == "TLSv1.3"):
            self._note(DOWN, _ANSWERS)
        self._near.write(answer)  # of TLS 1.3's last flight only tickets, which nobody waits for
        if self._open and (plain := self._plain()):
            self._hear(UP, plain)

    def _note(self, way: str, names: tuple[str, ...]) -> None:
        name = names[min(self._flights[way], len(names) - 1)]
        self._flights[way] += 1
        self._talk.events.append(Event(time.monotonic(), way, name))

    def _plain(self) -> bytes:
        found = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while more := self._tls.read(_CHUNK):
                found += more
        return found

    def _hear(self, way: str, plain: bytes) -> None:
        self._talk.events += [
            Event(time.monotonic(), way, name, records, size)
            for name, records, size in self._parsers[way].feed(plain)
        ]
        if way == UP:
            self._far.write(plain)


class _Parser:
    """Tells MQTT packets apart, and in how many pieces each came."""

    def __init__(self, thing: str) -> None:
        self._thing = thing
        self._waiting = b""
        self._pieces = 0

    def feed(self, piece: bytes) -> Iterator[tuple[str, int, int]]:
        """Yield (name, pieces, size) of each packet that this piece completes."""
        self._waiting += piece
        self._pieces += 1
        while size := _packet_size(self._waiting):
            packet, self._waiting = self._waiting[:size], self._waiting[size:]
            yield self._name(packet), self._pieces, size
            self._pieces = 1 if self._waiting else 0
        if not self._waiting:
            self._pieces = 0

    def _name(self, packet: bytes) -> str:
        kind = packet[0] >> 4
        name = _KINDS.get(kind, str(kind))
        if kind != 3:
            return name
        start = 1 + next(i for i in range(1, 5) if packet[i] < 128)
        end = start + 2 + struct.unpack_from("!H", packet, start)[0]
        topic = packet[start + 2 : end].decode(errors="replace")
        return f"{name} {topic.removeprefix(self._thing)}"


def _record(data: bytes) -> bytes:
    # the first whole TLS record, b"" if there is none
    if len(data) < _RECORD_HEADER:
        return b""
    size = _RECORD_HEADER + int(struct.unpack_from("!H", data, 3)[0])
    return data[:size] if len(data) >= size else b""


def _packet_size(data: bytes) -> int:
    # of the first MQTT packet; 0 if it is not whole
    size = 0
    for i in range(1, min(len(data), 5)):
        size |= (data[i] & 0x7F) << 7 * (i - 1)
        if data[i] < 0x80:
            return 1 + i + size if len(data) >= 1 + i + size else 0
    return 0


def _list(names: list[str]) -> str:
    # `SUBSCRIBE, PUBLISH get`, each once
    return ", ".join(dict.fromkeys(name.removeprefix("PUBLISH ") for name in names)) or "nothing"


def _server_context(keys: Path, pem: Path, made: ThingIdentity, tls13: bool) -> ssl.SSLContext:
    certificate = ssl.DER_cert_to_PEM_cert((keys / "certificate.der").read_bytes())
    key = base64.encodebytes((keys / "private_key.der").read_bytes()).decode()
    pem.write_text(f"{certificate}-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(cadata=_roots(made))
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT if hasattr(ssl, "VERIFY_X509_STRICT") else -1
    if not tls13:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _client_context(made: ThingIdentity) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_roots(made))
    context.load_cert_chain(made.folder / "certificate.pem", made.folder / "private_key.pem")
    return context


def _roots(made: ThingIdentity) -> bytes:
    return b"".join(
        content for name, content in made.credentials().items() if name.startswith("root_ca_")
    )


@pytest.fixture
def make_wiretap(tmp_path: Path) -> Iterator[Callable[..., Wiretap]]:
    """Makes wiretaps for things."""
    made: list[Wiretap] = []

    def make(identity: ThingIdentity, *, tls13: bool = False) -> Wiretap:
        folder = tmp_path / f"wiretap{len(made)}"
        folder.mkdir()
        made.append(Wiretap(folder, identity, tls13=tls13))
        return made[-1]

    yield make
    for each in made:
        each.close()
