"""How the run of a job execution begins, and how, after a reset, one is gone on with. Loaded for
that, and gone when the steps run (`steps`).

The journal is written before every effect; the outcome stays in it until the service has it
(`delivery`).
"""

import time

from micropython import const

from .errors import JobFailed, JobsError
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


def begin(executor: "Executor", execution: "dict[str, Any]") -> "JobFailed | None":
    """Open the journal for an execution that is IN_PROGRESS; return why it cannot be, if so."""
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
        return JobFailed("INTERRUPTED", "reset %d times while it ran" % _MOST_ATTEMPTS)
    entry["jobId"] = execution["jobId"]
    entry["executionNumber"] = execution.get("executionNumber", 1)
    entry["version"] = execution.get("versionNumber", 0)
    try:
        executor.journal.write(entry)
    except OSError as error:
        return JobFailed("FLASH_FULL", "the journal cannot be written: %s" % error)
    how = "started" if entry["attempt"] == 1 else "resumed"
    executor.log.info("jobs", "%s %s", entry["jobId"], how)
    return None
