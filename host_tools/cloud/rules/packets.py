"""MQTT packets AWS IoT Core does not accept: each guard looks at one packet and may refuse it.

AWS answers most of them by closing the connection; an MQTT 5 client is told a reason code first
(developer guide, "MQTT 5 supported features": reason codes). Limits: AWS General Reference, "AWS
IoT Core endpoints and quotas", message broker.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import Any

from host_tools.cloud.rules.context import Context
from host_tools.cloud.rules.seam import need, replace, take
from host_tools.cloud.rules.session import (
    CONNECT,
    MQTT_5,
    PINGREQ,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    Links,
    Packet,
    Refused,
)

_PROTOCOL_ERROR, _NOT_AUTHORIZED, _CLIENT_ID_INVALID, _PACKET_TOO_LARGE = 0x82, 0x87, 0x85, 0x95
_TOPIC_INVALID, _FILTER_INVALID, _QUOTA, _QOS_UNSUPPORTED = 0x90, 0x8F, 0x97, 0x9B
_MAX_PAYLOAD, _MAX_FILTERS, _MAX_SUBSCRIPTIONS = 128 * 1024, 8, 50
_MAX_SLASHES, _MAX_TOPIC, _MAX_CLIENT_ID = 7, 256, 128
_SESSION = (  # what the rules read of a session
    *(
        "account_id",
        "region",
        "certificate_id",
        "iam_credential",
        "provisioning_template",
        "protocol_version",
    ),
    *("_client_id", "_policy_context", "_sub_filters", "_sub_ids", "_sub_granted_qos"),
    *("_forced_disconnect_reason", "_send", "send_bytes", "cleanup"),
)
_BASIC_INGEST = re.compile(r"\$aws/rules/[^/]*/")


def connect_first_and_once(packet: Packet) -> Refused | None:
    """Refuse anything before a good CONNECT, and a second one (MQTT-3.1.0-1, MQTT-3.1.0-2)."""
    rule = "CONNECT first and once"
    if packet.kind != CONNECT:
        return None if packet.link else Refused(rule, "a packet before CONNECT", _PROTOCOL_ERROR)
    if packet.link:
        return Refused(rule, "a second CONNECT", _PROTOCOL_ERROR)
    try:
        packet.connect()
    except (ValueError, IndexError, struct.error) as error:
        return Refused(rule, f"a malformed CONNECT ({error})", _PROTOCOL_ERROR)
    return None


def identity_required(packet: Packet) -> Refused | None:
    """Refuse a session with neither client certificate nor IAM credentials: MQTT over WebSocket.

    AWS: developer guide, "Device communication protocols": MQTT over WSS needs Signature Version 4
    or a custom authorizer. MiniStack gives an unsigned connection all rights.
    """
    session = packet.session
    if packet.kind != CONNECT or session.certificate_id or session.iam_credential:
        return None
    return Refused("identity required", "neither certificate nor signature", _NOT_AUTHORIZED)


def client_id_length(packet: Packet) -> Refused | None:
    """Refuse a client id over 128 bytes or starting with `$` (quotas, "Client ID size")."""
    if packet.kind != CONNECT:
        return None
    client_id = packet.connect()[3]
    if len(client_id.encode()) <= _MAX_CLIENT_ID and not client_id.startswith("$"):
        return None
    return Refused(
        "client id length",
        f"a client id over {_MAX_CLIENT_ID} bytes or starting with $",
        _CLIENT_ID_INVALID,
    )


def payload_size(packet: Packet) -> Refused | None:
    """Refuse a PUBLISH payload over 128 KB (quotas, "Message size")."""
    if packet.kind != PUBLISH or packet.publish()[1] <= _MAX_PAYLOAD:
        return None
    return Refused("payload size", f"a payload over {_MAX_PAYLOAD} bytes", _PACKET_TOO_LARGE)


def quality_of_service(packet: Packet) -> Refused | None:
    """Refuse a PUBLISH at QoS 2.

    AWS does not support it and does not answer (developer guide, "MQTT Quality of Service");
    closing, as MQTT 5 has it, is easier to notice."""
    if packet.kind != PUBLISH or packet.flags & 6 != 4:
        return None
    return Refused("QoS 0 and 1", "a PUBLISH at QoS 2", _QOS_UNSUPPORTED)


def topic_slashes(packet: Packet) -> Refused | None:
    """Refuse a topic or filter with more than 7 slashes, Basic Ingest's first three not counted.

    Quotas, "Maximum number of slashes in topic and topic filter".
    """
    topics = _topics(packet)
    if all(_BASIC_INGEST.sub("", topic, count=1).count("/") <= _MAX_SLASHES for topic in topics):
        return None
    return Refused("topic slashes", f"more than {_MAX_SLASHES} slashes: {topics}", _TOPIC_INVALID)


def filter_syntax(packet: Packet) -> Refused | None:
    """Refuse a filter over 256 bytes (quotas) or with a wrong wildcard (MQTT 4.7.1)."""
    if packet.kind != SUBSCRIBE:
        return None
    bad = [topic for topic in packet.filters() if not _is_filter(topic)]
    return Refused("filter syntax", f"not a topic filter: {bad}", _FILTER_INVALID) if bad else None


def filters_per_subscribe(packet: Packet) -> Refused | None:
    """Refuse a SUBSCRIBE with more than 8 filters.

    Quotas, "Maximum subscriptions per subscribe request". None at all breaks MQTT-3.8.3-3."""
    if packet.kind != SUBSCRIBE or 1 <= (count := len(packet.filters())) <= _MAX_FILTERS:
        return None
    return Refused("filters per SUBSCRIBE", f"{count} filters, at most {_MAX_FILTERS}", _QUOTA)


def subscriptions_per_connection(packet: Packet) -> Refused | None:
    """Refuse a connection's 51st subscription (quotas, "Subscriptions per connection")."""
    if packet.kind != SUBSCRIBE:
        return None
    if len({*packet.session._sub_filters.values(), *packet.filters()}) <= _MAX_SUBSCRIPTIONS:
        return None
    return Refused(
        "subscriptions per connection", f"more than {_MAX_SUBSCRIPTIONS} subscriptions", _QUOTA
    )


