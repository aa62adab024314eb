"""How one job execution is run, reported and, after a reset, finished. Loaded while there is one.

The journal is written before every effect; the outcome stays in it until the service has it.
"""

import asyncio
import sys

from micropython import const

from .errors import JobCancelled, JobEnded, JobFailed, JobRejected, JobsError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor
    from .steps import Run

_MOST_ATTEMPTS = const(5)
_AGAIN = ("Offline", "Timeout", "RequestThrottled", "InternalError")
_GONE = ("ResourceNotFound", "TerminalStateReached", "InvalidStateTransition")


async def execute(
    executor: "Executor", execution: "dict[str, Any]", steps: "list | JobRejected"
) -> None:
    """Run an execution that is IN_PROGRESS by its steps, and deliver its outcome.

    Raises JobsError when the outcome could not be delivered: it is in the journal, for `settle`.
    """
    run: "Run | None" = None
    try:
        if isinstance(steps, JobRejected):
            raise steps
        _open(executor, execution)
        run = borrow("steps").Run(executor, steps)
        status, result = "SUCCEEDED", await _guard(executor, run)
    except JobCancelled as end:
        borrow("delivery").drop(executor, *end.args)
        return
    except JobEnded as end:
        begun = bool(executor.journal.entry)
        status = "REJECTED" if isinstance(end, JobRejected) and not begun else "FAILED"
        result = {"code": end.args[0], "reason": end.args[1]}
        if run:
            result.update(run.where())
            result["duration_ms"] = run.duration_ms()
    except MemoryError:
        status, result = "FAILED", {"code": "OUT_OF_MEMORY", "reason": "the heap has no room"}
    run = None
    if isinstance(steps, list):
        steps.clear()  # what is reported needs the memory
    await borrow("delivery").finish(executor, execution, status, result)


async def settle(executor: "Executor") -> None:
    """Deal with what the journal holds: deliver a final status, go on with what was
    interrupted.
    """
    entry = executor.journal.entry
    if entry["phase"] == "final":
        await borrow("delivery").deliver(executor)
        return
    number = entry["executionNumber"]
    try:
        answer = await executor.jobs.describe(entry["jobId"], executionNumber=number)
    except JobsError as error:
        if error.code in _AGAIN:
            raise
        borrow("delivery").drop(executor, error.code, error.message)
        return
    execution = answer.get("execution") or {}
    if execution.get("status") == "IN_PROGRESS":
        await execute(executor, execution, borrow("plan").prepare(execution, executor.board))
    else:
        borrow("delivery").drop(executor, "it is", str(execution.get("status")))


def _open(executor: "Executor", execution: "dict[str, Any]") -> None:
    entry = executor.journal.entry
    job_id, number = execution["jobId"], execution.get("executionNumber", 1)
    attempt = 1
    if entry:  # `settle` has fetched the execution that the entry is of
        attempt = entry["attempt"] + 1
        if attempt > _MOST_ATTEMPTS:
            raise JobFailed("INTERRUPTED", "reset %d times while it ran" % _MOST_ATTEMPTS)
    try:
        executor.journal.begin(job_id, number, execution.get("versionNumber", 0), attempt)
    except OSError as error:
        raise JobFailed("FLASH_FULL", "the journal cannot be written: %s" % error)
    executor.log.info("jobs", "%s %s", job_id, "started" if attempt == 1 else "resumed")


async def _guard(executor: "Executor", run: "Run") -> "dict[str, Any]":
    # The steps are a task of their own, so that a cancelled job can be stopped in their middle
    task: "Any" = asyncio.create_task(run.work())
    cancelled: "list[bool]" = []
    checking: "list[bool]" = []

    def stop() -> None:
        cancelled.append(True)
        task.cancel()

    async def check_cancelled() -> None:
        if checking:
            return  # many changes at once: one question is enough
        checking.append(True)
        try:
            if await _has_ended(executor):
                stop()
        except MemoryError:
            pass  # the next change asks again
        finally:
            checking.pop()

    pace: "Any" = asyncio.create_task(run.pace(stop))
    executor.check_cancelled = check_cancelled
    try:
        return await task
    except asyncio.CancelledError:
        if cancelled:
            raise JobCancelled("CANCELED", "stopped by the operator")
        task.cancel()
        raise
    except JobEnded:
        raise
    except MemoryError as error:
        sys.print_exception(error)
        raise JobFailed("OUT_OF_MEMORY", str(error))
    except Exception as error:
        sys.print_exception(error)
        raise JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))
    finally:
        executor.check_cancelled = None
        pace.cancel()


async def _has_ended(executor: "Executor") -> bool:
    # Whether the service says that the execution under way is no longer IN_PROGRESS
    entry = executor.journal.entry
    try:
        answer = await executor.jobs.describe(
            entry["jobId"], executionNumber=entry["executionNumber"], includeJobDocument=False
        )
    except JobsError as error:
        return error.code in _GONE
    return answer.get("execution", {}).get("status") != "IN_PROGRESS"
