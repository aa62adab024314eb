"""umqtt's client: it packs and unpacks MQTT, in the wire. Loaded before a connection is made.

umqtt makes the CONNECT packet, without touching the network, by the interface of its version:

1. all versions open their socket with `socket.socket()`, by a global of their module: it is set;
2. from 1.4 on, an object passed as `ssl=` is asked for `wrap_socket(sock, server_hostname=…)`;
3. 1.3.4 imports `ussl`, which MicroPython no longer has, and calls its `wrap_socket(sock)`.
"""

import sys

from micropython import const
from umqtt import simple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import Config
    from .wire import Wire

_CONNACK_ACCEPTED = const(b"\x20\x02\0\0")  # session not present, return code 0


def make(config: "Config", wire: "Wire") -> "Any":
    """Return umqtt's client, its CONNECT packet in the wire; the answer it is shown is ours."""
    door: "Any" = _Door(wire)
    setattr(simple, "socket", door)  # noqa: B010  the type checker takes a module's as final
    sys.modules["ussl"] = door
    try:
        client = simple.MQTTClient(
            config.client_id, config.endpoint, config.port, keepalive=config.keepalive_s, ssl=door
        )
        wire.offer(_CONNACK_ACCEPTED)
        client.connect()
    finally:  # whoever keeps the door keeps this module
        setattr(simple, "socket", None)  # noqa: B010
        del sys.modules["ussl"]
    client.ssl = None
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
