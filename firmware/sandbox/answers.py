"""Prints the service's answers and events as the AWS Jobs Sandbox sample does: the same members in
the same order. Loaded for each.
"""

import json
from collections import OrderedDict

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


def dump(answer: dict) -> str:
    """Return an answer or event as one line of JSON; members that the sample lacks come last."""
    order = _PENDING if "inProgressJobs" in answer else _ANSWER
    return json.dumps(_sorted(answer, order), separators=(",", ":"))


def order(text: str) -> str:
    """Return one that is JSON in that order. Raises ValueError when it is none."""
    return dump(json.loads(text))


def _sorted(value: "Any", order: str) -> "Any":
    if not order:
        return value
    if isinstance(value, list):
        return [_sorted(item, order) for item in value]
    if not isinstance(value, dict):
        return value
    found: "dict[str, Any]" = OrderedDict()
    for name in order.split() + sorted(value, key=str):
        if name in value and name not in found:
            found[name] = _sorted(value[name], _ORDERS.get(name, ""))
    return found
