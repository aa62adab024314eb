"""Reads the journal at the start, and sets aside what is none. Loaded for that."""

import os

from micropython import const

from . import files
from .errors import ConfigError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log import Log

_DAMAGED = files.STATE + "/journal.damaged"
_MEMBERS = (("jobId", str), ("executionNumber", int), ("version", int))
_PHASES: "dict[Any, tuple]" = {
    "running": (("attempt", int), ("step", int), ("saved", dict)),
    "final": (("status", str), ("details", dict)),
}
_LONGEST_ID = const(64)


def load(path: str, log: "Log") -> dict:
    """Return the entry in `path`, {} if there is none, or none that can be gone on with."""
    try:
        os.stat(path)
    except OSError:
        return {}
    try:
        entry = borrow("reader").read_json(path)
        why = _objection(entry)
    except ConfigError as error:
        why = str(error)
    except MemoryError:  # not even for that there was room
        why = "too large"
    if not why:
        return entry
    log.error("journal", "%s: set aside as %s", why, _DAMAGED)
    try:
        os.rename(path, _DAMAGED)
    except OSError:
        pass  # a full flash: it is set aside in memory only
    return {}


def _objection(entry: dict) -> str:
    phase = entry.get("phase")
    if not isinstance(phase, str) or phase not in _PHASES:
        return "no phase"
    for name, kind in _MEMBERS + _PHASES[phase]:
        if not isinstance(entry.get(name), kind):
            return "no %s" % name
    # The id becomes part of a topic, and the service ends the connection for one that is not valid
    job_id = entry["jobId"]
    if not 0 < len(job_id) <= _LONGEST_ID or any(c in job_id for c in "/+#$"):
        return "no jobId"
    details = entry.get("details", {})
    return "" if all(isinstance(value, str) for value in details.values()) else "no details"
