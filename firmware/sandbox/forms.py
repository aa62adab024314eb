"""The board's own forms of a job document, as operations and what is given to them; loaded for
one.

`{"operation": …, arguments…}`, `{"steps": [those…]}`, and the AWS sample's `{"Todo": "Reboot"}`.
"""

from .errors import JobFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

_TODO = {"Reboot": "reboot"}


def parse(document: "dict[str, Any]") -> "Iterator[tuple[str, dict, int]]":
    """Yield (operation, given arguments, flags of `steps`) each. Raises JobFailed."""
    if "Todo" in document:
        yield _todo(document)
    elif "steps" in document:
        _allow_only("steps", document)
        steps = document["steps"]
        for i in range(len(steps)):
            yield _operation(steps.pop(0), "steps[%d]" % i)
    elif "operation" in document:
        yield _operation(dict(document), "document")
    else:
        what = "the document has neither operation nor steps nor Todo"
        raise JobFailed("INVALID_DOCUMENT", what, "REJECTED")


def _todo(document: dict) -> "tuple[str, dict, int]":
    todo = document["Todo"]
    _allow_only("Todo", document)
    if not isinstance(todo, str) or todo not in _TODO:
        raise JobFailed(
            "UNKNOWN_OPERATION", "Todo must be one of %s" % ", ".join(_TODO), "REJECTED"
        )
    return _TODO[todo], {}, 0


def _allow_only(member: str, document: dict) -> None:
    for name, value in document.items():
        if name != member and (name[:1] != "_" or not isinstance(value, str)):
            what = "beside %s nothing is allowed but comments, text" % member
            raise JobFailed("INVALID_DOCUMENT", what, "REJECTED")


def _operation(step: "Any", where: str) -> "tuple[str, dict, int]":
    if not isinstance(step, dict) or not isinstance(step.get("operation"), str):
        raise JobFailed(
            "INVALID_DOCUMENT", where + " must be an object with a string operation", "REJECTED"
        )
    return step["operation"], step, 0
