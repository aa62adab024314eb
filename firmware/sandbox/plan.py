"""Job documents: from what the operator wrote to steps whose arguments are still to be checked, or
a rejection with a reason. Everything is checked before anything is done. Loaded for one.

The forms are in `forms` and, those of the AWS IoT Device Client, in `handlers`; docs/jobs/ tells
them to people. The steps of a long document are in flash and stay there (`records`).
"""

from micropython import const

from .errors import JobFailed
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator

    from .board import Board

_OLD = ("args", "allowStdErr", "includeStdOut")
_IDENTITY = ("jobId", "executionNumber", "versionNumber")
_MOST_STEPS = const(20)


def parse(execution: "dict[str, Any]", board: "Board") -> "Any":
    """Return the steps of an execution, a list or Records: (operation, given arguments, flags of
    `steps`) each. Uses the execution up: what is left of it is how it is told from others. Raises
    JobFailed, and ValueError and OSError when its steps are in flash.
    """
    document: "Any" = execution.pop("jobDocument", None)
    stored: "Any" = execution.pop("steps", None)
    identity = {name: execution[name] for name in _IDENTITY if name in execution}
    execution.clear()  # the rest takes memory as long as the job runs
    execution.update(identity)
    if not isinstance(document, dict):
        raise JobFailed("INVALID_DOCUMENT", "the document must be a JSON object", "REJECTED")
    steps: "Any" = document.get("steps")
    # from `split` it is a tuple, from the service it would be a list
    if isinstance(stored, tuple) and steps is None:
        steps = borrow("records").Records(*stored)
    elif not isinstance(steps, list):
        steps = ()
    if "steps" in document:
        if not 1 <= len(steps) <= _MOST_STEPS:
            raise JobFailed(
                "INVALID_DOCUMENT", "steps must be a list of 1 to %d" % _MOST_STEPS, "REJECTED"
            )
        document["steps"] = steps
    parsed = _changed(steps, [_parse(document, board)])
    document.clear()  # of what is parsed, only what is still to be checked takes memory
    return parsed


def _parse(document: "dict[str, Any]", board: "Board") -> "Iterator[tuple[str, Any, int]]":
    name = document.get("operation")
    old = isinstance(name, str) and (name[-3:] == ".sh" or any(m in document for m in _OLD))
    if old or "version" in document:
        return borrow("handlers").parse(document, board)
    return borrow("forms").parse(document)


def _changed(steps: "Any", box: "list[Iterable[Any]]") -> "Any":
    # in a box, or the caller's stack keeps the iterator and with it a module
    if isinstance(steps, (list, tuple)):
        return list(box.pop())
    return borrow("turning").turn(steps, box.pop())
