"""Opens a connection: umqtt's client, TCP, TLS. Each is a module of its own, so that none takes
room when TLS needs most. Loaded while a connection is made.
"""

import time

from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .link import Link
    from .stream import Stream
    from .wire import Wire


async def run(link: "Link", wire: "Wire") -> "tuple[Any, Stream]":
    """Return umqtt's client and the open stream, CONNECT sent and accepted. Raises what `dial` and
    `handshake` raise.
    """
    config, began = link.config, time.ticks_ms()
    client = borrow("client").make(config, wire)
    client.set_callback(link.hand_out)
    raw = await borrow("dial").connect(config.endpoint, config.port)
    try:
        stream = await borrow("handshake").run(link, raw, wire.packet())
        took = time.ticks_diff(time.ticks_ms(), began)
        where = (config.endpoint, config.port, config.client_id, took)
        link.log.info("link", "connected to %s:%d as %s in %d ms", *where)
    except BaseException:
        raw.close()
        raise
    return client, stream
