"""A real link to a scripted peer, with what the rest of the firmware would do with it."""

import asyncio

from sandbox.config import parse
from sandbox.credentials import tls_context
from sandbox.link import Link

from fakes import FakeLog, until
from peer import PKI, Peer


async def prepare(trouble) -> None:
    """Stands for the station: there is a network, and the clock is right."""


def config(port: int, **members):
    """The configuration of the thing `lamp` with the client id `lamp-1`."""
    return parse(
        dict(
            {"thing": "lamp", "client_id": "lamp-1", "endpoint": "localhost", "port": port},
            **members,
        )
    )


class Client:
    """The link and what it told: messages as (tail, payload), the tails of oversized ones."""

    def __init__(self, peer: Peer, credentials="board", **members) -> None:
        """`credentials` names a folder of pki.py, or is a TLS context."""
        self.log = FakeLog()
        self.messages = []
        self.oversized = []
        self.closed = 0
        context = credentials
        if isinstance(credentials, str):
            context = tls_context(PKI + "/" + credentials)
        self.link = Link(config(peer.port, **members), context, prepare, self.log)
        self.link.on_message = self._on_message
        self.link.on_oversized = lambda tail, full: self.oversized.append(tail)
        self.link.on_online = self.link.on_glance = lambda: None
        self.link.on_closed = self._on_closed
        self.task = asyncio.create_task(self.link.run())

    def _on_message(self, tail, payload) -> None:
        whole = payload.read() if hasattr(payload, "read") else bytes(payload)
        self.messages.append((tail, whole))

    def _on_closed(self) -> None:
        self.closed += 1

    async def ready(self) -> "Client":
        """Wait until the subscriptions are confirmed."""
        await until(lambda: self.log.says("ready"), "ready")
        return self

    async def trouble(self) -> str:
        """Wait for a failure and return its code."""
        await until(lambda: self.link.trouble, "trouble")
        return self.link.trouble[0]


async def served(script, **members) -> tuple:
    """Start a peer and a client that is ready; return both."""
    peer = await Peer(script).start()
    return peer, await Client(peer, **members).ready()


async def trouble_with(script, identity: str = "server", **members) -> str:
    """Return the code of what goes wrong when the peer follows `script`."""
    peer = await Peer(script, identity).start()
    client = Client(peer, **members)
    code = await client.trouble()
    peer.check()
    client.task.cancel()
    return code


def message(tail: str, payload: bytes, packet_id: int = 0) -> bytes:
    """A PUBLISH to the thing, at QoS 1 if it has a packet id."""
    return publish("$aws/things/lamp/jobs/" + tail, payload, packet_id)


def publish(topic: str, payload: bytes, packet_id: int = 0) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode()
    if packet_id:
        body += packet_id.to_bytes(2, "big")
    size = len(body) + len(payload)
    length = b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([0x32 if packet_id else 0x30]) + length + bytes([size]) + body + payload
