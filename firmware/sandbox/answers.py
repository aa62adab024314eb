"""Prints the service's answers and events as the AWS Jobs Sandbox sample does: the same members in
the same order.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EXECUTION = (
    "jobId thingName jobDocument status statusDetails queuedAt startedAt lastUpdatedAt"
    " versionNumber executionNumber approximateSecondsBeforeTimedOut"
)
_SUMMARY = "jobId executionNumber versionNumber lastUpdatedAt queuedAt startedAt"

# member: the order of the members of the object, or of the objects of the list, that it holds
_ORDERS = {
    "execution": _EXECUTION,
    "inProgressJobs": _SUMMARY,
    "queuedJobs": _SUMMARY,
    "jobs": "IN_PROGRESS QUEUED",
    "IN_PROGRESS": _SUMMARY,
    "QUEUED": _SUMMARY,
}
_PENDING = "inProgressJobs queuedJobs timestamp clientToken"
_ANSWER = "clientToken jobs execution executionState jobDocument timestamp"


def dump(answer: "Any", order: str | None = None) -> str:
    """Return an answer or event as one line of JSON; members that the sample lacks come last."""
    if order is None:
        order = _PENDING if "inProgressJobs" in answer else _ANSWER
    if isinstance(answer, list):
        return "[%s]" % ",".join(dump(item, order) for item in answer)
    if not order or not isinstance(answer, dict):
        return json.dumps(answer, separators=(",", ":"))
    names = [name for name in order.split() if name in answer]
    names += sorted(set(answer) - set(names), key=str)
    members = []
    for name in names:
        value = dump(answer[name], _ORDERS.get(name, ""))
        members.append("%s:%s" % (json.dumps(str(name)), value))
    return "{%s}" % ",".join(members)
