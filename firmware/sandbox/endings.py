"""How a job execution ends without success: from an exception to its status and what is told of
it. Loaded when one does.
"""

import sys

from .errors import JobCancelled, JobEnded, JobFailed, JobRejected
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .steps import Run


def before(error: Exception, begun: bool) -> "tuple[str, dict]":
    """Return (status, result) of an execution whose steps could not be made or be recorded.

    `begun`: some were run, before a reset.
    """
    if isinstance(error, MemoryError):
        if begun:
            error = JobFailed("OUT_OF_MEMORY", "the heap has no room for its steps")
        else:
            error = JobRejected("DOCUMENT_TOO_LARGE", "the board's memory has no room for it")
    elif isinstance(error, ValueError):
        error = JobRejected("INVALID_DOCUMENT", "a step is not JSON")
    elif isinstance(error, OSError):
        error = JobFailed("FLASH_FULL", "the steps cannot be kept: %s" % error)
    status = "REJECTED" if isinstance(error, JobRejected) and not begun else "FAILED"
    return status, _result(error)


def during(error: Exception, run: "Run") -> "tuple[str, dict] | None":
    """Return (status, result) of an execution whose steps have raised `error`; None if the service
    has ended it.
    """
    if isinstance(error, JobCancelled):
        borrow("delivery").drop(run.executor, *error.args)
        return None
    if isinstance(error, MemoryError):
        sys.print_exception(error)
        error = JobFailed("OUT_OF_MEMORY", str(error))
    result = _result(error)
    result.update(run.where())
    result["duration_ms"] = run.duration_ms()
    return "FAILED", result


def _result(error: Exception) -> "dict[str, Any]":
    if isinstance(error, JobEnded):
        code, reason = error.args
    else:
        sys.print_exception(error)
        code, reason = "INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error)
    return {"code": code, "reason": reason}
