"""A scripted MQTT server over TLS, in the test's own process: what a real one never says is said
here.

A script is a coroutine that gets each connection in turn: it awaits packets, sends bytes, closes.
Between firmware and server stands a relay that notes the TLS records which pass.
"""

import asyncio
import random
import socket
import sys

import tls
import uos

PKI = ("/host" if "flash" in sys.modules else "") + uos.getenv("PKI")
CONNACK = b"\x20\x02\0\0"
SUBACK = b"\x90\x08\0\x01\x01\x01\0\0\0\0"
PINGRESP = b"\xd0\0"
_APPLICATION_DATA = 23  # RFC 5246, 6.2.1
_RECORD_HEADER = 5
_TAKEN = 98  # EADDRINUSE


def _make_room_in_poll_set() -> None:
    # MicroPython 1.28's Unix port (extmod/modselect.c, poll_set_add_fd) spoils the entries of TLS
    # sockets when the set grows to more than four plain ones, which only a test has: it grows here
    poller = asyncio.core._io_queue.poller
    sockets = [socket.socket() for _ in range(32)]
    for plain in sockets:
        poller.register(plain)
    for plain in sockets:
        poller.unregister(plain)
        plain.close()


_make_room_in_poll_set()


class Connection:
    """The server's end of one connection."""

    def __init__(self, stream) -> None:
        self._stream = stream

    async def expect(self, kind: int) -> bytes:
        """Return the next packet's body, which must be of `kind`, its first byte."""
        first = (await self._stream.readexactly(1))[0]
        assert first == kind, "expected %02x, got %02x" % (kind, first)
        size = shift = 0
        while True:
            byte = (await self._stream.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return await self._stream.readexactly(size)

    async def send(self, data: bytes) -> None:
        self._stream.write(data)
        await self._stream.drain()

    async def welcome(self) -> None:
        """Accept CONNECT and SUBSCRIBE."""
        await self.expect(0x10)
        await self.send(CONNACK)
        await self.expect(0x82)
        await self.send(SUBACK)

    async def expect_end(self) -> None:
        """Return when the client has closed."""
        while await self._stream.read(100):
            pass


class Peer:
    """The server and its relay. `records` holds the length of each TLS record with application
    data that the firmware sent; `scripts_done` counts the connections served to the script's end.
    """

    def __init__(self, script, identity: str = "server") -> None:
        self.records = []
        self.frozen = False
        self.scripts_done = 0
        self.port = 0
        self._script = script
        self._identity = identity
        self._failure = None
        self._behind = 0

    async def start(self) -> "Peer":
        context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            read(self._identity + "/certificate.der"), read(self._identity + "/private_key.der")
        )
        context.verify_mode = tls.CERT_REQUIRED
        context.load_verify_locations(read("ca.der"))
        self._context = context
        self._behind = await listen(self._serve)
        self.port = await listen(self._relay)
        return self

    def check(self) -> None:
        """Fail as the script has failed, if it has."""
        if self._failure:
            raise self._failure

    async def _serve(self, reader, _writer) -> None:
        raw = reader.s
        sock = self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        sock.setblocking(False)
        try:
            await self._script(Connection(asyncio.StreamReader(sock)))
            self.scripts_done += 1
        except (AssertionError, TypeError, AttributeError, NameError) as error:
            self._failure = error
        except (OSError, EOFError, ValueError):
            pass  # TLS failed or the client went away, which its side of the test judges
        finally:
            sock.close()
            raw.close()  # a TLS socket that has failed does not close the one below

    async def _relay(self, client, _writer) -> None:
        server, _ = await asyncio.open_connection("127.0.0.1", self._behind)
        asyncio.create_task(self._pump(server, client))
        await self._pump(client, server, self._note)

    async def _pump(self, source, target, note=lambda data: None) -> None:
        try:
            while data := await source.read(4096):
                while self.frozen:
                    await asyncio.sleep_ms(5)
                note(data)
                target.write(data)
                await target.drain()
        except OSError:
            pass
        await target.wait_closed()

    _pending = b""

    def _note(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= _RECORD_HEADER:
            size = self._pending[3] << 8 | self._pending[4]
            if len(self._pending) < _RECORD_HEADER + size:
                return
            if self._pending[0] == _APPLICATION_DATA:
                self.records.append(size)
            self._pending = self._pending[_RECORD_HEADER + size :]


async def listen(serve) -> int:
    """Listen at a free port of the loopback interface and return it."""
    # The Unix port of MicroPython cannot tell which one the system chose
    while True:
        port = 20000 + random.getrandbits(13)
        try:
            await asyncio.start_server(serve, "127.0.0.1", port)
            return port
        except OSError as error:
            if error.errno != _TAKEN:
                raise


def read(name: str) -> bytes:
    """Return a file that pki.py made."""
    with open(PKI + "/" + name, "rb") as file:
        return file.read()
