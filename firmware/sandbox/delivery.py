"""The outcome of a job, kept in the journal until the service has it. Loaded when there is one."""

from .errors import JobsError
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .executor import Executor

GONE = ("ResourceNotFound", "TerminalStateReached", "InvalidStateTransition")


async def reject_too_large(executor: "Executor") -> None:
    """Reject the next execution, whose document is more than the board can hold."""
    answer = await executor.jobs.describe("$next", includeJobDocument=False)
    if "execution" in answer:
        result = {"code": "DOCUMENT_TOO_LARGE", "reason": "it is more than this board can hold"}
        await finish(executor, answer["execution"], "REJECTED", result)


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
