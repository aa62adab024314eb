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

_MOST_ATTEMPTS = const(5)
_RETRY_S = const(2)
_AGAIN = ("Offline", "Timeout", "RequestThrottled", "InternalError")
_GONE = ("ResourceNotFound", "TerminalStateReached", "InvalidStateTransition")
_LIVE = ("QUEUED", "IN_PROGRESS")


class Job:
    """What an operation may use: the board, what it saved before a reset, reports, the reset."""

    def __init__(self, executor: "Executor", step: int, saved: dict) -> None:
        self.board = executor.board
        self.saved = saved
        self._executor = executor
        self._step = step

    def save(self, saved: dict) -> None:
        """Keep `saved` over a reset. Raises JobFailed when the flash takes no more."""
        self.saved = saved
        _record(self._executor, self._step, saved)

    async def report(self, progress: "dict[str, Any]") -> None:
        """Report IN_PROGRESS with `progress` as statusDetails; return when it is accepted.

        Raises JobCancelled when the execution has ended meanwhile.
        """
        clean = borrow("details").clean(progress)
        while True:
            try:
                await _update(self._executor, "IN_PROGRESS", clean)
                return
            except JobsError as error:
                if error.code not in _AGAIN:
                    raise JobCancelled(error.code, error.message)
            await asyncio.sleep(_RETRY_S)
            await self._executor.link.online.wait()

    async def restart(self) -> None:
        """Disconnect and reset the chip."""
        await self._executor.shut_down()
        self.board.reset()


async def execute(executor: "Executor", execution: "dict[str, Any]") -> None:
    """Run an execution that is IN_PROGRESS and deliver its outcome.

    Raises JobsError when the outcome could not be delivered: it is in the journal, for `settle`.
    """
    try:
        steps = borrow("plan").plan(execution.get("jobDocument"), executor.board)
        _open(executor, execution)
        execution.pop("jobDocument", None)  # its memory is needed
        status, result = "SUCCEEDED", await _guard(executor, steps)
    except JobCancelled as end:
        _drop(executor, *end.args)
        return
    except JobEnded as end:
        begun = bool(executor.journal.entry)
        status = "REJECTED" if isinstance(end, JobRejected) and not begun else "FAILED"
        result = {"code": end.args[0], "reason": end.args[1]}
    await _finish(executor, execution, status, result)


async def settle(executor: "Executor") -> None:
    """Deal with what the journal holds: deliver a final status, go on with what was
    interrupted.
    """
    entry = executor.journal.entry
    if entry["phase"] == "final":
        await _deliver(executor)
        return
    number = entry["executionNumber"]
    try:
        answer = await executor.jobs.describe(entry["jobId"], executionNumber=number)
    except JobsError as error:
        if error.code in _AGAIN:
            raise
        _drop(executor, error.code, error.message)
        return
    execution = answer.get("execution") or {}
    if execution.get("status") == "IN_PROGRESS":
        await execute(executor, execution)
    else:
        _drop(executor, "it is", str(execution.get("status")))


async def reject_too_large(executor: "Executor") -> None:
    """Reject the next execution, whose document is more than the board can hold."""
    answer = await executor.jobs.describe("$next", includeJobDocument=False)
    if "execution" in answer:
        result = {"code": "DOCUMENT_TOO_LARGE", "reason": "it is more than this board can hold"}
        await _finish(executor, answer["execution"], "REJECTED", result)


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


async def _guard(executor: "Executor", steps: list) -> "dict[str, Any]":
    # The steps are a task of their own, so that a cancelled job can be stopped in their middle
    task: "Any" = asyncio.create_task(_run(executor, steps))
    cancelled = []

    async def check_cancelled() -> None:
        if await _has_ended(executor):
            cancelled.append(True)
            task.cancel()

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
    except Exception as error:
        sys.print_exception(error)
        raise JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))
    finally:
        executor.check_cancelled = None


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


async def _run(executor: "Executor", steps: list) -> "dict[str, Any]":
    result: "dict[str, Any]" = {}
    entry = executor.journal.entry
    first, saved = entry["step"], entry["saved"]
    for number in range(first, len(steps)):
        operation, arguments = steps[number]
        if number > first:
            saved = {}
            _record(executor, number, saved)
        running = operation.run(arguments, Job(executor, number, saved))
        try:
            result = await asyncio.wait_for(running, operation.TIMEOUT_S)
        except asyncio.TimeoutError:
            what = (number, operation.TIMEOUT_S)
            raise JobFailed("STEP_TIMEOUT", "step %d took over %d s" % what)
    if len(steps) > 1:
        result["steps"] = len(steps)
    return result


def _record(executor: "Executor", step: int, saved: dict) -> None:
    try:
        executor.journal.advance(step, saved)
    except OSError as error:
        raise JobFailed("FLASH_FULL", "the journal cannot be written: %s" % error)


async def _finish(
    executor: "Executor", execution: "dict[str, Any]", status: str, result: "dict[str, Any]"
) -> None:
    outcome = {"status": status, "details": borrow("details").clean(result)}
    try:
        executor.journal.finish(execution, outcome)
    except OSError as error:
        executor.log.error("jobs", "the outcome is not kept over a reset: %s", error)
    await _deliver(executor)


async def _deliver(executor: "Executor") -> None:
    entry = executor.journal.entry
    while True:
        try:
            await _update(executor, entry["status"], entry["details"])
            break
        except JobsError as error:
            if error.code in _AGAIN:
                raise
            if error.code == "InvalidRequest" and entry["details"]:
                entry["details"] = {}  # the status matters more than what is told about it
            elif error.state.get("status") == entry["status"]:
                break  # an earlier report was accepted, and its answer lost
            else:
                _drop(executor, error.code, error.message)
                return
    words = " ".join("%s=%s" % pair for pair in sorted(entry["details"].items()))
    executor.log.info("jobs", "%s %s %s", entry["jobId"], entry["status"], words)
    executor.journal.clear()


async def _update(executor: "Executor", status: str, details: dict) -> None:
    # Adopts the service's version once, when somebody else has changed a live execution
    entry = executor.journal.entry
    for again in (True, False):
        members = {
            "expectedVersion": entry["version"],
            "executionNumber": entry["executionNumber"],
        }
        if details:
            members["statusDetails"] = details
        try:
            await executor.jobs.update(entry["jobId"], status, **members)
            entry["version"] += 1
            return
        except JobsError as error:
            live = error.code == "VersionMismatch" and error.state.get("status") in _LIVE
            if not (again and live):
                raise
            entry["version"] = error.state.get("versionNumber", entry["version"])


def _drop(executor: "Executor", code: str, message: str) -> None:
    job_id = executor.journal.entry.get("jobId", "")
    executor.log.warning("jobs", "%s dropped: %s %s", job_id, code, message)
    executor.journal.clear()
