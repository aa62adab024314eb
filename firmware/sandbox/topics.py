"""The MQTT topics of AWS IoT Jobs for one thing.

Source: AWS IoT developer guide, "Jobs device MQTT API". A topic is told apart by its part behind
`$aws/things/<thing>/jobs/`, called its tail here: `get/accepted`, `<jobId>/update/rejected`,
`notify`, …
"""

# Six filters: what the service sends about jobs, and what answers the four requests. They fit one
# SUBSCRIBE (AWS allows 8) and never match a request of ours, which is one level shorter.
_FILTERS = (
    ("notify", 1),
    ("notify-next", 1),
    ("get/+", 0),
    ("start-next/+", 0),
    ("+/get/+", 0),
    ("+/update/+", 0),
)


def prefix(thing: str) -> str:
    """Return what the topics of `thing` begin with, the final slash included."""
    return "$aws/things/%s/jobs/" % thing


def filters(thing: str) -> list[tuple[str, int]]:
    """Return (filter, QoS) of all subscriptions; notifications at QoS 1, answers at 0."""
    start = prefix(thing)
    return [(start + tail, qos) for tail, qos in _FILTERS]


def subscribe_packet(thing: str) -> bytes:
    """Return the SUBSCRIBE packet (MQTT 3.1.1, 3.8) with all filters of `thing`, as number 1.

    umqtt sends one filter a packet, and up to 1.7 breaks those of over 122 bytes.
    """
    body = b"\0\x01"
    for name, qos in filters(thing):
        body += len(name).to_bytes(2, "big") + name.encode() + bytes((qos,))
    size = len(body)  # 185 to 947, which takes two bytes, seven bits each
    return b"\x82" + bytes((size & 0x7F | 0x80, size >> 7)) + body
