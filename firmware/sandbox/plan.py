"""Job documents: from what the operator wrote to steps that can be run, or a rejection with a
reason. Everything is checked before anything is done.

The forms are in `forms` and, those of the AWS IoT Device Client, in `handlers`; docs/jobs/ tells
them to people.
"""

from .errors import JobRejected
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

_OLD = ("args", "allowStdErr", "includeStdOut")


def prepare(execution: "dict[str, Any]", board: "Board") -> "list | JobRejected | None":
    """Return the steps of an execution, or why there are none: None if there is no room for them.
    Its document is gone then.
    """
    try:
        return plan(execution.pop("jobDocument", None), board)
    except JobRejected as error:
        return error
    except MemoryError:
        return None


def plan(document: "Any", board: "Board") -> "list[tuple[str, dict, int]]":
    """Return the steps as (operation, checked arguments, flags of `steps`); uses the document up.
    Raises JobRejected.
    """
    if not isinstance(document, dict):
        raise JobRejected("INVALID_DOCUMENT", "the document must be a JSON object")
    name = document.get("operation")
    old = isinstance(name, str) and (name[-3:] == ".sh" or any(m in document for m in _OLD))
    if old or "version" in document:
        parsed = borrow("handlers").parse(document, board)
    else:
        parsed = borrow("forms").parse(document)
    document.clear()  # of what is parsed, only what is still to be checked takes memory
    check = borrow("arguments").check
    steps = []
    while parsed:
        name, given, flags = parsed.pop(0)
        steps.append((name, check(name, given, board), flags))
    return steps
