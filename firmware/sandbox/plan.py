"""Job documents: from what the operator wrote to steps that can be run, or a rejection with a
reason. Everything is checked before anything is done.

Accepted: `{"operation": …, arguments…}`, `{"steps": [those…]}`, the AWS sample's `{"Todo":
"Reboot"}`, and what the AWS IoT Device Client takes (`handlers`). docs/jobs/ tells it to people.
"""

from micropython import const

from .errors import JobRejected
from .lazy import borrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

_MOST_STEPS = const(20)
_LONGEST_NAME = const(64)
_TODO = {"Reboot": "reboot"}
_OLD = ("args", "allowStdErr", "includeStdOut")


def plan(document: "Any", board: "Board") -> "list[tuple[str, dict, int]]":
    """Return the steps as (operation, checked arguments, flags of `steps`). Raises JobRejected."""
    if not isinstance(document, dict):
        raise JobRejected("INVALID_DOCUMENT", "the document must be a JSON object")
    arguments = borrow("arguments")
    return [
        (name, arguments.check(name, load(name), given, board), flags)
        for name, given, flags in _parse(document, board, arguments.is_absent)
    ]


def load(name: str) -> "Any":
    """Return the module of the operation `name`. Raises JobRejected when the board has none."""
    if 0 < len(name) <= _LONGEST_NAME and all(
        "a" <= c <= "z" or "0" <= c <= "9" or c == "-" for c in name
    ):
        try:
            return borrow("operations." + name.replace("-", "_"))
        except ImportError:
            pass
    raise JobRejected("UNKNOWN_OPERATION", "this board has no operation %s" % name[:_LONGEST_NAME])


def _parse(document: dict, board: "Board", is_absent: "Any") -> "list[tuple[str, dict, int]]":
    name = document.get("operation")
    old = isinstance(name, str) and (name[-3:] == ".sh" or any(m in document for m in _OLD))
    if old or "version" in document:
        return borrow("handlers").parse(document, board, load, is_absent)
    if "Todo" in document:
        return [_todo(document)]
    if "steps" in document:
        return _steps(document)
    if "operation" in document:
        return [_operation(document, "document")]
    raise JobRejected("INVALID_DOCUMENT", "the document has neither operation nor steps nor Todo")


def _todo(document: dict) -> "tuple[str, dict, int]":
    todo = document["Todo"]
    _allow_only("Todo", document)
    if not isinstance(todo, str) or todo not in _TODO:
        raise JobRejected("UNKNOWN_OPERATION", "Todo must be one of %s" % ", ".join(_TODO))
    return _TODO[todo], {}, 0


def _steps(document: dict) -> "list[tuple[str, dict, int]]":
    steps = document["steps"]
    _allow_only("steps", document)
    if not isinstance(steps, list) or not 1 <= len(steps) <= _MOST_STEPS:
        raise JobRejected("INVALID_DOCUMENT", "steps must be a list of 1 to %d" % _MOST_STEPS)
    return [_operation(step, "steps[%d]" % i) for i, step in enumerate(steps)]


def _allow_only(member: str, document: dict) -> None:
    if any(name != member and name[:1] != "_" for name in document):
        raise JobRejected("INVALID_DOCUMENT", "beside %s nothing else is allowed" % member)


def _operation(step: "Any", where: str) -> "tuple[str, dict, int]":
    if not isinstance(step, dict) or not isinstance(step.get("operation"), str):
        raise JobRejected("INVALID_DOCUMENT", where + " must be an object with a string operation")
    given = {name: value for name, value in step.items() if name != "operation"}
    return step["operation"], given, 0
