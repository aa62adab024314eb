"""The outcome of a job, kept in the journal until the service has it. Loaded when there is one."""

from .errors import JobsError
from .jobs import FULL
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor

GONE = ("ResourceNotFound", "TerminalStateReached", "InvalidStateTransition")


async def refuse(executor: "Executor", error: JobsError) -> None:
    """End the next execution, whose document could not be held for the reason of `error`."""
    answer = await executor.jobs.describe("$next", includeJobDocument=False)
    if "execution" in answer:
        await finish(executor, answer["execution"], *_why(error, "REJECTED", "DOCUMENT_TOO_LARGE"))


async def give_up(executor: "Executor", error: JobsError) -> None:
    """End the execution in the journal, whose document cannot be held again: it has begun, and
    must not begin anew when there is room.
    """
    versioned = dict(executor.journal.entry, versionNumber=executor.journal.entry["version"])
    await finish(executor, versioned, *_why(error, "FAILED", "OUT_OF_MEMORY"))


def _why(error: JobsError, status: str, code: str) -> "tuple[str, dict]":
    if error.code == FULL:
        status, code = "FAILED", "FLASH_FULL"
    return status, {"code": code, "reason": error.message}


async def finish(
    executor: "Executor", execution: "dict[str, Any]", status: str, result: "dict[str, Any]"
) -> None:
    """Record how the execution ended, in the journal, and deliver it. Raises JobsError."""
    if status == "FAILED" and executor.journal.entry.get("attempt", 1) > 1:
        borrow("crash").explain(executor.board, result)
    journal = executor.journal
    # its version is newer when progress was reported
    version = journal.entry.get("version", execution.get("versionNumber", 0))
    journal.entry = {
        "jobId": execution["jobId"],
        "executionNumber": execution.get("executionNumber", 1),
        "version": version,
        "phase": "final",
        "status": status,
        "details": borrow("details").clean(result),
    }
    try:
        journal.write(journal.entry)
    except OSError as error:
        executor.log.error("jobs", "the outcome is not kept over a reset: %s", error)
    await deliver(executor)


async def deliver(executor: "Executor") -> None:
    """Deliver the outcome in the journal. Raises JobsError: it is still there, for later."""
    entry = executor.journal.entry
    while True:
        try:
            await borrow("updates").update(executor, entry["status"], entry["details"])
            break
        except MemoryError:
            details = entry["details"]
            if not details:
                raise
            details.pop(max(details, key=lambda name: len(details[name])))
        except JobsError as error:
            state = error.state.get("status")
            if error.code == "InvalidRequest" and entry["details"]:
                entry["details"] = {}  # the status matters more than what is told about it
            elif state == entry["status"]:
                break  # an earlier report was accepted, and its answer lost
            elif error.code in GONE or state not in (None, "IN_PROGRESS"):
                drop(executor, error.code, error.message)  # QUEUED: another of the same id
                return
            else:
                raise
    words = " ".join("%s=%.40s" % pair for pair in sorted(entry["details"].items()))
    executor.log.info("jobs", "%s %s %s", entry["jobId"], entry["status"], words)
    executor.journal.clear()


def drop(executor: "Executor", code: str, message: str) -> None:
    """Forget the journal's execution: there is nobody to tell."""
    job_id = executor.journal.entry.get("jobId", "")
    executor.log.warning("jobs", "%s dropped: %s %s", job_id, code, message)
    executor.journal.clear()
