"""What is told of a job while its steps run (`steps`), and whether it has been cancelled. Loaded
for each report and each question.
"""

import asyncio

from micropython import const

from .errors import JobFailed, JobsError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .steps import Run

_RETRY_S = const(2)
_STEP_TIMEOUT_MIN = const(10)  # what `executor` has set when the job was started
_AGAIN = ("Offline", "Timeout", "RequestThrottled", "InternalError")
_GONE = ("ResourceNotFound", "TerminalStateReached", "InvalidStateTransition")


async def report(run: "Run", progress: "dict[str, Any]") -> None:
    """Report IN_PROGRESS with `progress` as statusDetails; return when it is accepted.

    Raises JobFailed, CANCELED when the execution has ended meanwhile.
    """
    while True:
        try:
            await _update(run, progress)
            return
        except JobsError as error:
            if _has_ended(error):
                raise JobFailed(error.code, error.message, "CANCELED")
            if error.code not in _AGAIN:  # were it dropped, the service would give it again
                raise JobFailed("INTERNAL_ERROR", "a report was refused: %s" % error.code)
        await asyncio.sleep(_RETRY_S)
        await run.executor.link.online.wait()


async def tell(run: "Run", told: "dict[str, Any]") -> "dict[str, Any]":
    """Report how far the steps are if that is not what was told last, once; return what has been
    told. Stops the steps if the job is gone.
    """
    now = run.where()
    step = min(run.job.percent, 99) if run.job else 0
    now["percent"] = (100 * run.at + step) // len(run.steps)
    if now == told:
        return told
    try:
        await _update(run, now)
        return now
    except JobsError as error:
        if _has_ended(error):
            run.stop()
        return told


async def check(run: "Run") -> None:
    """Stop the steps if the service says that the execution is no longer IN_PROGRESS."""
    entry = run.executor.journal.entry
    try:
        answer = await run.executor.jobs.describe(
            entry["jobId"], executionNumber=entry["executionNumber"], includeJobDocument=False
        )
        if answer.get("execution", {}).get("status") != "IN_PROGRESS":
            run.stop()
    except JobsError as error:
        if _has_ended(error):
            run.stop()


async def _update(run: "Run", progress: "dict[str, Any]") -> None:
    # once, and renew the step timer
    if not run.quiet:
        minutes = max(run.timeout_s // 60 + 2, _STEP_TIMEOUT_MIN)
        clean = borrow("details").clean(progress)
        await borrow("updates").update(run.executor, "IN_PROGRESS", clean, minutes)


def _has_ended(error: JobsError) -> bool:
    return error.code in _GONE or error.state.get("status") not in (None, "IN_PROGRESS")
