"""The board's own forms of a job document, as operations and what is given to them; loaded for
one.

`{"operation": …, arguments…}`, `{"steps": [those…]}`, and the AWS sample's `{"Todo": "Reboot"}`.
"""

from micropython import const

from .errors import JobRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_STEPS = const(20)
_TODO = {"Reboot": "reboot"}


def parse(document: dict) -> "list[tuple[str, Any, int]]":
    """Return (operation, given arguments, flags of `steps`) each. Raises JobRejected."""
    if "Todo" in document:
        return [_todo(document)]
    if "steps" in document:
        return _steps(document)
    if "operation" in document:
        return [_operation(dict(document), "document")]
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
    return step["operation"], step, 0
