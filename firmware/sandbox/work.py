"""How the run of a job execution begins, and how, after a reset, one is gone on with. Loaded for
that, and gone when the steps run (`steps`).

The journal is written before every effect; the outcome stays in it until the service has it
(`delivery`).
"""

import sys
import time

from micropython import const

from .errors import JobEnded, JobFailed, JobRejected, JobsError
from .jobs import FULL, TOO_LARGE
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor

_MOST_ATTEMPTS = const(5)


async def resume(executor: "Executor") -> "dict[str, Any] | None":
    """Deal with what the journal holds: deliver a final status; return the execution that was
    interrupted if it is to be gone on with. Raises JobsError.
    """
    entry = executor.journal.entry
    if entry["phase"] == "final":
        await borrow("delivery").deliver(executor)
        return None
    number = entry["executionNumber"]
    try:
        answer = await executor.jobs.describe(entry["jobId"], executionNumber=number)
    except JobsError as error:
        delivery = borrow("delivery")
        if error.code in (TOO_LARGE, FULL):
            await delivery.give_up(executor, error)
        elif error.code in delivery.GONE or error.code == "InvalidRequest":
            delivery.drop(executor, error.code, error.message)
        else:
            raise  # it may go on: the service is asked again
        return None
    execution = answer.get("execution") or {}
    if execution.get("status") == "IN_PROGRESS":
        return execution
    borrow("delivery").drop(executor, "it is", str(execution.get("status")))
    return None


def begin(
    executor: "Executor", execution: "dict[str, Any]", steps: "Any"
) -> "tuple[str, dict] | None":
    """Open the journal for an execution that is IN_PROGRESS; return (status, result) if it has
    ended with that, because it cannot be run, or `steps` are what was raised instead of them.
    """
    begun = bool(executor.journal.entry)
    try:
        if isinstance(steps, Exception):
            raise _ended(steps, begun)
        _open(executor, execution)
        return None
    except JobEnded as end:
        status = "REJECTED" if isinstance(end, JobRejected) and not begun else "FAILED"
        return status, {"code": end.args[0], "reason": end.args[1]}


def _ended(error: Exception, begun: bool) -> JobEnded:
    if isinstance(error, JobEnded):
        return error
    if isinstance(error, MemoryError):
        if begun:
            return JobFailed("OUT_OF_MEMORY", "the heap has no room for its steps")
        return JobRejected("DOCUMENT_TOO_LARGE", "the board's memory has no room for it")
    if isinstance(error, ValueError):
        return JobRejected("INVALID_DOCUMENT", "a step is not JSON")
    if isinstance(error, OSError):
        return JobFailed("FLASH_FULL", "the steps cannot be kept: %s" % error)
    sys.print_exception(error)
    return JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))


def _open(executor: "Executor", execution: "dict[str, Any]") -> None:
    # what there is of an entry is of this execution: `resume` has fetched it
    entry = dict(executor.journal.entry) or {
        "phase": "running",
        "attempt": 0,
        "step": 0,
        "saved": {},
        "began": int(time.time()),
    }
    entry["attempt"] += 1
    if entry["attempt"] > _MOST_ATTEMPTS:
        raise JobFailed("INTERRUPTED", "reset %d times while it ran" % _MOST_ATTEMPTS)
    entry["jobId"] = execution["jobId"]
    entry["executionNumber"] = execution.get("executionNumber", 1)
    entry["version"] = execution.get("versionNumber", 0)
    try:
        executor.journal.write(entry)
    except OSError as error:
        raise JobFailed("FLASH_FULL", "the journal cannot be written: %s" % error)
    how = "started" if entry["attempt"] == 1 else "resumed"
    executor.log.info("jobs", "%s %s", entry["jobId"], how)
