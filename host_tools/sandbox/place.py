"""What --endpoint and --ca mean: a host, a port, and the roots to trust there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from host_tools.cloud import local
from host_tools.cloud.info import CloudInfo
from host_tools.cloud.roots import amazon_roots
from host_tools.errors import UsageError
from host_tools.sandbox import credentials

_MQTT_TLS_PORT = 8883
_ENDPOINT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?")
_LOCAL_HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Place:
    """Where the board connects, and the roots it trusts there."""

    host: str
    port: int
    roots: list[x509.Certificate]


def find(endpoint: str, ca: Path | None) -> Place:
    """Return the place of `HOST` or `HOST:PORT`.

    Without a port: 8883, or that of the local IoT Core for its host. Without a CA: the root of the
    local IoT Core if it is meant, else Amazon's. Raises UsageError, ToolError.
    """
    found = _ENDPOINT.fullmatch(endpoint)
    if not found or not 0 < int(found[2] or _MQTT_TLS_PORT) < 65536:
        raise UsageError(
            f"--endpoint {endpoint!r} is not HOST or HOST:PORT",
            "what `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints",
        )
    host, core = found[1], _local(found[1], found[2])
    port = int(found[2] or (core.mqtt_port if core else _MQTT_TLS_PORT))
    if ca is not None:
        return Place(host, port, credentials.read_roots(ca))
    if core is not None:
        return Place(host, port, credentials.read_roots(Path(core.ca)))
    roots = [x509.load_pem_x509_certificate(pem) for _, pem in amazon_roots()]
    return Place(host, port, roots)


def _local(host: str, port: str | None) -> CloudInfo | None:
    # the local IoT Core, if it runs and is meant
    running = local.status()
    if running is None or host not in (running.mqtt_host, *_LOCAL_HOSTS):
        return None
    return running if port in (None, str(running.mqtt_port)) else None
