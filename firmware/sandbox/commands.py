"""The console's commands: those of the AWS Jobs Sandbox sample, under its names and with its
output. Loaded for a command; what goes beyond the sample is in `extras`.

A command is a coroutine that takes the app, `write(line)` and the words behind its name, and
returns USAGE if they are wrong, else nothing.
"""

from micropython import const

from .console import DONE, FAILED, USAGE
from .errors import JobsError
from .jobs import STATUSES, TOO_LARGE
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from .app import App

    Write = Callable[[str], None]

_LONGEST_ID = const(64)


async def do(app: "App", write: "Write", line: str) -> int:
    """Do the command in `line` and return its exit status: 0 done, 1 failed, 2 wrong usage."""
    words = line.split()
    if words[0] == "run":
        words = line.split(None, 1)
    row = borrow("texts").find("help.txt", words[0])
    if row is None:
        write("unknown command: %s; help lists the commands" % words[0])
        return USAGE
    status: int | None = USAGE
    needed = row[1].count("<")
    if needed <= len(words) - 1 <= needed + row[1].count("["):
        try:
            status = await _find(words[0])(app, write, *words[1:])
        except JobsError as error:
            _show_error(write, words[0], error)
            status = FAILED
        except MemoryError:
            write("%s failed: the heap has no room for it; see status" % words[0])
            status = FAILED
    if status == USAGE:
        write("usage: %s %s" % (words[0], row[1]))
    return status or DONE


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
        return USAGE
    request = app.jobs.describe(job_id)
    await _show_execution(app, write, "describe-job-execution", request, job_id)
    return None


async def update(app: "App", write: "Write", job_id: str, status: str) -> int | None:
    """Set the status of one. CANCELED is passed on, as the sample does; the service refuses it."""
    if not _is_job_id(job_id) or status not in STATUSES:
        return USAGE
    _show(write, "update-job-execution", await app.jobs.update(job_id, status))
    return None


def _is_job_id(text: str) -> bool:
    # botocore iot-jobs-data, JobId. Anything else might make a topic that ends the connection
    letters = all(c.isalpha() or c.isdigit() or c in "-_" for c in text)
    return text == "$next" or (letters and len(text) <= _LONGEST_ID)


def _find(command: str) -> "Any":
    # the sample's have the name of their first word
    name, dash, _ = command.partition("-")
    if dash:
        return globals()[name]
    return getattr(borrow("local" if name in ("run", "operations") else "extras"), name)


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
    write("%s result: %s" % (command, _dump(answer)))


def _dump(answer: dict) -> str:
    text: str = borrow("answers").dump(answer)
    return text


def _show_error(write: "Write", command: str, error: JobsError) -> None:
    write("%s rejected: %s: %s" % (command, error.code, error.message))
    what, remedy = borrow("causes").explain(error.code)
    if what:
        write("  %s; %s" % (what, remedy))
