"""How a job execution ends without success: from an exception to its status and what is told of
it. Loaded when one does.
"""

import sys

from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def judge(error: Exception, begun: bool, result: "dict[str, Any]") -> str:
    """Return the status of an execution that `error` has ended, and put code and reason into
    `result`, which says where the steps were and is empty if there were none.

    `begun`: some were run, before a reset.
    """
    if not isinstance(error, JobFailed):
        error = _of_the_steps(error) if result else _of_the_document(error, begun)
    result["code"], result["reason"] = error.args[:2]
    return "FAILED" if begun else (error.args + ("FAILED",))[2]


def _of_the_document(error: Exception, begun: bool) -> JobFailed:
    # what has kept its steps from being made
    if isinstance(error, MemoryError):
        if begun:
            return JobFailed("OUT_OF_MEMORY", "the heap has no room for its steps")
        return JobFailed("DOCUMENT_TOO_LARGE", "the board's memory has no room for it", "REJECTED")
    if isinstance(error, ValueError):
        return JobFailed("INVALID_DOCUMENT", "a step is not JSON", "REJECTED")
    if isinstance(error, OSError):
        return JobFailed("FLASH_FULL", "the steps cannot be kept: %s" % error)
    return _of_ours(error)


def _of_the_steps(error: Exception) -> JobFailed:
    if isinstance(error, MemoryError):
        sys.print_exception(error)
        return JobFailed("OUT_OF_MEMORY", str(error))
    return _of_ours(error)


def _of_ours(error: Exception) -> JobFailed:
    sys.print_exception(error)
    return JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))
