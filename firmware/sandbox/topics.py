"""The MQTT topics of AWS IoT Jobs for one thing.

Source: AWS IoT developer guide, "Jobs device MQTT API". A topic is told apart by its part behind
`$aws/things/<thing>/jobs/`, called its tail here: `get/accepted`, `<jobId>/update/rejected`,
`notify`, …
"""

NOTIFY = "notify"
NOTIFY_NEXT = "notify-next"

# Six filters: what the service sends about jobs, and what answers the four requests. They fit one
# SUBSCRIBE (AWS allows 8) and never match a request of ours, which is one level shorter.
_FILTERS = (
    (NOTIFY, 1),
    (NOTIFY_NEXT, 1),
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
