"""When AWS IoT Core ends a connection by itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import take
from host_tools.cloud.rules.session import MQTT_5, Links

_KEEP_ALIVE_TIMEOUT, _NOT_AUTHORIZED = 0x8D, 0x87
_TELL_S = 1.0


def keep_alive(context: Context, links: Links) -> None:
    """End a connection silent for one and a half times its keep-alive, and publish its will.

    AWS: developer guide, "MQTT", keep-alive: from 30 to 1200 s, a client is disconnected after 1.5
    times as long (MQTT-3.1.2-24). MiniStack never does.
    """
    rule = "keep-alive"
    clients = take(rule, context.iot, "_connected_clients")

    async def sweep_keep_alive() -> None:
        now = time.monotonic()
        for session in list(clients.values()):
            link = links.get(session)
            if link is not None and now - link.seen > 1.5 * link.keepalive_s:
                context.refuse(
                    rule, f"silent for 1.5 times its keep-alive of {link.keepalive_s:g} s", session
                )
                await _end(context, session, "MQTT_KEEP_ALIVE_TIMEOUT", _KEEP_ALIVE_TIMEOUT)

    context.sweeps.append(sweep_keep_alive)


def certificate_stays_active(context: Context) -> None:
    """End the connections of a certificate that is deactivated, revoked or deleted.

    AWS: UpdateCertificate, "within a few minutes of updating a certificate from the ACTIVE state
    to any other state, AWS IoT disconnects all devices that used that certificate". Here at once.
    """
    rule = "certificate stays active"
    clients = take(rule, context.iot, "_connected_clients")
    certificates = take(rule, context.iot, "_certificates")
    take(rule, certificates, "get_scoped", ("account_id", "region", "key", "default"))

    async def sweep_certificates() -> None:
        for session in list(clients.values()):
            if not session.certificate_id or session.provisioning_template:
                continue
            record = certificates.get_scoped(
                session.account_id, session.region, session.certificate_id
            )
            status = record.get("status") if record else "deleted"
            if status != "ACTIVE":
                context.refuse(rule, f"its certificate is {status}", session)
                await _end(context, session, "FORBIDDEN_ACCESS", _NOT_AUTHORIZED)

    context.sweeps.append(sweep_certificates)


async def _end(context: Context, session: Any, reason: str, code: int) -> None:
    # `reason` as in AWS's disconnect events (developer guide, "Lifecycle events")
    session._forced_disconnect_reason = reason
    if session.protocol_version == MQTT_5:
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(session.send_bytes(context.iot._make_disconnect(code)), _TELL_S)
    with contextlib.suppress(OSError):
        await session._send({"type": "websocket.close", "code": 1000})
    await session.cleanup()
