"""Job documents: from what the operator wrote to steps that can be run, or a rejection with a
reason. Everything is checked before anything is done.

The forms are in `forms` and, those of the AWS IoT Device Client, in `handlers`; docs/jobs/ tells
them to people. The steps of a long document are in flash and stay there (`records`).
"""

import sys

from micropython import const

from .errors import JobEnded, JobFailed, JobRejected
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator

    from .board import Board

_OLD = ("args", "allowStdErr", "includeStdOut")
_MOST_STEPS = const(20)


def prepare(execution: "dict[str, Any]", board: "Board") -> "Any":
    """Return the steps of an execution, or why there are none, a JobEnded: None if there is no
    room for them. Its document is gone then.
    """
    try:
        return plan(execution.pop("jobDocument", None), board, execution.pop("steps", None))
    except JobEnded as error:
        return error
    except MemoryError:
        return None
    except ValueError:
        return JobRejected("INVALID_DOCUMENT", "a step is not JSON")
    except OSError as error:
        return JobFailed("FLASH_FULL", "the steps cannot be kept: %s" % error)
    except Exception as error:
        sys.print_exception(error)
        return JobFailed("INTERNAL_ERROR", "%s: %s" % (type(error).__name__, error))


def plan(document: "Any", board: "Board", stored: "Any" = None) -> "Any":
    """Return the steps, a list or Records: (operation, checked arguments, flags of `steps`) each.
    Uses the document up; `stored` says where in flash its steps are. Raises JobRejected.
    """
    if not isinstance(document, dict):
        raise JobRejected("INVALID_DOCUMENT", "the document must be a JSON object")
    steps: "Any" = document.get("steps")
    # from `split` it is a tuple, from the service it would be a list
    if isinstance(stored, tuple) and steps is None:
        steps = borrow("records").Records(*stored)
    elif not isinstance(steps, list):
        steps = ()
    if "steps" in document:
        if not 1 <= len(steps) <= _MOST_STEPS:
            raise JobRejected("INVALID_DOCUMENT", "steps must be a list of 1 to %d" % _MOST_STEPS)
        document["steps"] = steps
    parsed = _changed(steps, [_parse(document, board)])
    document.clear()  # of what is parsed, only what is still to be checked takes memory
    # loaded here and not below, where the C stack may still hold what has parsed
    check = borrow("arguments").check
    return _changed(parsed, [_checked(parsed, check, board)])


def _parse(document: "dict[str, Any]", board: "Board") -> "Iterator[tuple[str, Any, int]]":
    name = document.get("operation")
    old = isinstance(name, str) and (name[-3:] == ".sh" or any(m in document for m in _OLD))
    if old or "version" in document:
        return borrow("handlers").parse(document, board)
    return borrow("forms").parse(document)


def _checked(parsed: "Any", check: "Any", board: "Board") -> "Iterator[tuple[str, dict, int]]":
    for _ in range(len(parsed)):  # each is let go before the next one is taken
        yield _step(check, board, *parsed.pop(0))


def _step(
    check: "Any", board: "Board", name: str, given: "Any", flags: int
) -> "tuple[str, dict, int]":
    return name, check(name, given, board), flags


def _changed(steps: "Any", box: "list[Iterable[Any]]") -> "Any":
    # in a box, or the caller's stack keeps the iterator and with it a module
    return steps.turn(box.pop()) if hasattr(steps, "turn") else list(box.pop())
