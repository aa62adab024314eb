"""Job documents: from what the operator wrote to steps that can be run, or a rejection with a
reason. Everything is checked before anything is done.

Accepted: `{"operation": …, arguments…}`, `{"steps": [those…]}`, and the AWS sample's `{"Todo":
"Reboot"}`.
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


def plan(document: "Any", board: "Board") -> "list[tuple[Any, dict]]":
    """Return the steps as (operation module, checked arguments). Raises JobRejected."""
    arguments = borrow("arguments")
    steps = []
    for name, given in parse(document):
        operation = load(name)
        steps.append((operation, arguments.check(name, operation.ARGUMENTS, given, board)))
    return steps


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


def parse(document: "Any") -> "list[tuple[str, dict]]":
    """Return the steps as (operation, arguments). Raises JobRejected naming what is wrong."""
    if not isinstance(document, dict):
        raise JobRejected("INVALID_DOCUMENT", "the document must be a JSON object")
    if "Todo" in document:
        return [_todo(document)]
    if "steps" in document:
        return _steps(document)
    if "operation" in document:
        return [_operation(document, "document")]
    raise JobRejected("INVALID_DOCUMENT", "the document has neither operation nor steps nor Todo")


def _todo(document: dict) -> "tuple[str, dict]":
    todo = document["Todo"]
    if len(document) > 1:
        raise JobRejected("INVALID_DOCUMENT", "beside Todo nothing else is allowed")
    if not isinstance(todo, str) or todo not in _TODO:
        raise JobRejected("UNKNOWN_OPERATION", "Todo must be one of %s" % ", ".join(_TODO))
    return _TODO[todo], {}


def _steps(document: dict) -> "list[tuple[str, dict]]":
    steps = document["steps"]
    if len(document) > 1:
        raise JobRejected("INVALID_DOCUMENT", "beside steps nothing else is allowed")
    if not isinstance(steps, list) or not 1 <= len(steps) <= _MOST_STEPS:
        raise JobRejected("INVALID_DOCUMENT", "steps must be a list of 1 to %d" % _MOST_STEPS)
    return [_operation(step, "steps[%d]" % i) for i, step in enumerate(steps)]


def _operation(step: "Any", where: str) -> "tuple[str, dict]":
    if not isinstance(step, dict) or not isinstance(step.get("operation"), str):
        raise JobRejected("INVALID_DOCUMENT", where + " must be an object with a string operation")
    return step["operation"], {name: value for name, value in step.items() if name != "operation"}
