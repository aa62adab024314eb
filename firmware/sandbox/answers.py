"""Prints the service's answers and events as the AWS Jobs Sandbox sample does: the same members in
the same order. Loaded for an answer, and for the events that have come.
"""

import asyncio
import json
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .jobs import Jobs

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


async def show(jobs: "Jobs", write: "Callable[[str], None]") -> None:
    """Show the events until there are no more. Whoever waits for an answer that came before one
    gets that first: it is their turn after each event, and before this begins.
    """
    while True:
        name, event = jobs.events[0]
        try:
            event = dump(json.loads(event))
        except (MemoryError, RuntimeError, ValueError):
            pass  # no room, or a number that MicroPython writes and does not read, `inf`
        write("Received %s event:  %s" % (name, event))
        jobs.events.pop(0)
        if not jobs.events:
            return
        await asyncio.sleep_ms(0)


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
