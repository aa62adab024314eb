"""How a job execution ends without success: from an exception to its status and what is told of
it. Loaded when one does.
"""

import sys

from .errors import JobEnded, JobFailed, JobRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def judge(error: Exception, begun: bool, result: "dict[str, Any]") -> str:
    """Return the status of an execution that `error` has ended, and put code and reason into
    `result`, which says where the steps were and is empty if there were none.

    `begun`: some were run, before a reset.
    """
    if not isinstance(error, JobEnded):
        error = _of_the_steps(error) if result else _of_the_document(error, begun)
    result["code"], result["reason"] = error.args
    return "REJECTED" if isinstance(error, JobRejected) and not begun else "FAILED"


def _of_the_document(error: Exception, begun: bool) -> JobEnded:
    # what has kept its steps from being made
    if isinstance(error, MemoryError):
        if begun:
            return JobFailed("OUT_OF_MEMORY", "the heap has no room for its steps")
        return JobRejected("DOCUMENT_TOO_LARGE", "the board's memory has no room for it")
    if isinstance(error, ValueError):
        return JobRejected("INVALID_DOCUMENT", "a step is not JSON")
    if isinstance(error, OSError):
        return JobFailed("FLASH_FULL", "the steps cannot be kept: %s" % error)
    return _of_ours(error)


def _of_the_steps(error: Exception) -> JobEnded:
    if isinstance(error, MemoryError):
        sys.print_exception(error)
        return JobFailed("OUT_OF_MEMORY", str(error))
    return _of_ours(error)


def _of_ours(error: Exception) -> JobEnded:
    sys.print_exception(error)
    return JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))