Guard = Callable[[Packet], Refused | None]
GUARDS: tuple[Guard, ...] = (
    connect_first_and_once,
    identity_required,
    client_id_length,
    payload_size,
    quality_of_service,
    topic_slashes,
    filter_syntax,
    filters_per_subscribe,
    subscriptions_per_connection,
)


def guard_packets(context: Context) -> Links:
    """Close the connection over a packet AWS would not take, before MiniStack sees it.

    A SUBSCRIBE that repeats a filter replaces the earlier subscription (MQTT-3.8.4-3); MiniStack
    would deliver twice from then on.
    """
    rule = "MQTT packets"
    iot = context.iot
    for name in ("_read_string", "_decode_properties"):
        take(rule, iot, name, ("buf", "offset"))
    take(rule, iot, "broker_unsubscribe", ("subscription_id",))
    need(rule, iot, "_make_connack", "_make_disconnect", "_MTLS_READ_CHUNK")
    need(rule, iot._WSSession(None, "", ""), *_SESSION)
    take(rule, iot, "_max_frame_buffer_bytes", ())
    dispatch = take(
        rule, iot._WSSession, "_dispatch_packet", ("self", "pkt_type", "flags", "body")
    )
    links = Links(context.settings.keepalive_min_s)

    async def dispatch_packet(session: Any, kind: int, flags: int, body: bytes) -> bool:
        packet = Packet(kind, flags, body, session, links.get(session), iot)
        refused = next(filter(None, (guard(packet) for guard in GUARDS)), None)
        if refused is not None:
            context.refuse(refused.rule, refused.reason, session)
            await _tell(packet, refused.code)
            return False
        links.saw(packet)
        go_on = bool(await dispatch(session, kind, flags, body))
        if kind == SUBSCRIBE and go_on:
            await _keep_newest(session, packet.filters(), iot)
        if kind not in (PINGREQ, PUBACK):
            context.touch()
        return go_on

    replace(iot._WSSession, "_dispatch_packet", dispatch_packet)
    # A whole packet of the largest size and what the next read adds; more is dropped unseen.
    replace(iot, "_max_frame_buffer_bytes", lambda: _MAX_PAYLOAD + 4 * iot._MTLS_READ_CHUNK)
    return links


async def _tell(packet: Packet, code: int) -> None:
    # Only MQTT 5 has a way to say why; 3.1.1 just closes.
    if packet.kind == CONNECT and packet.link is None:
        if packet.body[6:7] == bytes([MQTT_5]):
            await packet.session.send_bytes(
                packet.iot._make_connack(return_code=code, protocol_version=MQTT_5)
            )
    elif packet.session.protocol_version == MQTT_5:
        await packet.session.send_bytes(packet.iot._make_disconnect(code))


async def _keep_newest(session: Any, filters: list[str], iot: Any) -> None:
    for old in _superseded(session._sub_filters, filters):
        await iot.broker_unsubscribe(old)
        session._sub_filters.pop(old, None)
        session._sub_granted_qos.pop(old, None)
        session._sub_ids.remove(old)


def _superseded(known: dict[str, str], filters: list[str]) -> Iterator[str]:
    for topic_filter in set(filters):
        yield from [sid for sid, stored in known.items() if stored == topic_filter][:-1]


def _topics(packet: Packet) -> list[str]:
    if packet.kind == PUBLISH:
        return [packet.publish()[0]]
    return packet.filters() if packet.kind == SUBSCRIBE else []


def _is_filter(topic: str) -> bool:
    levels = topic.split("/")
    wild = all(level in ("+", "#") or not {"+", "#"} & set(level) for level in levels)
    return bool(topic) and len(topic.encode()) <= _MAX_TOPIC and wild and "#" not in levels[:-1]
