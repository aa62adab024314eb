"""The commands of the AWS Jobs Sandbox sample, under its names and with its output, in the manner
of `commands`. Loaded for one.
"""

from micropython import const

from .errors import JobsError
from .jobs import TOO_LARGE
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Awaitable

    from .app import App
    from .commands import Write

_USAGE = const(2)
_LONGEST_ID = const(64)
# what a device may report, and CANCELED, which the sample's console sends and the service refuses
_STATUSES = ("SUCCEEDED", "IN_PROGRESS", "FAILED", "REJECTED", "CANCELED")


async def get(app: "App", write: "Write") -> None:
    """Get the state of all incomplete job executions."""
    _show(write, "get-pending-job-executions", await app.jobs.get_pending())


async def start(app: "App", write: "Write") -> None:
    """Start the next one, or get the one that is in progress."""
    request = app.jobs.start_next()
    await _show_execution(app, write, "start-next-pending-job-execution", request, "$next")


async def describe(app: "App", write: "Write", job_id: str) -> int | None:
    """Get the current state of one, by its id or as `$next`."""
    if not _is_job_id(job_id):
        return _USAGE
    request = app.jobs.describe(job_id)
    await _show_execution(app, write, "describe-job-execution", request, job_id)
    return None


async def update(app: "App", write: "Write", job_id: str, status: str) -> int | None:
    """Set the status of one. CANCELED is passed on, as the sample does; the service refuses it."""
    if not _is_job_id(job_id) or status not in _STATUSES:
        return _USAGE
    _show(write, "update-job-execution", await app.jobs.update(job_id, status))
    return None


def _is_job_id(text: str) -> bool:
    # botocore iot-jobs-data, JobId. Anything else might make a topic that ends the connection
    letters = all(c.isalpha() or c.isdigit() or c in "-_" for c in text)
    return text == "$next" or (letters and len(text) <= _LONGEST_ID)


async def _show_execution(
    app: "App", write: "Write", command: str, request: "Awaitable[dict]", job_id: str
) -> None:
    # without its document, if the heap cannot hold or print that
    app.jobs.whole = True
    try:
        answer = await request
        try:
            _show(write, command, answer)
            return
        except MemoryError:
            answer.get("execution", {}).pop("jobDocument", None)
    except JobsError as error:
        if error.code != TOO_LARGE:
            raise
        answer = await app.jobs.describe(job_id, includeJobDocument=False)
    finally:
        app.jobs.whole = False
    _show(write, command, answer)
    job_id = answer.get("execution", {}).get("jobId", job_id)
    write(
        "  its document is too large to be shown here: aws iot get-job-document --job-id " + job_id
    )


def _show(write: "Write", command: str, answer: dict) -> None:
    write("%s result: %s" % (command, borrow("answers").dump(answer)))
